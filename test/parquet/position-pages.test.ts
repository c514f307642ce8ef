/** The compiled encoder of position pages against its plain twin, and against decoders of others. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '#src/base/byte-reader.js'
import { Failure } from '#src/base/failure.js'
import { crc32 } from '#src/parquet/crc32.js'
import { readPageHeader } from '#src/parquet/page-header.js'
import { PlainPositionPages } from '#src/parquet/plain-position-pages.js'
import { EXACT_POSITION_LIMIT, type PositionPages, type PositionRuns } from '#src/parquet/position-pages.js'
import { createWasmPositionPages } from '#src/parquet/wasm-position-pages.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { inflateZstd } from '../support/foreign-zstd.ts'
import { decodeDeltaPlainly } from '../support/plain-delta.ts'

const pages = suite('position pages')
const plain = new PlainPositionPages()
const wasm = createWasmPositionPages()
const SEED = 20_260_524

type Run = readonly [start: number, rowCount: number]

function runsOf(list: readonly Run[]): PositionRuns {
  return {
    starts: Float64Array.from(list, ([start]) => start),
    rowCounts: Float64Array.from(list, ([, rowCount]) => rowCount),
  }
}

/** Everything of it, as copies that the next call cannot change. */
function copyOf(result: PositionPages): Record<string, unknown> {
  return {
    bytes: Buffer.from(result.bytes).toString('hex'),
    byteLengths: [...result.byteLengths],
    firstRows: [...result.firstRows],
    minima: Buffer.from(result.minima).toString('hex'),
    maxima: Buffer.from(result.maxima).toString('hex'),
    min: result.min,
    max: result.max,
    uncompressedByteLength: result.uncompressedByteLength,
  }
}

function compare(list: readonly Run[], label: string): void {
  const runs = runsOf(list)
  assert.equal(copyOf(wasm.encode(runs, list.length)), copyOf(plain.encode(runs, list.length)), label)
}

/** Each page: its positions as decoders of others read them, and its bounds. */
function decode(result: PositionPages): { readonly values: bigint[]; readonly bounds: readonly bigint[] }[] {
  let at = 0
  const bounds = [result.minima, result.maxima].map((bytes) => Buffer.from(bytes))
  return Array.from(result.byteLengths, (byteLength, page) => {
    const bytes = result.bytes.slice(at, at + byteLength)
    at += byteLength
    const r = new ByteReader(bytes, 'page')
    const header = readPageHeader(r)
    assert.is(r.left, header.compressedByteLength)
    assert.is(header.crc, crc32(bytes, r.at, bytes.length))
    const { values } = decodeDeltaPlainly(inflateZstd(bytes.subarray(r.at), header.uncompressedByteLength))
    assert.is(values.length, header.valueCount)
    return { values, bounds: bounds.map((bound) => bound.readBigInt64LE(9 * page + 1)) }
  })
}

pages('runs at the edges of pages, blocks, widths and varints give the same bytes', () => {
  const edges: readonly (readonly Run[])[] = [
    [[0, 1]],
    [[0, 2]],
    [[5, 65_535]],
    [[5, 65_536]],
    [[0, 2 ** 20]],
    [[0, 2 ** 20 + 1]],
    [[0, 2 ** 20 + 900]],
    [[2 ** 40, 3 * 2 ** 20 + 5]],
    [
      [0, 65_000],
      [65_000, 65_000],
      [130_000, 3],
    ],
    [
      [EXACT_POSITION_LIMIT - 1, 1],
      [EXACT_POSITION_LIMIT, 1],
      [2 ** 53 - 4, 3],
      [0, 7],
    ],
    [
      [2 ** 50, 1],
      [0, 1],
      [2 ** 50, 1],
    ],
    [
      [0, 100],
      [0, 100],
      [0, 100],
    ],
  ]
  for (const list of edges) compare(list, JSON.stringify(list))
  for (let rows = 1; rows < 1200; rows += 7) {
    compare([[rows * 31, rows]], `one run of ${rows}`)
    compare(
      [
        [rows * 31, rows],
        [3, rows],
      ],
      `two runs of ${rows}`,
    )
  }
})

/** Kinds of logs: how far apart runs start, how long they are, and whether they follow each other. */
const KINDS: readonly { readonly span: number; readonly length: number; readonly follow: number }[] = [
  { span: 30_000, length: 300, follow: 4 },
  { span: 200, length: 1, follow: 0 },
  { span: 3, length: 3, follow: 0 },
  { span: 2 ** 31, length: 2, follow: 1 },
  { span: 2 ** 52, length: 1, follow: 0 },
  { span: 2 ** 51, length: 70_000, follow: 2 },
  { span: 60_000_000, length: 2 ** 21, follow: 8 },
  { span: 100_000, length: 66_000, follow: 1 },
]

function randomRuns(kind: number, count: number, seed: number): Run[] {
  const random = createSeededRandom(seed)
  const { span, length, follow } = KINDS[kind] ?? { span: 1, length: 1, follow: 0 }
  const list: Run[] = []
  let next = 0
  for (let i = 0; i < count; i++) {
    const start = random.below(10) < follow ? next : Math.floor((random.below(2 ** 32) / 2 ** 32) * span)
    const rows = 1 + random.below(length)
    list.push([start, rows])
    next = start + rows
  }
  return list
}

pages(`random runs of every kind give the same bytes (seed ${SEED})`, () => {
  KINDS.forEach((_, kind) => {
    for (const count of [1, 2, 3, 17, 128, 129, 400, 2048]) {
      compare(randomRuns(kind, count, SEED + 100 * kind + count), `kind ${kind}, ${count} runs`)
    }
    // Pages of so many exceptions take several blocks of zstd.
    compare(randomRuns(kind, 66_000, SEED + kind), `kind ${kind}, 66,000 runs`)
  })
})

pages('what is compiled decodes to the positions, with exact bounds', () => {
  for (const kind of [0, 1, 2, 3, 7]) {
    const list = randomRuns(kind, 500, SEED - kind)
    const expected = list.flatMap(([start, rows]) =>
      Array.from({ length: rows }, (_, i) => BigInt(start) + BigInt(i)),
    )
    const decoded = decode(wasm.encode(runsOf(list), list.length))
    for (const { values, bounds } of decoded) {
      const sorted = values.toSorted((a, b) => (a < b ? -1 : 1))
      assert.equal(bounds, [sorted[0], sorted.at(-1)])
    }
    const found = decoded.flatMap(({ values }) => values)
    assert.is(found.length, expected.length)
    assert.ok(
      found.every((value, i) => value === expected[i]),
      `kind ${kind}`,
    )
  }
})

pages('only the first runs are encoded, whatever else the arrays hold', () => {
  const list = randomRuns(0, 300, SEED)
  const few = copyOf(wasm.encode(runsOf(list), 100))
  assert.equal(few, copyOf(wasm.encode(runsOf(list.slice(0, 100)), 100)))
})

pages('memory that runs out is a failure that says what to do', () => {
  const small = createWasmPositionPages(4 * 2 ** 20)
  const few = runsOf(randomRuns(0, 10, 1))
  assert.ok(small.encode(few, 10).bytes.length > 0)
  const many = randomRuns(1, 60_000, 2)
  assert.throws(
    () => small.encode(runsOf(many), many.length),
    (error: unknown) =>
      error instanceof Failure && error.code === 'ENVIRONMENT' && /smaller shards/.test(error.message),
  )
  assert.ok(small.encode(few, 10).bytes.length > 0, 'and the encoder can still be used')
  assert.throws(
    () => createWasmPositionPages(2 ** 16),
    (error: unknown) => error instanceof Failure,
  )
})

pages.run()
