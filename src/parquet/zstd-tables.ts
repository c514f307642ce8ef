/**
 * The constant tables of Zstandard's sequence coding: codes, their extra bits, and the predefined FSE
 * distributions. Source: RFC 8878, sections 3.1.1.3.2.1.1 and 3.1.1.3.2.2, 4.1.1.
 */

/** A finite state entropy table, as a decoder walks it: one entry a state. */
export interface FseTable {
  readonly accuracyLog: number
  readonly symbols: Uint8Array
  readonly bitCounts: Uint8Array
  readonly baselines: Uint16Array
}

/** The shortest literal length of each code. */
export const LITERAL_LENGTH_BASE: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512,
  1024, 2048, 4096, 8192, 16384, 32768, 65536,
]
/** How many extra bits follow each code of a literal length. */
export const LITERAL_LENGTH_BITS: readonly number[] = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14,
  15, 16,
]
/** The shortest match length of each code. */
export const MATCH_LENGTH_BASE: readonly number[] = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
  32, 33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771,
  65539,
]
/** How many extra bits follow each code of a match length. */
export const MATCH_LENGTH_BITS: readonly number[] = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
  2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
]

/** The predefined table of literal length codes. */
export const LITERAL_LENGTH_TABLE: FseTable = makeFseTable(
  6,
  [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
    -1, -1,
  ],
)
/** The predefined table of match length codes. */
export const MATCH_LENGTH_TABLE: FseTable = makeFseTable(
  6,
  [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ],
)
/** The predefined table of offset codes. */
export const OFFSET_TABLE: FseTable = makeFseTable(
  5,
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
)

/**
 * Spreads a distribution over the states; -1 is "less than one": a state at the end of the table. The shares, with
 * each -1 as one, must add up to the number of states.
 */
export function makeFseTable(accuracyLog: number, distribution: readonly number[]): FseTable {
  const stateCount = 1 << accuracyLog
  const symbols = new Uint8Array(stateCount)
  let highest = stateCount - 1
  distribution.forEach((share, symbol) => {
    if (share === -1) symbols[highest--] = symbol
  })
  const step = (stateCount >> 1) + (stateCount >> 3) + 3
  let state = 0
  distribution.forEach((share, symbol) => {
    for (let i = 0; i < share; i++) {
      symbols[state] = symbol
      do state = (state + step) & (stateCount - 1)
      while (state > highest)
    }
  })
  const bitCounts = new Uint8Array(stateCount)
  const baselines = new Uint16Array(stateCount)
  const nextOfSymbol = distribution.map((share) => (share === -1 ? 1 : share))
  symbols.forEach((symbol, at) => {
    const next = nextOfSymbol[symbol] ?? 0
    nextOfSymbol[symbol] = next + 1
    const bitCount = accuracyLog - (31 - Math.clz32(next))
    bitCounts[at] = bitCount
    baselines[at] = (next << bitCount) - stateCount
  })
  return { accuracyLog, symbols, bitCounts, baselines }
}
