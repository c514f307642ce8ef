/** From row groups to rows to runs: what the columns say, without a step a row. */

import { damaged } from '../base/failure.ts'
import type { IndexChunk } from '../parquet/dictionary-chunk.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { PositionChunk } from '../parquet/position-chunk.ts'
import type { IndexRuns } from '../parquet/rle-reader.ts'
import type { Interval } from './evidence.ts'
import type { Wanted } from './scan-key.ts'
import { COLUMN } from './schema.ts'

/** Rows `[from, to)` of one request in one row group. */
export interface RequestRows {
  readonly from: number
  readonly to: number
  readonly epochSeconds: number
  /** Whether the request began in the row group before. */
  readonly continues: boolean
}

/** The rows of a row group that hold all of `values`: maximal intervals of rows, ascending. */
export function rowsWith(file: ParquetFile, rowGroup: number, values: readonly Wanted[]): Interval[] {
  // Every dictionary before any runs: a value that is missing settles it, and dictionaries are kept.
  const indexes = values.map(({ column, bytes }) => file.byteStrings(rowGroup, column).indexOf(bytes))
  if (indexes.includes(-1)) return []
  let rows: Interval[] = [{ start: 0, end: file.rowGroup(rowGroup).rowCount }]
  for (let i = 0; i < values.length && rows.length > 0; i++) {
    const value = values[i]
    if (value === undefined) continue
    const { column, bytes } = value
    const chunk = file.indexes(rowGroup, column, file.byteStrings(rowGroup, column).count)
    rows = rowsOfIndex(chunk, { index: indexes[i] ?? -1, bytes }, rows)
  }
  return rows
}

/** Those of `rows` that hold a value, neighbours joined. */
function rowsOfIndex(
  chunk: IndexChunk,
  value: { readonly index: number; readonly bytes: Uint8Array },
  rows: readonly Interval[],
): Interval[] {
  const found: Interval[] = []
  let last: { start: number; end: number } | undefined
  for (const { start, end } of rows) {
    for (const runs of runsIn(chunk, start, end, value.bytes)) {
      for (let run = runs.runOf(start); run < runs.count && runs.startOf(run) < end; run++) {
        if (runs.indexes[run] !== value.index) continue
        const from = Math.max(start, runs.startOf(run))
        const to = Math.min(end, runs.ends[run] ?? 0)
        if (last?.end === from) {
          last.end = to
        } else {
          last = { start: from, end: to }
          found.push(last)
        }
      }
    }
  }
  return found
}

/** The pages of a chunk that hold some of the rows `[from, to)` and, where it is given, can hold `value`. */
function* runsIn(chunk: IndexChunk, from: number, to: number, value?: Uint8Array): Generator<IndexRuns> {
  const { firstRows, pageCount } = chunk
  for (let page = 0; page < pageCount && (firstRows[page] ?? 0) < to; page++) {
    if ((firstRows[page + 1] ?? 0) <= from) continue
    if (value === undefined || chunk.mayHold(page, value)) yield chunk.runsOf(page)
  }
}

/**
 * The requests of `rows`, all of which have one key; `rows` are intervals that no other rows of the key
 * touch. Fails as DAMAGED when a request reaches outside of them.
 */
export function requestsIn(file: ParquetFile, rowGroup: number, rows: readonly Interval[]): RequestRows[] {
  const where = `${file.path}, row group ${rowGroup}, epoch`
  const epochs = file.integers(rowGroup, COLUMN.epoch)
  const border = borderOf(epochs, where)
  const chunk = file.indexes(rowGroup, COLUMN.epoch, epochs.length)
  const requests: RequestRows[] = []
  for (const { start, end } of rows) {
    let open: { from: number; to: number; epochSeconds: number; continues: boolean } | undefined
    for (const runs of runsIn(chunk, start, end)) {
      for (let run = runs.runOf(start); run < runs.count && runs.startOf(run) < end; run++) {
        const from = runs.startOf(run)
        const to = runs.ends[run] ?? 0
        if (from < start || to > end)
          damaged(where, `requests in rows ${start}..${end}`, `one in ${from}..${to}`)
        const index = runs.indexes[run] ?? 0
        const epochSeconds = epochs[index] ?? 0
        const continues = index >= border
        if (continues && from > 0) {
          if (open === undefined || open.epochSeconds !== epochSeconds) {
            damaged(where, `row ${from} to continue a request of the row before`, 'another epoch or key')
          }
          open.to = to
        } else {
          open = { from, to, epochSeconds, continues }
          requests.push(open)
        }
      }
    }
  }
  return requests
}

/**
 * Where the dictionary of epochs begins anew: an index from here on means that its run continues the
 * request of the row before (see schema.ts).
 */
export function borderOf(epochs: Float64Array, where: string): number {
  let border = epochs.length
  for (let i = 1; i < epochs.length; i++) {
    if ((epochs[i] ?? 0) > (epochs[i - 1] ?? 0)) continue
    if (border < epochs.length) damaged(where, 'at most two ascending lists of epochs', 'a third')
    border = i
  }
  return border
}

/** Whether any page of the rows `[from, to)` has a position in `range`. */
export function mayOverlap(chunk: PositionChunk, from: number, to: number, range: Interval): boolean {
  for (let page = chunk.pageOf(from); page < chunk.pageCount && (chunk.firstRows[page] ?? 0) < to; page++) {
    if (chunk.bounds.minOf(page) < range.end && chunk.bounds.maxOf(page) >= range.start) return true
  }
  return false
}

/**
 * The positions of the rows `[from, to)` of one request. A page that lies wholly inside it holds
 * consecutive positions, so its bounds in the column index say all; pages that it shares are read. Fails
 * as DAMAGED unless the positions are consecutive from first to last.
 */
export function positionsOf(chunk: PositionChunk, from: number, to: number, where: string): Interval {
  let start = 0
  let expected = -1
  for (let page = chunk.pageOf(from); page < chunk.pageCount; page++) {
    const pageFrom = chunk.firstRows[page] ?? 0
    if (pageFrom >= to) break
    const pageTo = chunk.firstRows[page + 1] ?? 0
    const partFrom = Math.max(from, pageFrom)
    const partTo = Math.min(to, pageTo)
    const isWholePage = partFrom === pageFrom && partTo === pageTo
    const first = isWholePage
      ? boundsOfPage(chunk, page, partTo - partFrom, where)
      : segmentStart(chunk, page, partFrom - pageFrom, partTo - pageFrom, where)
    if (expected === -1) start = first
    else if (first !== expected) damaged(where, `position ${expected} in row ${partFrom}`, String(first))
    expected = first + (partTo - partFrom)
  }
  return { start, end: expected }
}

function boundsOfPage(chunk: PositionChunk, page: number, rowCount: number, where: string): number {
  const min = chunk.bounds.minOf(page)
  const max = chunk.bounds.maxOf(page)
  if (max - min !== rowCount - 1) {
    damaged(where, `${rowCount} consecutive positions in page ${page}`, `${min} to ${max}`)
  }
  return min
}

/** The position of row `from` of a page, whose rows up to `to` must go on from there. */
function segmentStart(chunk: PositionChunk, page: number, from: number, to: number, where: string): number {
  const segments = chunk.segmentsOf(page)
  const segment = segments.segmentOf(from)
  if (segments.endOf(segment) < to) {
    damaged(where, `consecutive positions in rows ${from}..${to} of page ${page}`, 'a jump')
  }
  // The difference of rows comes first: a position near 2^53 plus a row number would be rounded.
  return (segments.firstPositions[segment] ?? 0) + (from - (segments.firstRows[segment] ?? 0))
}
