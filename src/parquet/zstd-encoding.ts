/** Zstandard's sequence codes from an encoder's side: what to write for a length, and for each step of a state. */

import {
  type FseTable,
  LITERAL_LENGTH_BASE,
  LITERAL_LENGTH_BITS,
  LITERAL_LENGTH_TABLE,
  MATCH_LENGTH_BASE,
  MATCH_LENGTH_BITS,
  MATCH_LENGTH_TABLE,
  OFFSET_TABLE,
} from './zstd-tables.ts'

/** Codes of the literal lengths below 64; above, they follow from the highest bit. */
export const LITERAL_LENGTH_CODES: Uint8Array = makeCodes(LITERAL_LENGTH_BASE, 64)
/** Codes of the match lengths below 131, likewise. */
export const MATCH_LENGTH_CODES: Uint8Array = makeCodes(MATCH_LENGTH_BASE, 131)

/** The shortest literal length of each code ... */
export const LITERAL_BASES: Int32Array = Int32Array.from(LITERAL_LENGTH_BASE)
/** ... and how many extra bits tell the rest. */
export const LITERAL_BITS: Int32Array = Int32Array.from(LITERAL_LENGTH_BITS)
/** The shortest match length of each code ... */
export const MATCH_BASES: Int32Array = Int32Array.from(MATCH_LENGTH_BASE)
/** ... and how many extra bits tell the rest. */
export const MATCH_BITS: Int32Array = Int32Array.from(MATCH_LENGTH_BITS)

/** Steps of the literal length states, see `makeEncodingSteps`. */
export const LITERAL_LENGTH_STEPS: Int32Array = makeEncodingSteps(LITERAL_LENGTH_TABLE)
/** Steps of the match length states. */
export const MATCH_LENGTH_STEPS: Int32Array = makeEncodingSteps(MATCH_LENGTH_TABLE)
/** Steps of the offset states. */
export const OFFSET_STEPS: Int32Array = makeEncodingSteps(OFFSET_TABLE)

/** All of the tables, in the order in which the compiled encoder (assembly/sequences.ts) has them. */
export const SEQUENCE_TABLES: readonly (Int32Array | Uint8Array)[] = [
  LITERAL_LENGTH_STEPS,
  MATCH_LENGTH_STEPS,
  OFFSET_STEPS,
  LITERAL_LENGTH_CODES,
  MATCH_LENGTH_CODES,
  LITERAL_BASES,
  LITERAL_BITS,
  MATCH_BASES,
  MATCH_BITS,
]

function makeCodes(bases: readonly number[], bound: number): Uint8Array {
  const codes = new Uint8Array(bound)
  bases.forEach((base, code) => {
    if (base < bound) codes.fill(code, base)
  })
  return codes
}

/**
 * Entry `code * 64 + next` says how to reach the state `next` from a state that means `code`:
 * that state (6 bits), the number of bits to write (4) and their value (the rest).
 */
function makeEncodingSteps(table: FseTable): Int32Array {
  const steps = new Int32Array(64 * 64)
  table.symbols.forEach((symbol, state) => {
    const bitCount = table.bitCounts[state] ?? 0
    const baseline = table.baselines[state] ?? 0
    for (let bits = 0; bits < 1 << bitCount; bits++) {
      steps[(symbol << 6) | (baseline + bits)] = state | (bitCount << 6) | (bits << 10)
    }
  })
  return steps
}
