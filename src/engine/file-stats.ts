/** What a commit says of a file's columns, from what its footer says of theirs. */

import { invariant } from '../base/failure.ts'
import type { ColumnSchema, RowGroupMetadata } from '../parquet/metadata.ts'
import type { FileStats, StatValue } from '../table/actions.ts'

/** Longer texts have no bounds in the log: shortened ones would be none. */
const LONGEST_BOUND = 512
const INT64_BYTE_LENGTH = 8

/** Row count and true bounds over all row groups. A column of which a bound would be too long has none. */
export function fileStats(
  rowGroups: readonly RowGroupMetadata[],
  schema: readonly ColumnSchema[],
  rowCount: number,
): FileStats {
  const minValues: Record<string, StatValue> = {}
  const maxValues: Record<string, StatValue> = {}
  const nullCount: Record<string, number> = {}
  schema.forEach(({ name, physicalType }, ordinal) => {
    nullCount[name] = 0
    const isText = physicalType === 'BYTE_ARRAY'
    const bounds = isText ? textBounds(rowGroups, ordinal) : numberBounds(rowGroups, ordinal)
    if (bounds === undefined) return
    minValues[name] = bounds.min
    maxValues[name] = bounds.max
  })
  return { numRecords: rowCount, minValues, maxValues, nullCount }
}

interface Bounds {
  readonly min: StatValue
  readonly max: StatValue
}

function textBounds(rowGroups: readonly RowGroupMetadata[], ordinal: number): Bounds | undefined {
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  for (const { columns } of rowGroups) {
    const chunk = columns[ordinal]
    invariant(chunk !== undefined, 'a row group without one of its columns')
    if (min === undefined || Buffer.compare(chunk.min, min) < 0) min = chunk.min
    if (max === undefined || Buffer.compare(chunk.max, max) > 0) max = chunk.max
  }
  if (min === undefined || max === undefined) return undefined
  if (min.length > LONGEST_BOUND || max.length > LONGEST_BOUND) return undefined
  return { min: Buffer.from(min).toString('utf8'), max: Buffer.from(max).toString('utf8') }
}

function numberBounds(rowGroups: readonly RowGroupMetadata[], ordinal: number): Bounds | undefined {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const { columns } of rowGroups) {
    const chunk = columns[ordinal]
    invariant(chunk?.min.length === INT64_BYTE_LENGTH, 'a bound of an INT64 column has eight bytes')
    min = Math.min(min, int64(chunk.min))
    max = Math.max(max, int64(chunk.max))
  }
  return Number.isSafeInteger(min) && Number.isSafeInteger(max) ? { min, max } : undefined
}

function int64(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, INT64_BYTE_LENGTH).getBigInt64(0, true))
}
