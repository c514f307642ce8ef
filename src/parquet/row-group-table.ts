/**
 * Metadata of encoded row groups in flat arrays, so that a thread can hand over thousands of them
 * without one object each, and the receiver can place them anywhere in a file.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import type {
  ColumnChunkMetadata,
  CompressionCodec,
  FileSpan,
  PageEncodingStats,
  RowGroupMetadata,
} from './metadata.ts'
import { appendOffsetIndex } from './page-index.ts'

/** What every chunk of a column has in common. */
export interface ChunkKind {
  readonly dataEncoding: 'RLE_DICTIONARY' | 'DELTA_BINARY_PACKED'
  readonly codec: CompressionCodec
}

/** One encoded chunk; byte offsets count from the start of the batch. */
export interface EncodedChunk {
  totalUncompressedSize: number
  totalCompressedSize: number
  /** -1 without a dictionary. */
  dictionaryPageOffset: number
  dataPageOffset: number
}

/** Row groups as a thread hands them over; all arrays share one memory, which is transferred. */
export interface RowGroupBatch {
  /** The row groups' pages and bloom filters, as they will stand in the file. */
  readonly pages: Uint8Array<ArrayBuffer>
  readonly rowGroupCount: number
  /** `NUMBERS_PER_ROW_GROUP` of each row group, then `NUMBERS_PER_CHUNK` of each of its chunks. */
  readonly numbers: Float64Array<ArrayBuffer>
  /** Of each chunk: minimum and maximum. */
  readonly bounds: Uint8Array<ArrayBuffer>
  /** Of each chunk: its column index. */
  readonly columnIndexes: Uint8Array<ArrayBuffer>
  /** Of each data page of each chunk. */
  readonly pageByteLengths: Uint32Array<ArrayBuffer>
  readonly pageFirstRows: Float64Array<ArrayBuffer>
  /** What the caller says of the row groups besides; no part of Parquet. */
  readonly notes: Uint8Array<ArrayBuffer>
}

const NUMBERS_PER_ROW_GROUP = 1
const NUMBERS_PER_CHUNK = 10

/** Collects the metadata of row groups; one row group after the other, its chunks in schema order. */
export class RowGroupTable {
  private readonly columnCount: number
  rowGroupCount = 0
  private numbers = new Float64Array(1024)
  private numberCount = 0
  /** Where the caller appends minimum and maximum of each chunk ... */
  readonly bounds: ByteWriter = new ByteWriter()
  /** ... and its column index. */
  readonly columnIndexes: ByteWriter = new ByteWriter()
  /** Where the caller appends whatever else is to go with the row groups. */
  readonly notes: ByteWriter = new ByteWriter()
  private pageByteLengths = new Uint32Array(1024)
  private pageFirstRows = new Float64Array(1024)
  /** Of all chunks together. */
  pageCount = 0
  private chunkFirstPage = 0
  /** Where the chunk's numbers begin, by column, so that its bloom filter can be added later. */
  private readonly chunkNumbers: number[] = []

  constructor(columnCount: number) {
    this.columnCount = columnCount
  }

  beginRowGroup(rowCount: number): void {
    this.reserveNumbers(NUMBERS_PER_ROW_GROUP + this.columnCount * NUMBERS_PER_CHUNK)
    this.numbers[this.numberCount++] = rowCount
    this.rowGroupCount++
    this.chunkNumbers.length = 0
  }

  /** Adds a data page of the chunk that `endChunk` will close. */
  addPage(byteLength: number, firstRow: number): void {
    if (this.pageCount === this.pageByteLengths.length) this.reservePages(1)
    this.pageByteLengths[this.pageCount] = byteLength
    this.pageFirstRows[this.pageCount++] = firstRow
  }

  /** Adds many data pages of the chunk. */
  addPages(byteLengths: Uint32Array, firstRows: Float64Array): void {
    this.reservePages(byteLengths.length)
    this.pageByteLengths.set(byteLengths, this.pageCount)
    this.pageFirstRows.set(firstRows, this.pageCount)
    this.pageCount += byteLengths.length
  }

  /** How many pages the chunk has so far. */
  private get chunkPageCount(): number {
    return this.pageCount - this.chunkFirstPage
  }

  /** Makes room for `count` more pages. */
  private reservePages(count: number): void {
    if (this.pageCount + count <= this.pageByteLengths.length) return
    const byteLengths = new Uint32Array(2 * (this.pageCount + count))
    byteLengths.set(this.pageByteLengths)
    this.pageByteLengths = byteLengths
    const firstRows = new Float64Array(2 * (this.pageCount + count))
    firstRows.set(this.pageFirstRows)
    this.pageFirstRows = firstRows
  }

  /**
   * Closes a chunk whose minimum, maximum and column index, of these byte lengths, are the last that was
   * appended to `bounds` and `columnIndexes`.
   */
  endChunk(
    chunk: EncodedChunk,
    minByteLength: number,
    maxByteLength: number,
    columnIndexByteLength: number,
  ): void {
    this.chunkNumbers.push(this.numberCount)
    const numbers = this.numbers
    let at = this.numberCount
    numbers[at++] = chunk.totalUncompressedSize
    numbers[at++] = chunk.totalCompressedSize
    numbers[at++] = chunk.dictionaryPageOffset
    numbers[at++] = chunk.dataPageOffset
    numbers[at++] = this.chunkPageCount
    numbers[at++] = -1 // bloom filter offset
    numbers[at++] = 0 // bloom filter length
    numbers[at++] = minByteLength
    numbers[at++] = maxByteLength
    numbers[at++] = columnIndexByteLength
    this.numberCount = at
    this.chunkFirstPage = this.pageCount
  }

  /** Says where the bloom filter of a chunk of the current row group stands. */
  setBloomFilter(column: number, span: FileSpan): void {
    const at = this.chunkNumbers[column] ?? 0
    this.numbers[at + 5] = span.byteOffset
    this.numbers[at + 6] = span.byteLength
  }

  /**
   * Hands over everything collected and the pages it describes, which are all that `out` holds, and starts
   * anew. The batch has `out`'s memory, its arrays behind its pages, and `out` goes on with `spareMemory`:
   * memory that goes back and forth between threads costs less than new memory.
   */
  takeBatch(out: ByteWriter, spareMemory: ArrayBuffer | undefined): RowGroupBatch {
    const { rowGroupCount, numberCount, pageCount } = this
    const pagesByteLength = out.length
    const numbersAt = appendAligned(out, this.numbers.subarray(0, numberCount))
    const firstRowsAt = appendAligned(out, this.pageFirstRows.subarray(0, pageCount))
    const byteLengthsAt = appendAligned(out, this.pageByteLengths.subarray(0, pageCount))
    const boundsAt = appendAligned(out, this.bounds.view())
    const columnIndexesAt = appendAligned(out, this.columnIndexes.view())
    const notesAt = appendAligned(out, this.notes.view())
    const { buffer } = out.take(spareMemory)
    const batch: RowGroupBatch = {
      pages: new Uint8Array(buffer, 0, pagesByteLength),
      rowGroupCount,
      numbers: new Float64Array(buffer, numbersAt, numberCount),
      bounds: new Uint8Array(buffer, boundsAt, this.bounds.length),
      columnIndexes: new Uint8Array(buffer, columnIndexesAt, this.columnIndexes.length),
      pageByteLengths: new Uint32Array(buffer, byteLengthsAt, pageCount),
      pageFirstRows: new Float64Array(buffer, firstRowsAt, pageCount),
      notes: new Uint8Array(buffer, notesAt, this.notes.length),
    }
    this.rowGroupCount = 0
    this.numberCount = 0
    this.bounds.clear()
    this.columnIndexes.clear()
    this.notes.clear()
    this.pageCount = 0
    this.chunkFirstPage = 0
    return batch
  }

  private reserveNumbers(count: number): void {
    if (this.numberCount + count <= this.numbers.length) return
    const numbers = new Float64Array(2 * (this.numberCount + count))
    numbers.set(this.numbers)
    this.numbers = numbers
  }
}

/** The memory of a batch, to be moved rather than copied between threads, and to be used again. */
export function batchMemory(batch: RowGroupBatch): ArrayBuffer {
  return batch.pages.buffer
}

/** Appends an array where one of eight-byte elements may begin; gives that place. */
function appendAligned(out: ByteWriter, values: Float64Array | Uint32Array | Uint8Array): number {
  const at = 8 * Math.ceil(out.length / 8)
  out.reserve(at - out.length)
  out.length = at
  out.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return at
}

/** What a batch becomes at its place in a file. */
export interface PlacedBatch {
  /** The spans of their indexes count from the batch's first column index and first offset index. */
  readonly rowGroups: readonly RowGroupMetadata[]
  /** All offset indexes, one after the other, as the column indexes are in the batch. */
  readonly offsetIndexes: Uint8Array
}

/** Where a batch is placed, and what its columns are. */
export interface BatchPlace {
  readonly byteOffset: number
  readonly kinds: readonly ChunkKind[]
  readonly sortingColumns: readonly number[]
}

/** Places a batch whose pages begin at `byteOffset` of the file; `offsetIndexes` is cleared, and what it gets stays there. */
export function placeBatch(
  batch: RowGroupBatch,
  { byteOffset, kinds, sortingColumns }: BatchPlace,
  offsetIndexes: ByteWriter,
): PlacedBatch {
  offsetIndexes.clear()
  let at = 0
  let boundsAt = 0
  let columnIndexAt = 0
  let page = 0
  const takeNumber = (): number => batch.numbers[at++] ?? 0
  // Copies, so that the footer's data does not keep the batch's memory alive.
  const takeBound = (byteLength: number): Uint8Array => {
    boundsAt += byteLength
    return batch.bounds.slice(boundsAt - byteLength, boundsAt)
  }
  const placeChunk = (kind: ChunkKind, rowCount: number): ColumnChunkMetadata => {
    const totalUncompressedSize = takeNumber()
    const totalCompressedSize = takeNumber()
    const dictionaryPageOffset = takeNumber()
    const dataPageOffset = takeNumber() + byteOffset
    const pageCount = takeNumber()
    const bloomByteOffset = takeNumber()
    const bloomByteLength = takeNumber()
    const min = takeBound(takeNumber())
    const max = takeBound(takeNumber())
    const columnIndex = { byteOffset: columnIndexAt, byteLength: takeNumber() }
    columnIndexAt += columnIndex.byteLength
    const offsetIndexAt = offsetIndexes.length
    appendOffsetIndex(offsetIndexes, {
      byteLengths: batch.pageByteLengths.subarray(page, page + pageCount),
      firstRows: batch.pageFirstRows.subarray(page, page + pageCount),
      byteOffset: dataPageOffset,
    })
    page += pageCount
    return {
      encodings: kind.dataEncoding === 'RLE_DICTIONARY' ? DICTIONARY_ENCODINGS : DELTA_ENCODINGS,
      codec: kind.codec,
      valueCount: rowCount,
      totalUncompressedSize,
      totalCompressedSize,
      dataPageOffset,
      dictionaryPageOffset: dictionaryPageOffset < 0 ? undefined : dictionaryPageOffset + byteOffset,
      min,
      max,
      encodingStats: encodingStats(kind, pageCount),
      bloomFilter:
        bloomByteOffset < 0
          ? undefined
          : { byteOffset: bloomByteOffset + byteOffset, byteLength: bloomByteLength },
      columnIndex,
      offsetIndex: { byteOffset: offsetIndexAt, byteLength: offsetIndexes.length - offsetIndexAt },
    }
  }
  const rowGroups: RowGroupMetadata[] = []
  for (let rowGroup = 0; rowGroup < batch.rowGroupCount; rowGroup++) {
    const rowCount = takeNumber()
    rowGroups.push({ rowCount, columns: kinds.map((kind) => placeChunk(kind, rowCount)), sortingColumns })
  }
  invariant(
    at === batch.numbers.length && page === batch.pageByteLengths.length,
    'a batch that does not add up',
  )
  return { rowGroups, offsetIndexes: offsetIndexes.view() }
}

const DICTIONARY_ENCODINGS = ['PLAIN', 'RLE', 'RLE_DICTIONARY'] as const
const DELTA_ENCODINGS = ['RLE', 'DELTA_BINARY_PACKED'] as const

function encodingStats(kind: ChunkKind, pageCount: number): PageEncodingStats[] {
  const data: PageEncodingStats = { pageType: 'DATA_PAGE', encoding: kind.dataEncoding, pageCount }
  if (kind.dataEncoding === 'DELTA_BINARY_PACKED') return [data]
  return [{ pageType: 'DICTIONARY_PAGE', encoding: 'PLAIN', pageCount: 1 }, data]
}
