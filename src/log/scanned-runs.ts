/** What the line scanner takes and gives: layouts, counts, rejected lines and sorted runs. No behaviour but sums. */

import type { RecordLayout } from './record-layout.ts'

/** Why a line was not kept, in the order in which the checks are made: the first that fails is the reason. */
export const REJECT_REASONS = [
  /** More than `MAX_LINE_BYTE_LENGTH` bytes before the line feed. */
  'LONG_LINE',
  /** A byte 0x00 anywhere in the line. */
  'NUL_BYTE',
  /** Not exactly as many TAB-separated fields as the layout has. */
  'BAD_FIELDS',
  /** Status is not three digits. */
  'BAD_STATUS',
  /** Date is not a day of the calendar, 1970-01-01 to 9999-12-31. */
  'BAD_DATE',
  /** Time is not HH:MM:SS, 00:00:00 to 23:59:59, with at most nine digits of a fraction. */
  'BAD_TIME',
  /** Range is not `first-last`, one to sixteen digits each, first <= last <= 2^53-2. */
  'BAD_RANGE',
  /** Range is longer than `maxRangeByteLength`. */
  'HUGE_RANGE',
  /** IP address or request is empty. */
  'EMPTY_KEY',
  /** IP address, user agent or request is not valid UTF-8. */
  'BAD_UTF8',
] as const

/** See `REJECT_REASONS`. */
export type RejectReason = (typeof REJECT_REASONS)[number]

/** A line's bytes before its line feed, a carriage return included: longer ones are rejected, never buffered. */
export const MAX_LINE_BYTE_LENGTH = 65_536
/** A rejected line's text is cut to so many bytes. */
export const MAX_REJECT_TEXT_BYTE_LENGTH = 1024
/** So many comments with a TAB that are not the header are listed a piece. */
export const MAX_LISTED_COMMENTS = 1024

/** See `ScannerOptions.maxRangeByteLength`. */
export const DEFAULT_MAX_RANGE_BYTE_LENGTH: number = 2 ** 38
/** See `ScannerOptions.rejectedLineLimit`. */
export const DEFAULT_REJECTED_LINE_LIMIT = 16_384

/** In the place of a count of requests: some asked so far for bytes that are not proven; the asset may be so long. */
export const ASKED = 0
/** Likewise: responses say that the asset is at least so long, of which not all was sent. */
export const ANSWERED = -1

/** Zero-based field numbers by meaning; `fieldCount` fields a line. */
export interface LineLayout {
  readonly fieldCount: number
  readonly date: number
  readonly time: number
  readonly ip: number
  readonly userAgent: number
  readonly request: number
  readonly status: number
  readonly byteRange: number
}

/** How a piece's lines are laid out: as `delivery`, or as the description of another format says. */
export type PieceLayout = LineLayout | RecordLayout

/** Whether a layout is the description of a format other than `delivery`. */
export function isRecordLayout(layout: PieceLayout): layout is RecordLayout {
  return 'structure' in layout
}

/** Distinct byte strings, ascending as unsigned bytes; value i is `bytes[offsets[i]..offsets[i + 1])`. */
export interface StringTable {
  readonly count: number
  readonly bytes: Uint8Array
  /** `count + 1` entries. */
  readonly offsets: Uint32Array
  /** XXH64 with seed 0 of each value, low and high halves. */
  readonly hashLow: Uint32Array
  readonly hashHigh: Uint32Array
}

/**
 * Every kept line as a run, sorted by (request, ip, user agent as unsigned bytes, then first,
 * epochSeconds, last). Arrays have `runCount` entries; runs are never merged.
 */
export interface ScannedRuns {
  readonly runCount: number
  /** Ranks in the tables below. */
  readonly request: Uint32Array
  readonly ip: Uint32Array
  readonly userAgent: Uint32Array
  /** First position of the range. */
  readonly first: Float64Array
  /** Last position of the range, inclusive. */
  readonly last: Float64Array
  /** Seconds since 1970-01-01 UTC. */
  readonly epochSeconds: Float64Array
  /** The tables hold the values of kept lines and no others. */
  readonly requestTable: StringTable
  readonly ipTable: StringTable
  readonly userAgentTable: StringTable
}

/** Lengths that the log told of request paths, each on one UTC day: a length told on two days comes twice. */
export interface LoggedLengths {
  readonly count: number
  /** The table of the ranks below. */
  readonly assets: StringTable
  /** Rank in `assets`. */
  readonly request: Uint32Array
  /** The length in bytes. */
  readonly length: Float64Array
  /** Earliest and latest request that told it. */
  readonly firstEpoch: Float64Array
  readonly lastEpoch: Float64Array
  /**
   * How many requests told that it is the complete length, or `ASKED` or `ANSWERED` when none did. The same line
   * again in the log counts again.
   */
  readonly requests: Float64Array
}

/** Always: lines = comments + blank + kept + the five skipped ones + the sum of `rejected`. */
export interface ScanCounts {
  readonly lines: number
  /** Lines whose first byte is `#`, of any length. */
  readonly comments: number
  /** Lines of no byte, or of a carriage return alone. */
  readonly blank: number
  readonly kept: number
  /** Lines with a status other than 200 and 206. */
  readonly skippedStatus: number
  /** Lines with a method other than GET. */
  readonly skippedMethod: number
  /** Lines with a good status that prove no byte range. */
  readonly unproven: number
  /** Requests of the network to itself. */
  readonly skippedInner: number
  /** Requests of which less was sent than they claim, whether or not a byte is left, and the bytes not sent. */
  readonly clippedRequests: number
  readonly clippedBytes: number
  /** Kept requests of a format other than `delivery` of which nothing says how much was sent. */
  readonly unmeasured: number
  readonly rejected: Readonly<Record<RejectReason, number>>
  /** Sum of the range lengths of kept lines. */
  readonly rows: number
  /** False when the sum is beyond 2^53 and `rows` therefore only the nearest number. */
  readonly rowsExact: boolean
}

/** What was counted of kept lines that are dropped. */
export type DroppedCounts = Pick<ScanCounts, 'clippedRequests' | 'clippedBytes' | 'unmeasured'>

/** The count of every reason, by its index in `REJECT_REASONS`. */
export function makeRejectCounts(countOf: (index: number) => number): Record<RejectReason, number> {
  return {
    LONG_LINE: countOf(0),
    NUL_BYTE: countOf(1),
    BAD_FIELDS: countOf(2),
    BAD_STATUS: countOf(3),
    BAD_DATE: countOf(4),
    BAD_TIME: countOf(5),
    BAD_RANGE: countOf(6),
    HUGE_RANGE: countOf(7),
    EMPTY_KEY: countOf(8),
    BAD_UTF8: countOf(9),
  }
}

/** Where a line stands. */
export interface LinePlace {
  /** Of the line's first byte, from the start of the piece. */
  readonly byteOffset: number
  /** Up to the line feed, which does not count; a carriage return before it does. */
  readonly byteLength: number
  /** Zero-based in the piece. */
  readonly lineIndex: number
}

/** A line that was counted under `rejected`. */
export interface RejectedLine extends LinePlace {
  readonly reason: RejectReason
  /** The line's first `MAX_REJECT_TEXT_BYTE_LENGTH` bytes: a copy, only when asked for. */
  readonly text?: Uint8Array
}

/** What one piece held. */
export interface PieceCounts extends ScanCounts {
  /** All bytes committed for the piece. */
  readonly byteLength: number
  /** In line order; only the first `rejectedLineLimit` of them. */
  readonly rejectedLines: readonly RejectedLine[]
  /** Comments with a TAB that are not the header: maybe another header in mid-file. */
  readonly otherHeaderCount: number
  /** The first `MAX_LISTED_COMMENTS` of them. */
  readonly otherHeaders: readonly LinePlace[]
}

/** What a scanner is made with; everything has a default. */
export interface ScannerOptions {
  /** Longest range that is believed, in bytes; 2^38 by default. */
  readonly maxRangeByteLength?: number
  /** So many rejected lines a piece are listed, 16,384 by default; all of them are counted. */
  readonly rejectedLineLimit?: number
  /** Whether rejected lines carry their text; false by default. */
  readonly keepRejectedText?: boolean
}

/** What is special about a piece. */
export interface PieceOptions {
  /** The piece begins at offset 0 of its input: a UTF-8 byte order mark there is not part of the first line. */
  readonly firstPiece?: boolean
}

/**
 * Turns log text into sorted runs. Order of use: `(beginPiece (reserve commit)* endPiece)* finish reset`.
 * A call out of order fails an invariant. Running out of memory throws a `Failure` (ENVIRONMENT);
 * the scanner cannot be used after it.
 */
export interface LineScanner {
  /**
   * A piece is consecutive bytes of one input that begin at a line start. `header` is the input's
   * header line (without line end): comments equal to it are not reported as other headers.
   */
  beginPiece(layout: PieceLayout, header?: Uint8Array, options?: PieceOptions): void
  /** Memory to read straight into, `byteLength` bytes; valid until the next call of anything. */
  reserve(byteLength: number): Uint8Array
  /** Says how many bytes of the reserved memory are filled, and scans them. */
  commit(byteLength: number): void
  /** Ends the piece; a last line without line feed counts as a line. */
  endPiece(): PieceCounts
  /** Kept lines since the last reset. */
  readonly runCount: number
  /**
   * Two halves (low, high) of a hash of each kept line that has an identifier, zero without one; lines after the last
   * with an identifier may be left out. A copy. In the order of the lines, up to `finish`.
   */
  readIdentifiers(): Uint32Array<ArrayBuffer>
  /**
   * Takes out the kept lines whose entry is not zero, one entry a line; before `finish`. Returns what was
   * counted of them.
   */
  dropLines(drop: Uint8Array): DroppedCounts
  /**
   * The lengths that lines told, in order of request: those of kept lines, then those of others, whose assets have
   * a table of their own. After `finish`, copies but for the tables.
   */
  readLengths(): readonly LoggedLengths[]
  /** Sorts what was kept. The arrays may be views of the scanner's memory: valid until `reset`. */
  finish(): ScannedRuns
  /** Empties tables and runs, keeps memory. */
  reset(): void
}
