/**
 * Decodes a file's footer out of bytes that nobody vouches for; row groups are decoded when asked for.
 * Source: parquet.thrift, `FileMetaData`, `SchemaElement`, `KeyValue`, `ColumnOrder`.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { FooterDirectory } from './footer-directory.ts'
import type { ColumnSchema, FileMetadata, FileSpan, LogicalType, RowGroupMetadata } from './metadata.ts'
import { physicalTypeOf } from './metadata-codes.ts'
import { readList, readRowGroup, readText } from './row-group-reader.ts'
import {
  BINARY,
  I32,
  I64,
  LIST,
  readFieldHeader,
  readListHeader,
  STRUCT,
  skipField,
  verifyChecksum,
} from './thrift-compact.ts'

/** Where a footer stands, for messages and to bound its offsets. */
export interface FooterPlace {
  readonly where: string
  /** The byte of the file at which the footer begins. */
  readonly byteOffset: number
}

interface FooterFields {
  rowCount: number
  schema: readonly ColumnSchema[]
  keyValues: ReadonlyMap<string, string>
  createdBy: string
  columnOrderCount: number
}

/** A footer: what concerns the file is decoded, its row groups are decoded one by one when asked for. */
export class FileFooter {
  readonly schema: readonly ColumnSchema[]
  readonly rowCount: number
  readonly keyValues: ReadonlyMap<string, string>
  readonly createdBy: string
  readonly #bytes: Uint8Array
  readonly #place: FooterPlace
  readonly #directory: FooterDirectory
  #leadingBounds: Uint32Array | undefined

  /**
   * Decodes the `FileMetaData` that fills `bytes`. Fails as DAMAGED unless its checksum holds and every
   * required part is there; also when it uses what byteledger never writes, such as nullable columns.
   */
  constructor(bytes: Uint8Array, place: FooterPlace) {
    const contentEnd = verifyChecksum(bytes, place.where)
    this.#bytes = bytes
    this.#place = place
    this.#directory = new FooterDirectory(bytes, contentEnd, place.where)
    const r: ByteReader = new ByteReader(bytes, place.where)
    const fields = readFooterFields(r, this.#directory)
    if (r.left !== 0 || fields.rowCount < 0)
      r.fail('a row count and nothing behind', 'a part missing or more')
    // Without it the meaning of every minimum and maximum is undefined.
    if (fields.columnOrderCount !== fields.schema.length) {
      r.fail('a column order for each column', String(fields.columnOrderCount))
    }
    this.schema = fields.schema
    this.rowCount = fields.rowCount
    this.keyValues = fields.keyValues
    this.createdBy = fields.createdBy
  }

  /** Memory that it holds. */
  get byteLength(): number {
    return this.#bytes.length
  }

  get rowGroupCount(): number {
    return this.#directory.rowGroupCount
  }

  /**
   * Decodes one row group, anew on each call; statistics are views. Fails as DAMAGED unless it has all of
   * its parts and they lie before the footer.
   */
  rowGroup(index: number): RowGroupMetadata {
    const { where, byteOffset } = this.#place
    const start = this.#directory.offsetOf(index)
    const end = index + 1 < this.rowGroupCount ? this.#directory.offsetOf(index + 1) : this.#directory.listEnd
    const r: ByteReader = new ByteReader(this.#bytes, `${where}, row group ${index}`, start, end)
    const rowGroup = readRowGroup(r, this.schema, byteOffset)
    if (r.left !== 0) r.fail('the next row group', `${r.left} more bytes`)
    return rowGroup
  }

  /**
   * Whether `value` lies between minimum and maximum of the row group's leading sorting column, compared
   * as unsigned bytes; true when it has none. Decodes nothing else of the row group.
   */
  mayLeadWith(rowGroup: number, value: Uint8Array): boolean {
    this.#leadingBounds ??= this.#readLeadingBounds()
    const bounds = this.#leadingBounds
    const at = 4 * rowGroup
    const minStart = bounds[at] ?? 0
    if (minStart === 0) return true
    const bytes = this.#bytes
    return (
      compareBytes(bytes, minStart, bounds[at + 1] ?? 0, value) <= 0 &&
      compareBytes(bytes, bounds[at + 2] ?? 0, bounds[at + 3] ?? 0, value) >= 0
    )
  }

  /**
   * Minimum and maximum of the row group's leading sorting column, as views; undefined when it has none. Decodes
   * nothing else of the row group.
   */
  leadingBounds(rowGroup: number): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
    this.#leadingBounds ??= this.#readLeadingBounds()
    const [minStart = 0, minLength = 0, maxStart = 0, maxLength = 0] = this.#leadingBounds.subarray(
      4 * rowGroup,
      4 * rowGroup + 4,
    )
    if (minStart === 0) return undefined
    const bytes = this.#bytes
    return {
      min: bytes.subarray(minStart, minStart + minLength),
      max: bytes.subarray(maxStart, maxStart + maxLength),
    }
  }

  /** Of each row group: where the minimum begins and its length, then of the maximum; zeros for none. */
  #readLeadingBounds(): Uint32Array {
    const bounds = new Uint32Array(4 * this.rowGroupCount)
    const r: ByteReader = new ByteReader(this.#bytes, this.#place.where)
    for (let rowGroup = 0; rowGroup < this.rowGroupCount; rowGroup++) {
      const start = this.#directory.leadingStatisticsOf(rowGroup)
      if (start === 0) continue
      r.at = start
      // As `writeRowGroupMetadata` writes statistics: a null count of 0, then maximum and minimum.
      if (r.u8() !== 0x36 || r.u8() !== 0 || r.u8() !== 0x28) r.fail('statistics', 'other fields')
      const maxLength = r.uleb128()
      const maxStart = r.skip(maxLength)
      if (r.u8() !== 0x18) r.fail('a minimum', 'another field')
      const minLength = r.uleb128()
      bounds.set([r.skip(minLength), minLength, maxStart, maxLength], 4 * rowGroup)
    }
    return bounds
  }

  /** Where a row group's bloom filters stand, one after the other in column order; undefined without any. */
  bloomFiltersOf(rowGroup: number): FileSpan | undefined {
    const span = this.#directory.bloomFiltersOf(rowGroup)
    if (span !== undefined && span.byteOffset + span.byteLength > this.#place.byteOffset) {
      damaged(this.#place.where, 'bloom filters before the footer', `bytes from ${span.byteOffset}`)
    }
    return span
  }
}

/** Decodes a whole footer into plain data; fails as `FileFooter` does, and when its counts disagree. */
export function decodeFooter(bytes: Uint8Array, place: FooterPlace): FileMetadata {
  const footer = new FileFooter(bytes, place)
  const { schema, rowCount, keyValues, createdBy } = footer
  const rowGroups = Array.from({ length: footer.rowGroupCount }, (_, index) => footer.rowGroup(index))
  const found = rowGroups.reduce((sum, rowGroup) => sum + rowGroup.rowCount, 0)
  if (found !== rowCount) damaged(place.where, `${rowCount} rows`, `${found} in the row groups`)
  return { schema, rowCount, rowGroups, keyValues, createdBy }
}

/**
 * The program that wrote a footer, found without knowing anything else about it; undefined when it does
 * not say. Fails as DAMAGED when the bytes are no thrift structure.
 */
export function readCreatedBy(bytes: Uint8Array, where: string): string | undefined {
  const r: ByteReader = new ByteReader(bytes, where)
  let createdBy: string | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((6 << 4) | BINARY)) createdBy = readText(r)
    else skipField(r, field)
  }
  return createdBy
}

function readFooterFields(r: ByteReader, directory: FooterDirectory): FooterFields {
  const fields: FooterFields = {
    rowCount: -1,
    schema: [],
    keyValues: new Map(),
    createdBy: '',
    columnOrderCount: 0,
  }
  let hasRowGroups = false
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((2 << 4) | LIST)) fields.schema = readSchema(r)
    else if (field === ((3 << 4) | I64)) fields.rowCount = r.zigzag()
    else if (field === ((4 << 4) | LIST)) {
      skipRowGroups(r, directory)
      hasRowGroups = true
    } else if (field === ((5 << 4) | LIST)) fields.keyValues = new Map(readList(r, STRUCT, readKeyValue))
    else if (field === ((6 << 4) | BINARY)) fields.createdBy = readText(r)
    else if (field === ((7 << 4) | LIST)) fields.columnOrderCount = readColumnOrders(r)
    else skipField(r, field)
  }
  if (!hasRowGroups || fields.schema.length === 0) r.fail('a schema and row groups', 'a part missing')
  return fields
}

/** Moves behind the row groups, which must stand where the directory says. */
function skipRowGroups(r: ByteReader, directory: FooterDirectory): void {
  const count = readListHeader(r, STRUCT)
  let start = r.at
  for (let rowGroup = 0; rowGroup < directory.rowGroupCount; rowGroup++) {
    const offset = directory.offsetOf(rowGroup)
    if (rowGroup === 0 ? offset !== r.at : offset <= start) r.fail('row groups in order', `one at ${offset}`)
    start = offset
  }
  if (count !== directory.rowGroupCount || directory.listEnd < start) {
    r.fail(`${directory.rowGroupCount} row groups up to byte ${directory.listEnd}`, `${count}`)
  }
  r.skip(directory.listEnd - r.at)
}

function readSchema(r: ByteReader): ColumnSchema[] {
  const elementCount = readListHeader(r, STRUCT)
  if (elementCount < 2) r.fail('a schema with columns', `${elementCount} elements`)
  const columns: ColumnSchema[] = []
  for (let i = 0; i < elementCount; i++) {
    const element = readSchemaElement(r)
    if (i === 0) {
      if (element.childCount !== elementCount - 1) r.fail('a flat schema', `${element.childCount} children`)
      continue
    }
    const physicalType = physicalTypeOf(element.type)
    if (physicalType === undefined || element.childCount !== -1 || element.repetition !== 0) {
      r.fail('required INT32, INT64 and BYTE_ARRAY columns', `another kind in ${element.name}`)
    }
    const logicalType = element.logicalType ?? (physicalType === 'INT64' ? 'INTEGER' : undefined)
    if (logicalType === undefined) r.fail('a DATE, STRING or INTEGER column', `another in ${element.name}`)
    columns.push({ name: element.name, physicalType, logicalType })
  }
  return columns
}

interface SchemaElement {
  readonly name: string
  readonly type: number
  readonly repetition: number
  readonly childCount: number
  readonly logicalType: LogicalType | undefined
}

function readSchemaElement(r: ByteReader): SchemaElement {
  let name = ''
  let type = -1
  let repetition = -1
  let childCount = -1
  let logicalType: LogicalType | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | I32)) type = r.zigzag()
    else if (field === ((3 << 4) | I32)) repetition = r.zigzag()
    else if (field === ((4 << 4) | BINARY)) name = readText(r)
    else if (field === ((5 << 4) | I32)) childCount = r.zigzag()
    else if (field === ((10 << 4) | STRUCT)) logicalType = readLogicalType(r)
    else skipField(r, field)
  }
  return { name, type, repetition, childCount, logicalType }
}

/** The member of the union `LogicalType`, as far as we know it. */
function readLogicalType(r: ByteReader): LogicalType | undefined {
  let logicalType: LogicalType | undefined
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    const id = field >>> 4
    logicalType = id === 1 ? 'STRING' : id === 6 ? 'DATE' : id === 10 ? 'INTEGER' : undefined
    skipField(r, field)
  }
  return logicalType
}

/** Reads one `KeyValue`. */
export function readKeyValue(r: ByteReader): [string, string] {
  let key = ''
  let value = ''
  for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
    if (field === ((1 << 4) | BINARY)) key = readText(r)
    else if (field === ((2 << 4) | BINARY)) value = readText(r)
    else skipField(r, field)
  }
  return [key, value]
}

/** The number of columns whose order is TYPE_ORDER, the only one of the columns we read. */
function readColumnOrders(r: ByteReader): number {
  let count = 0
  for (let left = readListHeader(r, STRUCT); left > 0; left--) {
    for (let field = readFieldHeader(r, 0); field !== 0; field = readFieldHeader(r, field)) {
      if (field === ((1 << 4) | STRUCT)) count++
      skipField(r, field)
    }
  }
  return count
}

/** Below 0, 0 or above 0 as `bytes[start..start + length)` is less than, equal to or more than `value`. */
function compareBytes(bytes: Uint8Array, start: number, length: number, value: Uint8Array): number {
  const common = Math.min(length, value.length)
  for (let i = 0; i < common; i++) {
    const difference = (bytes[start + i] ?? 0) - (value[i] ?? 0)
    if (difference !== 0) return difference
  }
  return length - value.length
}
