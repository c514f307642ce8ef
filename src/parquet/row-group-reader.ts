/**
 * Decodes the footer's entry of one row group, out of bytes that nobody vouches for.
 * Source: parquet.thrift, `RowGroup`, `ColumnChunk`, `ColumnMetaData`, `Statistics`, `PageEncodingStats`,
 * `SortingColumn`.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import type {
  ColumnChunkMetadata,
  ColumnSchema,
  CompressionCodec,
  Encoding,
  FileSpan,
  PageEncodingStats,
  RowGroupMetadata,
} from './metadata.ts'
import { codecOf, encodingOf, PHYSICAL_TYPE_CODES, pageTypeOf } from './metadata-codes.ts'
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
} from './thrift-compact.ts'

/** The first byte that can belong to a column chunk: the file begins with `PAR1`. */
const DATA_START = 4

/**
 * Reads one row group and leaves the reader behind it. Statistics are views of its bytes. Fails as DAMAGED
 * unless it has a chunk of each column of `schema`, without nulls, all parts of which lie between the
 * file's first bytes and `dataEnd`.
 */
export function readRowGroup(
  r: ByteReader,
  schema: readonly ColumnSchema[],
  dataEnd: number,
): RowGroupMetadata {
  let rowCount = -1
  let columns: readonly ColumnChunkMetadata[] = []
  let sortingColumns: readonly number[] = []
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | LIST)) {
      const count = readListHeader(r, STRUCT)
      if (count !== schema.length) r.fail(`${schema.length} column chunks`, String(count))
      columns = schema.map((column) => readColumnChunk(r, column, dataEnd))
    } else if (field === ((3 << 4) | I64)) {
      rowCount = r.zigzag()
    } else if (field === ((4 << 4) | LIST)) {
      sortingColumns = readSortingColumns(r)
    } else {
      skipField(r, field)
    }
  }
  if (rowCount <= 0 || columns.length === 0) r.fail('a row group with rows and columns', `${rowCount} rows`)
  for (const { valueCount } of columns) {
    if (valueCount !== rowCount) r.fail(`${rowCount} values a column`, String(valueCount))
  }
  return { rowCount, columns, sortingColumns }
}

/** What a chunk's structures hold, as it is collected. */
interface ChunkFields {
  type: number
  encodings: readonly Encoding[]
  name: string
  codec: CompressionCodec | undefined
  valueCount: number
  totalUncompressedSize: number
  totalCompressedSize: number
  dataPageOffset: number
  dictionaryPageOffset: number
  bounds: { readonly min: Uint8Array; readonly max: Uint8Array } | undefined
  encodingStats: readonly PageEncodingStats[]
  bloomByteOffset: number
  bloomByteLength: number
  columnIndexByteOffset: number
  columnIndexByteLength: number
  offsetIndexByteOffset: number
  offsetIndexByteLength: number
}

function readColumnChunk(r: ByteReader, schema: ColumnSchema, dataEnd: number): ColumnChunkMetadata {
  const fields = readChunkFields(r)
  const { codec, bounds, dataPageOffset, totalUncompressedSize, totalCompressedSize } = fields
  if (fields.type !== PHYSICAL_TYPE_CODES[schema.physicalType] || fields.name !== schema.name) {
    r.fail(`a chunk of ${schema.name} ${schema.physicalType}`, `type ${fields.type} of ${fields.name}`)
  }
  if (codec === undefined) r.fail('a known codec', 'another')
  if (bounds === undefined || totalUncompressedSize < 0) r.fail('sizes and statistics', 'a part missing')
  const dictionaryPageOffset = fields.dictionaryPageOffset === -1 ? undefined : fields.dictionaryPageOffset
  const start = dictionaryPageOffset ?? dataPageOffset
  const end = start + totalCompressedSize
  if (!(start >= DATA_START && start <= dataPageOffset && dataPageOffset < end && end <= dataEnd)) {
    r.fail(`pages in bytes 4..${dataEnd}`, `${start}..${end}, data from ${dataPageOffset}`)
  }
  return {
    encodings: fields.encodings,
    codec,
    valueCount: fields.valueCount,
    totalUncompressedSize,
    totalCompressedSize,
    dataPageOffset,
    dictionaryPageOffset,
    min: bounds.min,
    max: bounds.max,
    encodingStats: fields.encodingStats,
    bloomFilter: checkedSpan(r, fields.bloomByteOffset, fields.bloomByteLength, dataEnd),
    columnIndex: checkedSpan(r, fields.columnIndexByteOffset, fields.columnIndexByteLength, dataEnd),
    offsetIndex: checkedSpan(r, fields.offsetIndexByteOffset, fields.offsetIndexByteLength, dataEnd),
  }
}

function readChunkFields(r: ByteReader): ChunkFields {
  const fields: ChunkFields = {
    type: -1,
    encodings: [],
    name: '',
    codec: undefined,
    valueCount: -1,
    totalUncompressedSize: -1,
    totalCompressedSize: -1,
    dataPageOffset: -1,
    dictionaryPageOffset: -1,
    bounds: undefined,
    encodingStats: [],
    bloomByteOffset: -1,
    bloomByteLength: -1,
    columnIndexByteOffset: -1,
    columnIndexByteLength: -1,
    offsetIndexByteOffset: -1,
    offsetIndexByteLength: -1,
  }
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((3 << 4) | STRUCT)) readMetadata(r, fields)
    else if (field === ((4 << 4) | I64)) fields.offsetIndexByteOffset = r.zigzag()
    else if (field === ((5 << 4) | I32)) fields.offsetIndexByteLength = r.zigzag()
    else if (field === ((6 << 4) | I64)) fields.columnIndexByteOffset = r.zigzag()
    else if (field === ((7 << 4) | I32)) fields.columnIndexByteLength = r.zigzag()
    else if (field === ((1 << 4) | BINARY)) r.fail('column chunks in this file', 'a file path')
    else skipField(r, field)
  }
  return fields
}

function readMetadata(r: ByteReader, fields: ChunkFields): void {
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) fields.type = r.zigzag()
    else if (field === ((2 << 4) | LIST)) fields.encodings = readList(r, I32, readEncoding)
    else if (field === ((3 << 4) | LIST)) fields.name = readList(r, BINARY, readText).join('.')
    else if (field === ((4 << 4) | I32)) fields.codec = codecOf(r.zigzag())
    else if (field === ((5 << 4) | I64)) fields.valueCount = r.zigzag()
    else if (field === ((6 << 4) | I64)) fields.totalUncompressedSize = r.zigzag()
    else if (field === ((7 << 4) | I64)) fields.totalCompressedSize = r.zigzag()
    else if (field === ((9 << 4) | I64)) fields.dataPageOffset = r.zigzag()
    else if (field === ((11 << 4) | I64)) fields.dictionaryPageOffset = r.zigzag()
    else if (field === ((12 << 4) | STRUCT)) fields.bounds = readStatistics(r)
    else if (field === ((13 << 4) | LIST)) fields.encodingStats = readList(r, STRUCT, readEncodingStats)
    else if (field === ((14 << 4) | I64)) fields.bloomByteOffset = r.zigzag()
    else if (field === ((15 << 4) | I32)) fields.bloomByteLength = r.zigzag()
    else skipField(r, field)
  }
}

function readStatistics(r: ByteReader): { min: Uint8Array; max: Uint8Array } {
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  let nullCount = -1
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((3 << 4) | I64)) nullCount = r.zigzag()
    else if (field === ((5 << 4) | BINARY)) max = readBytes(r)
    else if (field === ((6 << 4) | BINARY)) min = readBytes(r)
    else skipField(r, field)
  }
  if (min === undefined || max === undefined || nullCount !== 0) {
    r.fail('minimum, maximum and no nulls', 'a part missing or nulls')
  }
  return { min, max }
}

function readEncodingStats(r: ByteReader): PageEncodingStats {
  const codes = [-1, -1, -1]
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if ((field & 15) === I32 && field >>> 4 <= 3) codes[(field >>> 4) - 1] = r.zigzag()
    else skipField(r, field)
  }
  const [pageTypeCode = -1, encodingCode = -1, pageCount = -1] = codes
  const pageType = pageTypeOf(pageTypeCode)
  const encoding = encodingOf(encodingCode)
  if (pageType === undefined || encoding === undefined || pageCount < 0) {
    r.fail('statistics of a known page type and encoding', `${codes}`)
  }
  return { pageType, encoding, pageCount }
}

function readSortingColumns(r: ByteReader): number[] {
  return readList(r, STRUCT, () => {
    let column = -1
    for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
      if (field === ((1 << 4) | I32)) column = r.zigzag()
      else if (field !== ((2 << 4) | FALSE) && field !== ((3 << 4) | FALSE)) {
        r.fail('columns in ascending order, nulls last', 'another order')
      }
    }
    return column
  })
}

function readEncoding(r: ByteReader): Encoding {
  const code = r.zigzag()
  const encoding = encodingOf(code)
  if (encoding === undefined) r.fail('a known encoding', `${code}`)
  return encoding
}

function readBytes(r: ByteReader): Uint8Array {
  const start = r.skip(r.uleb128())
  return r.bytes.subarray(start, r.at)
}

/** Reads a string; for messages, names and comparisons with text of ours. */
export function readText(r: ByteReader): string {
  const bytes = readBytes(r)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Reads a list whose elements `readElement` reads one by one. */
export function readList<T>(r: ByteReader, elementType: number, readElement: (r: ByteReader) => T): T[] {
  const elements: T[] = []
  for (let left = readListHeader(r, elementType); left > 0; left--) elements.push(readElement(r))
  return elements
}

function checkedSpan(
  r: ByteReader,
  byteOffset: number,
  byteLength: number,
  dataEnd: number,
): FileSpan | undefined {
  if (byteOffset === -1 && byteLength === -1) return undefined
  if (!(byteOffset >= DATA_START && byteLength > 0 && byteOffset + byteLength <= dataEnd)) {
    r.fail(`a span in bytes 4..${dataEnd}`, `${byteLength} bytes at ${byteOffset}`)
  }
  return { byteOffset, byteLength }
}
