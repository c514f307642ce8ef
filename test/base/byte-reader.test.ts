import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '#src/base/byte-reader.js'
import { ByteWriter } from '#src/base/byte-writer.js'

const test = suite('byte reader')

const EDGES = [0, 1, 2, 63, 64, 127, 128, 8191, 8192, 16_383, 16_384].concat(
  Array.from({ length: 53 }, (_, i) => [2 ** i - 1, 2 ** i, 2 ** i + 1]).flat(),
  [2 ** 53 - 3, 2 ** 53 - 2],
)

function reader(...bytes: readonly number[]): ByteReader {
  return new ByteReader(Uint8Array.from(bytes), 'test')
}

test('varints come back exactly, at every length and however few bytes follow', () => {
  for (const value of EDGES) {
    for (const padding of [0, 1, 2, 5]) {
      const w = new ByteWriter()
      w.uleb128(value)
      w.zigzag(value)
      w.zigzag(-value)
      w.i64(value)
      w.i64(-value)
      for (let i = 0; i < padding; i++) w.u8(255)
      const r: ByteReader = new ByteReader(w.copy(), 'test')
      assert.is(r.uleb128(), value)
      assert.is(r.zigzag(), value)
      assert.is(r.zigzag() + value, 0)
      assert.is(r.i64(), value)
      assert.is(r.i64() + value, 0)
      assert.is(r.left, padding)
      r.at = 0
      r.skipVarint()
      assert.is(r.zigzag(), value)
    }
  }
})

test('a number beyond 2^53 and a varint without end are refused, not rounded', () => {
  const ff = (count: number) => Array(count).fill(0xff)
  assert.throws(() => reader(...ff(7), 0x1f).uleb128(), /test, byte 8: expected an integer within 2\^53/)
  assert.throws(() => reader(...ff(9), 0x01).uleb128(), /within 2\^53/)
  assert.throws(() => reader(...ff(9), 0x01).zigzag(), /within 2\^53/)
  assert.throws(() => reader(...ff(40)).uleb128(), /at most 10 bytes/)
  assert.throws(() => reader(...ff(40)).zigzag(), /at most 10 bytes/)
  assert.throws(() => reader(...ff(40)).skipVarint(), /at most 10 bytes/)
  assert.throws(() => reader(0, 0, 0, 0, 0, 0, 0x20, 0).i64(), /within 2\^53/)
  assert.throws(() => reader(0, 0, 0, 0, 0, 0, 0, 0x80).i64(), /within 2\^53/)
})

test('nothing is read past the end, which may lie inside the bytes', () => {
  const bytes = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 1, 7, 7, 7)
  for (let end = 0; end < 5; end++) {
    assert.throws(
      () => new ByteReader(bytes, 'test', 0, end).uleb128(),
      /expected one more byte, found the end/,
    )
    assert.throws(() => new ByteReader(bytes, 'test', 0, end).zigzag(), /one more byte/)
    assert.throws(() => new ByteReader(bytes, 'test', 0, end).skipVarint(), /one more byte/)
  }
  assert.throws(() => new ByteReader(bytes, 'test', 5).u32(), /expected 4 more bytes, found 3/)
  assert.throws(() => new ByteReader(bytes, 'test', 1).i64(), /more bytes/)
  assert.throws(() => new ByteReader(bytes, 'test', 5).skip(4), /expected 4 more bytes, found 3/)
  assert.throws(() => reader(1).skip(-1), /expected -1 more bytes/)
  assert.throws(() => reader(1).skip(Number.NaN), /expected NaN more bytes/)
  assert.is(new ByteReader(bytes, 'test', 5).skip(3), 5)
})

test.run()
