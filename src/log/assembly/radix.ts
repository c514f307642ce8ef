/** Stable least-significant-digit radix sorts; digits that are the same everywhere cost one look. */

const LARGEST_DIGIT_BITS: u64 = 11
/** Fewer records get smaller digits: clearing the counters would cost more than they save. */
const FEW: usize = 2048
const counters: usize = memory.data(8192, 16)

/** Bytes of a record that is a word, and of one that is a word and a value. */
const WORD_BYTES: usize = 8
const PAIR_BYTES: usize = 16

/** Counts the digits of the records [at, end). */
function countDigits(at: usize, end: usize, stride: usize, shift: u64, mask: u64): void {
  for (; at < end; at += stride) {
    const counter = counters + ((<usize>((load<u64>(at) >> shift) & mask)) << 2)
    store<u32>(counter, load<u32>(counter) + 1)
  }
}

/** Puts the words [at, end) where the counters say. */
function scatterWords(at: usize, end: usize, shift: u64, mask: u64): void {
  for (; at < end; at += WORD_BYTES) {
    const word = load<u64>(at)
    const counter = counters + ((<usize>((word >> shift) & mask)) << 2)
    const place = load<u32>(counter)
    store<u64>(<usize>place, word)
    store<u32>(counter, place + <u32>WORD_BYTES)
  }
}

/** Puts the pairs [at, end) where the counters say. */
function scatterPairs(at: usize, end: usize, shift: u64, mask: u64): void {
  for (; at < end; at += PAIR_BYTES) {
    const counter = counters + ((<usize>((load<u64>(at) >> shift) & mask)) << 2)
    const place = load<u32>(counter)
    v128.store(<usize>place, v128.load(at))
    store<u32>(counter, place + <u32>PAIR_BYTES)
  }
}

/** Turns counts into addresses: where the first record of each digit goes. */
function placeDigits(target: usize, stride: usize, digitCount: usize): void {
  let next = <u32>target
  const end = counters + (digitCount << 2)
  for (let counter = counters; counter < end; counter += 4) {
    const own = load<u32>(counter)
    store<u32>(counter, next)
    next += own * <u32>stride
  }
}

/** One pass from `source` to `target`; false, and nothing moved, when all records have the same digit. */
function sortByDigit(
  source: usize,
  target: usize,
  count: usize,
  stride: usize,
  shift: u64,
  digitBits: u64,
): bool {
  const mask = ((<u64>1) << digitBits) - 1
  const end = source + count * stride
  memory.fill(counters, 0, (<usize>(mask + 1)) << 2)
  countDigits(source, end, stride, shift, mask)
  const first = counters + ((<usize>((load<u64>(source) >> shift) & mask)) << 2)
  if (load<u32>(first) == <u32>count) return false
  placeDigits(target, stride, <usize>(mask + 1))
  if (stride == WORD_BYTES) scatterWords(source, end, shift, mask)
  else scatterPairs(source, end, shift, mask)
  return true
}

/** Sorts by bits [lowBit, lowBit + bitCount) of the records' first eight bytes; the buffer that has the result. */
function sortRecords(
  from: usize,
  other: usize,
  count: usize,
  stride: usize,
  lowBit: u64,
  bitCount: u64,
): usize {
  if (count == 0) return from
  const widest = count < FEW ? <u64>8 : LARGEST_DIGIT_BITS
  const passCount = (bitCount + widest - 1) / widest
  let source = from
  let target = other
  let shift = lowBit
  for (let pass: u64 = 0; pass < passCount; pass++) {
    // The bits are dealt out evenly over the passes.
    const digitBits = bitCount / passCount + <u64>(pass < bitCount % passCount)
    if (sortByDigit(source, target, count, stride, shift, digitBits)) {
      const swap = source
      source = target
      target = swap
    }
    shift += digitBits
  }
  return source
}

/** Sorts 64-bit words by bits [lowBit, lowBit + bitCount), between two buffers; the one that has the result. */
export function sortWords(from: usize, other: usize, count: usize, lowBit: u64, bitCount: u64): usize {
  return sortRecords(from, other, count, WORD_BYTES, lowBit, bitCount)
}

/** Sorts 16-byte records by their first eight bytes, of which `bitCount` bits are used; the buffer as above. */
export function sortPairs(from: usize, other: usize, count: usize, bitCount: u64): usize {
  return sortRecords(from, other, count, PAIR_BYTES, 0, bitCount)
}
