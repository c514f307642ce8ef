import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { xxhash64 } from '#src/parquet/xxhash64.js'

const test = suite('xxhash64')

function hex(text: string): string {
  const { low, high } = xxhash64(Buffer.from(text))
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

test('the published vectors of XXH64 with seed 0', () => {
  assert.is(hex(''), 'ef46db3751d8e999')
  assert.is(hex('a'), 'd24ec4f1a98c6e5b')
  assert.is(hex('abc'), '44bc2cf5ad770999')
  assert.is(hex('Nobody inspects the spammish repetition'), 'fbcea83c8a378bf1')
})

test('a view into a larger buffer hashes like its copy, at every length past all block sizes', () => {
  const whole = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37 + 11) & 255))
  for (let length = 0; length <= 80; length++) {
    const view = whole.subarray(7, 7 + length)
    assert.equal(xxhash64(view), xxhash64(Uint8Array.from(view)))
  }
})

test.run()
