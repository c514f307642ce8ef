/**
 * Which row groups of a file can hold what is asked for. The bounds of the leading sorting column come
 * first, as they cost no read; then the bloom filters, which stand together in one; the statistics of the
 * other columns are in the part of the footer that is decoded only for what remains.
 */

import { damaged } from '../base/failure.ts'
import { bloomMayContain } from '../parquet/bloom-filter.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { Interval } from './evidence.ts'
import type { Wanted } from './scan-key.ts'
import { BLOOM_FILTER_COLUMNS, COLUMN, SORTING_COLUMNS } from './schema.ts'

/** The row groups whose filters and statistics allow for all of `values` together, ascending. */
export function chooseRowGroups(file: ParquetFile, values: readonly Wanted[]): number[] {
  const chosen: number[] = []
  const filterOrdinals = values.map(({ column }) => BLOOM_FILTER_COLUMNS.indexOf(column))
  const leading = values.find(({ column }) => column === SORTING_COLUMNS[0])
  for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
    if (leading !== undefined && !file.footer.mayLeadWith(rowGroup, leading.bytes)) continue
    if (passesFilters(file, rowGroup, values, filterOrdinals) && passesStatistics(file, rowGroup, values)) {
      chosen.push(rowGroup)
    }
  }
  return chosen
}

/** Whether a row group has a position in `range`. */
export function overlapsPositions(file: ParquetFile, rowGroup: number, range: Interval): boolean {
  const { min, max } = positionBounds(file, rowGroup)
  return min < range.end && max >= range.start
}

/** Smallest and largest position of a row group. */
export function positionBounds(
  file: ParquetFile,
  rowGroup: number,
): { readonly min: number; readonly max: number } {
  const chunk = file.columnChunk(rowGroup, COLUMN.byteNum)
  if (chunk.min.length !== 8 || chunk.max.length !== 8) {
    return damaged(`${file.path}, row group ${rowGroup}`, 'statistics of positions', 'others')
  }
  return { min: int64(chunk.min), max: int64(chunk.max) }
}

function passesFilters(
  file: ParquetFile,
  rowGroup: number,
  values: readonly Wanted[],
  filterOrdinals: readonly number[],
): boolean {
  const filters = file.bloomFilters(rowGroup, BLOOM_FILTER_COLUMNS.length)
  if (filters === undefined) return true
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const ordinal = filterOrdinals[i] ?? -1
    if (value !== undefined && ordinal >= 0 && !bloomMayContain(filters.filter(ordinal), value.hash))
      return false
  }
  return true
}

function passesStatistics(file: ParquetFile, rowGroup: number, values: readonly Wanted[]): boolean {
  return values.every(({ column, bytes }) => {
    const chunk = file.columnChunk(rowGroup, column)
    return Buffer.compare(chunk.min, bytes) <= 0 && Buffer.compare(chunk.max, bytes) >= 0
  })
}

/** Positions of more than 2^53 come out inexact but as large, which is enough to compare. */
function int64(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true))
}
