import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { DeltaPageEncoder } from '#src/parquet/delta-page.js'
import { EXACT_POSITION_LIMIT } from '#src/parquet/position-pages.js'
import { ZstdFrameEncoder } from '#src/parquet/zstd-frame.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { inflateZstd } from '../support/foreign-zstd.ts'
import { decodeDeltaPlainly } from '../support/plain-delta.ts'

const pages = suite('delta pages')
const encoder = new DeltaPageEncoder(new ZstdFrameEncoder())

type Run = readonly [start: number, rowCount: number]

function encode(runs: readonly Run[]): { readonly raw: Uint8Array; readonly stored: number } {
  const out = new ByteWriter()
  const starts = Float64Array.from(runs, ([start]) => start)
  const rowCounts = Float64Array.from(runs, ([, rowCount]) => rowCount)
  encoder.encode({ starts, rowCounts }, 0, runs.length, out)
  return { raw: inflateZstd(out.view(), encoder.uncompressedByteLength), stored: out.length }
}

function expand(runs: readonly Run[]): bigint[] {
  return runs.flatMap(([start, rowCount]) =>
    Array.from({ length: rowCount }, (_, i) => BigInt(start) + BigInt(i)),
  )
}

function check(runs: readonly Run[], label: string): void {
  const { raw } = encode(runs)
  const { values, byteLength } = decodeDeltaPlainly(raw)
  assert.is(byteLength, raw.length, `${label}: no byte is left over`)
  const expected = expand(runs)
  assert.is(values.length, expected.length, label)
  assert.ok(
    values.every((value, i) => value === expected[i]),
    label,
  )
}

pages('a run of 300 positions is the bytes that the specification says', () => {
  const { raw } = encode([[7, 300]])
  // 128 values a block, 4 miniblocks, 300 values, first value 7; three blocks of delta 1 and width 0.
  const block = [2, 0, 0, 0, 0]
  assert.equal([...raw], [0x80, 0x01, 4, 0xac, 0x02, 14, ...block, ...block, ...block])
})

pages('a jump back widens the values of its own block only, and the minimum is the true one', () => {
  const { raw } = encode([
    [0, 200],
    [0, 200],
  ])
  const { values } = decodeDeltaPlainly(raw)
  assert.is(values.length, 400)
  // The jump of -199 is delta 199, in the second block: min delta -199 (zigzag 397), widths of 8 bits.
  assert.equal([...raw.slice(6, 11)], [2, 0, 0, 0, 0])
  assert.equal([...raw.slice(11, 17)], [0x8d, 0x03, 8, 8, 8, 8])
  assert.equal([...raw.slice(17 + 128)], [2, 0, 0, 0, 0, 2, 0, 0, 0, 0])
})

pages('edges of blocks, miniblocks and values', () => {
  const edges: readonly (readonly Run[])[] = [
    [[0, 1]],
    [[EXACT_POSITION_LIMIT - 1, 1]],
    [[2 ** 53 - 2, 1]],
    [[2 ** 53 - 200, 199]],
    [
      [5, 1],
      [5, 1],
    ],
    [
      [0, 1],
      [EXACT_POSITION_LIMIT - 1, 1],
      [0, 1],
    ],
    [
      [0, 128],
      [500, 1],
    ],
    [
      [0, 129],
      [500, 1],
    ],
    [
      [0, 33],
      [90, 33],
      [0, 33],
    ],
    [
      [0, 40],
      [40, 40],
      [80, 300],
    ],
    [
      [10, 1],
      [20, 1],
      [30, 1],
      [40, 1],
    ],
    [
      [4_294_967_295, 100],
      [4_294_967_200, 300],
      [1, 300],
    ],
  ]
  for (const [i, runs] of edges.entries()) check(runs, `edge ${i}`)
})

pages('random runs come back value by value', () => {
  const seed = 7
  const random = createSeededRandom(seed)
  for (let round = 0; round < 200; round++) {
    const longest = random.pick([1, 3, 40, 70, 400, 5000])
    const farthest = random.pick([100, 100_000, 2 ** 31])
    const scale = random.pick([1, 1, 2 ** 20])
    let next = 0
    const runs = Array.from({ length: random.between(1, longest > 1000 ? 20 : 200) }, (): Run => {
      const rowCount = random.between(1, longest)
      const start = random.below(3) === 0 ? next : random.below(farthest) * scale
      next = start + rowCount
      return [start, rowCount]
    })
    check(runs, `seed ${seed}, round ${round}`)
  }
})

pages('a page of one run costs the same whatever its length', () => {
  const lengths = [65_536, 2 ** 17, 2 ** 19, 2 ** 20].map((rowCount) => {
    const out = new ByteWriter()
    encoder.encodeOneRun(30_000_000, rowCount, out)
    const raw = inflateZstd(out.view(), encoder.uncompressedByteLength)
    assert.is(raw.length, 3 + 3 + 4 + 5 * Math.ceil((rowCount - 1) / 128))
    const { values } = decodeDeltaPlainly(raw)
    assert.is(values.length, rowCount)
    assert.is(values[rowCount - 1], BigInt(30_000_000 + rowCount - 1))
    return out.length
  })
  assert.ok(Math.max(...lengths) <= 36 && Math.max(...lengths) - Math.min(...lengths) <= 1, lengths.join(' '))
})

pages('one run gives the same values on either path', () => {
  for (const rowCount of [1, 2, 128, 129, 130, 1000, 1024, 1025, 1026, 5000]) {
    const out = new ByteWriter()
    encoder.encodeOneRun(9, rowCount, out)
    const one = inflateZstd(out.view(), encoder.uncompressedByteLength)
    assert.equal(one, encode([[9, rowCount]]).raw, `${rowCount} rows`)
  }
})

pages.run()
