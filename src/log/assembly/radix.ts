/** Stable least-significant-digit radix sorts; digits that are the same everywhere cost one look. */

const LARGEST_DIGIT_BITS: u64 = 11
/** Fewer records get smaller digits: clearing the counters would cost more than they save. */
const FEW: usize = 2048
const counters: usize = memory.data(8192, 16)

/**
 * Sorts `count` records of type T by bits [lowBit, lowBit + bitCount) of their first eight bytes, between
 * the two buffers; returns the buffer that has the result.
 */
function sortRecords<T>(from: usize, other: usize, count: usize, lowBit: u64, bitCount: u64): usize {
  const widest = count < FEW ? <u64>8 : LARGEST_DIGIT_BITS
  const passCount = (bitCount + widest - 1) / widest
  let source = from
  let target = other
  let shift = lowBit
  for (let pass: u64 = 0; pass < passCount; pass++) {
    // The bits are dealt out evenly over the passes.
    const digitBits = bitCount / passCount + <u64>(pass < bitCount % passCount)
    if (sortByDigit<T>(source, target, count, shift, digitBits)) {
      const swap = source
      source = target
      target = swap
    }
    shift += digitBits
  }
  return source
}

/** One pass; false, and nothing done, when all records have the same digit. */
function sortByDigit<T>(source: usize, target: usize, count: usize, shift: u64, digitBits: u64): bool {
  const mask = ((<u64>1) << digitBits) - 1
  const counterEnd = counters + ((<usize>(mask + 1)) << 2)
  const end = source + count * sizeof<T>()
  memory.fill(counters, 0, counterEnd - counters)
  for (let at = source; at < end; at += sizeof<T>()) {
    const counter = counters + ((<usize>((load<u64>(at) >> shift) & mask)) << 2)
    store<u32>(counter, load<u32>(counter) + 1)
  }
  if (load<u32>(counters + ((<usize>((load<u64>(source) >> shift) & mask)) << 2)) == <u32>count) return false
  let next = <u32>target
  for (let counter = counters; counter < counterEnd; counter += 4) {
    const own = load<u32>(counter)
    store<u32>(counter, next)
    next += own * <u32>sizeof<T>()
  }
  for (let at = source; at < end; at += sizeof<T>()) {
    const counter = counters + ((<usize>((load<u64>(at) >> shift) & mask)) << 2)
    const place = <usize>load<u32>(counter)
    store<T>(place, load<T>(at))
    store<u32>(counter, <u32>place + <u32>sizeof<T>())
  }
  return true
}

/** Sorts 64-bit words by bits [lowBit, lowBit + bitCount); returns the buffer that has the result. */
export function sortWords(from: usize, other: usize, count: usize, lowBit: u64, bitCount: u64): usize {
  return sortRecords<u64>(from, other, count, lowBit, bitCount)
}

/** Sorts 16-byte records by their first eight bytes, of which `bitCount` bits are used. */
export function sortPairs(from: usize, other: usize, count: usize, bitCount: u64): usize {
  return sortRecords<v128>(from, other, count, 0, bitCount)
}
