/** The data pages of a position chunk, as an encoder hands them over. No behaviour. */

/**
 * Runs in parallel arrays: run i holds `rowCounts[i]` positions from `starts[i]` on. Runs that share a
 * page must start below `EXACT_POSITION_LIMIT`, so that differences of differences stay exact.
 */
export interface PositionRuns {
  readonly starts: Float64Array
  readonly rowCounts: Float64Array
}

/** Runs of so many rows have byte_num pages of their own; shorter ones share pages (PARQUET.md). */
export const OWN_PAGE_ROWS: number = 65_536
/** Most rows of a page that several runs share. */
export const SHARED_PAGE_ROWS: number = 131_072
/** Positions from here on need a page of their own: four times this is what a double holds exactly. */
export const EXACT_POSITION_LIMIT: number = 2 ** 51

/** Pages with their headers, one after the other; views that the next call leaves behind. */
export interface PositionPages {
  readonly bytes: Uint8Array
  readonly byteLengths: Uint32Array
  readonly firstRows: Float64Array
  /** Of each page, as its column index has it: the length 8, then the position as INT64. */
  readonly minima: Uint8Array
  readonly maxima: Uint8Array
  /** Smallest and largest position of all. */
  readonly min: number
  readonly max: number
  /** Headers, and what the bodies inflate to. */
  readonly uncompressedByteLength: number
}

/** Encodes chunk after chunk; keeps scratch memory from one to the next. */
export interface PositionPageEncoder {
  /** Encodes the first `runCount` runs, which are at least one. */
  encode(runs: PositionRuns, runCount: number): PositionPages
}
