/**
 * The pages of a position chunk in plain code: what the compiled encoder is compared with in the tests, and
 * what does its work where a Node runs without WebAssembly.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { crc32 } from './crc32.ts'
import { DeltaPageEncoder, firstValueOffset } from './delta-page.ts'
import { FullPages, type PageShape } from './full-page-template.ts'
import { crcOffsetOf, writeDataPageHeader } from './page-header.ts'
import { MAX_POSITION_PAGE_ROWS } from './page-limits.ts'
import { appendPage, makePageHeader } from './page-writer.ts'
import {
  EXACT_POSITION_LIMIT,
  OWN_PAGE_ROWS,
  type PositionPageEncoder,
  type PositionPages,
  type PositionRuns,
  SHARED_PAGE_ROWS,
} from './position-pages.ts'
import { oneMatchLiteralsOffset, ZstdFrameEncoder } from './zstd-frame.ts'

/** A position as the column index has it: its length before it. */
const BOUND_BYTE_LENGTH = 8

/** Reused: pages are written by the million. */
const header = makePageHeader('DELTA_BINARY_PACKED')

/** See `PositionPageEncoder`. */
export class PlainPositionPages implements PositionPageEncoder {
  private readonly out = new ByteWriter()
  private readonly body = new ByteWriter()
  private readonly minima = new ByteWriter()
  private readonly maxima = new ByteWriter()
  private readonly deltaPages = new DeltaPageEncoder(new ZstdFrameEncoder())
  private readonly fullPages = new FullPages((start) => this.makeFullPage(start))
  /** What a full page inflates by. */
  private fullPageGrowth = 0
  private byteLengths: number[] = []
  private firstRows: number[] = []
  private uncompressedByteLength = 0
  private min = Number.POSITIVE_INFINITY
  private max = 0

  encode(runs: PositionRuns, runCount: number): PositionPages {
    this.clear()
    let firstRow = 0
    for (let run = 0; run < runCount; ) {
      // Runs that follow each other without a gap are one run of positions, whatever else differs.
      const start = runs.starts[run] ?? 0
      let end = run
      let rowCount = 0
      do rowCount += runs.rowCounts[end++] ?? 0
      while (end < runCount && runs.starts[end] === start + rowCount)
      if (rowCount >= OWN_PAGE_ROWS || start >= EXACT_POSITION_LIMIT) {
        this.pagesOfOneRun(start, rowCount, firstRow)
        firstRow += rowCount
      } else {
        end = endOfSharedPage(runs, run, runCount)
        firstRow += this.sharedPage(runs, run, end, firstRow)
      }
      run = end
    }
    return {
      bytes: this.out.view(),
      byteLengths: Uint32Array.from(this.byteLengths),
      firstRows: Float64Array.from(this.firstRows),
      minima: this.minima.view(),
      maxima: this.maxima.view(),
      min: this.min,
      max: this.max,
      uncompressedByteLength: this.uncompressedByteLength,
    }
  }

  private clear(): void {
    for (const writer of [this.out, this.minima, this.maxima]) writer.clear()
    this.byteLengths = []
    this.firstRows = []
    this.uncompressedByteLength = 0
    this.min = Number.POSITIVE_INFINITY
    this.max = 0
  }

  private pagesOfOneRun(start: number, rowCount: number, firstRow: number): void {
    for (let at = 0; at < rowCount; at += MAX_POSITION_PAGE_ROWS) {
      const rows = Math.min(rowCount - at, MAX_POSITION_PAGE_ROWS)
      this.addPageBounds(start + at, start + at + rows - 1)
      if (rows < MAX_POSITION_PAGE_ROWS || !this.fullPage(start + at, firstRow + at)) {
        this.encodeOneRun(start + at, rows)
        this.writePage(firstRow + at)
      }
    }
  }

  /** Appends a page of the greatest size from its template, where there is one for it. */
  private fullPage(start: number, firstRow: number): boolean {
    const byteLength = this.fullPages.append(this.out, start)
    if (byteLength === 0) return false
    this.addPage(byteLength, byteLength + this.fullPageGrowth, firstRow)
    return true
  }

  private encodeOneRun(start: number, rows: number): void {
    this.body.clear()
    this.deltaPages.encodeOneRun(start, rows, this.body)
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
    header.uncompressedByteLength = this.deltaPages.uncompressedByteLength
    header.valueCount = rowCount
    this.addPageBounds(min, max)
    this.writePage(firstRow)
    return rowCount
  }

  /** Keeps the smallest and largest position of the page that is added next. */
  private addPageBounds(min: number, max: number): void {
    this.minima.u8(BOUND_BYTE_LENGTH)
    this.minima.i64(min)
    this.maxima.u8(BOUND_BYTE_LENGTH)
    this.maxima.i64(max)
    this.min = Math.min(this.min, min)
    this.max = Math.max(this.max, max)
  }

  private writePage(firstRow: number): void {
    const byteLength = appendPage(this.out, this.body, header, false)
    this.addPage(byteLength, byteLength - this.body.length + header.uncompressedByteLength, firstRow)
  }

  private addPage(byteLength: number, uncompressedByteLength: number, firstRow: number): void {
    this.byteLengths.push(byteLength)
    this.firstRows.push(firstRow)
    this.uncompressedByteLength += uncompressedByteLength
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
