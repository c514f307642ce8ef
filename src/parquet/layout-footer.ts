/**
 * Decodes the footer of any Parquet file as far as its layout is concerned: nested schemas, all encodings
 * and codecs, chunks with or without statistics and indexes. What answers questions is
 * file-footer.ts, which accepts only what byteledger writes.
 * Source: parquet.thrift, `FileMetaData`, `RowGroup`, `ColumnChunk`, `ColumnMetaData`.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { readKeyValue } from './file-footer.ts'
import { codecName, encodingName, pageTypeName, physicalTypeName } from './layout-names.ts'
import { type LayoutColumn, readLayoutSchema } from './layout-schema.ts'
import type { FileSpan } from './metadata.ts'
import { readList, readText } from './row-group-reader.ts'
import {
  BINARY,
  I32,
  I64,
  LIST,
  readFieldHeader,
  readListHeader,
  STRUCT,
  skipField,
  TRUE,
} from './thrift-compact.ts'

/** Pages of one type and encoding in a chunk. */
export interface LayoutPageStats {
  readonly pageType: string
  readonly encoding: string
  readonly pageCount: number
}

/** Smallest and largest value of a chunk in PLAIN encoding, as far as they are there. */
export interface LayoutBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
  /** Whether they come from the older fields, whose order is right for signed numbers only. */
  readonly isDeprecated: boolean
}

/** A column chunk as the footer describes it. Absent parts are undefined. */
export interface LayoutChunk {
  readonly encodings: readonly string[]
  readonly codec: string
  readonly valueCount: number
  readonly totalUncompressedSize: number
  /** Pages and their headers as they stand in the file: `pages.byteLength`. */
  readonly pages: FileSpan
  /** Where the first data page begins. */
  readonly dataPageOffset: number
  readonly hasDictionary: boolean
  readonly nullCount: number | undefined
  readonly bounds: LayoutBounds | undefined
  readonly pageStats: readonly LayoutPageStats[] | undefined
  readonly columnIndex: FileSpan | undefined
  readonly offsetIndex: FileSpan | undefined
  /** Older writers do not say how long it is: `byteLength` is 0 then. */
  readonly bloomFilter: FileSpan | undefined
}

/** A column by which the rows of a row group are sorted. */
export interface LayoutSortingColumn {
  readonly ordinal: number
  readonly isDescending: boolean
  readonly areNullsFirst: boolean
}

/** Some rows of the table. */
export interface LayoutRowGroup {
  readonly rowCount: number
  /** One a column, in schema order. */
  readonly chunks: readonly LayoutChunk[]
  readonly sortingColumns: readonly LayoutSortingColumn[]
}

/** What a footer says about the whole file. */
export interface LayoutFooter {
  readonly columns: readonly LayoutColumn[]
  readonly rowCount: number
  readonly rowGroupCount: number
  readonly keyValues: ReadonlyMap<string, string>
  readonly createdBy: string | undefined
  readonly formatVersion: number
}

/** Where the bytes of a footer stand. */
export interface LayoutFooterPlace {
  readonly where: string
  /** The byte of the file at which it begins: everything else lies before. */
  readonly byteOffset: number
}

interface FooterFields {
  version: number
  columns: readonly LayoutColumn[] | undefined
  rowCount: number
  rowGroupsAt: number
  rowGroupCount: number
  keyValues: ReadonlyMap<string, string>
  createdBy: string | undefined
}

/**
 * Decodes the `FileMetaData` that fills `bytes`. Gives the file's facts and its row groups, which are decoded
 * while they are iterated. Fails as DAMAGED for what the format does not allow.
 */
export function decodeLayoutFooter(
  bytes: Uint8Array,
  place: LayoutFooterPlace,
): { readonly footer: LayoutFooter; readonly rowGroups: Iterable<LayoutRowGroup> } {
  const r: ByteReader = new ByteReader(bytes, place.where)
  const fields = readFooterFields(r)
  const { columns, rowCount, rowGroupCount, keyValues, createdBy } = fields
  if (r.left !== 0) r.fail('the end of the footer', `${r.left} more bytes`)
  if (columns === undefined || columns.length === 0) return r.fail('a schema with columns', 'none')
  if (rowCount < 0 || fields.rowGroupsAt < 0) r.fail('a row count and row groups', 'a part missing')
  return {
    footer: { columns, rowCount, rowGroupCount, keyValues, createdBy, formatVersion: fields.version },
    rowGroups: iterateRowGroups(bytes, place, columns, fields),
  }
}

function readFooterFields(r: ByteReader): FooterFields {
  const fields: FooterFields = {
    version: 0,
    columns: undefined,
    rowCount: -1,
    rowGroupsAt: -1,
    rowGroupCount: 0,
    keyValues: new Map(),
    createdBy: undefined,
  }
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) fields.version = r.zigzag()
    else if (field === ((2 << 4) | LIST)) fields.columns = readLayoutSchema(r)
    else if (field === ((3 << 4) | I64)) fields.rowCount = r.zigzag()
    else if (field === ((4 << 4) | LIST)) {
      fields.rowGroupCount = readListHeader(r, STRUCT)
      fields.rowGroupsAt = r.at
      for (let left = fields.rowGroupCount; left > 0; left--) skipField(r, STRUCT)
    } else if (field === ((5 << 4) | LIST)) fields.keyValues = new Map(readList(r, STRUCT, readKeyValue))
    else if (field === ((6 << 4) | BINARY)) fields.createdBy = readText(r)
    else skipField(r, field)
  }
  return fields
}

function* iterateRowGroups(
  bytes: Uint8Array,
  { where, byteOffset }: LayoutFooterPlace,
  columns: readonly LayoutColumn[],
  fields: FooterFields,
): Generator<LayoutRowGroup> {
  let at = fields.rowGroupsAt
  let rowCount = 0
  for (let ordinal = 0; ordinal < fields.rowGroupCount; ordinal++) {
    const r: ByteReader = new ByteReader(bytes, `${where}, row group ${ordinal}`, at)
    const rowGroup = readRowGroup(r, columns, byteOffset)
    rowCount += rowGroup.rowCount
    at = r.at
    yield rowGroup
  }
  if (rowCount !== fields.rowCount) {
    new ByteReader(bytes, where, at).fail(`${fields.rowCount} rows`, `${rowCount} in the row groups`)
  }
}

function readRowGroup(r: ByteReader, columns: readonly LayoutColumn[], dataEnd: number): LayoutRowGroup {
  let rowCount = -1
  let chunks: readonly LayoutChunk[] | undefined
  let sortingColumns: readonly LayoutSortingColumn[] = []
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | LIST)) {
      const count = readListHeader(r, STRUCT)
      if (count !== columns.length) r.fail(`${columns.length} column chunks`, String(count))
      chunks = columns.map((column) => readChunk(r, column, dataEnd))
    } else if (field === ((3 << 4) | I64)) rowCount = r.zigzag()
    else if (field === ((4 << 4) | LIST)) sortingColumns = readList(r, STRUCT, readSortingColumn)
    else skipField(r, field)
  }
  if (rowCount < 0 || chunks === undefined) r.fail('a row group with rows and columns', 'a part missing')
  for (const { ordinal } of sortingColumns) {
    if (columns[ordinal] === undefined) r.fail('sorting columns of the schema', `column ${ordinal}`)
  }
  chunks.forEach(({ valueCount }, i) => {
    const isWrong = columns[i]?.isRepeated === false && valueCount !== rowCount
    if (isWrong) r.fail(`${rowCount} values of ${columns[i]?.name}`, String(valueCount))
  })
  return { rowCount, chunks, sortingColumns }
}

function readSortingColumn(r: ByteReader): LayoutSortingColumn {
  let ordinal = -1
  let isDescending = false
  let areNullsFirst = false
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) ordinal = r.zigzag()
    else if (field === ((2 << 4) | TRUE)) isDescending = true
    else if (field === ((3 << 4) | TRUE)) areNullsFirst = true
    else skipField(r, field)
  }
  return { ordinal, isDescending, areNullsFirst }
}

/** Numbers of a chunk's structures by what they mean; -1 where they are absent. */
interface ChunkFields {
  isElsewhere: boolean
  isEncrypted: boolean
  name: string
  encodings: readonly string[]
  codec: string
  pageStats: readonly LayoutPageStats[] | undefined
  bounds: LayoutBounds | undefined
  nullCount: number
  readonly numbers: Float64Array
}

const TYPE = 0
const VALUE_COUNT = 1
const UNCOMPRESSED = 2
const COMPRESSED = 3
const DATA_OFFSET = 4
const INDEX_PAGE_OFFSET = 5
const DICTIONARY_OFFSET = 6
const BLOOM_OFFSET = 7
const BLOOM_LENGTH = 8
const OFFSET_INDEX_OFFSET = 9
const OFFSET_INDEX_LENGTH = 10
const COLUMN_INDEX_OFFSET = 11
const COLUMN_INDEX_LENGTH = 12
const NUMBER_COUNT = 13

/** What the numbers of `ColumnChunk` and of `ColumnMetaData` mean, by the header of their field. */
const CHUNK_NUMBERS: ReadonlyMap<number, number> = new Map([
  [(4 << 4) | I64, OFFSET_INDEX_OFFSET],
  [(5 << 4) | I32, OFFSET_INDEX_LENGTH],
  [(6 << 4) | I64, COLUMN_INDEX_OFFSET],
  [(7 << 4) | I32, COLUMN_INDEX_LENGTH],
])
const METADATA_NUMBERS: ReadonlyMap<number, number> = new Map([
  [(1 << 4) | I32, TYPE],
  [(5 << 4) | I64, VALUE_COUNT],
  [(6 << 4) | I64, UNCOMPRESSED],
  [(7 << 4) | I64, COMPRESSED],
  [(9 << 4) | I64, DATA_OFFSET],
  [(10 << 4) | I64, INDEX_PAGE_OFFSET],
  [(11 << 4) | I64, DICTIONARY_OFFSET],
  [(14 << 4) | I64, BLOOM_OFFSET],
  [(15 << 4) | I32, BLOOM_LENGTH],
])

function readChunk(r: ByteReader, column: LayoutColumn, dataEnd: number): LayoutChunk {
  const fields = readChunkFields(r)
  const { numbers } = fields
  const number = (meaning: number): number => numbers[meaning] ?? -1
  if (fields.isElsewhere) r.fail('column chunks in this file', 'one in another file')
  if (fields.isEncrypted) r.fail('columns that are not encrypted', `an encrypted ${column.name}`)
  if (physicalTypeName(number(TYPE)) !== column.physicalType || fields.name !== column.name) {
    r.fail(`a chunk of ${column.name} ${column.physicalType}`, `type ${number(TYPE)} of ${fields.name}`)
  }
  // Some writers say 0 where they mean none.
  const hasDictionary = number(DICTIONARY_OFFSET) > 0
  const starts = [DATA_OFFSET, INDEX_PAGE_OFFSET, DICTIONARY_OFFSET].map(number).filter((at) => at > 0)
  const byteOffset = Math.min(...starts)
  const [valueCount, uncompressed, compressed] = [VALUE_COUNT, UNCOMPRESSED, COMPRESSED].map(number)
  if (valueCount === undefined || uncompressed === undefined || compressed === undefined) {
    return r.fail('numbers of a chunk', 'none')
  }
  if (valueCount < 0 || uncompressed < 0 || number(DATA_OFFSET) < 0 || fields.codec === '') {
    r.fail(`value count, codec, sizes and offset of ${column.name}`, 'a part missing')
  }
  const span = (offset: number, length: number): FileSpan | undefined =>
    spanOf(r, number(offset), number(length), dataEnd)
  return {
    encodings: fields.encodings,
    codec: fields.codec,
    valueCount,
    totalUncompressedSize: uncompressed,
    pages: requireWithin(r, { byteOffset, byteLength: compressed }, dataEnd),
    dataPageOffset: number(DATA_OFFSET),
    hasDictionary,
    nullCount: fields.nullCount < 0 ? undefined : fields.nullCount,
    bounds: fields.bounds,
    pageStats: fields.pageStats,
    columnIndex: span(COLUMN_INDEX_OFFSET, COLUMN_INDEX_LENGTH),
    offsetIndex: span(OFFSET_INDEX_OFFSET, OFFSET_INDEX_LENGTH),
    bloomFilter:
      number(BLOOM_LENGTH) < 0 && number(BLOOM_OFFSET) > 0
        ? requireWithin(r, { byteOffset: number(BLOOM_OFFSET), byteLength: 0 }, dataEnd)
        : span(BLOOM_OFFSET, BLOOM_LENGTH),
  }
}

/** The file's first bytes are `PAR1`, so nothing else begins before byte 4. */
function requireWithin(r: ByteReader, span: FileSpan, dataEnd: number): FileSpan {
  const { byteOffset, byteLength } = span
  if (byteOffset >= 4 && byteLength >= 0 && byteOffset + byteLength <= dataEnd) return span
  return r.fail(`a part in bytes 4..${dataEnd}`, `${byteLength} bytes at ${byteOffset}`)
}

function spanOf(
  r: ByteReader,
  byteOffset: number,
  byteLength: number,
  dataEnd: number,
): FileSpan | undefined {
  // Absent, or written as zeros by those who mean absent.
  if (byteOffset <= 0 && byteLength <= 0) return undefined
  return requireWithin(r, { byteOffset, byteLength }, dataEnd)
}

function readChunkFields(r: ByteReader): ChunkFields {
  const fields: ChunkFields = {
    isElsewhere: false,
    isEncrypted: false,
    name: '',
    encodings: [],
    codec: '',
    pageStats: undefined,
    bounds: undefined,
    nullCount: -1,
    numbers: new Float64Array(NUMBER_COUNT).fill(-1),
  }
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const meaning = CHUNK_NUMBERS.get(field)
    if (meaning !== undefined) fields.numbers[meaning] = r.zigzag()
    else if (field === ((3 << 4) | STRUCT)) readMetadata(r, fields)
    else {
      if (field === ((1 << 4) | BINARY)) fields.isElsewhere = true
      if (field === ((8 << 4) | STRUCT) || field === ((9 << 4) | BINARY)) fields.isEncrypted = true
      skipField(r, field)
    }
  }
  return fields
}

function readMetadata(r: ByteReader, fields: ChunkFields): void {
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const meaning = METADATA_NUMBERS.get(field)
    if (meaning !== undefined) fields.numbers[meaning] = r.zigzag()
    else if (field === ((2 << 4) | LIST))
      fields.encodings = readList(r, I32, (reader) => encodingName(reader.zigzag()))
    else if (field === ((3 << 4) | LIST)) fields.name = readList(r, BINARY, readText).join('.')
    else if (field === ((4 << 4) | I32)) fields.codec = codecName(r.zigzag())
    else if (field === ((12 << 4) | STRUCT)) readStatistics(r, fields)
    else if (field === ((13 << 4) | LIST)) fields.pageStats = readList(r, STRUCT, readPageStats)
    else skipField(r, field)
  }
}

function readStatistics(r: ByteReader, fields: ChunkFields): void {
  // By field number: the older maximum and minimum, two others, then maximum and minimum.
  const values: (Uint8Array | undefined)[] = []
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const id = field >>> 4
    if (field === ((3 << 4) | I64)) fields.nullCount = r.zigzag()
    else if ((field & 15) === BINARY && id <= 6) {
      const start = r.skip(r.uleb128())
      values[id] = r.bytes.subarray(start, r.at)
    } else skipField(r, field)
  }
  const [, oldMax, oldMin, , , max, min] = values
  if (min !== undefined && max !== undefined) fields.bounds = { min, max, isDeprecated: false }
  else if (oldMin !== undefined && oldMax !== undefined)
    fields.bounds = { min: oldMin, max: oldMax, isDeprecated: true }
}

function readPageStats(r: ByteReader): LayoutPageStats {
  const codes = [-1, -1, -1]
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if ((field & 15) === I32 && field >>> 4 <= 3) codes[(field >>> 4) - 1] = r.zigzag()
    else skipField(r, field)
  }
  const [pageTypeCode = -1, encodingCode = -1, pageCount = -1] = codes
  if (pageTypeCode < 0 || encodingCode < 0 || pageCount < 0) r.fail('page type, encoding and count', 'a part')
  return { pageType: pageTypeName(pageTypeCode), encoding: encodingName(encodingCode), pageCount }
}
