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
  const last = onlyKey(file, before) ?? keyAt(file, before, 'last')
  const first = onlyKey(file, next) ?? keyAt(file, next, 'first')
  return compareKeys(last, first) <= 0
}

/** The key of a row group that has but one: a long run fills thousands, and none of them needs to be read for it. */
function onlyKey(file: ParquetFile, rowGroup: number): KeyBytes | undefined {
  const [asset, ip, userAgent] = [COLUMN.request, COLUMN.ip, COLUMN.userAgent].map((column) => {
    const { min, max } = file.columnChunk(rowGroup, column)
    return Buffer.compare(min, max) === 0 ? min : undefined
  })
  return asset && ip && userAgent && { asset, ip, userAgent }
}

/** Smallest and largest asset of a row group. */
export function assetBounds(
  file: ParquetFile,
  rowGroup: number,
): { readonly min: Uint8Array; readonly max: Uint8Array } {
  return file.footer.leadingBounds(rowGroup) ?? file.columnChunk(rowGroup, COLUMN.request)
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
