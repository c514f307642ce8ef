/** When a request was: date and time in two fields, or an instant in one of the shapes that logs have. */

import { findByte } from './marks'
import { readDay, readDigits, readTime } from './number'
import { DATE, INSTANT, TIME } from './record-layout'
import { endOf, hasSpan, startOf } from './record-spans'

/** Seconds of 9999-12-31T23:59:59Z. */
const MAX_SECONDS: i64 = 253402300799
const DAY_SECONDS: i64 = 86400
const POINT: u8 = 0x2e
/** The months, four bytes each. */
const MONTHS: usize = memory.data<u8>([
  74, 97, 110, 47, 70, 101, 98, 47, 77, 97, 114, 47, 65, 112, 114, 47, 77, 97, 121, 47, 74, 117, 110, 47, 74,
  117, 108, 47, 65, 117, 103, 47, 83, 101, 112, 47, 79, 99, 116, 47, 78, 111, 118, 47, 68, 101, 99, 47,
])
/** A day in the shape that `readDay` reads, with what number readers touch before it. */
const day: usize = memory.data(64, 16) + 32

/** What is wrong when there is no time: 1 the date, 2 the time of day. */
export let badPart: u32 = 0

/** Seconds that the zone `Z`, `+hh:mm`, `+hhmm` or nothing says, or -1000000. */
function readZone(start: usize, end: usize): i64 {
  const length = end - start
  if (length == 0) return 0
  const sign = load<u8>(start)
  if (length == 1) return sign == 0x5a ? 0 : -1000000
  if (sign != 0x2b && sign != 0x2d) return -1000000
  if (length != 5 && (length != 6 || load<u8>(start, 3) != 0x3a)) return -1000000
  const hours = readDigits(start + 3, 2)
  const minutes = readDigits(end, 2)
  if (hours < 0 || minutes < 0 || hours > 23 || minutes > 59) return -1000000
  const seconds = hours * 3600 + minutes * 60
  return sign == 0x2b ? seconds : -seconds
}

function inBounds(seconds: i64): i64 {
  return seconds < 0 || seconds > MAX_SECONDS ? -1 : seconds
}

/** `2024-05-17T12:48:31.25Z`, with a space for the T, with a zone or without. */
function readIso(start: usize, end: usize): i64 {
  const middle = load<u8>(start, 10)
  const days = readDay(start, start + 10)
  if (end - start < 19 || days < 0 || (middle != 0x54 && middle != 0x20)) return -1
  let timeEnd = start + 19
  if (timeEnd < end && load<u8>(timeEnd) == POINT) {
    timeEnd++
    while (timeEnd < end && <u32>(load<u8>(timeEnd) - 0x30) <= 9) timeEnd++
  }
  const time = readTime(start + 11, timeEnd)
  const zone = readZone(timeEnd, end)
  if (time < 0 || zone == -1000000) return -1
  return inBounds(<i64>days * DAY_SECONDS + <i64>time - zone)
}

/** `10/Oct/2000:13:55:36 -0700`. */
function readClf(start: usize, end: usize): i64 {
  if (end - start != 26 || load<u8>(start, 11) != 0x3a || load<u8>(start, 20) != 0x20) return -1
  const name = load<u32>(start, 3)
  let month: u32 = 0
  while (month < 12 && load<u32>(MONTHS + ((<usize>month) << 2)) != name) month++
  if (month == 12) return -1
  month++
  store<u32>(day, load<u32>(start, 7))
  store<u8>(day, 0x2d, 4)
  store<u8>(day, <u8>(0x30 + month / 10), 5)
  store<u8>(day, <u8>(0x30 + (month % 10)), 6)
  store<u8>(day, 0x2d, 7)
  store<u16>(day, load<u16>(start), 8)
  const days = readDay(day, day + 10)
  const time = readTime(start + 12, start + 20)
  const zone = readZone(start + 21, end)
  if (days < 0 || time < 0 || zone == -1000000) return -1
  return inBounds(<i64>days * DAY_SECONDS + <i64>time - zone)
}

/** Seconds since 1970, with a fraction or without; whole numbers of 13, 16 or 19 digits count smaller units. */
function readEpoch(start: usize, end: usize): i64 {
  const point = findByte(POINT, start, end)
  const length = point - start
  if (point < end) {
    const fraction = <u32>(end - point - 1)
    if (fraction - 1 > 8 || readDigits(end, fraction) < 0) return -1
  } else if (length == 13 || length == 16 || length == 19) {
    // The last three, six or nine digits are a fraction; what is left are ten.
    const parts = <u32>(length - 10)
    return readDigits(end, parts) < 0 ? -1 : readDigits(start + 10, 10)
  }
  if (length - 1 > 11) return -1
  return inBounds(readDigits(point, <u32>length))
}

function readInstant(start: usize, end: usize): i64 {
  if (end - start > 2 && load<u8>(start) == 0x5b && load<u8>(end - 1) == 0x5d) {
    start++
    end--
  }
  const length = end - start
  if (length > 10 && load<u8>(start, 4) == 0x2d) return readIso(start, end)
  if (length > 10 && load<u8>(start, 2) == 0x2f) return readClf(start, end)
  return length > 0 ? readEpoch(start, end) : -1
}

/** Seconds since 1970 of the line at hand, or -1; then `badPart` says what is wrong. */
export function readMoment(): i64 {
  badPart = 2
  if (hasSpan(INSTANT)) return readInstant(startOf(INSTANT), endOf(INSTANT))
  const days = readDay(startOf(DATE), endOf(DATE))
  if (days < 0) {
    badPart = 1
    return -1
  }
  const time = readTime(startOf(TIME), endOf(TIME))
  return time < 0 ? -1 : <i64>days * DAY_SECONDS + <i64>time
}
