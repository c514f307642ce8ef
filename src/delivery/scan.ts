/** Answers questions about one file: choose row groups, find the key's rows, read its requests. */

import { damaged } from '../base/failure.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { PositionChunk } from '../parquet/position-chunk.ts'
import { assetEndIn } from './asset-ends.ts'
import type { DeliveredRun, Interval } from './evidence.ts'
import { chooseRowGroups, overlapsPositions, positionBounds } from './row-group-choice.ts'
import type { ScanKey, Wanted } from './scan-key.ts'
import { mayOverlap, positionsOf, requestsIn, rowsWith } from './scan-rows.ts'
import { COLUMN } from './schema.ts'

/** A run in the making: one that reaches the end of its row group may go on in the next. */
interface OpenRun {
  start: number
  end: number
  readonly epochSeconds: number
}

/**
 * The requests of `key` in a file that overlap `range`, in file order. A request that goes on over
 * several row groups comes as one run, of those of its parts that lie in row groups with positions in
 * `range`; any other comes whole. Fails as DAMAGED when anything it rests on is damaged.
 */
export function findRuns(file: ParquetFile, key: ScanKey, range: Interval): DeliveredRun[] {
  const runs: OpenRun[] = []
  let last: { readonly rowGroup: number; readonly run: OpenRun } | undefined
  for (const rowGroup of chooseRowGroups(file, [key.ip, key.userAgentMd5, key.request])) {
    if (!overlapsPositions(file, rowGroup, range)) continue
    const rows = rowsWith(file, rowGroup, [key.request, key.ip, key.userAgent])
    if (rows.length === 0) continue
    const { rowCount } = file.rowGroup(rowGroup)
    const where = `${file.path}, row group ${rowGroup}, byte_num`
    const positions = file.positions(rowGroup, COLUMN.byteNum)
    const before = last?.rowGroup === rowGroup - 1 ? last.run : undefined
    last = undefined
    for (const { from, to, epochSeconds, continues } of requestsIn(file, rowGroup, rows)) {
      if (!mayOverlap(positions, from, to, range)) continue
      const { start, end } = positionsOf(positions, from, to, where)
      if (start >= range.end || end <= range.start) continue
      let run: OpenRun = { start, end, epochSeconds }
      if (continues && before !== undefined) {
        if (before.end !== start || before.epochSeconds !== epochSeconds) {
          damaged(where, `position ${before.end} to continue a request`, String(start))
        }
        before.end = end
        run = before
      } else {
        runs.push(run)
      }
      if (to === rowCount) last = { rowGroup, run }
    }
  }
  return runs
}

/** Whether any row of the file holds all of `values`; `pruning` are those, or what stands for them. */
export function hasRows(file: ParquetFile, values: readonly Wanted[], pruning: readonly Wanted[]): boolean {
  return chooseRowGroups(file, pruning).some((rowGroup) => rowsWith(file, rowGroup, values).length > 0)
}

/** One past the largest position of an asset in the file, if that is more than `atLeast`; else `atLeast`. */
export function findLength(file: ParquetFile, asset: Wanted, atLeast: number): number {
  let length = atLeast
  for (const { rowGroup, end } of rowGroupsByEnd(file, asset)) {
    // No row group that follows can hold more.
    if (end <= length) break
    const rows = rowsWith(file, rowGroup, [asset])
    if (rows.length === 0) continue
    const positions = file.positions(rowGroup, COLUMN.byteNum)
    length = lengthIn(positions, rows, { atLeast: length, atMost: end })
  }
  return length
}

/** Row groups that may hold the asset, each with a position that it does not reach there, the largest first. */
function rowGroupsByEnd(
  file: ParquetFile,
  asset: Wanted,
): readonly { readonly rowGroup: number; readonly end: number }[] {
  const candidates: { readonly rowGroup: number; readonly end: number }[] = []
  for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
    if (!file.footer.mayLeadWith(rowGroup, asset.bytes)) continue
    const end = assetEndIn(file, rowGroup, asset) ?? positionBounds(file, rowGroup).max + 1
    if (end > 0) candidates.push({ rowGroup, end })
  }
  return candidates.sort((a, b) => b.end - a.end)
}

/**
 * One past the largest position of `rows`, if that is more than `atLeast`; else `atLeast`. It is known not to be more
 * than `atMost`: where that is found, no more is read. Pages that hold nothing else need not be read at all.
 */
function lengthIn(
  chunk: PositionChunk,
  rows: readonly Interval[],
  { atLeast, atMost }: { readonly atLeast: number; readonly atMost: number },
): number {
  let length = atLeast
  const shared: { readonly page: number; readonly rows: Interval }[] = []
  for (const interval of rows) {
    const { start, end } = interval
    for (let page = chunk.pageOf(start); page < chunk.pageCount; page++) {
      const pageFrom = chunk.firstRows[page] ?? 0
      if (pageFrom >= end) break
      if (pageFrom < start || (chunk.firstRows[page + 1] ?? 0) > end) shared.push({ page, rows: interval })
      else length = Math.max(length, chunk.bounds.maxOf(page) + 1)
    }
  }
  for (const { page, rows: interval } of shared) {
    if (length >= atMost) break
    if (chunk.bounds.maxOf(page) >= length) length = Math.max(length, endInPage(chunk, page, interval))
  }
  return length
}

/** One past the largest position of those rows of a page that lie in an interval. */
function endInPage(chunk: PositionChunk, page: number, { start, end }: Interval): number {
  const pageFrom = chunk.firstRows[page] ?? 0
  const segments = chunk.segmentsOf(page)
  const firstRow = Math.max(0, start - pageFrom)
  const endRow = Math.min(segments.rowCount, end - pageFrom)
  let largest = 0
  for (let segment = segments.segmentOf(firstRow); segment < segments.count; segment++) {
    const segmentRow = segments.firstRows[segment] ?? 0
    if (segmentRow >= endRow) break
    const rows = Math.min(endRow, segments.endOf(segment)) - segmentRow
    largest = Math.max(largest, (segments.firstPositions[segment] ?? 0) + rows)
  }
  return largest
}
