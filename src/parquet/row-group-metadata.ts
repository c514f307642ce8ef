/**
 * Encodes the footer's entry of a row group. A file has thousands, each with a column chunk a column, so
 * the code is straight-line. Source: parquet.thrift, `RowGroup`, `ColumnChunk`, `ColumnMetaData`,
 * `Statistics`, `PageEncodingStats`, `SortingColumn`.
 */

import type { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import type { RowGroupPlace } from './footer-directory.ts'
import type { ColumnChunkMetadata, ColumnSchema, FileSpan, RowGroupMetadata } from './metadata.ts'
import { CODEC_CODES, ENCODING_CODES, PAGE_TYPE_CODES, PHYSICAL_TYPE_CODES } from './metadata-codes.ts'
import { BINARY, FALSE, I16, I32, I64, LIST, STRUCT, TRUE, writeListHeader } from './thrift-compact.ts'

/** `RowGroup.ordinal` is a 16-bit integer; row groups above it go without. */
const MAX_ORDINAL = 32_767

/**
 * Appends the structure of row group `ordinal`, whose columns stand in the order of `schema`, and gives the
 * places in `w` of what the footer's directory points to.
 */
export function writeRowGroupMetadata(
  w: ByteWriter,
  rowGroup: RowGroupMetadata,
  schema: readonly ColumnSchema[],
  ordinal: number,
): RowGroupPlace {
  const { columns, sortingColumns } = rowGroup
  const byteOffset = w.length
  let leadingStatistics = 0
  invariant(columns.length === schema.length, 'a row group has one column chunk a column')
  let totalUncompressedSize = 0
  let totalCompressedSize = 0
  field(w, 1, LIST)
  writeListHeader(w, STRUCT, columns.length)
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]
    const columnSchema = schema[i]
    if (column === undefined || columnSchema === undefined) continue
    const statistics = writeColumnChunk(w, column, columnSchema)
    if (i === sortingColumns[0]) leadingStatistics = statistics
    totalUncompressedSize += column.totalUncompressedSize
    totalCompressedSize += column.totalCompressedSize
  }
  field(w, 1, I64) // total_byte_size
  w.zigzag(totalUncompressedSize)
  field(w, 1, I64) // num_rows
  w.zigzag(rowGroup.rowCount)
  field(w, 1, LIST) // sorting_columns
  writeListHeader(w, STRUCT, sortingColumns.length)
  for (const column of sortingColumns) {
    field(w, 1, I32)
    w.zigzag(column)
    field(w, 1, FALSE) // descending
    field(w, 1, FALSE) // nulls_first
    w.u8(0)
  }
  field(w, 1, I64) // file_offset
  w.zigzag(columns[0] === undefined ? 0 : firstByteOf(columns[0]))
  field(w, 1, I64) // total_compressed_size
  w.zigzag(totalCompressedSize)
  if (ordinal <= MAX_ORDINAL) {
    field(w, 1, I16)
    w.zigzag(ordinal)
  }
  w.u8(0)
  return { byteOffset, leadingStatistics }
}

/** Where a column chunk begins: its dictionary page, else its first data page. */
export function firstByteOf(column: ColumnChunkMetadata): number {
  return column.dictionaryPageOffset ?? column.dataPageOffset
}

/** Gives the place of the chunk's statistics. */
function writeColumnChunk(w: ByteWriter, column: ColumnChunkMetadata, schema: ColumnSchema): number {
  // `file_offset` is deprecated: 0 says that the metadata stands nowhere but here.
  field(w, 2, I64)
  w.u8(0)
  field(w, 1, STRUCT)
  const statistics = writeColumnMetadata(w, column, schema)
  const lastId = writeSpan(w, column.offsetIndex, 4, 3)
  writeSpan(w, column.columnIndex, 6, lastId)
  w.u8(0)
  return statistics
}

/** Gives the place of the statistics. */
function writeColumnMetadata(w: ByteWriter, column: ColumnChunkMetadata, schema: ColumnSchema): number {
  field(w, 1, I32)
  w.u8(2 * PHYSICAL_TYPE_CODES[schema.physicalType])
  field(w, 1, LIST) // encodings
  writeListHeader(w, I32, column.encodings.length)
  for (const encoding of column.encodings) w.u8(2 * ENCODING_CODES[encoding])
  field(w, 1, LIST) // path_in_schema
  writeListHeader(w, BINARY, 1)
  writeName(w, schema.name)
  field(w, 1, I32) // codec
  w.u8(2 * CODEC_CODES[column.codec])
  field(w, 1, I64) // num_values
  w.zigzag(column.valueCount)
  field(w, 1, I64) // total_uncompressed_size
  w.zigzag(column.totalUncompressedSize)
  field(w, 1, I64) // total_compressed_size
  w.zigzag(column.totalCompressedSize)
  field(w, 2, I64) // data_page_offset
  w.zigzag(column.dataPageOffset)
  let lastId = 9
  if (column.dictionaryPageOffset !== undefined) {
    field(w, 2, I64)
    w.zigzag(column.dictionaryPageOffset)
    lastId = 11
  }
  field(w, 12 - lastId, STRUCT)
  const statistics = w.length
  writeStatistics(w, column)
  field(w, 1, LIST) // encoding_stats
  writeListHeader(w, STRUCT, column.encodingStats.length)
  for (const stats of column.encodingStats) {
    field(w, 1, I32)
    w.u8(2 * PAGE_TYPE_CODES[stats.pageType])
    field(w, 1, I32)
    w.u8(2 * ENCODING_CODES[stats.encoding])
    field(w, 1, I32)
    w.zigzag(stats.pageCount)
    w.u8(0)
  }
  writeSpan(w, column.bloomFilter, 14, 13)
  w.u8(0)
  return statistics
}

function writeStatistics(w: ByteWriter, column: ColumnChunkMetadata): void {
  field(w, 3, I64) // null_count
  w.u8(0)
  field(w, 2, BINARY) // max_value
  w.uleb128(column.max.length)
  w.append(column.max)
  field(w, 1, BINARY) // min_value
  w.uleb128(column.min.length)
  w.append(column.min)
  field(w, 1, TRUE) // is_max_value_exact
  field(w, 1, TRUE) // is_min_value_exact
  w.u8(0)
}

/** Writes offset and length as fields `id` and `id + 1`, and gives the last field's id. */
function writeSpan(w: ByteWriter, span: FileSpan | undefined, id: number, lastId: number): number {
  if (span === undefined) return lastId
  field(w, id - lastId, I64)
  w.zigzag(span.byteOffset)
  field(w, 1, I32)
  w.zigzag(span.byteLength)
  return id + 1
}

/** Column names are short and ASCII (`encodeFooter` checks it). */
function writeName(w: ByteWriter, name: string): void {
  w.u8(name.length)
  for (let i = 0; i < name.length; i++) w.u8(name.charCodeAt(i))
}

/** A field header in its short form: `idDelta` is 1 to 15. */
function field(w: ByteWriter, idDelta: number, type: number): void {
  w.u8((idDelta << 4) | type)
}
