/** The sequences section of a zstd block. Tables come from the host; source and order of bits: zstd-frame.ts. */

import { SEQUENCE_BYTE_LENGTH, sequenceTables } from './memory'

const literalSteps: usize = sequenceTables
const matchSteps: usize = literalSteps + 4096 * 4
const offsetSteps: usize = matchSteps + 4096 * 4
const literalCodes: usize = offsetSteps + 4096 * 4
const matchCodes: usize = literalCodes + 64 * 4
const literalBases: usize = matchCodes + 131 * 4
const literalBits: usize = literalBases + 36 * 4
const matchBases: usize = literalBits + 36 * 4
const matchBits: usize = matchBases + 53 * 4

function entry(table: usize, index: u32): u32 {
  return load<u32>(table + ((<usize>index) << 2))
}

function literalCode(length: u32): u32 {
  return length < 64 ? entry(literalCodes, length) : 50 - clz<u32>(length)
}

function matchCode(length: u32): u32 {
  return length < 131 ? entry(matchCodes, length) : 67 - clz<u32>(length - 3)
}

/** One sequence alone: bits of the lengths and the offset, the states, the end mark. Gives the place after. */
export function putOneSequence(at: usize, literalLength: u32, matchLength: u32, offsetValue: u32): usize {
  const literal = literalCode(literalLength)
  const match = matchCode(matchLength)
  const offset: u32 = 31 - clz<u32>(offsetValue)
  let pending = <u64>(literalLength - entry(literalBases, literal))
  let bits = entry(literalBits, literal)
  pending |= (<u64>(matchLength - entry(matchBases, match))) << bits
  bits += entry(matchBits, match)
  pending |= (<u64>(offsetValue - (1 << offset))) << bits
  bits += offset
  pending |= (<u64>(entry(matchSteps, match << 6) & 63)) << bits
  pending |= (<u64>(entry(offsetSteps, offset << 6) & 63)) << (bits + 6)
  pending |= (<u64>(entry(literalSteps, literal << 6) & 63)) << (bits + 11)
  pending |= (<u64>1) << (bits + 17)
  store<u64>(at, pending)
  return at + ((bits + 18 + 7) >> 3)
}

/** Sequences from the last to the first, as a decoder reads the bits from their end. Gives the place after. */
export function putSequences(start: usize, sequences: usize, count: u32): usize {
  let at = start
  let pending: u64 = 0
  let bits: u32 = 0
  let literalState: u32 = 0
  let matchState: u32 = 0
  let offsetState: u32 = 0
  let sequence = sequences + <usize>count * SEQUENCE_BYTE_LENGTH
  for (let left = count; left > 0; left--) {
    sequence -= SEQUENCE_BYTE_LENGTH
    const literalLength = load<u32>(sequence)
    const matchLength = load<u32>(sequence, 4)
    const offsetValue = load<u32>(sequence, 8)
    const literal = literalCode(literalLength)
    const match = matchCode(matchLength)
    const offset: u32 = 31 - clz<u32>(offsetValue)
    const offsetStep = entry(offsetSteps, (offset << 6) | offsetState)
    const matchStep = entry(matchSteps, (match << 6) | matchState)
    const literalStep = entry(literalSteps, (literal << 6) | literalState)
    // The states of the last sequence need no bits: nothing comes after them.
    if (left < count) {
      pending |= (<u64>(offsetStep >> 10)) << bits
      bits += (offsetStep >> 6) & 15
      pending |= (<u64>(matchStep >> 10)) << bits
      bits += (matchStep >> 6) & 15
      pending |= (<u64>(literalStep >> 10)) << bits
      bits += (literalStep >> 6) & 15
    }
    offsetState = offsetStep & 63
    matchState = matchStep & 63
    literalState = literalStep & 63
    // At most 7 + 17 + 16 bits here, and 7 + 16 + 17 after the bytes are out.
    pending |= (<u64>(literalLength - entry(literalBases, literal))) << bits
    bits += entry(literalBits, literal)
    store<u64>(at, pending)
    at += bits >> 3
    pending >>= bits & ~7
    bits &= 7
    pending |= (<u64>(matchLength - entry(matchBases, match))) << bits
    bits += entry(matchBits, match)
    pending |= (<u64>(offsetValue - (1 << offset))) << bits
    bits += offset
    store<u64>(at, pending)
    at += bits >> 3
    pending >>= bits & ~7
    bits &= 7
  }
  pending |= ((<u64>matchState) << bits) | ((<u64>offsetState) << (bits + 6))
  pending |= ((<u64>literalState) << (bits + 11)) | ((<u64>1) << (bits + 17))
  store<u64>(at, pending)
  return at + ((bits + 18 + 7) >> 3)
}
