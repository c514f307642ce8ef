/**
 * Where row groups and index pages end. The figures weigh what a row group costs (some 1.6 kB) against
 * what a reader skips with it; PARQUET.md has the measurements.
 */

import type { PiecePages } from '../parquet/index-stream.ts'
import { MAX_PIECE_ROWS, type Pieces } from './pieces.ts'

/** A row group ends when it has so many rows and so many pieces ... */
const ROW_GROUP_ROWS = 2 ** 22
const ROW_GROUP_PIECES = 1024
/** ... or cannot take the next piece without having more than either of these. */
const MAX_ROW_GROUP_ROWS = 2 ** 30
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

/** Cuts a row group's pieces into index pages, the same for all of its dictionary columns. */
export function planIndexPages(pieces: Pieces): PiecePages {
  const cuts: number[] = [0]
  const rows: number[] = []
  let pageRows = 0
  let from = 0
  for (let piece = 0; piece < pieces.count; piece++) {
    const rowCount = pieces.rowCounts[piece] ?? 0
    const isFull = pageRows >= INDEX_PAGE_ROWS && piece - from >= INDEX_PAGE_PIECES
    if (piece > from && (isFull || pageRows + rowCount > MAX_PIECE_ROWS)) {
      cuts.push(piece)
      rows.push(pageRows)
      pageRows = 0
      from = piece
    }
    pageRows += rowCount
  }
  cuts.push(pieces.count)
  rows.push(pageRows)
  return {
    pieceCount: pieces.count,
    rowCounts: pieces.rowCounts,
    pageCount: rows.length,
    pageCuts: Uint32Array.from(cuts),
    pageRows: Float64Array.from(rows),
  }
}
