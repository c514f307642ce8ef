import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader } from '#src/base/byte-reader.js'
import { ByteWriter } from '#src/base/byte-writer.js'
import { readPageHeader, writeDataPageHeader, writeDictionaryPageHeader } from '#src/parquet/page-header.js'
import { hexOf, plain, structOf, thrift, thriftDecode, thriftEncode } from '../support/thrift-oracle.ts'

const test = suite('page header')

const EDGES = [0, 1, 63, 64, 8191, 8192, 2 ** 20, 2 ** 27, 2 ** 30, 2 ** 31 - 1]
const CRCS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xdead_beef]

function read(bytes: Uint8Array) {
  return readPageHeader(new ByteReader(bytes, 'test'))
}

test('thrift reads the data page header that we write, field by field', () => {
  for (const size of EDGES) {
    for (const crc of CRCS) {
      const w = new ByteWriter()
      const header = {
        uncompressedByteLength: size,
        compressedByteLength: 2 ** 31 - 1 - size,
        crc,
        valueCount: size,
        encoding: 'DELTA_BINARY_PACKED' as const,
      }
      writeDataPageHeader(w, header)
      const struct = thriftDecode(w.view())
      assert.equal(plain(struct), {
        1: 0,
        2: size,
        3: 2 ** 31 - 1 - size,
        4: crc | 0,
        5: { 1: size, 2: 5, 3: 3, 4: 3 },
      })
      assert.is(hexOf(thriftEncode(struct)), hexOf(w.view()), 'the very bytes that thrift writes')
      assert.equal(read(w.view()), { pageType: 'DATA_PAGE', ...header })
    }
  }
})

test('thrift reads the dictionary page header that we write, field by field', () => {
  const w = new ByteWriter()
  const header = { uncompressedByteLength: 700, compressedByteLength: 300, crc: 0x9000_0001, valueCount: 17 }
  writeDictionaryPageHeader(w, header)
  const struct = thriftDecode(w.view())
  assert.equal(plain(struct), { 1: 2, 2: 700, 3: 300, 4: 0x9000_0001 | 0, 7: { 1: 17, 2: 0 } })
  assert.is(hexOf(thriftEncode(struct)), hexOf(w.view()))
  assert.equal(read(w.view()), { pageType: 'DICTIONARY_PAGE', ...header, encoding: 'PLAIN' })
})

test('a header by thrift is read, fields that we never write skipped', () => {
  const statistics = thrift.struct({ 1: thrift.text('z'), 3: thrift.i64(2 ** 50), 7: thrift.bool(true) })
  const page = thrift.struct({
    1: thrift.i32(5),
    2: thrift.i32(8),
    3: thrift.i32(3),
    4: thrift.i32(3),
    5: statistics,
    9: thrift.list(12, [statistics, statistics]),
  })
  const header = structOf({
    1: thrift.i32(0),
    2: thrift.i32(9),
    3: thrift.i32(8),
    4: thrift.i32(-1),
    5: page,
    40: thrift.list(2, [thrift.bool(true), thrift.bool(false)]),
  })
  assert.equal(read(thriftEncode(header)), {
    pageType: 'DATA_PAGE',
    uncompressedByteLength: 9,
    compressedByteLength: 8,
    crc: 0xffff_ffff,
    valueCount: 5,
    encoding: 'RLE_DICTIONARY',
  })
})

test('a header that lacks a part or claims an impossible size is refused', () => {
  const page = thrift.struct({ 1: thrift.i32(5), 2: thrift.i32(8), 3: thrift.i32(3), 4: thrift.i32(3) })
  const whole = { 1: thrift.i32(0), 2: thrift.i32(9), 3: thrift.i32(8), 4: thrift.i32(1), 5: page }
  const table: Record<string, Parameters<typeof structOf>[0]> = {
    'no sizes': { 1: whole[1], 4: whole[4], 5: page },
    'no CRC': { 1: whole[1], 2: whole[2], 3: whole[3], 5: page },
    'a negative size': { ...whole, 3: thrift.i32(-8) },
    'a page of version 2': { ...whole, 1: thrift.i32(3) },
    'an unknown encoding': { ...whole, 5: thrift.struct({ 1: thrift.i32(5), 2: thrift.i32(7) }) },
    'a negative count': { ...whole, 5: thrift.struct({ 1: thrift.i32(-5), 2: thrift.i32(8) }) },
    'the wrong structure for its type': { 1: thrift.i32(2), 2: whole[2], 3: whole[3], 4: whole[4], 5: page },
  }
  assert.equal(read(thriftEncode(structOf(whole))).valueCount, 5)
  for (const [name, fields] of Object.entries(table)) {
    assert.throws(() => read(thriftEncode(structOf(fields))), /expected/, name)
  }
})

test('a truncated header fails, at every length', () => {
  const w = new ByteWriter()
  writeDictionaryPageHeader(w, {
    uncompressedByteLength: 70000,
    compressedByteLength: 300,
    crc: 0x9000_0001,
    valueCount: 1700,
  })
  for (let length = 0; length < w.length; length++) {
    assert.throws(() => read(w.view().subarray(0, length)), /expected/)
  }
})

test.run()
