/** The distinct values of a column, each known by its rank: what dictionary pages are made from. */

import type { ByteWriter } from '../base/byte-writer.ts'

/** Byte strings one after the other: value i is `bytes[offsets[i]..offsets[i + 1])`. */
export interface StringValues {
  readonly type: 'BYTE_ARRAY'
  readonly count: number
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
  /** Whether the values are text in which much repeats, so that compressing a dictionary pays. */
  readonly isText: boolean
}

/** Whole numbers, exact up to 2^53. */
export interface NumberValues {
  readonly type: 'INT32' | 'INT64'
  readonly count: number
  readonly values: Float64Array
}

/** The values of a column, of whichever type. */
export type ValueTable = StringValues | NumberValues

/** Appends one value in PLAIN encoding; strings without their length, as statistics want them. */
export function appendStatisticsValue(out: ByteWriter, table: ValueTable, rank: number): void {
  if (table.type === 'BYTE_ARRAY') {
    out.appendShort(table.bytes, table.offsets[rank] ?? 0, table.offsets[rank + 1] ?? 0)
  } else if (table.type === 'INT32') {
    out.u32(table.values[rank] ?? 0)
  } else {
    out.i64(table.values[rank] ?? 0)
  }
}

/** Byte length of a value as `appendStatisticsValue` writes it. */
export function statisticsByteLength(table: ValueTable, rank: number): number {
  if (table.type === 'BYTE_ARRAY') return (table.offsets[rank + 1] ?? 0) - (table.offsets[rank] ?? 0)
  return table.type === 'INT32' ? 4 : 8
}

/** Appends the values of `ranks[0..count)` in PLAIN encoding: the body of a dictionary page. */
export function appendPlainValues(
  out: ByteWriter,
  table: ValueTable,
  ranks: Uint32Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const rank = ranks[i] ?? 0
    if (table.type === 'BYTE_ARRAY') out.u32(statisticsByteLength(table, rank))
    appendStatisticsValue(out, table, rank)
  }
}
