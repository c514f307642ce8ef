import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { encodeColumnIndex, encodeOffsetIndex, encodePositionColumnIndex } from '#src/parquet/page-index.js'
import { decodeColumnIndex, decodeOffsetIndex, PositionBounds } from '#src/parquet/page-index-reader.js'
import { EXTENSION_BYTE_LENGTH, endWithChecksum } from '#src/parquet/thrift-compact.js'
import { hexOf, plain, thriftDecode, thriftEncode } from '../support/thrift-oracle.ts'

const test = suite('page index')

/** Puts the right checksum behind bytes that were tampered with: an attacker can compute it too. */
function seal(content: Uint8Array): Uint8Array {
  const w = new ByteWriter()
  w.append(content)
  endWithChecksum(w, new Uint8Array(0))
  return w.copy()
}

function contentOf(sealed: Uint8Array): Uint8Array {
  return sealed.slice(0, sealed.length - EXTENSION_BYTE_LENGTH)
}

const BASES = [4, 2 ** 20, 2 ** 29 + 1, 2 ** 30, 2 ** 31, 2 ** 35 + 7, 2 ** 45 + 3, 2 ** 52 - 2 ** 40]

test('thrift reads our offset index: every location, at every magnitude of offsets and rows', () => {
  for (const byteOffset of BASES) {
    const byteLengths = Uint32Array.from([1, 63, 64, 70, 2 ** 31 - 1, 300])
    const firstRows = Float64Array.from([0, 1, 2 ** 20, 2 ** 31, 2 ** 40 + 5, 2 ** 52 - 1])
    const bytes = encodeOffsetIndex({ byteLengths, firstRows, byteOffset })
    const struct = thriftDecode(bytes)
    let next = byteOffset
    const expected = [...byteLengths].map((byteLength, i) => {
      next += byteLength
      return { 1: next - byteLength, 2: byteLength, 3: firstRows[i] }
    })
    assert.equal(plain(struct)[1], expected)
    assert.is(hexOf(thriftEncode(struct)), hexOf(bytes), 'the very bytes that thrift writes')
    const chunk = { where: 'test', rowCount: 2 ** 52, start: byteOffset, end: next }
    const decoded = decodeOffsetIndex(bytes, chunk)
    assert.is(decoded.pageCount, 6)
    assert.equal(
      [...decoded.byteOffsets],
      expected.map((page) => page[1]),
    )
    assert.equal([...decoded.byteLengths], [...byteLengths])
    assert.equal([...decoded.firstRows], [...firstRows, 2 ** 52])
  }
})

test('thrift reads our column index of positions, no page being one of nulls', () => {
  for (const pageCount of [1, 14, 15, 16, 300]) {
    const minima = Float64Array.from({ length: pageCount }, (_, i) => i * 2 ** 33 + i)
    const maxima = minima.map((min, i) => min + i + 2 ** 31)
    const bytes = encodePositionColumnIndex({ minima, maxima, boundaryOrder: 'ASCENDING' })
    const struct = thriftDecode(bytes)
    const fields = plain(struct)
    const binary = (value: number) => {
      const buffer = Buffer.alloc(8)
      buffer.writeBigInt64LE(BigInt(value))
      return buffer.toString('latin1')
    }
    assert.equal(fields[2], Array.from(minima, binary))
    assert.equal(fields[3], Array.from(maxima, binary))
    assert.is(fields[4], 1)
    assert.is(fields[5], undefined, 'null counts are left out')
    assert.is(hexOf(thriftEncode(struct)), hexOf(bytes), 'the very bytes that thrift writes')
    const bounds = new PositionBounds(bytes, pageCount, 'test')
    assert.equal(
      Float64Array.from(minima, (_, page) => bounds.minOf(page)),
      minima,
    )
    assert.equal(
      Float64Array.from(maxima, (_, page) => bounds.maxOf(page)),
      maxima,
    )
    // The general encoder says the same.
    const valueIndex = decodeColumnIndex(bytes, pageCount, 'test')
    assert.is(hexOf(encodeColumnIndex(valueIndex)), hexOf(bytes))
  }
})

test('a list of bool has the element type 1 and a byte of 2 for each false, as parquet-java writes it', () => {
  const bytes = encodePositionColumnIndex({
    minima: Float64Array.of(1, 2),
    maxima: Float64Array.of(1, 2),
    boundaryOrder: 'UNORDERED',
  })
  assert.equal([...bytes.subarray(0, 4)], [0x19, 0x21, 2, 2])
})

test('values of any length pass through the column index of byte strings', () => {
  const values = ['', 'a', 'b'.repeat(127), 'c'.repeat(128), 'd'.repeat(20_000)].map((text) =>
    Buffer.from(text),
  )
  const bytes = encodeColumnIndex({ minValues: values, maxValues: values, boundaryOrder: 'UNORDERED' })
  const decoded = decodeColumnIndex(bytes, values.length, 'test')
  assert.equal(decoded.minValues.map(hexOf), values.map(hexOf))
  assert.is(hexOf(thriftEncode(thriftDecode(bytes))), hexOf(bytes))
})

test('an index whose pages do not fill its chunk exactly and in order is refused', () => {
  const pages = {
    byteLengths: Uint32Array.of(50, 60),
    firstRows: Float64Array.of(0, 10),
    byteOffset: 100,
  }
  const chunk = { where: 'test', rowCount: 20, start: 100, end: 210 }
  assert.is(decodeOffsetIndex(encodeOffsetIndex(pages), chunk).pageCount, 2)
  const table: Record<string, [Partial<typeof pages>, Partial<typeof chunk>]> = {
    'too short a chunk': [{}, { end: 209 }],
    'too long a chunk': [{}, { end: 211 }],
    'another place': [{}, { start: 101 }],
    'a row behind the last': [{}, { rowCount: 10 }],
    'rows not from 0': [{ firstRows: Float64Array.of(1, 10) }, {}],
    'rows that stand still': [{ firstRows: Float64Array.of(0, 0) }, {}],
    'an empty page': [{ byteLengths: Uint32Array.of(110, 0) }, {}],
    'no page': [{ byteLengths: Uint32Array.of(), firstRows: Float64Array.of() }, { end: 100 }],
  }
  for (const [name, [otherPages, otherChunk]] of Object.entries(table)) {
    const bytes = encodeOffsetIndex({ ...pages, ...otherPages })
    assert.throws(() => decodeOffsetIndex(bytes, { ...chunk, ...otherChunk }), /expected/, name)
  }
})

test('list sizes beyond the bytes, negative sizes and nulls are refused even under a right checksum', () => {
  const hugeList = Uint8Array.of(0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07)
  const negative = Uint8Array.of(0x19, 0x1c, 0x16, 8, 0x15, 3, 0x16, 0)
  for (const content of [hugeList, negative]) {
    const chunk = { where: 'test', rowCount: 1, start: 4, end: 10 }
    assert.throws(() => decodeOffsetIndex(seal(content), chunk), /expected/)
  }
  const good = contentOf(
    encodePositionColumnIndex({
      minima: Float64Array.of(5),
      maxima: Float64Array.of(9),
      boundaryOrder: 'ASCENDING',
    }),
  )
  const boundsOf = (bytes: Uint8Array, pageCount = 1) => {
    const bounds = new PositionBounds(bytes, pageCount, 'test')
    return [bounds.minOf(0), bounds.maxOf(0)]
  }
  assert.equal(boundsOf(seal(good)), [5, 9])
  const changed = (at: number, byte: number) => {
    const content = Uint8Array.from(good)
    content[at] = byte
    return seal(content)
  }
  assert.throws(() => boundsOf(changed(2, 1)), /a page of nulls/)
  assert.throws(() => boundsOf(changed(5, 7)), /of 8 bytes/)
  assert.throws(() => boundsOf(changed(13, 0x70)), /2\^53/)
  assert.throws(() => boundsOf(changed(13, 0xff)), /2\^53/)
  assert.throws(() => boundsOf(seal(good), 2), /2 entries/)
  assert.throws(() => boundsOf(seal(hugeList)), /a list within|a list of type/)
  assert.throws(() => boundsOf(seal(good.subarray(0, 20))), /expected/)
})

test('no flipped bit and no truncation passes for an index', () => {
  const offsets = encodeOffsetIndex({
    byteLengths: Uint32Array.of(50, 60),
    firstRows: Float64Array.of(0, 10),
    byteOffset: 100,
  })
  const values = encodePositionColumnIndex({
    minima: Float64Array.of(5, 6),
    maxima: Float64Array.of(9, 2 ** 40),
    boundaryOrder: 'ASCENDING',
  })
  const chunk = { where: 'test', rowCount: 20, start: 100, end: 210 }
  for (const [bytes, decode] of [
    [offsets, (damaged: Uint8Array) => decodeOffsetIndex(damaged, chunk)],
    [values, (damaged: Uint8Array) => new PositionBounds(damaged, 2, 'test')],
  ] as const) {
    decode(bytes)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => decode(flipped), /expected/, `bit ${bit}`)
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length)), /expected/)
    }
  }
})

test.run()
