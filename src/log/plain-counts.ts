/** Counts and rejected lines of one piece, as the plain scanner collects them. */

import {
  type LinePlace,
  MAX_LISTED_COMMENTS,
  MAX_REJECT_TEXT_BYTE_LENGTH,
  makeRejectCounts,
  type PieceCounts,
  REJECT_REASONS,
  type RejectedLine,
  type RejectReason,
} from './scanned-runs.ts'

const LOW_LIMIT = 2 ** 32
/** The sum of rows saturates here. */
const MAX_ROWS = 2 ** 63

/** Mutable counters and their reading. */
export interface PlainCounts {
  comments: number
  blank: number
  kept: number
  skippedStatus: number
  byteLength: number
  /** Lines so far: the index of the next. */
  lines: number
  addRows(rowCount: number): void
  reject(reason: RejectReason, place: LinePlace, text: Uint8Array): void
  noteOtherHeader(place: LinePlace): void
  read(): PieceCounts
}

/** Everything zero. */
export function createPlainCounts(rejectedLineLimit: number, keepText: boolean): PlainCounts {
  const rejected = new Map<RejectReason, number>()
  const rejectedLines: RejectedLine[] = []
  const otherHeaders: LinePlace[] = []
  let otherHeaderCount = 0
  // Two halves, as the sum may be beyond 2^53.
  let rowsLow = 0
  let rowsHigh = 0
  return {
    comments: 0,
    blank: 0,
    kept: 0,
    skippedStatus: 0,
    byteLength: 0,
    lines: 0,
    addRows(rowCount: number): void {
      rowsLow += rowCount % LOW_LIMIT
      rowsHigh += Math.floor(rowCount / LOW_LIMIT)
      if (rowsLow < LOW_LIMIT) return
      rowsLow -= LOW_LIMIT
      rowsHigh++
    },
    reject(reason: RejectReason, place: LinePlace, text: Uint8Array): void {
      rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
      if (rejectedLines.length >= rejectedLineLimit) return
      const line = { ...place, reason }
      rejectedLines.push(keepText ? { ...line, text: text.slice(0, MAX_REJECT_TEXT_BYTE_LENGTH) } : line)
    },
    noteOtherHeader(place: LinePlace): void {
      otherHeaderCount++
      if (otherHeaders.length < MAX_LISTED_COMMENTS) otherHeaders.push(place)
    },
    read(): PieceCounts {
      const rows = Math.min(rowsHigh * LOW_LIMIT + rowsLow, MAX_ROWS)
      return {
        lines: this.lines,
        comments: this.comments,
        blank: this.blank,
        kept: this.kept,
        skippedStatus: this.skippedStatus,
        skippedMethod: 0,
        unproven: 0,
        skippedInner: 0,
        clippedRequests: 0,
        clippedBytes: 0,
        unmeasured: 0,
        rejected: makeRejectCounts((index) => rejected.get(REJECT_REASONS[index] ?? 'LONG_LINE') ?? 0),
        rows,
        rowsExact: rows <= 2 ** 53,
        byteLength: this.byteLength,
        rejectedLines,
        otherHeaderCount,
        otherHeaders,
      }
    },
  }
}
