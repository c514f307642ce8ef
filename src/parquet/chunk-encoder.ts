/**
 * Column chunks from pieces (runs of rows or parts of them): dictionary chunks for the columns that are
 * constant within a run, and the delta chunk of the positions. Every byte is computed from pieces.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import type { IndexStream, PiecePages } from './index-stream.ts'
import { appendColumnIndex, appendEncodedColumnIndex } from './page-index.ts'
import { appendPage, makePageHeader } from './page-writer.ts'
import type { PositionPageEncoder, PositionRuns } from './position-pages.ts'
import type { EncodedChunk, RowGroupTable } from './row-group-table.ts'
import { appendSnappy, appendSnappyInt64s, appendSnappyLiteral } from './snappy-encoder.ts'
import {
  appendPlainValues,
  appendStatisticsValue,
  statisticsByteLength,
  type ValueTable,
} from './value-table.ts'

/** Reused: pages are written by the million. */
const header = makePageHeader('RLE_DICTIONARY')

/** The distinct ranks of one chunk and the dictionary index of each: state of a dictionary in the making. */
export class ChunkDictionary {
  /** Dictionary index of every rank in the chunk, -1 for the others. */
  indexOf: Int32Array = new Int32Array(0)
  /** The ranks in the chunk, ascending: rank `ranks[i]` has the index i. */
  ranks: Uint32Array = new Uint32Array(1024)
  count = 0

  /** Collects the distinct values of `pieceRanks[0..pieceCount)`, out of `valueCount` possible ones. */
  collect(pieceRanks: Uint32Array, pieceCount: number, valueCount: number): void {
    if (this.indexOf.length < valueCount) this.indexOf = new Int32Array(2 * valueCount).fill(-1)
    const indexOf = this.indexOf
    for (let i = 0; i < this.count; i++) indexOf[this.ranks[i] ?? 0] = -1
    if (this.ranks.length < pieceCount) this.ranks = new Uint32Array(2 * pieceCount)
    let count = 0
    let isAscending = true
    let before = -1
    for (let piece = 0; piece < pieceCount; piece++) {
      const rank = pieceRanks[piece] ?? 0
      if (indexOf[rank] === -1) {
        indexOf[rank] = count
        this.ranks[count++] = rank
        if (rank < before) isAscending = false
        before = rank
      }
    }
    this.count = count
    if (isAscending) return
    this.sortRanks(valueCount)
  }

  private sortRanks(valueCount: number): void {
    const { indexOf, ranks, count } = this
    if (valueCount < 8 * count) {
      // Most possible values occur: walking over all of them is cheaper than sorting.
      let next = 0
      for (let rank = 0; rank < valueCount; rank++) {
        if (indexOf[rank] === -1) continue
        indexOf[rank] = next
        ranks[next++] = rank
      }
      return
    }
    ranks.subarray(0, count).sort()
    for (let i = 0; i < count; i++) indexOf[ranks[i] ?? 0] = i
  }
}

/** Encodes chunks into `out`, their metadata into `table`; holds scratch memory only. */
export class ChunkEncoder {
  private readonly out: ByteWriter
  private readonly table: RowGroupTable
  private readonly positionPages: PositionPageEncoder
  private readonly plain = new ByteWriter(64 * 1024)
  private readonly body = new ByteWriter(64 * 1024)
  private readonly chunk: EncodedChunk = {
    totalUncompressedSize: 0,
    totalCompressedSize: 0,
    dictionaryPageOffset: -1,
    dataPageOffset: 0,
  }
  private scratchValues = new Float64Array(1024)

  constructor(out: ByteWriter, table: RowGroupTable, positionPages: PositionPageEncoder) {
    this.out = out
    this.table = table
    this.positionPages = positionPages
  }

  /** A dictionary chunk: the dictionary page of `values`, then the index pages of `stream`. */
  dictionaryChunk(
    values: ValueTable,
    dictionary: ChunkDictionary,
    stream: IndexStream,
    pages: PiecePages,
  ): void {
    this.beginChunk()
    this.chunk.dictionaryPageOffset = this.out.length
    this.dictionaryPage(values, dictionary.ranks, dictionary.count)
    this.indexPages(stream, pages)
    const { minRanks, maxRanks } = stream
    const { pageCount } = pages
    const { bounds, columnIndexes } = this.table
    const boundsStart = bounds.length
    appendStatisticsValue(bounds, values, smallest(minRanks, pageCount))
    const minEnd = bounds.length
    appendStatisticsValue(bounds, values, largest(maxRanks, pageCount))
    const appendBound = (rank: number): void => {
      columnIndexes.uleb128(statisticsByteLength(values, rank))
      appendStatisticsValue(columnIndexes, values, rank)
    }
    const indexStart = columnIndexes.length
    appendColumnIndex(
      columnIndexes,
      { pageCount, boundaryOrder: boundaryOrder(stream, pageCount) },
      (page) => appendBound(minRanks[page] ?? 0),
      (page) => appendBound(maxRanks[page] ?? 0),
    )
    const indexByteLength = columnIndexes.length - indexStart
    this.table.endChunk(this.chunk, minEnd - boundsStart, bounds.length - minEnd, indexByteLength)
  }

  /** The chunk of the positions of `runs[0..pieceCount)`. */
  positionChunk(runs: PositionRuns, pieceCount: number): void {
    const { bounds, columnIndexes } = this.table
    const pages = this.positionPages.encode(runs, pieceCount)
    this.chunk.dictionaryPageOffset = -1
    this.chunk.dataPageOffset = this.out.length
    this.chunk.totalUncompressedSize = pages.uncompressedByteLength
    this.chunk.totalCompressedSize = pages.bytes.length
    this.out.append(pages.bytes)
    this.table.addPages(pages.byteLengths, pages.firstRows)
    bounds.i64(pages.min)
    bounds.i64(pages.max)
    const indexStart = columnIndexes.length
    const pageCount = pages.byteLengths.length
    appendEncodedColumnIndex(
      columnIndexes,
      { pageCount, minima: pages.minima, maxima: pages.maxima },
      'UNORDERED',
    )
    this.table.endChunk(this.chunk, 8, 8, columnIndexes.length - indexStart)
  }

  private beginChunk(): void {
    this.chunk.totalUncompressedSize = 0
    this.chunk.totalCompressedSize = 0
  }

  private dictionaryPage(values: ValueTable, ranks: Uint32Array, count: number): void {
    const { body } = this
    body.clear()
    if (values.type === 'INT64') {
      if (this.scratchValues.length < count) this.scratchValues = new Float64Array(2 * count)
      for (let i = 0; i < count; i++) this.scratchValues[i] = values.values[ranks[i] ?? 0] ?? 0
      appendSnappyInt64s(body, this.scratchValues, count)
      header.uncompressedByteLength = 8 * count
    } else {
      this.plain.clear()
      appendPlainValues(this.plain, values, ranks, count)
      // A search for repetitions pays for text only: addresses and hashes hardly repeat.
      if (values.type === 'BYTE_ARRAY' && values.isText) appendSnappy(body, this.plain.view())
      else appendSnappyLiteral(body, this.plain.bytes, 0, this.plain.length)
      header.uncompressedByteLength = this.plain.length
    }
    header.valueCount = count
    this.writePage(true)
  }

  private indexPages(stream: IndexStream, pages: PiecePages): void {
    this.chunk.dataPageOffset = this.out.length
    let firstRow = 0
    for (let page = 0; page < pages.pageCount; page++) {
      const start = stream.bodyOffsets[page] ?? 0
      const end = stream.bodyOffsets[page + 1] ?? 0
      this.body.clear()
      appendSnappyLiteral(this.body, stream.bodies.bytes, start, end)
      header.uncompressedByteLength = end - start
      header.valueCount = pages.pageRows[page] ?? 0
      this.table.addPage(this.writePage(false), firstRow)
      firstRow += header.valueCount
    }
  }

  /** Appends the page of the body at hand; gives the byte length of both its parts. */
  private writePage(isDictionary: boolean): number {
    const { out, body } = this
    const byteLength = appendPage(out, body, header, isDictionary)
    this.chunk.totalUncompressedSize += byteLength - body.length + header.uncompressedByteLength
    this.chunk.totalCompressedSize += byteLength
    return byteLength
  }
}

function boundaryOrder(stream: IndexStream, pageCount: number): 'ASCENDING' | 'UNORDERED' {
  for (let page = 1; page < pageCount; page++) {
    const minAscends = (stream.minRanks[page] ?? 0) >= (stream.minRanks[page - 1] ?? 0)
    const maxAscends = (stream.maxRanks[page] ?? 0) >= (stream.maxRanks[page - 1] ?? 0)
    if (!minAscends || !maxAscends) return 'UNORDERED'
  }
  return 'ASCENDING'
}

function smallest(ranks: Uint32Array, count: number): number {
  let rank = ranks[0] ?? 0
  for (let i = 1; i < count; i++) rank = Math.min(rank, ranks[i] ?? 0)
  return rank
}

function largest(ranks: Uint32Array, count: number): number {
  let rank = ranks[0] ?? 0
  for (let i = 1; i < count; i++) rank = Math.max(rank, ranks[i] ?? 0)
  return rank
}
