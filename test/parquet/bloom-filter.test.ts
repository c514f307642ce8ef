import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '#src/base/byte-reader.js'
import { bloomMayContain, encodeBloomFilter, readBloomFilter } from '#src/parquet/bloom-filter.js'
import { xxhash64 } from '#src/parquet/xxhash64.js'
import { plain, thriftDecode } from '../support/thrift-oracle.ts'

const test = suite('bloom filter')

function filterOf(values: readonly string[]): Uint8Array {
  const hashes = values.map((value) => xxhash64(Buffer.from(value)))
  return encodeBloomFilter(
    Uint32Array.from(hashes, (hash) => hash.low),
    Uint32Array.from(hashes, (hash) => hash.high),
  )
}

function decode(bytes: Uint8Array) {
  const r: ByteReader = new ByteReader(bytes, 'test')
  const filter = readBloomFilter(r)
  if (r.left > 0) r.fail('the end', 'more')
  return filter
}

test('thrift reads the header, and the bitset behind it is a power of two of at least 32 bytes', () => {
  for (const [count, byteLength] of [
    [0, 32],
    [1, 32],
    [26, 32],
    [27, 64],
    [1000, 2048],
  ] as const) {
    const bytes = filterOf(Array.from({ length: count }, (_, i) => `value ${i}`))
    const header = plain(thriftDecode(bytes))
    assert.equal(
      { ...header, 32767: undefined },
      { 1: byteLength, 2: { 1: {} }, 3: { 1: {} }, 4: { 1: {} }, 32767: undefined },
    )
    assert.ok(decode(bytes).bitset.length === byteLength)
  }
})

test('one hash sets the eight bits that the specification says', () => {
  // BloomFilter.md: block = (high * blocks) >> 32, bit of word i = (low * salt[i]) >> 27; here low is 1.
  const bytes = encodeBloomFilter(Uint32Array.of(1), Uint32Array.of(0xffff_ffff))
  const { bitset } = decode(bytes)
  const words = new Uint32Array(Uint8Array.from(bitset).buffer)
  const salts = [
    0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
  ]
  assert.equal(
    [...words],
    salts.map((salt) => (1 << (salt >>> 27)) >>> 0),
  )
})

test('what was put in is never denied, and about one value in a hundred is let through wrongly', () => {
  const bytes = filterOf(Array.from({ length: 1690 }, (_, i) => `in ${i}`))
  const filter = decode(bytes)
  for (let i = 0; i < 1690; i++) assert.ok(bloomMayContain(filter, xxhash64(Buffer.from(`in ${i}`))))
  let wrong = 0
  for (let i = 0; i < 20_000; i++) {
    if (bloomMayContain(filter, xxhash64(Buffer.from(`out ${i}`)))) wrong++
  }
  assert.ok(wrong > 20 && wrong < 300, `${wrong} of 20000`)
})

test('no flipped bit and no truncation passes for a filter', () => {
  const bytes = filterOf(['one', 'two', 'three'])
  decode(bytes)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => decode(flipped), /expected/, `bit ${bit}`)
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decode(bytes.subarray(0, length)), /expected/)
  }
})

test.run()
