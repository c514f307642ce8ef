/** Finds where a file's keys ascend from row group to row group: mostly a shard of the log is one stretch. */

import { damaged } from '../base/failure.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import { type DeliveryColumns, deliveryColumns } from './delivery-columns.ts'
import { compareKeys, type KeyBytes, type Stretch } from './key-cursor.ts'

/** Cuts `rowGroups`, which ascend, into stretches whose keys ascend. */
export function sortedStretches(file: ParquetFile, rowGroups: readonly number[]): Stretch[] {
  const columns = deliveryColumns(file)
  const stretches: Stretch[] = []
  let open: number[] = []
  let firstAsset: Uint8Array = new Uint8Array(0)
  let before = -1
  for (const rowGroup of rowGroups) {
    if (before === -1 || !ascends(file, columns, before, rowGroup)) {
      open = []
      firstAsset = assetBounds(file, columns, rowGroup).min
      stretches.push({ file, columns, rowGroups: open, firstAsset })
    }
    open.push(rowGroup)
    before = rowGroup
  }
  return stretches
}

/** Whether no key of `next` is smaller than one of `before`. Statistics tell, but for an asset that both have. */
function ascends(file: ParquetFile, columns: DeliveryColumns, before: number, next: number): boolean {
  const order = Buffer.compare(assetBounds(file, columns, before).max, assetBounds(file, columns, next).min)
  if (order !== 0) return order < 0
  return compareKeys(keyAt(file, columns, before, 'last'), keyAt(file, columns, next, 'first')) <= 0
}

function assetBounds(
  file: ParquetFile,
  columns: DeliveryColumns,
  rowGroup: number,
): { readonly min: Uint8Array; readonly max: Uint8Array } {
  const chunk = file.rowGroup(rowGroup).columns[columns.request]
  return chunk ?? damaged(`${file.path}, row group ${rowGroup}`, 'statistics of requests', 'none')
}

function keyAt(
  file: ParquetFile,
  columns: DeliveryColumns,
  rowGroup: number,
  end: 'first' | 'last',
): KeyBytes {
  const keyPart = (column: number): Uint8Array => {
    const values = file.byteStrings(rowGroup, column)
    const chunk = file.indexes(rowGroup, column, values.count)
    const runs = chunk.runsOf(end === 'first' ? 0 : chunk.pageCount - 1)
    return values.valueAt(runs.indexes[end === 'first' ? 0 : runs.count - 1] ?? 0)
  }
  return {
    asset: keyPart(columns.request),
    ip: keyPart(columns.ip),
    userAgent: keyPart(columns.userAgent),
  }
}
