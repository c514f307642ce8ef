/**
 * Page headers, written by the million: straight-line code that allocates nothing.
 * Source: parquet.thrift, `PageHeader`, `DataPageHeader`, `DictionaryPageHeader`.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import { putUleb128, putZigzag } from '../base/varint.ts'
import type { Encoding, PageType } from './metadata.ts'
import { ENCODING_CODES, encodingOf, pageTypeOf } from './metadata-codes.ts'
import { I32, readFieldHeader, STRUCT, skipField } from './thrift-compact.ts'

/** What a data page's header says (version 1, no levels: every column is REQUIRED). */
export interface DataPageHeader {
  readonly uncompressedByteLength: number
  /** Of the body as it stands in the file. */
  readonly compressedByteLength: number
  /** CRC-32 of the body as it stands in the file, unsigned. */
  readonly crc: number
  readonly valueCount: number
  readonly encoding: Encoding
}

/** What a dictionary page's header says; its encoding is always PLAIN. */
export type DictionaryPageHeader = Omit<DataPageHeader, 'encoding'>

/** A header that was read, its page's type included. */
export interface PageHeader extends DataPageHeader {
  readonly pageType: PageType
}

/** Sizes and counts of a page are 32-bit integers in the format. */
const MAX_I32 = 0x7fff_ffff

/** A header takes at most so many bytes: fields of at most six bytes, and a few that are fixed. */
const MAX_HEADER_BYTE_LENGTH = 64
/** Both levels' encoding is RLE, though there are none: two fields, then the ends of both structs. */
const NO_LEVELS: readonly number[] = [0x15, 6, 0x15, 6, 0, 0]

/** Appends the header of a data page. Sizes and counts are at most 2^31 - 1. */
export function writeDataPageHeader(w: ByteWriter, header: DataPageHeader): void {
  const bytes = w.reserve(MAX_HEADER_BYTE_LENGTH)
  let at = putSizes(bytes, w.length, 0, header)
  bytes[at++] = 0x1c // data_page_header
  bytes[at++] = 0x15
  at = putUleb128(bytes, at, 2 * header.valueCount)
  bytes[at++] = 0x15
  bytes[at++] = 2 * ENCODING_CODES[header.encoding]
  for (let i = 0; i < NO_LEVELS.length; i++) bytes[at++] = NO_LEVELS[i] ?? 0
  w.length = at
}

/** Where in a data page's header the varint of the CRC begins. */
export function crcOffsetOf(header: DataPageHeader): number {
  const scratch = new Uint8Array(MAX_HEADER_BYTE_LENGTH)
  return putSizes(scratch, 0, 0, { ...header, crc: 0 }) - 1
}

/** Appends the header of a dictionary page. Sizes and counts are at most 2^31 - 1. */
export function writeDictionaryPageHeader(w: ByteWriter, header: DictionaryPageHeader): void {
  const bytes = w.reserve(MAX_HEADER_BYTE_LENGTH)
  let at = putSizes(bytes, w.length, 2, header)
  bytes[at++] = 0x3c // dictionary_page_header
  bytes[at++] = 0x15
  at = putUleb128(bytes, at, 2 * header.valueCount)
  bytes[at++] = 0x15
  bytes[at++] = 0 // PLAIN
  bytes[at++] = 0
  bytes[at++] = 0
  w.length = at
}

/** Page type, sizes and CRC: fields 1 to 4. Gives the place after them. */
function putSizes(
  bytes: Uint8Array,
  start: number,
  pageTypeCode: number,
  header: DictionaryPageHeader,
): number {
  invariant(
    header.uncompressedByteLength <= MAX_I32 &&
      header.compressedByteLength <= MAX_I32 &&
      header.valueCount <= MAX_I32,
    'a page is larger than its header can say',
  )
  bytes[start] = 0x15
  bytes[start + 1] = 2 * pageTypeCode
  bytes[start + 2] = 0x15
  let at = putUleb128(bytes, start + 3, 2 * header.uncompressedByteLength)
  bytes[at++] = 0x15
  at = putUleb128(bytes, at, 2 * header.compressedByteLength)
  bytes[at++] = 0x15
  return putZigzag(bytes, at, header.crc | 0)
}

/**
 * Reads one page header and leaves the reader at the page's body, which it does not require to be there.
 * Fails as DAMAGED unless it is a data page of version 1 or a dictionary page, with a CRC.
 */
export function readPageHeader(r: ByteReader): PageHeader {
  let pageTypeCode = -1
  let uncompressedByteLength = -1
  let compressedByteLength = -1
  let crc = -1
  let page: PageFields | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) pageTypeCode = r.zigzag()
    else if (field === ((2 << 4) | I32)) uncompressedByteLength = readSize(r)
    else if (field === ((3 << 4) | I32)) compressedByteLength = readSize(r)
    else if (field === ((4 << 4) | I32)) crc = r.zigzag() >>> 0
    else if (field === ((5 << 4) | STRUCT) && pageTypeCode === 0) page = readPageFields(r)
    else if (field === ((7 << 4) | STRUCT) && pageTypeCode === 2) page = readPageFields(r)
    else skipField(r, field)
  }
  const pageType = pageTypeOf(pageTypeCode)
  if (pageType === undefined) r.fail('a data or dictionary page', `type ${pageTypeCode}`)
  if (uncompressedByteLength < 0 || compressedByteLength < 0 || crc < 0 || page === undefined) {
    r.fail('a page header with sizes, CRC and value count', 'a part missing')
  }
  return {
    pageType,
    uncompressedByteLength,
    compressedByteLength,
    crc,
    valueCount: page.valueCount,
    encoding: page.encoding,
  }
}

interface PageFields {
  readonly valueCount: number
  readonly encoding: Encoding
}

/** Fields 1 and 2 mean the same in the headers of data and dictionary pages. */
function readPageFields(r: ByteReader): PageFields {
  let valueCount = -1
  let encoding: Encoding | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) valueCount = readSize(r)
    else if (field === ((2 << 4) | I32)) encoding = encodingOf(r.zigzag())
    else skipField(r, field)
  }
  if (valueCount < 0 || encoding === undefined) r.fail('a value count and an encoding', 'a part missing')
  return { valueCount, encoding }
}

function readSize(r: ByteReader): number {
  const size = r.zigzag()
  if (size < 0 || size > MAX_I32) r.fail('a size in 0..2^31-1', String(size))
  return size
}
