import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IndexRuns, readIndexPage } from '#src/parquet/rle-reader.js'

const test = suite('rle reader')

function read(body: readonly number[], valueCount: number, dictionaryCount: number, runs = new IndexRuns(0)) {
  readIndexPage(Uint8Array.from(body), { where: 'test', valueCount, dictionaryCount }, runs)
  return [[...runs.ends.subarray(0, runs.count)], [...runs.indexes.subarray(0, runs.count)]]
}

test('pages written by hand: each run is a varint of twice its length and a value in whole bytes', () => {
  assert.equal(read([1, 8 << 1, 1], 8, 2), [[8], [1]])
  assert.equal(read([2, 3 << 1, 0, 5 << 1, 3], 8, 4), [
    [3, 8],
    [0, 3],
  ])
  // A dictionary of one value has the bit width 0, and the value takes no byte.
  assert.equal(read([0, 0x80, 0x02], 128, 1), [[128], [0]])
  assert.equal(read([9, 1 << 1, 0x01, 0x01], 1, 258), [[1], [257]])
  assert.equal(read([17, 1 << 1, 0x01, 0x02, 0x01], 1, 66_050), [[1], [66_049]])
  assert.equal(read([31, 1 << 1, 0xff, 0xff, 0xff, 0x7f], 1, 2 ** 31), [[1], [2 ** 31 - 1]])
  assert.equal(read([1, 0x80, 0x80, 0x80, 0x80, 0x10, 0], 2 ** 31, 1), [[2 ** 31], [0]])
})

test('equal neighbours stay apart, and a page goes on at the row where the one before ended', () => {
  const runs = new IndexRuns(0)
  read([1, 2 << 1, 1, 2 << 1, 1], 4, 2, runs)
  assert.equal(read([1, 3 << 1, 1], 3, 2, runs), [
    [2, 4, 7],
    [1, 1, 1],
  ])
})

test('rows count from the page\u2019s first, and the run of a row is found among many', () => {
  const runs = new IndexRuns(1000)
  assert.is(runs.endRow, 1000)
  read([1, ...Array.from({ length: 50 }, (_, i) => [3 << 1, i & 1]).flat()], 150, 2, runs)
  assert.is(runs.endRow, 1150)
  for (let row = 1000; row < 1150; row++) {
    const run = runs.runOf(row)
    assert.is(run, Math.floor((row - 1000) / 3))
    assert.is(runs.startOf(run), 1000 + 3 * run)
  }
})

test('a page that holds anything else is refused', () => {
  const table: Record<string, [number[], number, number]> = {
    'nothing at all': [[], 1, 1],
    'no runs': [[1], 1, 1],
    'a bit-packed run': [[1, (1 << 1) | 1, 0xff], 8, 2],
    'a run of no values': [[1, 0, 0, 8 << 1, 1], 8, 2],
    'a value short': [[1, 7 << 1, 1], 8, 2],
    'a value too many': [[1, 9 << 1, 1], 8, 2],
    'a run behind the last value': [[1, 8 << 1, 1, 1 << 1, 1], 8, 2],
    'a value outside the dictionary': [[2, 8 << 1, 2], 8, 2],
    'a run without its value': [[9, 8 << 1, 1], 8, 300],
    'a bit width of 32': [[32, 8 << 1, 1, 0, 0, 0], 8, 2],
    'a length of 2^70': [[1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1], 8, 2],
  }
  for (const [name, [body, valueCount, dictionaryCount]] of Object.entries(table)) {
    assert.throws(() => read(body, valueCount, dictionaryCount), /test.*expected/, name)
  }
})

test.run()
