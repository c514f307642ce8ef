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

/** Joins pieces into key runs, row group after row group, with the same memory. */
export class KeyJoiner {
  private rowCounts = new Float64Array(0)
  private request = new Uint32Array(0)
  private ip = new Uint32Array(0)
  private userAgent = new Uint32Array(0)
  private pageCuts = new Uint32Array(0)

  /** Joins the pieces that agree in request, ip and user agent, within each page; valid until the next call. */
  join(pieces: Pieces, pages: PiecePages): KeyRuns {
    this.reserve(pieces.count, pages.pageCount)
    const { rowCounts, request, ip, userAgent, pageCuts } = this
    let keyCount = 0
    for (let page = 0; page < pages.pageCount; page++) {
      const to = pages.pageCuts[page + 1] ?? 0
      let piece = pages.pageCuts[page] ?? 0
      while (piece < to) {
        const pieceIp = pieces.ip[piece] ?? 0
        const pieceUserAgent = pieces.userAgent[piece] ?? 0
        const pieceRequest = pieces.request[piece] ?? 0
        let rowCount = 0
        do rowCount += pieces.rowCounts[piece++] ?? 0
        while (
          piece < to &&
          pieces.ip[piece] === pieceIp &&
          pieces.userAgent[piece] === pieceUserAgent &&
          pieces.request[piece] === pieceRequest
        )
        request[keyCount] = pieceRequest
        ip[keyCount] = pieceIp
        userAgent[keyCount] = pieceUserAgent
        rowCounts[keyCount++] = rowCount
      }
      pageCuts[page + 1] = keyCount
    }
    const { pageCount, pageRows } = pages
    return {
      pages: { pieceCount: keyCount, rowCounts, pageCount, pageCuts, pageRows },
      request,
      ip,
      userAgent,
    }
  }

  private reserve(pieceCount: number, pageCount: number): void {
    if (this.pageCuts.length <= pageCount) this.pageCuts = new Uint32Array(2 * pageCount + 1)
    if (this.rowCounts.length >= pieceCount) return
    this.rowCounts = new Float64Array(2 * pieceCount)
    this.request = new Uint32Array(2 * pieceCount)
    this.ip = new Uint32Array(2 * pieceCount)
    this.userAgent = new Uint32Array(2 * pieceCount)
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
