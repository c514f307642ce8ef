/**
 * The parts of Parquet's file metadata that byteledger writes and reads, as plain data.
 * Source: parquet-format, `parquet.thrift`; the names are the specification's own.
 */

/** `Type`: how values are stored; the three that are in use. */
export type PhysicalType = 'INT32' | 'INT64' | 'BYTE_ARRAY'
/** `LogicalType`: what values mean. */
export type LogicalType = 'DATE' | 'STRING' | 'INTEGER'
/** `Encoding` of pages. */
export type Encoding = 'PLAIN' | 'RLE' | 'DELTA_BINARY_PACKED' | 'RLE_DICTIONARY'
/** `CompressionCodec` of chunks. */
export type CompressionCodec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD'
/** `PageType`; data pages are of version 1. */
export type PageType = 'DATA_PAGE' | 'DICTIONARY_PAGE'

/** A leaf column; every column of ours is REQUIRED, so there are no levels in any page. */
export interface ColumnSchema {
  readonly name: string
  readonly physicalType: PhysicalType
  readonly logicalType: LogicalType
}

/** How many pages of a chunk are of one type and encoding: lets readers see that all are dictionary encoded. */
export interface PageEncodingStats {
  readonly pageType: PageType
  readonly encoding: Encoding
  readonly pageCount: number
}

/** A stretch of the file: `byteOffset` from its start (or from 0 of a buffer, before the rebase). */
export interface FileSpan {
  readonly byteOffset: number
  readonly byteLength: number
}

/** One column of one row group. `min` and `max` are exact, in PLAIN encoding without a length prefix. */
export interface ColumnChunkMetadata {
  readonly encodings: readonly Encoding[]
  readonly codec: CompressionCodec
  readonly valueCount: number
  /** Pages and page headers, before compression of the page bodies. */
  readonly totalUncompressedSize: number
  /** Pages and page headers as they stand in the file. */
  readonly totalCompressedSize: number
  readonly dataPageOffset: number
  readonly dictionaryPageOffset: number | undefined
  readonly min: Uint8Array
  readonly max: Uint8Array
  readonly encodingStats: readonly PageEncodingStats[]
  readonly bloomFilter: FileSpan | undefined
  readonly columnIndex: FileSpan | undefined
  readonly offsetIndex: FileSpan | undefined
}

/** Some rows of the table: one chunk a column. */
export interface RowGroupMetadata {
  readonly rowCount: number
  /** One entry a column, in schema order. */
  readonly columns: readonly ColumnChunkMetadata[]
  /** Ordinals of the columns that the rows are sorted by, all ascending. */
  readonly sortingColumns: readonly number[]
}

/** All that a footer says. */
export interface FileMetadata {
  readonly schema: readonly ColumnSchema[]
  readonly rowCount: number
  readonly rowGroups: readonly RowGroupMetadata[]
  readonly keyValues: ReadonlyMap<string, string>
  readonly createdBy: string
}
