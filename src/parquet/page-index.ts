/**
 * Encodes column indexes and offset indexes. A long run has one page a million rows, so both are written
 * for millions of pages, with inline code.
 * Source: parquet.thrift, `ColumnIndex`, `OffsetIndex`, `PageLocation`; parquet-format, `PageIndex.md`.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import { BINARY, endWithChecksum, FALSE, STRUCT, TRUE, writeListHeader } from './thrift-compact.ts'

/** Whether the pages' minima and maxima both ascend, both descend, or neither. */
export type BoundaryOrder = 'UNORDERED' | 'ASCENDING' | 'DESCENDING'

/** `BoundaryOrder` by its number in the format. */
export const BOUNDARY_ORDERS: readonly BoundaryOrder[] = ['UNORDERED', 'ASCENDING', 'DESCENDING']

/** Smallest and largest position of each page. */
export interface PositionColumnIndex {
  readonly minima: Float64Array
  readonly maxima: Float64Array
  readonly boundaryOrder: BoundaryOrder
}

/** Smallest and largest value of each page, in PLAIN encoding without a length prefix. */
export interface ValueColumnIndex {
  readonly minValues: readonly Uint8Array[]
  readonly maxValues: readonly Uint8Array[]
  readonly boundaryOrder: BoundaryOrder
}

/** The data pages of one column chunk; they follow each other in the file without a gap. */
export interface ContiguousPages {
  /** Header and body, one a page. */
  readonly byteLengths: Uint32Array
  /** Row of the row group at which each page begins. */
  readonly firstRows: Float64Array
  /** Where the first page begins in the file. */
  readonly byteOffset: number
}

/** One page location is at most so long: three field headers, varints of 8, 5 and 8 bytes, the stop. */
const MAX_LOCATION_BYTE_LENGTH = 25

const NO_CONTENT = new Uint8Array(0)

/** Encodes an `OffsetIndex` with its checksum. */
export function encodeOffsetIndex(pages: ContiguousPages): Uint8Array {
  const w = new ByteWriter()
  appendOffsetIndex(w, pages)
  return w.copy()
}

/** Appends an `OffsetIndex` with its checksum. Costs some 30 ns a page. */
export function appendOffsetIndex(w: ByteWriter, pages: ContiguousPages): void {
  const start = w.length
  const { byteLengths, firstRows } = pages
  const pageCount = byteLengths.length
  invariant(firstRows.length === pageCount, 'an offset index needs as many first rows as pages')
  w.u8(0x19) // page_locations
  writeListHeader(w, STRUCT, pageCount)
  const bytes = w.reserve(pageCount * MAX_LOCATION_BYTE_LENGTH)
  let at = w.length
  let byteOffset = pages.byteOffset
  for (let i = 0; i < pageCount; i++) {
    const byteLength = byteLengths[i] ?? 0
    bytes[at++] = 0x16
    at = putNatural(bytes, at, byteOffset)
    bytes[at++] = 0x15
    at = putNatural(bytes, at, byteLength)
    bytes[at++] = 0x16
    at = putNatural(bytes, at, firstRows[i] ?? 0)
    bytes[at++] = 0
    byteOffset += byteLength
  }
  w.length = at
  endWithChecksum(w, NO_CONTENT, start)
}

/** Encodes a `ColumnIndex` of pages without nulls, with its checksum. */
export function encodeColumnIndex(index: ValueColumnIndex): Uint8Array {
  const { minValues, maxValues, boundaryOrder } = index
  const w = new ByteWriter()
  const appender =
    (values: readonly Uint8Array[]): AppendBound =>
    (page) => {
      const value = values[page] ?? new Uint8Array()
      w.uleb128(value.length)
      w.append(value)
    }
  appendColumnIndex(
    w,
    { pageCount: minValues.length, boundaryOrder },
    appender(minValues),
    appender(maxValues),
  )
  return w.copy()
}

/** Appends the smallest or largest value of a page, with its length before it. */
export type AppendBound = (page: number) => void

/** Appends a `ColumnIndex` of pages without nulls, with its checksum; the bounds are appended by the caller. */
export function appendColumnIndex(
  w: ByteWriter,
  pages: { readonly pageCount: number; readonly boundaryOrder: BoundaryOrder },
  appendMin: AppendBound,
  appendMax: AppendBound,
): void {
  const start = w.length
  const { pageCount } = pages
  writeNullPages(w, pageCount)
  w.u8(0x19) // min_values
  writeListHeader(w, BINARY, pageCount)
  for (let page = 0; page < pageCount; page++) appendMin(page)
  w.u8(0x19) // max_values
  writeListHeader(w, BINARY, pageCount)
  for (let page = 0; page < pageCount; page++) appendMax(page)
  writeBoundaryOrder(w, pages.boundaryOrder)
  endWithChecksum(w, NO_CONTENT, start)
}

/** Encodes a `ColumnIndex` of an INT64 column without nulls, with its checksum. */
export function encodePositionColumnIndex(index: PositionColumnIndex): Uint8Array {
  const [minima, maxima] = [index.minima, index.maxima].map((values) => {
    const bounds = new ByteWriter(9 * values.length)
    for (const value of values) {
      bounds.u8(8)
      bounds.i64(value)
    }
    return bounds.view()
  })
  const w = new ByteWriter()
  const pages = { pageCount: index.minima.length, minima: minima ?? NO_CONTENT, maxima: maxima ?? NO_CONTENT }
  appendEncodedColumnIndex(w, pages, index.boundaryOrder)
  return w.copy()
}

/** Appends a `ColumnIndex` of pages without nulls whose bounds stand one after the other, each with its length before it. */
export function appendEncodedColumnIndex(
  w: ByteWriter,
  pages: { readonly pageCount: number; readonly minima: Uint8Array; readonly maxima: Uint8Array },
  boundaryOrder: BoundaryOrder,
): void {
  const start = w.length
  const { pageCount } = pages
  writeNullPages(w, pageCount)
  for (const bounds of [pages.minima, pages.maxima]) {
    w.u8(0x19) // min_values, then max_values
    writeListHeader(w, BINARY, pageCount)
    w.append(bounds)
  }
  writeBoundaryOrder(w, boundaryOrder)
  endWithChecksum(w, NO_CONTENT, start)
}

/** Writes the zigzag varint of a whole number in 0..2^52 and gives the place behind it. */
function putNatural(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  if (value < 0x4000_0000) {
    rest = value << 1
  } else {
    // Four groups at a time keep the division out of the loop.
    rest = value * 2
    while (rest >= 0x8000_0000) {
      const low = rest % 0x1000_0000
      bytes[at] = low | 128
      bytes[at + 1] = (low >>> 7) | 128
      bytes[at + 2] = (low >>> 14) | 128
      bytes[at + 3] = (low >>> 21) | 128
      at += 4
      rest = Math.floor(rest / 0x1000_0000)
    }
  }
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

function writeNullPages(w: ByteWriter, pageCount: number): void {
  w.u8(0x19) // null_pages
  writeListHeader(w, TRUE, pageCount)
  w.reserve(pageCount).fill(FALSE, w.length, w.length + pageCount)
  w.length += pageCount
}

/** Null counts, which may follow, are left out: the columns are REQUIRED, and pages come by the million. */
function writeBoundaryOrder(w: ByteWriter, order: BoundaryOrder): void {
  w.u8(0x15) // boundary_order
  w.u8(2 * BOUNDARY_ORDERS.indexOf(order))
}
