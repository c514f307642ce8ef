import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { decodeSnappy } from '#src/parquet/snappy-decoder.js'
import { appendSnappy } from '#src/parquet/snappy-encoder.js'
import { seededRandom } from '../support/seeded-random.ts'
import { hexOf } from '../support/thrift-oracle.ts'

const test = suite('snappy decoder')

function decode(block: readonly number[], byteLength: number): string {
  return Buffer.from(decodeSnappy(Uint8Array.from(block), { where: 'test', byteLength })).toString('latin1')
}

const A = 0x61
const B = 0x62

test('blocks written by hand, one of each element', () => {
  assert.is(decode([0], 0), '')
  assert.is(decode([2, 1 << 2, A, B], 2), 'ab')
  // A literal whose length stands in one, two, three and four bytes.
  const long = Array(70).fill(A)
  assert.is(decode([70, 60 << 2, 69, ...long], 70), 'a'.repeat(70))
  assert.is(decode([70, 61 << 2, 69, 0, ...long], 70), 'a'.repeat(70))
  assert.is(decode([70, 62 << 2, 69, 0, 0, ...long], 70), 'a'.repeat(70))
  assert.is(decode([70, 63 << 2, 69, 0, 0, 0, ...long], 70), 'a'.repeat(70))
  // A copy with an offset of 11, 16 and 32 bits, overlapping what it writes.
  assert.is(decode([8, 1 << 2, A, B, (2 << 2) | 1, 2], 8), 'abababab')
  assert.is(decode([8, 1 << 2, A, B, (5 << 2) | 2, 2, 0], 8), 'abababab')
  assert.is(decode([8, 1 << 2, A, B, (5 << 2) | 3, 2, 0, 0, 0], 8), 'abababab')
})

test('a block that reaches outside itself or its content is refused', () => {
  const table: Record<string, [number[], number]> = {
    'nothing at all': [[], 0],
    'another length than the page says': [[2, 1 << 2, A, B], 3],
    'a length without bytes for it': [[0x80, 0x80, 0x80, 0x80, 0x04], 2 ** 30],
    'a length of more than 2^53': [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 2 ** 53],
    'a literal past the end of the block': [[9, 8 << 2, A, B], 9],
    'a literal past the content': [[1, 1 << 2, A, B], 1],
    'a literal of 4 GiB': [[9, 63 << 2, 0xff, 0xff, 0xff, 0xff, A], 9],
    'content that is not filled': [[9, 1 << 2, A, B], 9],
    'a copy first': [[4, (0 << 2) | 1, 1], 4],
    'a copy from before the start': [[6, 1 << 2, A, B, (0 << 2) | 1, 3], 6],
    'a copy of offset 0': [[6, 1 << 2, A, B, (0 << 2) | 1, 0], 6],
    'a copy past the content': [[5, 1 << 2, A, B, (0 << 2) | 1, 2], 5],
    'a copy without its offset': [[6, 1 << 2, A, B, (3 << 2) | 2, 2], 6],
    'bytes behind the content': [[2, 1 << 2, A, B, 0], 2],
    'bytes behind no content': [[0, 0], 0],
    'copied content and bytes behind it': [[6, 1 << 2, A, B, (0 << 2) | 1, 2, 0], 6],
  }
  for (const [name, [block, byteLength]] of Object.entries(table)) {
    assert.throws(() => decode(block, byteLength), /test.*expected/, name)
  }
})

test('what snappyjs compresses comes back, whatever repeats in it', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 300; round++) {
    const alphabet = 1 + random(round % 3 === 0 ? 256 : 4)
    const bytes = Uint8Array.from({ length: random(3000) }, () => random(alphabet))
    const w = new ByteWriter()
    appendSnappy(w, bytes)
    const decoded = decodeSnappy(w.view(), { where: 'test', byteLength: bytes.length })
    assert.is(hexOf(decoded), hexOf(bytes), `round ${round}`)
  }
})

test('flipped bits and truncations end in an error or in as many bytes, never in more', () => {
  const random = seededRandom(11)
  const bytes = Uint8Array.from({ length: 400 }, () => random(3))
  const w = new ByteWriter()
  appendSnappy(w, bytes)
  let refused = 0
  for (let bit = 0; bit < w.length * 8; bit++) {
    const block = w.copy()
    block[bit >>> 3] = (block[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    try {
      assert.is(decodeSnappy(block, { where: 'test', byteLength: 400 }).length, 400)
    } catch (error) {
      assert.match(String(error), /test.*expected/)
      refused++
    }
  }
  assert.ok(refused > w.length, `${refused} flips were refused`)
  for (let length = 0; length < w.length; length++) {
    assert.throws(
      () => decodeSnappy(w.view().subarray(0, length), { where: 'test', byteLength: 400 }),
      /expected/,
    )
  }
})

test.run()
