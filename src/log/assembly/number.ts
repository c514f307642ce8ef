/**
 * Numbers of a line: eight digits at a time in a 64-bit word, validated as they are read. Every function
 * may read up to 16 bytes before the field and up to 15 after it.
 */

const ASCII_ZEROS: u64 = 0x3030303030303030
const ABOVE_NINE: u64 = 0x7676767676767676
const HIGH_BITS: u64 = 0x8080808080808080
/** `00:00:00` as a little-endian word. */
const TIME_ZEROS: u64 = 0x30303a30303a3030
/** Added to a byte, these reach 0x80 from 10 on for a digit and from 1 on for a colon. */
const TIME_LIMITS: u64 = 0x76767f76767f7676

/** 2^53-2, see `MAX_POSITION`. */
const MAX_POSITION: u64 = 9007199254740990

/** Non-zero when a byte of `word` (digits with ASCII zero taken off) is no digit. */
function nonDigits(word: u64): u64 {
  return (word | (word + ABOVE_NINE)) & HIGH_BITS
}

/** Value of eight digits, the first in the lowest byte. Source: the usual multiply-and-fold of pairs. */
function foldDigits(word: u64): u64 {
  const pairs = word * 10 + (word >> 8)
  const high = (pairs & 0x000000ff000000ff) * 0x000f424000000064
  const low = ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001
  return (high + low) >> 32
}

/** The last `count` (1 to 8) digits before `end`, others as zero. */
function lastDigits(end: usize, count: u32): u64 {
  const unwanted = (<u64>(8 - count)) << 3
  return ((load<u64>(end - 8) ^ ASCII_ZEROS) >> unwanted) << unwanted
}

/** The `count` (1 to 16) digits before `end` as a number, or -1 when one of them is no digit. */
export function readDigits(end: usize, count: u32): i64 {
  if (count <= 8) {
    const word = lastDigits(end, count)
    return nonDigits(word) != 0 ? -1 : <i64>foldDigits(word)
  }
  const low = load<u64>(end - 8) ^ ASCII_ZEROS
  const high = lastDigits(end - 8, count - 8)
  if ((nonDigits(low) | nonDigits(high)) != 0) return -1
  return <i64>(foldDigits(high) * 100000000 + foldDigits(low))
}

/** Whether the field is three digits. */
export function isStatus(start: usize, end: usize): bool {
  return end - start == 3 && readDigits(end, 3) >= 0
}

/** Days since 1970-01-01 of YYYY-MM-DD, 1970 to 9999; -1 for anything else. */
export function readDay(start: usize, end: usize): i32 {
  if (end - start != 10 || load<u8>(start, 4) != 0x2d || load<u8>(start, 7) != 0x2d) return -1
  const year = <i32>readDigits(start + 4, 4)
  const month = <i32>readDigits(start + 7, 2)
  const day = <i32>readDigits(end, 2)
  if (year < 1970 || month < 1 || month > 12 || day < 1) return -1
  const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  const dayCount = month == 2 ? 28 + i32(leap) : 30 + ((month + (month >> 3)) & 1)
  if (day > dayCount) return -1
  // Days from civil, with years that begin in March: the leap day comes last.
  const y = month > 2 ? year : year - 1
  const fromMarch = (month + 9) % 12
  const dayOfYear = (153 * fromMarch + 2) / 5 + day - 1
  return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719468
}

/** Seconds since midnight of HH:MM:SS, optionally with `.` and one to nine digits; -1 for anything else. */
export function readTime(start: usize, end: usize): i32 {
  const length = end - start
  if (length != 8) {
    const fraction = <u32>(length - 9)
    if (length < 10 || fraction > 9 || load<u8>(start, 8) != 0x2e || readDigits(end, fraction) < 0) return -1
  }
  const word = load<u64>(start) ^ TIME_ZEROS
  if (((word | (word + TIME_LIMITS)) & HIGH_BITS) != 0) return -1
  const pairs = word * 10 + (word >> 8)
  const hours = <i32>(pairs & 0xff)
  const minutes = <i32>((pairs >> 24) & 0xff)
  const seconds = <i32>((pairs >> 48) & 0xff)
  return hours > 23 || minutes > 59 || seconds > 59 ? -1 : hours * 3600 + minutes * 60 + seconds
}

/** First position of the range that `readRange` accepted last. */
export let rangeFirst: i64 = 0
/** Last position of it, inclusive. */
export let rangeLast: i64 = 0

/** Reads `first-last`; false when it is anything else, reversed or beyond 2^53-2. */
export function readRange(start: usize, end: usize): bool {
  const dashes = i8x16.bitmask(i8x16.eq(v128.load(start), i8x16.splat(0x2d)))
  // No dash in sixteen bytes: the first number may still have sixteen digits.
  const firstCount: u32 = dashes != 0 ? <u32>ctz(dashes) : 16
  const lastCount = <u32>(end - start) - firstCount - 1
  // Counts wrap around when the dash lies beyond the field.
  if (firstCount == 0 || lastCount - 1 > 15 || load<u8>(start + firstCount) != 0x2d) return false
  const first = readDigits(start + firstCount, firstCount)
  const last = readDigits(end, lastCount)
  if (first < 0 || last < first || <u64>last > MAX_POSITION) return false
  rangeFirst = first
  rangeLast = last
  return true
}
