import { compressors } from 'hyparquet-compressors'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { appendSnappy, appendSnappyInt64s, appendSnappyLiteral } from '#src/parquet/snappy-encoder.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'

const snappy = suite('snappy blocks')

function inflate(block: Uint8Array, byteLength: number): Uint8Array {
  const { SNAPPY } = compressors
  if (SNAPPY === undefined) throw new Error('hyparquet-compressors has no snappy')
  return SNAPPY(block, byteLength)
}

snappy('a literal of every length form inflates to itself', () => {
  for (const byteLength of [0, 1, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 300_000]) {
    const bytes = Uint8Array.from({ length: byteLength + 9 }, (_, i) => (i * 131) >>> 3)
    const out = new ByteWriter()
    appendSnappyLiteral(out, bytes, 4, 4 + byteLength)
    assert.ok(
      Buffer.from(inflate(out.view(), byteLength)).equals(bytes.slice(4, 4 + byteLength)),
      `${byteLength}`,
    )
  }
})

snappy('ascending 64-bit integers take five bytes each, and inflate to PLAIN values', () => {
  const random = createSeededRandom(3)
  let value = 1_596_199_569
  const values = Float64Array.from({ length: 5000 }, () => {
    value += random.between(1, random.below(50) === 0 ? 100_000 : 30)
    return value
  })
  const out = new ByteWriter()
  appendSnappyInt64s(out, values, values.length)
  const plain = Buffer.from(inflate(out.view(), 8 * values.length))
  assert.ok(values.every((expected, i) => plain.readBigInt64LE(8 * i) === BigInt(expected)))
  assert.ok(out.length < 5.3 * values.length, `${out.length}`)
})

snappy('integers up to 2^53 keep all their bits', () => {
  const values = Float64Array.of(
    0,
    1,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 48 + 5,
    2 ** 53 - 1,
  )
  const out = new ByteWriter()
  appendSnappyInt64s(out, values, values.length)
  const plain = Buffer.from(inflate(out.view(), 8 * values.length))
  assert.equal(
    [...values.keys()].map((i) => Number(plain.readBigInt64LE(8 * i))),
    [...values],
  )
})

snappy('text is searched for repetitions', () => {
  const text = new TextEncoder().encode('Mozilla/5.0 (X11; Linux x86_64) Firefox/78.0\n'.repeat(50))
  const out = new ByteWriter()
  appendSnappy(out, text)
  assert.ok(out.length < text.length / 8)
  assert.ok(Buffer.from(inflate(out.view(), text.length)).equals(text))
})

snappy.run()
