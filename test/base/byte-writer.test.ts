import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'

const writers = suite('byte writers')

writers("integers stand in little-endian order, negative ones in two's complement", () => {
  const w = new ByteWriter(1)
  w.u8(1)
  w.u32(0x0403_0201)
  w.i64(-2)
  w.i64(2 ** 40 + 3)
  assert.equal([...w.view()], [1, 1, 2, 3, 4, 254, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0, 0, 1, 0, 0])
})

writers('varints of every length, exact to 2^53', () => {
  for (let bits = 0; bits <= 53; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits, -(2 ** bits) + 1, -(2 ** bits)]) {
      const w = new ByteWriter(1)
      w.zigzag(value)
      const big = BigInt(value)
      let code = big < 0n ? -2n * big - 1n : 2n * big
      const expected: number[] = []
      for (; code > 127n; code >>= 7n) expected.push(Number(code & 127n) | 128)
      expected.push(Number(code))
      assert.equal([...w.view()], expected, `${value}`)
    }
  }
})

writers('words of another writer are copied to the byte', () => {
  for (let byteLength = 0; byteLength < 20; byteLength++) {
    const source = new ByteWriter(1)
    for (let i = 0; i < byteLength; i++) source.u8(i + 1)
    const w = new ByteWriter(1)
    w.u8(99)
    w.appendWords(source, byteLength)
    w.u8(98)
    assert.equal([...w.view()], [99, ...Array.from({ length: byteLength }, (_, i) => i + 1), 98])
  }
})

writers('what is taken is left alone by what follows', () => {
  const w = new ByteWriter(4)
  w.u8(1)
  const first = w.take(undefined)
  w.u8(2)
  const second = w.take(first.buffer.slice(0))
  w.u8(3)
  assert.equal([[...first], [...second], [...w.view()]], [[1], [2], [3]])
})

writers.run()
