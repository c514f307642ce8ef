/**
 * The specification's names for every number that a Parquet file may hold, ours or another program's: for
 * showing a layout only. Source: parquet.thrift.
 */

const PHYSICAL_TYPES = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const
const REPETITIONS = ['REQUIRED', 'OPTIONAL', 'REPEATED'] as const
const ENCODINGS = [
  'PLAIN',
  'GROUP_VAR_INT',
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
] as const
const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const
const PAGE_TYPES = ['DATA_PAGE', 'INDEX_PAGE', 'DICTIONARY_PAGE', 'DATA_PAGE_V2'] as const
const CONVERTED_TYPES = [
  'STRING',
  'MAP',
  'MAP_KEY_VALUE',
  'LIST',
  'ENUM',
  'DECIMAL',
  'DATE',
  'TIME(MILLIS)',
  'TIME(MICROS)',
  'TIMESTAMP(MILLIS)',
  'TIMESTAMP(MICROS)',
  'INTEGER(8,unsigned)',
  'INTEGER(16,unsigned)',
  'INTEGER(32,unsigned)',
  'INTEGER(64,unsigned)',
  'INTEGER(8)',
  'INTEGER(16)',
  'INTEGER(32)',
  'INTEGER(64)',
  'JSON',
  'BSON',
  'INTERVAL',
] as const
/** Members of the union `LogicalType` by field number; those with parameters are read apart. */
const LOGICAL_TYPES = [
  undefined,
  'STRING',
  'MAP',
  'LIST',
  'ENUM',
  'DECIMAL',
  'DATE',
  'TIME',
  'TIMESTAMP',
  undefined,
  'INTEGER',
  'NULL',
  'JSON',
  'BSON',
  'UUID',
  'FLOAT16',
  'VARIANT',
  'GEOMETRY',
  'GEOGRAPHY',
] as const

/** How values are stored; undefined for a number that the format does not know. */
export type PhysicalTypeName = (typeof PHYSICAL_TYPES)[number]
/** Whether values may be absent or many. */
export type RepetitionName = (typeof REPETITIONS)[number]

/** `Type`. */
export function physicalTypeName(code: number): PhysicalTypeName | undefined {
  return PHYSICAL_TYPES[code]
}

/** `FieldRepetitionType`. */
export function repetitionName(code: number): RepetitionName | undefined {
  return REPETITIONS[code]
}

/** `Encoding`; a number that the format does not know (yet) is shown as such. */
export function encodingName(code: number): string {
  return ENCODINGS[code] ?? `ENCODING_${code}`
}

/** `CompressionCodec`, likewise. */
export function codecName(code: number): string {
  return CODECS[code] ?? `CODEC_${code}`
}

/** `PageType`, likewise. */
export function pageTypeName(code: number): string {
  return PAGE_TYPES[code] ?? `PAGE_TYPE_${code}`
}

/** `ConvertedType`, the older way to say what values mean, in the words of `LogicalType`. */
export function convertedTypeName(code: number): string {
  return CONVERTED_TYPES[code] ?? `CONVERTED_${code}`
}

/** The member of `LogicalType` that a field number stands for, without its parameters. */
export function logicalTypeName(fieldId: number): string {
  return LOGICAL_TYPES[fieldId] ?? `LOGICAL_${fieldId}`
}
