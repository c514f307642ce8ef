/**
 * Row groups of plain tables: a row is a row, nothing is computed from runs. Texts are dictionary encoded,
 * integers plain, all pages Snappy. Source: parquet-format, Encodings.md, "Plain" and "Run Length Encoding /
 * Bit-Packing Hybrid".
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { crc32 } from './crc32.ts'
import type { ColumnChunkMetadata, Encoding, PageType, RowGroupMetadata } from './metadata.ts'
import { writeDataPageHeader, writeDictionaryPageHeader } from './page-header.ts'
import { appendSnappy } from './snappy-encoder.ts'

/** One column of a row group: texts as places in a list of distinct UTF-8 values, or integers below 2^53. */
export type FlatColumn =
  | { readonly kind: 'text'; readonly values: readonly Uint8Array[]; readonly indexes: Uint32Array }
  | { readonly kind: 'integer'; readonly values: Float64Array }

/** An encoded row group and what the footer says of it. */
export interface FlatRowGroup {
  readonly bytes: Uint8Array
  readonly metadata: RowGroupMetadata
}

/** Groups of eight indexes are bit-packed; a run of equal ones from this length on is worth a run of its own. */
const PACKED_GROUP = 8

/** Encodes `rowCount` rows, of which there is at least one, to stand at `byteOffset` of the file. */
export function encodeFlatRowGroup(
  columns: readonly FlatColumn[],
  rowCount: number,
  byteOffset: number,
): FlatRowGroup {
  const w = new ByteWriter(64 * 1024)
  const metadata = columns.map((column) => {
    const chunk = new FlatChunk(w, byteOffset)
    if (column.kind === 'integer') return chunk.integers(column.values.subarray(0, rowCount))
    return chunk.texts(column.values, column.indexes.subarray(0, rowCount))
  })
  return { bytes: w.view(), metadata: { rowCount, columns: metadata, sortingColumns: [] } }
}

/** Appends the pages of one chunk. */
class FlatChunk {
  private readonly w: ByteWriter
  private readonly byteOffset: number
  private readonly start: number
  private uncompressedByteLength = 0

  constructor(w: ByteWriter, byteOffset: number) {
    this.w = w
    this.byteOffset = byteOffset
    this.start = w.length
  }

  integers(values: Float64Array): ColumnChunkMetadata {
    const body = new ByteWriter(8 * values.length)
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0
      if (value < min) min = value
      if (value > max) max = value
      body.i64(value)
    }
    this.page('DATA_PAGE', 'PLAIN', values.length, body.view())
    return this.metadata(values.length, { min: int64(min), max: int64(max) }, undefined)
  }

  texts(values: readonly Uint8Array[], indexes: Uint32Array): ColumnChunkMetadata {
    const dictionary = new ByteWriter()
    for (const value of values) {
      dictionary.u32(value.length)
      dictionary.append(value)
    }
    this.page('DICTIONARY_PAGE', 'PLAIN', values.length, dictionary.view())
    const dataAt = this.w.length
    this.page('DATA_PAGE', 'RLE_DICTIONARY', indexes.length, encodeIndexes(indexes, values.length))
    const [first = new Uint8Array(0)] = values
    const bounds = values.reduce(
      ({ min, max }, value) => ({
        min: Buffer.compare(value, min) < 0 ? value : min,
        max: Buffer.compare(value, max) > 0 ? value : max,
      }),
      { min: first, max: first },
    )
    return this.metadata(indexes.length, bounds, dataAt)
  }

  private page(pageType: PageType, encoding: Encoding, valueCount: number, content: Uint8Array): void {
    const body = new ByteWriter(content.length + 64)
    appendSnappy(body, content)
    const header = {
      uncompressedByteLength: content.length,
      compressedByteLength: body.length,
      crc: crc32(body.bytes, 0, body.length),
      valueCount,
      encoding,
    }
    const headerAt = this.w.length
    if (pageType === 'DATA_PAGE') writeDataPageHeader(this.w, header)
    else writeDictionaryPageHeader(this.w, header)
    this.uncompressedByteLength += this.w.length - headerAt + content.length
    this.w.append(body.view())
  }

  /** `dataAt` is where the data page begins when a dictionary stands before it. */
  private metadata(
    valueCount: number,
    bounds: { readonly min: Uint8Array; readonly max: Uint8Array },
    dataAt: number | undefined,
  ): ColumnChunkMetadata {
    const { start, byteOffset } = this
    const data = { pageType: 'DATA_PAGE', encoding: 'PLAIN', pageCount: 1 } as const
    const hasDictionary = dataAt !== undefined
    return {
      encodings: hasDictionary ? ['PLAIN', 'RLE_DICTIONARY'] : ['PLAIN'],
      codec: 'SNAPPY',
      valueCount,
      totalUncompressedSize: this.uncompressedByteLength,
      totalCompressedSize: this.w.length - start,
      dataPageOffset: byteOffset + (dataAt ?? start),
      dictionaryPageOffset: hasDictionary ? byteOffset + start : undefined,
      min: bounds.min,
      max: bounds.max,
      encodingStats: hasDictionary
        ? [
            { ...data, pageType: 'DICTIONARY_PAGE' },
            { ...data, encoding: 'RLE_DICTIONARY' },
          ]
        : [data],
      bloomFilter: undefined,
      columnIndex: undefined,
      offsetIndex: undefined,
    }
  }
}

function int64(value: number): Uint8Array {
  const w = new ByteWriter(8)
  w.i64(value)
  return w.copy()
}

/** The body of an index page: the bit width, then runs of equal indexes and packed groups of others. */
function encodeIndexes(indexes: Uint32Array, valueCount: number): Uint8Array {
  const bitWidth = Math.max(1, 32 - Math.clz32(Math.max(0, valueCount - 1)))
  const w = new ByteWriter(1024)
  w.u8(bitWidth)
  let packedFrom = 0
  let at = 0
  while (at < indexes.length) {
    let end = at + 1
    while (end < indexes.length && indexes[end] === indexes[at]) end++
    // Packed groups must be whole but at the end: what is missing in the last one is taken from this run.
    const filled = Math.min(end, at + ((PACKED_GROUP - ((at - packedFrom) % PACKED_GROUP)) % PACKED_GROUP))
    if (end - filled >= PACKED_GROUP) {
      packIndexes(w, indexes.subarray(packedFrom, filled), bitWidth)
      writeRun(w, indexes[at] ?? 0, end - filled, bitWidth)
      packedFrom = end
    }
    at = end
  }
  packIndexes(w, indexes.subarray(packedFrom), bitWidth)
  return w.view()
}

function writeRun(w: ByteWriter, index: number, length: number, bitWidth: number): void {
  w.uleb128(2 * length)
  for (let shift = 0; shift < bitWidth; shift += 8) w.u8((index >>> shift) & 255)
}

/** Appends indexes bit by bit, lowest first; zeros fill the last group. */
function packIndexes(w: ByteWriter, indexes: Uint32Array, bitWidth: number): void {
  if (indexes.length === 0) return
  const groupCount = Math.ceil(indexes.length / PACKED_GROUP)
  w.uleb128(2 * groupCount + 1)
  const byteLength = groupCount * bitWidth
  const bytes = w.reserve(byteLength)
  bytes.fill(0, w.length, w.length + byteLength)
  let bit = 8 * w.length
  for (let i = 0; i < indexes.length; i++) {
    let rest = indexes[i] ?? 0
    for (let left = bitWidth; left > 0; ) {
      const shift = bit & 7
      const count = Math.min(8 - shift, left)
      const place = Math.floor(bit / 8)
      bytes[place] = (bytes[place] ?? 0) | ((rest & ((1 << count) - 1)) << shift)
      rest >>>= count
      bit += count
      left -= count
    }
  }
  w.length += byteLength
}
