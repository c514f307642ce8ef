/** Finds where a file's keys ascend from row group to row group: mostly a shard of the log is one stretch. */

import type { ParquetFile } from '../parquet/parquet-file.ts'
import { compareKeys, type KeyBytes, type Stretch } from './key-cursor.ts'
import { COLUMN, type ColumnName } from './schema.ts'

/** Cuts `rowGroups`, which ascend, into stretches whose keys ascend. */
export function sortedStretches(file: ParquetFile, rowGroups: readonly number[]): Stretch[] {
  const stretches: Stretch[] = []
  let open: number[] = []
  let firstAsset: Uint8Array = new Uint8Array(0)
  let before = -1
  for (const rowGroup of rowGroups) {
    if (before === -1 || !ascends(file, before, rowGroup)) {
      open = []
      firstAsset = assetBounds(file, rowGroup).min
      stretches.push({ file, rowGroups: open, firstAsset })
    }
    open.push(rowGroup)
    before = rowGroup
  }
  return stretches
}

/** Whether no key of `next` is smaller than one of `before`. Statistics tell, but for an asset that both have. */
function ascends(file: ParquetFile, before: number, next: number): boolean {
  const order = Buffer.compare(assetBounds(file, before).max, assetBounds(file, next).min)
  if (order !== 0) return order < 0
  return compareKeys(keyAt(file, before, 'last'), keyAt(file, next, 'first')) <= 0
}

function assetBounds(
  file: ParquetFile,
  rowGroup: number,
): { readonly min: Uint8Array; readonly max: Uint8Array } {
  return file.columnChunk(rowGroup, COLUMN.request)
}

function keyAt(file: ParquetFile, rowGroup: number, end: 'first' | 'last'): KeyBytes {
  const keyPart = (column: ColumnName): Uint8Array => {
    const values = file.byteStrings(rowGroup, column)
    const chunk = file.indexes(rowGroup, column, values.count)
    const runs = chunk.runsOf(end === 'first' ? 0 : chunk.pageCount - 1)
    return values.valueAt(runs.indexes[end === 'first' ? 0 : runs.count - 1] ?? 0)
  }
  return {
    asset: keyPart(COLUMN.request),
    ip: keyPart(COLUMN.ip),
    userAgent: keyPart(COLUMN.userAgent),
  }
}
