/**
 * Nested Parquet files, as Delta's checkpoints are, one leaf column at a time: the one file that knows
 * hyparquet and its decompressors. They are loaded when a checkpoint is read, not before.
 *
 * hyparquet decodes pages to values and levels. Its assembly of whole records makes several lists and objects
 * for every value; here the levels are resolved directly, which takes a third of the time for 100,000 records.
 * Source for levels: parquet-format, "Nested Encoding".
 */

import type { Compressors, FileMetaData, RowGroup, SchemaTree } from 'hyparquet'
import type {
  ColumnDecoder,
  ColumnMetaData,
  DataPage,
  DecodedArray,
  PageHeader,
} from 'hyparquet/src/types.js'
import { ByteReader } from '../base/byte-reader.ts'
import { damaged, Failure, invariant, messageOf } from '../base/failure.ts'
import { STRUCT, skipField } from '../parquet/thrift-compact.ts'
import { checkRuns } from './run-guard.ts'

/** What decoding may cost: far more than a checkpoint of millions of files has. */
const MOST_VALUES = 20_000_000
const MOST_GROUPS = 100_000
const LONGEST_CHUNK_BYTES = 2 ** 31
/** Length of the footer and `PAR1`. */
const TAIL_BYTE_LENGTH = 8

/** A leaf of the schema. */
export interface Leaf {
  /** Its names from the top, joined with dots: `add.path`, `add.partitionValues.key_value.key`. */
  readonly name: string
  /** Whether a record can have many values. */
  readonly isRepeated: boolean
}

/** One open file. */
export interface NestedParquet {
  readonly leaves: readonly Leaf[]
  /** Rows of every row group. */
  readonly groupRowCounts: readonly number[]
  /**
   * The values of a leaf in one row group, one entry a record: the value, or the list of values of a repeated
   * leaf; undefined or null where there is none. A 64-bit integer is a number when that holds it exactly, else a
   * bigint. Fails as DAMAGED.
   */
  readLeaf(group: number, leaf: Leaf): readonly unknown[]
}

/** hyparquet, as far as it is used. */
interface Library {
  readonly parquet: typeof import('hyparquet')
  readonly pages: typeof import('hyparquet/src/datapage.js')
  readonly columns: typeof import('hyparquet/src/column.js')
  readonly values: typeof import('hyparquet/src/convert.js')
  readonly compressors: Compressors
}

/** One column chunk and all that decodes it. */
interface Chunk {
  readonly library: Library
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly metadata: ColumnMetaData
  readonly decoder: ColumnDecoder
  readonly levels: LeafLevels
  readonly rowCount: number
}

/** What the levels of a leaf mean. */
interface LeafLevels {
  /** The definition level of a value that is there. */
  readonly maxDefinition: number
  /** The definition level from which on a list has an element; undefined when there is no list. */
  readonly elementDefinition: number | undefined
}

async function loadLibrary(): Promise<Library> {
  const [parquet, pages, columns, values, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/datapage.js'),
    import('hyparquet/src/column.js'),
    import('hyparquet/src/convert.js'),
    import('hyparquet-compressors'),
  ])
  return { parquet, pages, columns, values, compressors }
}

/**
 * Opens a file that is in memory; `path` is for messages. `trustsNullCounts`: chunks whose statistics say that
 * all is null are not read. Fails as DAMAGED.
 */
export async function openNestedParquet(
  bytes: Uint8Array<ArrayBuffer>,
  options: { readonly path: string; readonly trustsNullCounts: boolean },
): Promise<NestedParquet> {
  const { path, trustsNullCounts } = options
  const library = await loadLibrary()
  // A damaged footer can lack any part of what the library's types promise: all that looks at it is guarded.
  return guard(path, () => {
    checkFooter(bytes, path)
    const metadata = library.parquet.parquetMetadata(bytes.buffer, { geoparquet: false })
    checkSizes(metadata, path)
    const nodes = listLeaves(library.parquet.parquetSchema(metadata))
    return {
      leaves: [...nodes].map(([name, schemaPath]) => ({
        name,
        isRepeated: levelsOf(schemaPath).elementDefinition !== undefined,
      })),
      groupRowCounts: metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
      readLeaf(group, { name }) {
        const rowGroup = metadata.row_groups[group]
        const schemaPath = nodes.get(name)
        invariant(rowGroup !== undefined && schemaPath !== undefined, 'row group and leaf are of the file')
        return guard(path, () => {
          const chunk = chunkOf({ library, path, bytes, rowGroup, name, schemaPath })
          const { num_values: valueCount, statistics } = chunk.metadata
          if (trustsNullCounts && statistics?.null_count === valueCount) return new Array(chunk.rowCount)
          return readChunk(chunk)
        })
      },
    }
  })
}

function chunkOf(place: {
  readonly library: Library
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly rowGroup: RowGroup
  readonly name: string
  readonly schemaPath: readonly SchemaTree[]
}): Chunk {
  const { library, path, bytes, rowGroup, name, schemaPath } = place
  const metadata = rowGroup.columns.find(
    ({ meta_data }) => meta_data?.path_in_schema.join('.') === name,
  )?.meta_data
  const element = schemaPath.at(-1)?.element
  if (metadata === undefined || element === undefined) return damaged(path, `a column ${name}`, 'none')
  const decoder: ColumnDecoder = {
    pathInSchema: metadata.path_in_schema,
    type: metadata.type,
    element,
    schemaPath: [...schemaPath],
    codec: metadata.codec,
    parsers: library.values.DEFAULT_PARSERS,
    compressors: library.compressors,
  }
  const rowCount = Number(rowGroup.num_rows)
  return { library, path, bytes, metadata, decoder, levels: levelsOf(schemaPath), rowCount }
}

function readChunk(chunk: Chunk): unknown[] {
  const { library, path, bytes, metadata, decoder, rowCount } = chunk
  const start = Number(metadata.dictionary_page_offset || metadata.data_page_offset)
  const byteLength = Number(metadata.total_compressed_size)
  if (start < 0 || byteLength < 0 || start + byteLength > bytes.length) {
    damaged(path, 'column chunks inside the file', `one at ${start} of ${byteLength} bytes`)
  }
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, byteLength), offset: 0 }
  const valueCount = Number(metadata.num_values)
  const records: unknown[] = []
  let dictionary: DecodedArray | undefined
  for (let seen = 0; seen < valueCount; ) {
    skipField(new ByteReader(bytes, path, start + reader.offset, start + byteLength), STRUCT)
    const header = library.columns.parquetHeader(reader)
    checkPage(chunk, header, { bytesLeft: byteLength - reader.offset, valuesLeft: valueCount - seen })
    if (header.type === 'DICTIONARY_PAGE') {
      const { data } = library.columns.readPage(reader, header, decoder, undefined, undefined, 0)
      dictionary = data === undefined ? undefined : library.values.convert(data, decoder)
      continue
    }
    const page = bytes.subarray(start + reader.offset, start + reader.offset + header.compressed_page_size)
    reader.offset += header.compressed_page_size
    seen += header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0
    appendPage(chunk, records, header, decodePage(chunk, header, page), dictionary)
  }
  if (records.length !== rowCount) {
    damaged(path, `${rowCount} records of ${metadata.path_in_schema.join('.')}`, `${records.length}`)
  }
  checkNulls(chunk, records)
  return records
}

/** A damaged level makes a value a null, and a file would be missing: what the statistics counted is missed then. */
function checkNulls({ path, metadata, levels }: Chunk, records: readonly unknown[]): void {
  const expected = metadata.statistics?.null_count
  if (expected === undefined || levels.elementDefinition !== undefined) return
  const found = records.reduce<number>((count, value) => (value === undefined ? count + 1 : count), 0)
  const name = metadata.path_in_schema.join('.')
  if (found !== Number(expected)) damaged(path, `${expected} nulls in ${name}`, `${found}`)
}

/**
 * hyparquet believes the lengths of lists in metadata, up to 2^31 elements that take no byte. So every structure
 * is first walked over by our own reader, which believes none.
 */
function checkFooter(bytes: Uint8Array, path: string): void {
  const tail = bytes.length - TAIL_BYTE_LENGTH
  const start = tail - new ByteReader(bytes, path, Math.max(0, tail)).u32()
  if (start < 0) damaged(path, 'a footer inside the file', `one that begins at ${start}`)
  skipField(new ByteReader(bytes, path, start, tail), STRUCT)
}

/** What a page header claims is allocated before it is filled, so it must be possible. */
function checkPage(
  { path, metadata }: Chunk,
  header: PageHeader,
  left: { readonly bytesLeft: number; readonly valuesLeft: number },
): void {
  const { compressed_page_size: compressed, uncompressed_page_size: uncompressed } = header
  const v1 = header.data_page_header
  const v2 = header.data_page_header_v2
  const valueCount = v1?.num_values ?? v2?.num_values ?? header.dictionary_page_header?.num_values ?? -1
  const mostValues = header.type === 'DICTIONARY_PAGE' ? uncompressed : left.valuesLeft
  const levelBytes = (v2?.definition_levels_byte_length ?? 0) + (v2?.repetition_levels_byte_length ?? 0)
  const isPossible =
    compressed >= 0 &&
    compressed <= left.bytesLeft &&
    uncompressed >= 0 &&
    uncompressed <= Number(metadata.total_uncompressed_size) &&
    valueCount >= (header.type === 'DICTIONARY_PAGE' ? 0 : 1) &&
    valueCount <= mostValues &&
    (v2 === undefined || (v2.num_nulls >= 0 && v2.num_nulls <= v2.num_values)) &&
    levelBytes >= 0 &&
    levelBytes <= compressed
  if (!isPossible)
    damaged(path, 'pages that fit into their column chunk', `${valueCount} values in ${compressed} bytes`)
}

/** Decompresses a data page, checks what its runs claim, and has it decoded. */
function decodePage(
  { library, decoder, levels, path }: Chunk,
  header: PageHeader,
  page: Uint8Array,
): DataPage {
  const v2 = header.data_page_header_v2
  const v1 = header.data_page_header
  const levelByteLengths = v2 && {
    repetition: v2.repetition_levels_byte_length,
    definition: v2.definition_levels_byte_length,
  }
  // The levels of a page of version 2 are not compressed.
  const plainByteLength = (levelByteLengths?.repetition ?? 0) + (levelByteLengths?.definition ?? 0)
  const body = library.pages.decompressPage(
    page.subarray(plainByteLength),
    header.uncompressed_page_size - plainByteLength,
    v2?.is_compressed === false ? 'UNCOMPRESSED' : decoder.codec,
    decoder.compressors,
  )
  const bytes = plainByteLength === 0 ? body : Buffer.concat([page.subarray(0, plainByteLength), body])
  const encoding = v1?.encoding ?? v2?.encoding ?? 'PLAIN'
  checkRuns(bytes, {
    where: path,
    valueCount: v1?.num_values ?? v2?.num_values ?? 0,
    repetitionBitWidth: levels.elementDefinition === undefined ? 0 : 1,
    definitionBitWidth: 32 - Math.clz32(levels.maxDefinition),
    levelByteLengths,
    values: encoding === 'RLE' ? 'bits' : encoding.endsWith('_DICTIONARY') ? 'indexes' : 'plain',
  })
  if (v2 !== undefined) {
    const plainHeader = { ...header, data_page_header_v2: { ...v2, is_compressed: false } }
    return library.pages.readDataPageV2(bytes, plainHeader, decoder)
  }
  invariant(v1 !== undefined, 'a data page has one of two headers')
  return library.pages.readDataPage(bytes, v1, decoder)
}

function appendPage(
  { library, decoder, levels }: Chunk,
  records: unknown[],
  header: PageHeader,
  page: DataPage,
  dictionary: DecodedArray | undefined,
): void {
  const encoding = header.data_page_header?.encoding ?? header.data_page_header_v2?.encoding ?? 'PLAIN'
  const decoded = library.values.convertWithDictionary(page.dataPage, dictionary, encoding, decoder)
  const values = decoder.type === 'INT64' ? Array.from<unknown, unknown>(decoded, plainNumber) : decoded
  if (levels.elementDefinition === undefined) appendValues(records, values, page, levels.maxDefinition)
  else appendLists(records, values, page, { ...levels, elementDefinition: levels.elementDefinition })
}

/** Levels that are absent say that every value is there. */
function appendValues(
  records: unknown[],
  values: ArrayLike<unknown>,
  { definitionLevels }: DataPage,
  maxDefinition: number,
): void {
  const count = definitionLevels?.length || values.length
  let next = 0
  for (let at = 0; at < count; at++) {
    const definition = definitionLevels?.[at] ?? maxDefinition
    records.push(definition === maxDefinition ? values[next++] : undefined)
  }
}

function appendLists(
  records: unknown[],
  values: ArrayLike<unknown>,
  { definitionLevels, repetitionLevels }: DataPage,
  levels: { readonly maxDefinition: number; readonly elementDefinition: number },
): void {
  const { maxDefinition, elementDefinition } = levels
  let next = 0
  for (let at = 0; at < repetitionLevels.length; at++) {
    const definition = definitionLevels?.[at] ?? maxDefinition
    const isElement = definition >= elementDefinition
    // Repetition level 0 begins a record: a list that is absent, empty, or has its first element here.
    if (repetitionLevels[at] === 0) records.push(definition >= elementDefinition - 1 ? [] : undefined)
    const list = records.at(-1)
    if (isElement && Array.isArray(list)) list.push(definition === maxDefinition ? values[next++] : null)
  }
}

function plainNumber(value: unknown): unknown {
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? number : value
}

/** Every leaf below at most one list, with the nodes from the top to it, in schema order. */
function listLeaves(root: SchemaTree): Map<string, readonly SchemaTree[]> {
  const leaves = new Map<string, readonly SchemaTree[]>()
  const visit = (node: SchemaTree, above: readonly SchemaTree[]): void => {
    const path = [...above, node]
    for (const child of node.children) visit(child, path)
    const listCount = path.filter(({ element }) => element.repetition_type === 'REPEATED').length
    if (node.children.length === 0 && listCount <= 1) leaves.set(node.path.join('.'), path)
  }
  visit(root, [])
  return leaves
}

function levelsOf(schemaPath: readonly SchemaTree[]): LeafLevels {
  let maxDefinition = 0
  let elementDefinition: number | undefined
  // The root has no level.
  for (const { element } of schemaPath.slice(1)) {
    if (element.repetition_type !== 'REQUIRED') maxDefinition++
    if (element.repetition_type === 'REPEATED') elementDefinition = maxDefinition
  }
  return { maxDefinition, elementDefinition }
}

function checkSizes(metadata: FileMetaData, path: string): void {
  const { row_groups: groups } = metadata
  if (groups.length > MOST_GROUPS) damaged(path, `at most ${MOST_GROUPS} row groups`, `${groups.length}`)
  let rowCount = 0n
  for (const { num_rows, columns } of groups) {
    rowCount += num_rows
    if (num_rows < 0n || rowCount > MOST_VALUES) damaged(path, `at most ${MOST_VALUES} rows`, `${num_rows}`)
    for (const { meta_data } of columns) {
      const byteLength = Number(meta_data?.total_uncompressed_size ?? 0n)
      const valueCount = Number(meta_data?.num_values ?? 0n)
      const isPossible =
        byteLength >= 0 && byteLength <= LONGEST_CHUNK_BYTES && valueCount >= 0 && valueCount <= MOST_VALUES
      if (!isPossible)
        damaged(path, 'column chunks of a checkpoint', `${valueCount} values in ${byteLength} bytes`)
    }
  }
  if (rowCount !== metadata.num_rows) damaged(path, `${metadata.num_rows} rows`, `${rowCount}`)
}

/** Whatever the library throws on these bytes, the bytes are to blame: they are in memory already. */
function guard<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('DAMAGED', `${path}: expected a Parquet file, found damage: ${messageOf(cause)}`, {
      cause,
    })
  }
}
