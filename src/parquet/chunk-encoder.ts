/**
 * Column chunks from pieces (runs of rows or parts of them): dictionary chunks for the columns that are
 * constant within a run, and the delta chunk of the positions. Every byte is computed from pieces.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { crc32 } from './crc32.ts'
import {
  type DeltaPageEncoder,
  EXACT_POSITION_LIMIT,
  firstValueOffset,
  type PositionRuns,
} from './delta-page.ts'
import { FullPages, type PageShape } from './full-page-template.ts'
import type { IndexStream, PiecePages } from './index-stream.ts'
import {
  crcOffsetOf,
  type DataPageHeader,
  writeDataPageHeader,
  writeDictionaryPageHeader,
} from './page-header.ts'
import { appendColumnIndex, appendPositionColumnIndex } from './page-index.ts'
import { MAX_POSITION_PAGE_ROWS } from './page-limits.ts'
import type { EncodedChunk, RowGroupTable } from './row-group-table.ts'
import { appendSnappy, appendSnappyInt64s, appendSnappyLiteral } from './snappy-encoder.ts'
import {
  appendPlainValues,
  appendStatisticsValue,
  statisticsByteLength,
  type ValueTable,
} from './value-table.ts'
import { oneMatchLiteralsOffset } from './zstd-frame.ts'

/** Runs of so many rows have byte_num pages of their own; shorter ones share pages (PARQUET.md). */
export const OWN_PAGE_ROWS: number = 65_536
/** Most rows of a page that several runs share. */
const SHARED_PAGE_ROWS = 131_072

/** Up to so many bytes a loop copies faster than a view and a call. */
const SHORT_BYTE_LENGTH = 64

/** Reused header: pages are written by the million. */
const header: { -readonly [Field in keyof DataPageHeader]: DataPageHeader[Field] } = {
  uncompressedByteLength: 0,
  compressedByteLength: 0,
  crc: 0,
  valueCount: 0,
  encoding: 'RLE_DICTIONARY',
}

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
  private readonly deltaPages: DeltaPageEncoder
  private readonly plain = new ByteWriter(64 * 1024)
  private readonly body = new ByteWriter(64 * 1024)
  private readonly chunk: EncodedChunk = {
    totalUncompressedSize: 0,
    totalCompressedSize: 0,
    dictionaryPageOffset: -1,
    dataPageOffset: 0,
  }
  private pageMinima = new Float64Array(1024)
  private pageMaxima = new Float64Array(1024)
  private readonly fullPages = new FullPages((start) => this.makeFullPage(start))
  /** What a full page inflates by. */
  private fullPageGrowth = 0
  private scratchValues = new Float64Array(1024)

  constructor(out: ByteWriter, table: RowGroupTable, deltaPages: DeltaPageEncoder) {
    this.out = out
    this.table = table
    this.deltaPages = deltaPages
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
    this.beginChunk()
    this.chunk.dictionaryPageOffset = -1
    this.chunk.dataPageOffset = this.out.length
    let firstRow = 0
    for (let piece = 0; piece < pieceCount; ) {
      // Runs that follow each other without a gap are one run of positions, whatever else differs.
      const start = runs.starts[piece] ?? 0
      let end = piece
      let rowCount = 0
      do rowCount += runs.rowCounts[end++] ?? 0
      while (end < pieceCount && runs.starts[end] === start + rowCount)
      if (rowCount >= OWN_PAGE_ROWS || start >= EXACT_POSITION_LIMIT) {
        this.pagesOfOneRun(start, rowCount, firstRow)
        firstRow += rowCount
      } else {
        end = endOfSharedPage(runs, piece, pieceCount)
        firstRow += this.sharedPage(runs, piece, end, firstRow)
      }
      piece = end
    }
    const pageCount = this.table.chunkPageCount
    let min = Number.POSITIVE_INFINITY
    let max = 0
    for (let page = 0; page < pageCount; page++) {
      min = Math.min(min, this.pageMinima[page] ?? 0)
      max = Math.max(max, this.pageMaxima[page] ?? 0)
    }
    const minima = this.pageMinima.subarray(0, pageCount)
    const maxima = this.pageMaxima.subarray(0, pageCount)
    const { bounds, columnIndexes } = this.table
    bounds.i64(min)
    bounds.i64(max)
    const indexStart = columnIndexes.length
    appendPositionColumnIndex(columnIndexes, { minima, maxima, boundaryOrder: 'UNORDERED' })
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
    header.encoding = 'RLE_DICTIONARY'
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

  private pagesOfOneRun(start: number, rowCount: number, firstRow: number): void {
    for (let at = 0; at < rowCount; at += MAX_POSITION_PAGE_ROWS) {
      const rows = Math.min(rowCount - at, MAX_POSITION_PAGE_ROWS)
      this.addPageBounds(start + at, start + at + rows - 1)
      if (rows < MAX_POSITION_PAGE_ROWS || !this.fullPage(start + at, firstRow + at)) {
        this.encodeOneRun(start + at, rows)
        this.table.addPage(this.writePage(false), firstRow + at)
      }
    }
  }

  /** Appends a page of the greatest size from its template, where there is one for it. */
  private fullPage(start: number, firstRow: number): boolean {
    const byteLength = this.fullPages.append(this.out, start)
    if (byteLength === 0) return false
    this.chunk.totalUncompressedSize += byteLength + this.fullPageGrowth
    this.chunk.totalCompressedSize += byteLength
    this.table.addPage(byteLength, firstRow)
    return true
  }

  private encodeOneRun(start: number, rows: number): void {
    this.body.clear()
    this.deltaPages.encodeOneRun(start, rows, this.body)
    header.encoding = 'DELTA_BINARY_PACKED'
    header.uncompressedByteLength = this.deltaPages.uncompressedByteLength
    header.valueCount = rows
  }

  /** A full page by the general code, for its template. */
  private makeFullPage(start: number): PageShape {
    this.encodeOneRun(start, MAX_POSITION_PAGE_ROWS)
    const { body } = this
    header.compressedByteLength = body.length
    header.crc = crc32(body.bytes, 0, body.length)
    const page = new ByteWriter()
    writeDataPageHeader(page, header)
    const bodyOffset = page.length
    page.append(body.view())
    this.fullPageGrowth = header.uncompressedByteLength - body.length
    return {
      bytes: page.copy(),
      bodyOffset,
      crcOffset: crcOffsetOf(header),
      startOffset:
        bodyOffset +
        oneMatchLiteralsOffset(header.uncompressedByteLength) +
        firstValueOffset(MAX_POSITION_PAGE_ROWS),
    }
  }

  /** Gives the number of rows that the page holds. */
  private sharedPage(runs: PositionRuns, from: number, to: number, firstRow: number): number {
    let min = Number.POSITIVE_INFINITY
    let max = 0
    let rowCount = 0
    for (let i = from; i < to; i++) {
      const start = runs.starts[i] ?? 0
      const rows = runs.rowCounts[i] ?? 0
      min = Math.min(min, start)
      max = Math.max(max, start + rows - 1)
      rowCount += rows
    }
    this.body.clear()
    this.deltaPages.encode(runs, from, to, this.body)
    header.encoding = 'DELTA_BINARY_PACKED'
    header.uncompressedByteLength = this.deltaPages.uncompressedByteLength
    header.valueCount = rowCount
    this.addPageBounds(min, max)
    this.table.addPage(this.writePage(false), firstRow)
    return rowCount
  }

  /** Keeps the smallest and largest position of the page that is added next. */
  private addPageBounds(min: number, max: number): void {
    const page = this.table.chunkPageCount
    if (page === this.pageMinima.length) {
      this.pageMinima = doubled(this.pageMinima)
      this.pageMaxima = doubled(this.pageMaxima)
    }
    this.pageMinima[page] = min
    this.pageMaxima[page] = max
  }

  /** Appends header and body of one page; gives the byte length of both. */
  private writePage(isDictionary: boolean): number {
    const { out, body } = this
    const start = out.length
    header.compressedByteLength = body.length
    header.crc = crc32(body.bytes, 0, body.length)
    if (isDictionary) writeDictionaryPageHeader(out, header)
    else writeDataPageHeader(out, header)
    const headerByteLength = out.length - start
    if (body.length < SHORT_BYTE_LENGTH) out.appendWords(body, body.length)
    else out.append(body.view())
    this.chunk.totalUncompressedSize += headerByteLength + header.uncompressedByteLength
    this.chunk.totalCompressedSize += out.length - start
    return out.length - start
  }
}

function endOfSharedPage(runs: PositionRuns, from: number, pieceCount: number): number {
  let rowCount = runs.rowCounts[from] ?? 0
  let end = from + 1
  for (; end < pieceCount; end++) {
    const rows = runs.rowCounts[end] ?? 0
    if (rowCount + rows > SHARED_PAGE_ROWS || rows >= OWN_PAGE_ROWS) break
    if ((runs.starts[end] ?? 0) >= EXACT_POSITION_LIMIT) break
    rowCount += rows
  }
  return end
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

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const twice = new Float64Array(2 * array.length)
  twice.set(array)
  return twice
}
