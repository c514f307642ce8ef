import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { DeltaPageEncoder } from '#src/parquet/delta-page.js'
import { maxDeltaByteLength, readPositionPage } from '#src/parquet/delta-reader.js'
import { decodeZstd } from '#src/parquet/zstd-decoder.js'
import { ZstdFrameEncoder } from '#src/parquet/zstd-frame.js'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('delta reader')

/** Header of a page: blocks of 128 in 4 miniblocks, so many values, the first one. */
function header(valueCount: number, firstZigzag: number): number[] {
  const count = valueCount < 128 ? [valueCount] : [(valueCount & 127) | 128, valueCount >>> 7]
  return [0x80, 0x01, 4, ...count, firstZigzag]
}

type Segment = [firstRow: number, firstPosition: number, length: number]

function read(
  bytes: readonly number[],
  valueCount: number,
  period = 0,
  byteLength = bytes.length,
): Segment[] {
  return segmentsOf({ prefix: Uint8Array.from(bytes), period, byteLength }, valueCount)
}

function segmentsOf(content: Parameters<typeof readPositionPage>[0], valueCount: number): Segment[] {
  const segments = readPositionPage(content, valueCount, 'test')
  return Array.from({ length: segments.count }, (_, i) => {
    const firstRow = segments.firstRows[i] ?? -1
    return [firstRow, segments.firstPositions[i] ?? -1, segments.endOf(i) - firstRow]
  })
}

/** The segments of runs that follow each other: neighbours that join are one. */
function expectedSegments(runs: readonly (readonly [start: number, rowCount: number])[]): Segment[] {
  const segments: Segment[] = []
  let row = 0
  for (const [start, rowCount] of runs) {
    const last = segments.at(-1)
    if (last !== undefined && last[1] + last[2] === start) last[2] += rowCount
    else segments.push([row, start, rowCount])
    row += rowCount
  }
  return segments
}

test('the examples of the specification, in blocks of 128', () => {
  // Encodings.md, example 1: 1, 2, 3, 4, 5, all deltas 1.
  assert.equal(read([...header(5, 2), 2, 0, 0, 0, 0], 5), [[0, 1, 5]])
  // Example 2: 7, 5, 3, 1, 2, 3, 4, 5: minimum -2, then 0, 0, 0, 3, 3, 3, 3 in two bits each.
  const body = [0b11000000, 0b00111111, 0, 0, 0, 0, 0, 0]
  assert.equal(read([...header(8, 14), 3, 2, 0, 0, 0, ...body], 8), [
    [0, 7, 1],
    [1, 5, 1],
    [2, 3, 1],
    [3, 1, 5],
  ])
  assert.equal(read(header(1, 0), 1), [[0, 0, 1]])
})

test('every bit width from 0 to 64 is read exactly, as long as the values are', () => {
  for (let width = 1; width <= 64; width++) {
    // Deltas 1 + packed: a large one, then none, in the second miniblock of a block.
    const large = width <= 52 ? 2 ** width - 1 : 2 ** 52
    const bits = Array(32 * width).fill(0)
    for (let bit = 0; bit < width; bit++) bits[3 * width + bit] = Math.floor(large / 2 ** bit) % 2
    const body = Array.from({ length: 4 * width }, (_, i) =>
      bits.slice(8 * i, 8 * i + 8).reduce((sum: number, bit: number, at) => sum + bit * 2 ** at, 0),
    )
    const bytes = [...header(129, 10), 2, 0, width, 0, 0, ...body]
    assert.equal(
      read(bytes, 129),
      [
        [0, 5, 36],
        [36, 5 + 36 + large, 93],
      ],
      `width ${width}`,
    )
  }
})

test('a page of a million rows is read in one step from the block that repeats', () => {
  const rowCount = 2 ** 20
  const blockCount = Math.ceil((rowCount - 1) / 128)
  const prefix = [0x80, 0x01, 4, 0x80, 0x80, 0x40, 20, 2, 0, 0, 0, 0]
  const byteLength = prefix.length - 5 + 5 * blockCount
  assert.equal(read(prefix, rowCount, 5, byteLength), [[0, 10, rowCount]])
  const startedAt = performance.now()
  for (let i = 0; i < 1000; i++) read(prefix, rowCount, 5, byteLength)
  assert.ok(performance.now() - startedAt < 500, 'a thousand pages took more than half a second')
  // The same bytes written out, and repetitions that do not add up to the rows.
  const whole = [...prefix.slice(0, 7), ...Array(blockCount).fill([2, 0, 0, 0, 0]).flat()]
  assert.equal(read(whole, rowCount), [[0, 10, rowCount]])
  assert.throws(() => read(prefix, rowCount, 5, byteLength - 5), /test.*expected/)
  assert.throws(() => read(prefix, rowCount, 5, byteLength + 5), /test.*expected/)
  assert.throws(() => read(prefix, rowCount, 5, byteLength + 1), /test.*expected/)
})

test('bytes that repeat mean the same written out, wherever the repetition begins', () => {
  // Two blocks of deltas 3, the second of which is all zeros but for its minimum.
  const block = [6, 0, 0, 0, 0]
  const bytes = [...header(257, 0), ...block, ...block]
  const expected = read(bytes, 257)
  assert.is(expected.length, 257)
  assert.equal(read(bytes.slice(0, -5), 257, 5, bytes.length), expected)
  // A body that repeats one byte: the period begins inside a block.
  const packed = [...header(33, 0), 2, 8, 0, 0, 0, 7, ...Array(31).fill(7)]
  assert.equal(read(packed.slice(0, -31), 33, 1, packed.length), read(packed, 33))
  assert.equal(read(packed.slice(0, -3), 33, 1, packed.length), read(packed, 33))
})

test('what the encoder makes of random runs comes back as their segments', () => {
  const random = seededRandom(42)
  const encoder = new DeltaPageEncoder(new ZstdFrameEncoder())
  for (let round = 0; round < 400; round++) {
    const longest = [3, 40, 300, 5000][round % 4] ?? 1
    const farthest = [10, 2 ** 20, 2 ** 33, 2 ** 50][random(4)] ?? 1
    const runs = Array.from(
      { length: 1 + random(30) },
      () => [random(farthest), 1 + random(longest)] as const,
    )
    if (round % 3 === 0) runs.push([(runs.at(-1)?.[0] ?? 0) + (runs.at(-1)?.[1] ?? 0), 7])
    const out = new ByteWriter()
    const starts = Float64Array.from(runs, ([start]) => start)
    const rowCounts = Float64Array.from(runs, ([, rowCount]) => rowCount)
    encoder.encode({ starts, rowCounts }, 0, runs.length, out)
    const rowCount = rowCounts.reduce((a, b) => a + b)
    const byteLength = encoder.uncompressedByteLength
    assert.ok(byteLength <= maxDeltaByteLength(rowCount))
    const content = decodeZstd(out.copy(), { where: 'test', byteLength })
    assert.equal(segmentsOf(content, rowCount), expectedSegments(runs), `round ${round}`)
  }
  for (const [start, rowCount] of [
    [0, 1],
    [5, 129],
    [2 ** 40 + 1, 65_536],
    [2 ** 52, 2 ** 20],
  ] as const) {
    const out = new ByteWriter()
    encoder.encodeOneRun(start, rowCount, out)
    const content = decodeZstd(out.copy(), { where: 'test', byteLength: encoder.uncompressedByteLength })
    assert.equal(segmentsOf(content, rowCount), [[0, start, rowCount]])
  }
})

test('the segment of a row is found among many', () => {
  const runs = Array.from({ length: 100 }, (_, i) => [1000 * i, 1 + (i % 5)] as const)
  const encoder = new DeltaPageEncoder(new ZstdFrameEncoder())
  const out = new ByteWriter()
  const starts = Float64Array.from(runs, ([start]) => start)
  encoder.encode({ starts, rowCounts: Float64Array.from(runs, ([, n]) => n) }, 0, 100, out)
  const content = decodeZstd(out.copy(), { where: 'test', byteLength: encoder.uncompressedByteLength })
  const segments = readPositionPage(content, 300, 'test')
  let row = 0
  runs.forEach(([start, rowCount], i) => {
    for (let at = 0; at < rowCount; at++) {
      assert.is(segments.segmentOf(row), i)
      assert.is((segments.firstPositions[i] ?? 0) + row - (segments.firstRows[i] ?? 0), start + at)
      row++
    }
  })
})

test('a page that is not what it says, or goes below 0 or beyond 2^53, is refused', () => {
  const ok = [...header(5, 2), 2, 0, 0, 0, 0]
  const wide = (last: number[]) => [
    ...header(2, 2),
    2,
    64,
    0,
    0,
    0,
    ...last,
    ...Array(256 - last.length).fill(0),
  ]
  const table: Record<string, [number[], number]> = {
    'nothing at all': [[], 5],
    'other blocks': [[0x80, 0x02, 4, 5, 2, 2, 0, 0, 0, 0], 5],
    'other miniblocks': [[0x80, 0x01, 8, 5, 2, 2, 0, 0, 0, 0], 5],
    'another count than the header': [ok, 6],
    'no block': [header(5, 2), 5],
    'a width less': [ok.slice(0, -1), 5],
    'bytes behind the last block': [[...ok, 0], 5],
    'a width of 65': [[...header(5, 2), 2, 65, 0, 0, 0, ...Array(300).fill(0)], 5],
    'a body cut short': [[...header(5, 2), 2, 8, 0, 0, 0, 1, 1, 1, 1], 5],
    'a first position below 0': [header(1, 1), 1],
    'a position below 0': [[...header(2, 2), 0x05, 0, 0, 0, 0], 2],
    'a first position of 2^53': [[0x80, 0x01, 4, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20], 1],
    'a delta of 2^53': [wide([0, 0, 0, 0, 0, 0, 0x20]), 2],
    'a delta of 2^64 - 1': [wide(Array(8).fill(255)), 2],
    'a sum beyond 2^53': [wide([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]), 2],
    'a minimum of -2^53 that a delta hides': [
      [
        ...header(2, 2),
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0x3f,
        64,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0x20,
        0,
        ...Array(248).fill(0),
      ],
      2,
    ],
    'no rows': [header(0, 2), 0],
    'more rows than a page may have': [header(5, 2), 2 ** 20 + 1],
  }
  assert.equal(read(ok, 5), [[0, 1, 5]])
  for (const [name, [bytes, valueCount]] of Object.entries(table)) {
    assert.throws(() => read(bytes, valueCount), /test.*expected/, name)
  }
  // What the last two wide deltas missed by little is fine.
  assert.equal(read(wide([0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]), 2)[1], [1, 2 ** 53 - 2, 1])
})

test('flipped bits and truncations end in an error or in as many rows', () => {
  const encoder = new DeltaPageEncoder(new ZstdFrameEncoder())
  const out = new ByteWriter()
  encoder.encode({ starts: Float64Array.of(5, 900, 7), rowCounts: Float64Array.of(200, 3, 150) }, 0, 3, out)
  const content = decodeZstd(out.copy(), { where: 'test', byteLength: encoder.uncompressedByteLength })
  for (let bit = 0; bit < content.prefix.length * 8; bit++) {
    const prefix = Uint8Array.from(content.prefix)
    prefix[bit >>> 3] = (prefix[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    try {
      const rows = segmentsOf({ ...content, prefix }, 353).reduce((sum, [, , length]) => sum + length, 0)
      assert.is(rows, 353)
    } catch (error) {
      assert.match(String(error), /test.*expected/)
    }
  }
  for (let length = 0; length < content.prefix.length; length++) {
    const cut = { prefix: content.prefix.subarray(0, length), period: 0, byteLength: length }
    assert.throws(() => segmentsOf(cut, 353), /test.*expected/)
  }
})

test.run()
