import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '#src/base/byte-reader.js'
import { ByteWriter } from '#src/base/byte-writer.js'
import { crc32 } from '#src/parquet/crc32.js'
import { maxDeltaByteLength } from '#src/parquet/delta-reader.js'
import type { CompressionCodec } from '#src/parquet/metadata.js'
import { writeDataPageHeader } from '#src/parquet/page-header.js'
import { readPage } from '#src/parquet/page-reader.js'
import { expandBytes } from '#src/parquet/periodic-bytes.js'

const test = suite('page reader')

/** A page around `body`, its checksum right unless another is given. */
function page(body: readonly number[], uncompressedByteLength: number, crc?: number): Uint8Array {
  const bytes = Uint8Array.from(body)
  const w = new ByteWriter()
  writeDataPageHeader(w, {
    uncompressedByteLength,
    compressedByteLength: bytes.length,
    crc: crc ?? crc32(bytes, 0, bytes.length),
    valueCount: 5,
    encoding: 'DELTA_BINARY_PACKED',
  })
  w.append(bytes)
  return w.copy()
}

function read(bytes: Uint8Array, codec: CompressionCodec): string {
  const r: ByteReader = new ByteReader(bytes, 'test')
  const { content } = readPage(r, codec, ({ valueCount }) => maxDeltaByteLength(valueCount))
  assert.is(r.left, 0)
  return Buffer.from(expandBytes(content)).toString('latin1')
}

const AB = [0x61, 0x62]
const ZSTD_HEAD = [0x28, 0xb5, 0x2f, 0xfd]

test('a page of each codec is inflated', () => {
  assert.is(read(page(AB, 2), 'UNCOMPRESSED'), 'ab')
  assert.is(read(page([2, 4, ...AB], 2), 'SNAPPY'), 'ab')
  assert.is(read(page([...ZSTD_HEAD, 0x20, 2, 0x11, 0, 0, ...AB], 2), 'ZSTD'), 'ab')
})

test('a page is refused when its checksum, its sizes or its codec are not what they must be', () => {
  assert.throws(() => read(page(AB, 2, 7), 'UNCOMPRESSED'), /a page of CRC 7, found/)
  assert.throws(() => read(page(AB, 3), 'UNCOMPRESSED'), /expected 3 bytes, found 2/)
  assert.throws(() => read(page([2, 4, ...AB], 3), 'SNAPPY'), /a block of 3 bytes/)
  assert.throws(() => read(page([2, 4, ...AB], 2), 'GZIP'), /a codec that byteledger writes, found GZIP/)
  const bytes = page(AB, 2)
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => read(bytes.subarray(0, length), 'UNCOMPRESSED'), /test.*expected/)
  }
})

test('bombs under a right checksum are refused before memory is taken', () => {
  const before = process.memoryUsage().arrayBuffers
  const huge = 2 ** 31 - 1
  const snappy = [0xff, 0xff, 0xff, 0xff, 0x07, 0xfe, 1, 0]
  assert.throws(() => read(page(snappy, huge), 'SNAPPY'), /a page of at most \d+ bytes, found 2147483647/)
  assert.throws(() => read(page(snappy, 1000), 'SNAPPY'), /a block of 1000 bytes/)
  assert.throws(
    () => read(page([0xe8, 7, 0, 0x61], 1000), 'SNAPPY'),
    /a block of 1000 bytes, found 1000 in 4/,
  )
  const rle = [0x02, 0, 0x10, 0x61]
  const zstd = [...ZSTD_HEAD, 0xa0, 0xff, 0xff, 0xff, 0x7f, ...Array(20).fill(rle).flat()]
  assert.throws(() => read(page(zstd, huge), 'ZSTD'), /a page of at most/)
  assert.throws(() => read(page(zstd, 1000), 'ZSTD'), /a frame of 1000 bytes/)
  const inflated = [...ZSTD_HEAD, 0x60, 0xe8, 2, ...Array(20).fill(rle).flat()]
  assert.throws(() => read(page(inflated, 1000), 'ZSTD'), /content of 1000 bytes, found more/)
  assert.ok(process.memoryUsage().arrayBuffers - before < 10e6)
})

test.run()
