/** File metadata of any size, made up but consistent. */
import type { ColumnChunkMetadata, ColumnSchema, FileMetadata } from '#src/parquet/metadata.js'

const SCHEMA: readonly ColumnSchema[] = [
  { name: 'date', physicalType: 'INT32', logicalType: 'DATE' },
  { name: 'epoch', physicalType: 'INT64', logicalType: 'INTEGER' },
  { name: 'ip', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'user_agent', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'user_agent_md5', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'request', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'byte_num', physicalType: 'INT64', logicalType: 'INTEGER' },
]
const CHUNK_BYTE_LENGTH = 1000

/** Metadata of `rowGroupCount` row groups of 2^30 rows, from byte 4 on; `dataEnd` is where all spans end. */
export function sampleMetadata(rowGroupCount: number): { metadata: FileMetadata; dataEnd: number } {
  const rowCount = 2 ** 30
  let at = 4
  const chunk = (column: ColumnSchema): ColumnChunkMetadata => {
    const isPosition = column.name === 'byte_num'
    const start = at
    at += CHUNK_BYTE_LENGTH + 300
    const value = column.physicalType === 'BYTE_ARRAY' ? 30 : column.physicalType === 'INT64' ? 8 : 4
    return {
      encodings: isPosition ? ['RLE', 'DELTA_BINARY_PACKED'] : ['PLAIN', 'RLE', 'RLE_DICTIONARY'],
      codec: isPosition ? 'ZSTD' : 'SNAPPY',
      valueCount: rowCount,
      totalUncompressedSize: 2 ** 33,
      totalCompressedSize: CHUNK_BYTE_LENGTH,
      dataPageOffset: isPosition ? start : start + 100,
      dictionaryPageOffset: isPosition ? undefined : start,
      min: Uint8Array.from({ length: value }, (_, i) => (i < 2 ? start >>> (8 * i) : 0)),
      max: Uint8Array.from({ length: value }, (_, i) => (i < 2 ? start >>> (8 * i) : i < 6 ? 255 : 0)),
      encodingStats: isPosition
        ? [{ pageType: 'DATA_PAGE', encoding: 'DELTA_BINARY_PACKED', pageCount: 1024 }]
        : [
            { pageType: 'DICTIONARY_PAGE', encoding: 'PLAIN', pageCount: 1 },
            { pageType: 'DATA_PAGE', encoding: 'RLE_DICTIONARY', pageCount: 8 },
          ],
      bloomFilter: column.name === 'ip' ? { byteOffset: at - 300, byteLength: 100 } : undefined,
      columnIndex: { byteOffset: at - 200, byteLength: 100 },
      offsetIndex: { byteOffset: at - 100, byteLength: 100 },
    }
  }
  const rowGroups = Array.from({ length: rowGroupCount }, () => ({
    rowCount,
    columns: SCHEMA.map(chunk),
    sortingColumns: [5, 2, 3],
  }))
  const metadata: FileMetadata = {
    schema: SCHEMA,
    rowCount: rowCount * rowGroupCount,
    rowGroups,
    keyValues: new Map([
      ['byteledger.layout', '1'],
      ['ключ', ''],
    ]),
    createdBy: 'byteledger version 0.1.0',
  }
  return { metadata, dataEnd: at }
}
