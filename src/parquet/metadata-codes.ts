/** Numbers of the format's enumerations, as far as byteledger uses them. Source: parquet.thrift. */

import type { CompressionCodec, Encoding, PageType, PhysicalType } from './metadata.ts'

/** `Encoding`. */
export const ENCODING_CODES: Readonly<Record<Encoding, number>> = {
  PLAIN: 0,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  RLE_DICTIONARY: 8,
}
/** `Type`. */
export const PHYSICAL_TYPE_CODES: Readonly<Record<PhysicalType, number>> = {
  INT32: 1,
  INT64: 2,
  BYTE_ARRAY: 6,
}
/** `CompressionCodec`. */
export const CODEC_CODES: Readonly<Record<CompressionCodec, number>> = {
  UNCOMPRESSED: 0,
  SNAPPY: 1,
  GZIP: 2,
  ZSTD: 6,
}
/** `PageType`. */
export const PAGE_TYPE_CODES: Readonly<Record<PageType, number>> = {
  DATA_PAGE: 0,
  DICTIONARY_PAGE: 2,
}

const ENCODINGS: readonly (Encoding | undefined)[] = [
  'PLAIN',
  undefined,
  undefined,
  'RLE',
  undefined,
  'DELTA_BINARY_PACKED',
  undefined,
  undefined,
  'RLE_DICTIONARY',
]

/** The encoding of a code, or undefined for one that byteledger never writes. */
export function encodingOf(code: number): Encoding | undefined {
  return ENCODINGS[code]
}

/** The physical type of a code, or undefined for one that byteledger never writes. */
export function physicalTypeOf(code: number): PhysicalType | undefined {
  return code === 2 ? 'INT64' : code === 6 ? 'BYTE_ARRAY' : code === 1 ? 'INT32' : undefined
}

/** The codec of a code, or undefined for one that byteledger never writes. */
export function codecOf(code: number): CompressionCodec | undefined {
  return code === 1
    ? 'SNAPPY'
    : code === 6
      ? 'ZSTD'
      : code === 0
        ? 'UNCOMPRESSED'
        : code === 2
          ? 'GZIP'
          : undefined
}

/** The page type of a code, or undefined for one that byteledger never writes. */
export function pageTypeOf(code: number): PageType | undefined {
  return code === 0 ? 'DATA_PAGE' : code === 2 ? 'DICTIONARY_PAGE' : undefined
}
