import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IndexStream, indexBitWidth, type PiecePages } from '#src/parquet/index-stream.js'

const streams = suite('index streams')

function onePage(rowCounts: readonly number[]): PiecePages {
  const rows = rowCounts.reduce((a, b) => a + b, 0)
  return {
    pieceCount: rowCounts.length,
    rowCounts: Float64Array.from(rowCounts),
    pageCount: 1,
    pageCuts: Uint32Array.of(0, rowCounts.length),
    pageRows: Float64Array.of(rows),
  }
}

function body(stream: IndexStream, page: number): number[] {
  return [...stream.bodies.bytes.slice(stream.bodyOffsets[page] ?? 0, stream.bodyOffsets[page + 1] ?? 0)]
}

streams('the specification by hand: bit width, then varint(length << 1) and the value', () => {
  const stream = new IndexStream()
  const column = { ranks: Uint32Array.of(3, 3, 9), keepPieces: false, secondEntries: undefined }
  const indexOf = new Int32Array(10).fill(-1)
  indexOf[3] = 0
  indexOf[9] = 300
  stream.encode(onePage([100, 50, 1]), column, indexOf, 9)
  // 150 rows of index 0, 1 row of index 300, both in two bytes.
  assert.equal(body(stream, 0), [9, 0xac, 0x02, 0, 0, 2, 0x2c, 0x01])
  assert.is(stream.minRanks[0], 3)
  assert.is(stream.maxRanks[0], 9)
})

streams('where pieces must stay apart, equal neighbours are not joined', () => {
  const stream = new IndexStream()
  const column = { ranks: Uint32Array.of(0, 0), keepPieces: true, secondEntries: undefined }
  stream.encode(onePage([4, 5]), column, Int32Array.of(0), 0)
  assert.equal(body(stream, 0), [0, 8, 10], 'a bit width of 0 needs no value at all')
})

streams('a marked piece uses the second entry, and bounds are those of the value', () => {
  const stream = new IndexStream()
  const column = {
    ranks: Uint32Array.of(1, 0),
    keepPieces: true,
    secondEntries: { marks: Uint8Array.of(0, 1), offset: 2 },
  }
  stream.encode(onePage([1, 1]), column, Int32Array.of(0, 1, 2), 2)
  assert.equal(body(stream, 0), [2, 2, 1, 2, 2])
  assert.is(stream.minRanks[0], 0)
  assert.is(stream.maxRanks[0], 1)
})

streams('pages are cut where the plan says, also inside equal values', () => {
  const stream = new IndexStream()
  const pages: PiecePages = {
    pieceCount: 3,
    rowCounts: Float64Array.of(2 ** 27, 2 ** 27, 1),
    pageCount: 2,
    pageCuts: Uint32Array.of(0, 1, 3),
    pageRows: Float64Array.of(2 ** 27, 2 ** 27 + 1),
  }
  stream.encode(
    pages,
    { ranks: new Uint32Array(3), keepPieces: false, secondEntries: undefined },
    Int32Array.of(0),
    0,
  )
  assert.equal(body(stream, 0), [0, 0x80, 0x80, 0x80, 0x80, 0x01])
  assert.equal(body(stream, 1), [0, 0x82, 0x80, 0x80, 0x80, 0x01])
})

streams('bit widths hold every index', () => {
  assert.equal(
    [0, 1, 2, 3, 4, 5, 256, 257, 65_536, 65_537].map(indexBitWidth),
    [0, 0, 1, 2, 2, 3, 8, 9, 16, 17],
  )
})

streams.run()
