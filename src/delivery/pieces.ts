/**
 * Pieces: a shard's runs as they go into row groups. A run is one piece, unless it has more rows than an
 * index page may hold; then it is cut, and every piece but the first is marked as a continuation.
 */

import type { ScannedRuns } from '../log/scanned-runs.ts'
import type { PiecePages } from '../parquet/index-stream.ts'

/** Most rows of a piece, and so of an index page: long enough to cost nothing, short enough to skip in. */
export const MAX_PIECE_ROWS: number = 2 ** 27

/** Parallel arrays of one entry a piece, in the order of the rows. */
export interface Pieces {
  readonly count: number
  readonly starts: Float64Array
  readonly rowCounts: Float64Array
  /** Ranks in the shard's tables. */
  readonly request: Uint32Array
  readonly ip: Uint32Array
  readonly userAgent: Uint32Array
  readonly epoch: Uint32Array
  /** 1 where a piece goes on with the request of the piece before; undefined where none does. */
  readonly continues: Uint8Array | undefined
}

/** Cuts runs into pieces of at most `MAX_PIECE_ROWS` rows; `epochRanks` has one entry a run. */
export function cutIntoPieces(runs: ScannedRuns, epochRanks: Uint32Array): Pieces {
  const { runCount, first, last } = runs
  const rowCounts = new Float64Array(runCount)
  let pieceCount = 0
  for (let i = 0; i < runCount; i++) {
    const rows = (last[i] ?? 0) - (first[i] ?? 0) + 1
    rowCounts[i] = rows
    pieceCount += rows <= MAX_PIECE_ROWS ? 1 : Math.ceil(rows / MAX_PIECE_ROWS)
  }
  const { request, ip, userAgent } = runs
  const whole: Pieces = {
    count: runCount,
    starts: first,
    rowCounts,
    request,
    ip,
    userAgent,
    epoch: epochRanks,
    continues: undefined,
  }
  return pieceCount === runCount ? whole : cutLongRuns(whole, pieceCount)
}

function cutLongRuns(runs: Pieces, pieceCount: number): Pieces {
  const starts = new Float64Array(pieceCount)
  const rowCounts = new Float64Array(pieceCount)
  const runOf = new Uint32Array(pieceCount)
  const continues = new Uint8Array(pieceCount)
  let piece = 0
  for (let run = 0; run < runs.count; run++) {
    const rows = runs.rowCounts[run] ?? 0
    for (let row = 0; row < rows; row += MAX_PIECE_ROWS) {
      starts[piece] = (runs.starts[run] ?? 0) + row
      rowCounts[piece] = Math.min(MAX_PIECE_ROWS, rows - row)
      continues[piece] = row === 0 ? 0 : 1
      runOf[piece++] = run
    }
  }
  const spread = (ranks: Uint32Array): Uint32Array => runOf.map((run) => ranks[run] ?? 0)
  return {
    count: pieceCount,
    starts,
    rowCounts,
    request: spread(runs.request),
    ip: spread(runs.ip),
    userAgent: spread(runs.userAgent),
    epoch: spread(runs.epoch),
    continues,
  }
}

/** Neighbouring pieces of one key, as one: what the columns that only depend on the key are made from. */
export interface KeyRuns {
  readonly pages: PiecePages
  readonly request: Uint32Array
  readonly ip: Uint32Array
  readonly userAgent: Uint32Array
}

/** Joins the pieces of a row group that agree in request, ip and user agent, within each page. */
export function joinKeys(pieces: Pieces, pages: PiecePages): KeyRuns {
  const { request, ip, userAgent } = pieces
  const rowCounts = new Float64Array(pieces.count)
  const firstPieces = new Uint32Array(pieces.count)
  const pageCuts = new Uint32Array(pages.pageCount + 1)
  let keyCount = 0
  for (let page = 0; page < pages.pageCount; page++) {
    const to = pages.pageCuts[page + 1] ?? 0
    let piece = pages.pageCuts[page] ?? 0
    while (piece < to) {
      const first = piece
      let rowCount = 0
      do rowCount += pieces.rowCounts[piece++] ?? 0
      while (
        piece < to &&
        ip[piece] === ip[first] &&
        userAgent[piece] === userAgent[first] &&
        request[piece] === request[first]
      )
      firstPieces[keyCount] = first
      rowCounts[keyCount++] = rowCount
    }
    pageCuts[page + 1] = keyCount
  }
  const pick = (ranks: Uint32Array): Uint32Array => {
    const picked = new Uint32Array(keyCount)
    for (let key = 0; key < keyCount; key++) picked[key] = ranks[firstPieces[key] ?? 0] ?? 0
    return picked
  }
  return {
    pages: {
      pieceCount: keyCount,
      rowCounts,
      pageCount: pages.pageCount,
      pageCuts,
      pageRows: pages.pageRows,
    },
    request: pick(request),
    ip: pick(ip),
    userAgent: pick(userAgent),
  }
}

/** The pieces `[from, to)`, without copying. */
export function slicePieces(pieces: Pieces, from: number, to: number): Pieces {
  return {
    count: to - from,
    starts: pieces.starts.subarray(from, to),
    rowCounts: pieces.rowCounts.subarray(from, to),
    request: pieces.request.subarray(from, to),
    ip: pieces.ip.subarray(from, to),
    userAgent: pieces.userAgent.subarray(from, to),
    epoch: pieces.epoch.subarray(from, to),
    continues: pieces.continues?.subarray(from, to),
  }
}
