/**
 * Decodes column indexes and offset indexes: what a reader needs to pick pages without reading them.
 * Source: parquet.thrift, `ColumnIndex`, `OffsetIndex`, `PageLocation`; parquet-format, `PageIndex.md`.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { BOUNDARY_ORDERS, type BoundaryOrder, type ValueColumnIndex } from './page-index.ts'
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
  const locations = readLocations(r, pageCount)
  const byteOffsets = new Float64Array(pageCount)
  const byteLengths = new Float64Array(pageCount)
  const firstRows = new Float64Array(pageCount + 1)
  let nextOffset = chunk.start
  let lastRow = -1
  for (let i = 0; i < pageCount; i++) {
    const byteOffset = locations[3 * i] ?? 0
    const byteLength = locations[3 * i + 1] ?? 0
    const firstRow = locations[3 * i + 2] ?? 0
    if (byteOffset !== nextOffset || byteLength === 0) {
      r.fail(`a page at ${nextOffset}`, `${byteLength} bytes at ${byteOffset}`)
    }
    if (i === 0 ? firstRow !== 0 : firstRow <= lastRow) r.fail('rows in ascending order', `row ${firstRow}`)
    byteOffsets[i] = byteOffset
    byteLengths[i] = byteLength
    firstRows[i] = firstRow
    nextOffset += byteLength
    lastRow = firstRow
  }
  firstRows[pageCount] = chunk.rowCount
  if (pageCount === 0 || nextOffset !== chunk.end || lastRow >= chunk.rowCount) {
    r.fail(`pages up to byte ${chunk.end} and row ${chunk.rowCount}`, `${pageCount} up to ${nextOffset}`)
  }
  return { pageCount, byteOffsets, byteLengths, firstRows }
}

/** Memory of `readLocations`, which is used again. */
let locationNumbers = new Float64Array(3072)

/**
 * Offset, length and first row of each page location, valid until the next call. Thousands of pages are decoded for one question by
 * a process that was just started, so this is one loop, which the engine compiles at once.
 */
function readLocations(r: ByteReader, pageCount: number): Float64Array {
  const { bytes, end } = r
  const count = 3 * pageCount
  // A location takes seven bytes or more: a count that lies takes no memory.
  if (count > end) r.fail(`${pageCount} page locations`, `${r.left} bytes`)
  if (count > locationNumbers.length) locationNumbers = new Float64Array(2 * count)
  const numbers = locationNumbers
  let at = r.at
  for (let i = 0; i < count; i++) {
    // Fields 1, 2 and 3: an i64, an i32 and an i64; a byte of 0 ends the location before.
    const field = i % 3
    if (field === 0 && i > 0 && bytes[at++] !== 0) r.fail('the end of a page location', 'another field')
    if (bytes[at++] !== (field === 1 ? 0x15 : 0x16)) r.fail('the fields of a page location', 'others')
    let value = 0
    let byte = 128
    for (let worth = 1; byte >= 128; worth *= 128) {
      byte = bytes[at++] ?? 0
      value += (byte & 127) * worth
    }
    if (value % 2 !== 0 || value >= Number.MAX_SAFE_INTEGER) r.fail('a number in 0..2^52', `zigzag ${value}`)
    numbers[i] = value / 2
  }
  if (at >= end) r.fail('more page locations', 'the end')
  r.at = at
  return numbers
}

/**
 * Smallest and largest position of each page, read in place: every value takes nine bytes, so the index of
 * a thousand pages costs nothing but its checksum when one page is asked for.
 */
export class PositionBounds {
  readonly #view: DataView
  readonly #where: string
  readonly #minStart: number
  readonly #maxStart: number

  /**
   * `bytes` are the column index of an INT64 column of `pageCount` pages. Fails as DAMAGED unless its
   * checksum holds and it is laid out as `encodePositionColumnIndex` does it, without pages of nulls.
   */
  constructor(bytes: Uint8Array, pageCount: number, where: string) {
    verifyChecksum(bytes, where)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#where = where
    const r: ByteReader = new ByteReader(bytes, where)
    const nullPages = skipEntries(r, (1 << 4) | LIST, TRUE, pageCount, 1)
    if (bytes.subarray(nullPages, r.at).includes(TRUE)) r.fail('pages with values', 'a page of nulls')
    this.#minStart = skipEntries(r, (1 << 4) | LIST, BINARY, pageCount, POSITION_ENTRY_BYTE_LENGTH)
    this.#maxStart = skipEntries(r, (1 << 4) | LIST, BINARY, pageCount, POSITION_ENTRY_BYTE_LENGTH)
  }

  /** Smallest position of a page. Fails as DAMAGED when it is beyond 2^53. */
  minOf(page: number): number {
    return this.#positionAt(this.#minStart + page * POSITION_ENTRY_BYTE_LENGTH)
  }

  /** Largest position of a page, likewise. */
  maxOf(page: number): number {
    return this.#positionAt(this.#maxStart + page * POSITION_ENTRY_BYTE_LENGTH)
  }

  #positionAt(at: number): number {
    const view = this.#view
    const position = view.getInt32(at + 5, true) * 0x1_0000_0000 + view.getUint32(at + 1, true)
    if (view.getUint8(at) !== 8 || !(position >= 0 && position < Number.MAX_SAFE_INTEGER)) {
      damaged(this.#where, 'a position in 0..2^53 of 8 bytes', `about ${position}`)
    }
    return position
  }
}

/** A byte of length, then eight. */
const POSITION_ENTRY_BYTE_LENGTH = 9

/** Moves behind the list that is the next field of an index; gives where its entries begin. */
function skipEntries(
  r: ByteReader,
  field: number,
  elementType: number,
  pageCount: number,
  entryByteLength: number,
): number {
  if (readFieldHeader(r, 0) !== field) r.fail('the next list of the index', 'another field')
  const count = readListHeader(r, elementType)
  if (count !== pageCount) r.fail(`${pageCount} entries`, String(count))
  return r.skip(pageCount * entryByteLength)
}

/**
 * Decodes the column index of any column without nulls that fills `bytes`, for `pageCount` pages; the
 * values are views. Fails as DAMAGED unless its checksum holds.
 */
export function decodeColumnIndex(bytes: Uint8Array, pageCount: number, where: string): ValueColumnIndex {
  const minValues: Uint8Array[] = []
  const maxValues: Uint8Array[] = []
  const readValue =
    (into: Uint8Array[]) =>
    (r: ByteReader): void => {
      const start = r.skip(r.uleb128())
      into.push(bytes.subarray(start, r.at))
    }
  const boundaryOrder = readColumnIndex(bytes, pageCount, where, readValue(minValues), readValue(maxValues))
  return { minValues, maxValues, boundaryOrder }
}

type ReadEntry = (r: ByteReader) => void

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
  for (let i = 0; i < count; i++) readEntry(r)
}

function requireNotNull(r: ByteReader): void {
  if (r.u8() !== FALSE) r.fail('a page with values', 'a page of nulls')
}

function requireNoNulls(r: ByteReader): void {
  if (r.zigzag() !== 0) r.fail('a page without nulls', 'nulls')
}
