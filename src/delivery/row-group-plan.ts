/**
 * Where row groups and index pages end. The figures weigh what a row group costs (some 1.6 kB) against
 * what a reader skips with it; PARQUET.md has the measurements.
 */

import type { PiecePages } from '../parquet/index-stream.ts'
import { MAX_PIECE_ROWS, type Pieces } from './pieces.ts'

/** A row group ends when it has so many rows and so many pieces ... */
const ROW_GROUP_ROWS = 2 ** 22
const ROW_GROUP_PIECES = 2048
/** ... or cannot take the next piece without having more than either of these. */
const MAX_ROW_GROUP_ROWS = 2 ** 31 - 1
const MAX_ROW_GROUP_PIECES = 65_536

/** An index page ends when it has so many rows and pieces, or the next would bring it over a piece's limit. */
const INDEX_PAGE_ROWS = 2 ** 20
const INDEX_PAGE_PIECES = 128

/** The end of the row group that begins with piece `from`. */
export function endOfRowGroup(pieces: Pieces, from: number): number {
  const { count, rowCounts } = pieces
  const lastEnd = Math.min(count, from + MAX_ROW_GROUP_PIECES)
  let rowCount = 0
  for (let piece = from; piece < lastEnd; piece++) {
    rowCount += rowCounts[piece] ?? 0
    if (rowCount > MAX_ROW_GROUP_ROWS) return piece
    if (rowCount >= ROW_GROUP_ROWS && piece + 1 - from >= ROW_GROUP_PIECES) return piece + 1
  }
  return lastEnd
}

/** Plans index pages, row group after row group, with the same memory. */
export class IndexPagePlanner {
  private pageCuts = new Uint32Array(64)
  private pageRows = new Float64Array(64)

  /** Cuts a row group's pieces into index pages, the same for all of its dictionary columns; valid until the next call. */
  plan(pieces: Pieces): PiecePages {
    let pageCount = 0
    let rows = 0
    let from = 0
    for (let piece = 0; piece < pieces.count; piece++) {
      const rowCount = pieces.rowCounts[piece] ?? 0
      const isFull = rows >= INDEX_PAGE_ROWS && piece - from >= INDEX_PAGE_PIECES
      if (piece > from && (isFull || rows + rowCount > MAX_PIECE_ROWS)) {
        this.endPage(pageCount++, piece, rows)
        rows = 0
        from = piece
      }
      rows += rowCount
    }
    this.endPage(pageCount++, pieces.count, rows)
    const { pageCuts, pageRows } = this
    return { pieceCount: pieces.count, rowCounts: pieces.rowCounts, pageCount, pageCuts, pageRows }
  }

  private endPage(page: number, end: number, rows: number): void {
    if (page + 1 >= this.pageCuts.length) {
      const pageCuts = new Uint32Array(2 * this.pageCuts.length)
      pageCuts.set(this.pageCuts)
      this.pageCuts = pageCuts
      const pageRows = new Float64Array(2 * this.pageRows.length)
      pageRows.set(this.pageRows)
      this.pageRows = pageRows
    }
    this.pageRows[page] = rows
    this.pageCuts[page + 1] = end
  }
}
