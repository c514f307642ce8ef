import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cutIntoPieces, KeyJoiner, MAX_PIECE_ROWS, type Pieces } from '#src/delivery/pieces.js'
import { endOfRowGroup, IndexPagePlanner } from '#src/delivery/row-group-plan.js'
import type { ScannedRuns, StringTable } from '#src/log/scanned-runs.js'

const plans = suite('row group plans')

const NO_STRINGS: StringTable = {
  count: 0,
  bytes: new Uint8Array(),
  offsets: new Uint32Array(1),
  hashLow: new Uint32Array(),
  hashHigh: new Uint32Array(),
}

/** Runs of the given lengths, of the given keys. */
function runsOf(rowCounts: readonly number[], keys: readonly number[] = []): ScannedRuns {
  const first = Float64Array.from(rowCounts, (_, i) => i * 10)
  return {
    runCount: rowCounts.length,
    request: Uint32Array.from(rowCounts, (_, i) => keys[i] ?? 0),
    ip: Uint32Array.from(rowCounts, (_, i) => (keys[i] ?? 0) + 100),
    userAgent: new Uint32Array(rowCounts.length),
    first,
    last: first.map((start, i) => start + (rowCounts[i] ?? 0) - 1),
    epochSeconds: new Float64Array(rowCounts.length),
    requestTable: NO_STRINGS,
    ipTable: NO_STRINGS,
    userAgentTable: NO_STRINGS,
  }
}

function piecesOf(rowCounts: readonly number[], keys: readonly number[] = []): Pieces {
  return cutIntoPieces(runsOf(rowCounts, keys), new Uint32Array(rowCounts.length))
}

plans('runs that fit a page are pieces as they are', () => {
  const pieces = piecesOf([1, 300, MAX_PIECE_ROWS])
  assert.is(pieces.count, 3)
  assert.is(pieces.continues, undefined)
})

plans('a longer run is cut, and all its pieces but the first are continuations', () => {
  const pieces = piecesOf([5, 2 * MAX_PIECE_ROWS + 1, 7])
  assert.equal([...pieces.rowCounts], [5, MAX_PIECE_ROWS, MAX_PIECE_ROWS, 1, 7])
  assert.equal([...pieces.starts], [0, 10, 10 + MAX_PIECE_ROWS, 10 + 2 * MAX_PIECE_ROWS, 20])
  assert.equal([...(pieces.continues ?? [])], [0, 0, 1, 1, 0])
})

plans('a row group ends with enough rows AND enough pieces', () => {
  assert.is(endOfRowGroup(piecesOf(new Array(5000).fill(300)), 0), 5000, 'too few rows to end')
  assert.is(endOfRowGroup(piecesOf(new Array(50_000).fill(300)), 0), Math.ceil(2 ** 22 / 300))
  assert.is(endOfRowGroup(piecesOf(new Array(5000).fill(10_000)), 0), 2048, 'enough rows long before')
})

plans('no row group has more than 2^31 - 1 rows, whatever the runs', () => {
  const pieces = piecesOf([20 * MAX_PIECE_ROWS])
  assert.is(endOfRowGroup(pieces, 0), 15)
  assert.is(endOfRowGroup(pieces, 15), 20)
  assert.is(endOfRowGroup(piecesOf([1, 15 * MAX_PIECE_ROWS]), 0), 16)
})

plans('no row group has more pieces than its dictionaries can bear', () => {
  assert.is(endOfRowGroup(piecesOf(new Array(70_000).fill(1)), 0), 65_536)
})

plans('index pages end with enough rows and pieces, and never exceed the rows of a piece', () => {
  const pages = new IndexPagePlanner().plan(piecesOf(new Array(1000).fill(100_000)))
  assert.equal([...pages.pageCuts.slice(0, 3)], [0, 128, 256])
  assert.is(
    pages.pageRows.slice(0, pages.pageCount).reduce((a, b) => a + b, 0),
    1000 * 100_000,
  )
  const giant = new IndexPagePlanner().plan(piecesOf([5, MAX_PIECE_ROWS, MAX_PIECE_ROWS, 1]))
  assert.equal([...giant.pageRows.slice(0, giant.pageCount)], [5, MAX_PIECE_ROWS, MAX_PIECE_ROWS, 1])
})

plans('neighbours of one key are joined within a page, never across two', () => {
  const pieces = piecesOf([1, 2, 3, MAX_PIECE_ROWS, 5], [7, 7, 8, 8, 8])
  const keys = new KeyJoiner().join(pieces, new IndexPagePlanner().plan(pieces))
  assert.equal([...keys.pages.rowCounts.slice(0, keys.pages.pieceCount)], [3, 3, MAX_PIECE_ROWS, 5])
  assert.equal([...keys.request.slice(0, 4)], [7, 8, 8, 8])
  assert.equal([...keys.pages.pageCuts.slice(0, 4)], [0, 2, 3, 4])
})

plans.run()
