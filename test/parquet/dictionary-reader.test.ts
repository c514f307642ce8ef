import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteStrings, readIntegers } from '#src/parquet/dictionary-reader.js'

const test = suite('dictionary reader')

const page = (valueCount: number) => ({ where: 'test', valueCount })

test('byte strings are found by their bytes, and given back', () => {
  const bytes = Uint8Array.of(2, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0, 3, 0, 0, 0, 0x61, 0x62, 0)
  const strings = new ByteStrings(bytes, page(3))
  assert.is(strings.count, 3)
  assert.equal(
    [0, 1, 2].map((i) => [...strings.valueAt(i)]),
    [[0x61, 0x62], [], [0x61, 0x62, 0]],
  )
  assert.is(strings.indexOf(Buffer.from('ab')), 0)
  assert.is(strings.indexOf(Buffer.from('')), 1)
  assert.is(strings.indexOf(Buffer.from('ab\0')), 2)
  assert.is(strings.indexOf(Buffer.from('a')), -1)
  assert.is(strings.indexOf(Buffer.from('ac')), -1)
  assert.is(new ByteStrings(Uint8Array.of(), page(0)).indexOf(Buffer.from('')), -1)
})

test('integers of 4 and 8 bytes keep their sign', () => {
  assert.equal([...readIntegers(Uint8Array.of(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), 4, page(2))], [1, -1])
  assert.equal([...readIntegers(Uint8Array.of(0xfe, ...Array(7).fill(0xff)), 8, page(1))], [-2])
})

test('a dictionary that is not what it says is refused', () => {
  const table: [number[], number][] = [
    [[2, 0, 0, 0, 0x61], 1],
    [[1, 0, 0, 0, 0x61], 2],
    [[1, 0, 0, 0, 0x61, 0], 1],
    [[0xff, 0xff, 0xff, 0xff, 0x61], 1],
    [[0, 0, 0, 0], 0],
    [[0, 0, 0, 0], 2 ** 31 - 1],
    [[1, 0, 0], 1],
  ]
  for (const [bytes, count] of table) {
    assert.throws(() => new ByteStrings(Uint8Array.from(bytes), page(count)), /test.*expected/)
  }
  assert.throws(() => readIntegers(Uint8Array.of(1, 2, 3), 4, page(1)), /1 values of 4 bytes/)
  assert.throws(() => readIntegers(Uint8Array.of(1, 2, 3, 4), 4, page(2 ** 31 - 1)), /test.*expected/)
  assert.throws(() => readIntegers(Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0), 8, page(1)), /within 2\^53/)
})

test.run()
