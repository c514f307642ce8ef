/**
 * Decodes column indexes and offset indexes: what a reader needs to pick pages without reading them.
 * Source: parquet.thrift, `ColumnIndex`, `OffsetIndex`, `PageLocation`; parquet-format, `PageIndex.md`.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { type BoundaryOrder, BOUNDARY_ORDERS, type PositionColumnIndex, type ValueColumnIndex } from './page-index.ts'
import {
  BINARY,
  FALSE,
  I32,
  I64,
  LIST,
  readFieldHeader,
  readListHeader,
  STRUCT,
  skipField,
  TRUE,
  verifyChecksum,
} from './thrift-compact.ts'

/** Where the data pages of a column chunk stand: arrays of one entry a page. */
export interface OffsetIndex {
  readonly pageCount: number
  readonly byteOffsets: Float64Array
  readonly byteLengths: Float64Array
  /** Row of the row group at which each page begins; one entry more: the row group's row count. */
  readonly firstRows: Float64Array
}

/** The column chunk that an offset index must describe. */
export interface IndexedChunk {
  readonly where: string
  readonly rowCount: number
  /** Where the first data page begins. */
  readonly start: number
  /** Where the last data page ends. */
  readonly end: number
}

/**
 * Decodes an offset index that fills `bytes`. Fails as DAMAGED unless its checksum holds and the pages
 * fill the chunk exactly, in order, each with a row or more.
 */
export function decodeOffsetIndex(bytes: Uint8Array, chunk: IndexedChunk): OffsetIndex {
  verifyChecksum(bytes, chunk.where)
  const r: ByteReader = new ByteReader(bytes, chunk.where)
  if (readFieldHeader(r, 0) !== ((1 << 4) | LIST)) r.fail('page locations', 'another field')
  const pageCount = readListHeader(r, STRUCT)
  const byteOffsets = new Float64Array(pageCount)
  const byteLengths = new Float64Array(pageCount)
  const firstRows = new Float64Array(pageCount + 1)
  let nextOffset = chunk.start
  for (let i = 0; i < pageCount; i++) {
    if (r.u8() !== 0x16) r.fail('a page offset', 'another field')
    const byteOffset = r.zigzag()
    if (r.u8() !== 0x15) r.fail('a page size', 'another field')
    const byteLength = r.zigzag()
    if (r.u8() !== 0x16) r.fail('a first row', 'another field')
    const firstRow = r.zigzag()
    if (r.u8() !== 0) r.fail('the end of a page location', 'another field')
    if (byteOffset !== nextOffset || byteLength <= 0) {
      r.fail(`a page at ${nextOffset}`, `${byteLength} bytes at ${byteOffset}`)
    }
    if (i === 0 ? firstRow !== 0 : firstRow <= (firstRows[i - 1] ?? 0)) {
      r.fail('rows in ascending order', `row ${firstRow}`)
    }
    byteOffsets[i] = byteOffset
    byteLengths[i] = byteLength
    firstRows[i] = firstRow
    nextOffset += byteLength
  }
  firstRows[pageCount] = chunk.rowCount
  if (pageCount === 0 || nextOffset !== chunk.end || (firstRows[pageCount - 1] ?? 0) >= chunk.rowCount) {
    r.fail(`pages up to byte ${chunk.end} and row ${chunk.rowCount}`, `${pageCount} up to ${nextOffset}`)
  }
  return { pageCount, byteOffsets, byteLengths, firstRows }
}

/**
 * Decodes the column index of an INT64 column without nulls that fills `bytes`, for `pageCount` pages.
 * Fails as DAMAGED unless its checksum holds and minima do not exceed maxima.
 */
export function decodePositionColumnIndex(
  bytes: Uint8Array,
  pageCount: number,
  where: string,
): PositionColumnIndex {
  const minima = new Float64Array(pageCount)
  const maxima = new Float64Array(pageCount)
  const readPosition = (into: Float64Array) => (r: ByteReader, i: number) => {
    if (r.u8() !== 8) r.fail('a value of 8 bytes', 'another length')
    into[i] = r.i64()
  }
  const boundaryOrder = readColumnIndex(bytes, pageCount, where, readPosition(minima), readPosition(maxima))
  for (let i = 0; i < pageCount; i++) {
    if (!((minima[i] ?? 0) <= (maxima[i] ?? 0))) damaged(where, 'a minimum up to the maximum', `page ${i}`)
  }
  return { minima, maxima, boundaryOrder }
}

/**
 * Decodes the column index of any column without nulls that fills `bytes`, for `pageCount` pages; the
 * values are views. Fails as DAMAGED unless its checksum holds.
 */
export function decodeColumnIndex(bytes: Uint8Array, pageCount: number, where: string): ValueColumnIndex {
  const minValues: Uint8Array[] = []
  const maxValues: Uint8Array[] = []
  const readValue = (into: Uint8Array[]) => (r: ByteReader) => {
    const start = r.skip(r.uleb128())
    into.push(bytes.subarray(start, r.at))
  }
  const boundaryOrder = readColumnIndex(bytes, pageCount, where, readValue(minValues), readValue(maxValues))
  return { minValues, maxValues, boundaryOrder }
}

type ReadEntry = (r: ByteReader, page: number) => void

function readColumnIndex(
  bytes: Uint8Array,
  pageCount: number,
  where: string,
  readMin: ReadEntry,
  readMax: ReadEntry,
): BoundaryOrder {
  verifyChecksum(bytes, where)
  const r: ByteReader = new ByteReader(bytes, where)
  let boundaryOrder: BoundaryOrder | undefined
  let listCount = 0
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | LIST)) {
      readEntries(r, TRUE, pageCount, requireNotNull)
      listCount++
    } else if (field === ((2 << 4) | LIST)) {
      readEntries(r, BINARY, pageCount, readMin)
      listCount++
    } else if (field === ((3 << 4) | LIST)) {
      readEntries(r, BINARY, pageCount, readMax)
      listCount++
    } else if (field === ((4 << 4) | I32)) {
      boundaryOrder = BOUNDARY_ORDERS[r.zigzag()]
    } else if (field === ((5 << 4) | LIST)) {
      readEntries(r, I64, pageCount, requireNoNulls)
    } else {
      skipField(r, field)
    }
  }
  if (listCount !== 3 || boundaryOrder === undefined) r.fail('a whole column index', 'a part missing')
  return boundaryOrder
}

function readEntries(r: ByteReader, elementType: number, pageCount: number, readEntry: ReadEntry): void {
  const count = readListHeader(r, elementType)
  if (count !== pageCount) r.fail(`${pageCount} entries`, String(count))
  for (let i = 0; i < count; i++) readEntry(r, i)
}

function requireNotNull(r: ByteReader): void {
  if (r.u8() !== FALSE) r.fail('a page with values', 'a page of nulls')
}

function requireNoNulls(r: ByteReader): void {
  if (r.zigzag() !== 0) r.fail('a page without nulls', 'nulls')
}
