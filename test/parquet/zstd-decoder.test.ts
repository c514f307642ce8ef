import { decompress } from 'fzstd'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { expandBytes } from '#src/parquet/periodic-bytes.js'
import { decodeZstd } from '#src/parquet/zstd-decoder.js'
import { appendOneMatchFrame, ZstdFrameEncoder } from '#src/parquet/zstd-frame.js'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('zstd decoder')

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
const LAST = 1
const RAW = 0
const RLE = 2
const COMPRESSED = 4

function block(kind: number, size: number, body: readonly number[]): number[] {
  const header = (size << 3) | kind
  return [header & 255, (header >>> 8) & 255, header >>> 16, ...body]
}

function compressed(body: readonly number[], last = LAST): number[] {
  return block(COMPRESSED | last, body.length, body)
}

/** A frame of one segment whose content has so many bytes, less than 256. */
function frame(byteLength: number, ...blocks: readonly number[][]): Uint8Array {
  return Uint8Array.from([...MAGIC, 0x20, byteLength, ...blocks.flat()])
}

function decode(bytes: Uint8Array, byteLength: number): string {
  return Buffer.from(expandBytes(decodeZstd(bytes, { where: 'test', byteLength }))).toString('latin1')
}

const AB = [0x61, 0x62]
/** Literals `ab`, then one match of 10 bytes from 2 back; all codes in RLE mode. */
const ONE_MATCH = [2 << 3, ...AB, 1, 0x54, 2, 2, 7, 0b101]

test('frames written by hand: raw and RLE blocks, raw and RLE literals, a match in RLE mode', () => {
  assert.is(decode(frame(0, block(RAW | LAST, 0, [])), 0), '')
  assert.is(decode(frame(2, block(RAW | LAST, 2, AB)), 2), 'ab')
  assert.is(decode(frame(7, block(RAW, 2, AB), block(RLE | LAST, 5, [0x63])), 7), 'abccccc')
  assert.is(decode(frame(2, compressed([2 << 3, ...AB, 0])), 2), 'ab')
  assert.is(decode(frame(9, compressed([(9 << 3) | 1, 0x61, 0])), 9), 'a'.repeat(9))
  assert.is(decode(frame(12, compressed(ONE_MATCH)), 12), 'ab'.repeat(6))
  // Literals of 12-bit and of 20-bit length.
  assert.is(decode(frame(2, compressed([(2 << 4) | 4, 0, ...AB, 0])), 2), 'ab')
  assert.is(decode(frame(2, compressed([(2 << 4) | 12, 0, 0, ...AB, 0])), 2), 'ab')
  // Sizes of content in two and four bytes, and a frame with a window.
  const raw = block(RAW, 2, AB)
  const rest = (count: number) => block(RLE | LAST, count - 2, [0x62])
  const header = (...bytes: number[]) => Uint8Array.from([...MAGIC, ...bytes, ...raw, ...rest(256)])
  assert.is(decode(header(0x60, 0, 0), 256).length, 256)
  assert.is(decode(header(0xa0, 0, 1, 0, 0), 256).length, 256)
  assert.is(decode(header(0x80, 0x38, 0, 1, 0, 0), 256).length, 256)
})

test('a match to the end of the content is told as a period and not written out', () => {
  const content = decodeZstd(frame(12, compressed(ONE_MATCH)), { where: 'test', byteLength: 12 })
  assert.equal({ ...content, prefix: [...content.prefix] }, { prefix: AB, period: 2, byteLength: 12 })
})

test('repeat offsets are those of the specification', () => {
  // RFC 8878, 3.1.1.5. All sequences: 8 literals and 3 bytes; the offset values 3, 2, 3, 2 mean the offsets
  // 8, 1, 4, 1, for the last three were 1, 4, 8 and then 8, 1, 4; 1, 8, 4; 4, 1, 8.
  const literals = Buffer.from('abcdefghijklmnopqrstuvwxyz012345')
  const afterLiterals = frame(44, compressed([4, 2, ...literals, 4, 0x54, 8, 1, 0, 0b11010]))
  assert.is(decode(afterLiterals, 44), 'abcdefghabc' + 'ijklmnopppp' + 'qrstuvwxuvw' + 'yz012345555')
  // Without literals the values 2, 3, 2 mean the third offset, the first less one and the third: 8, 7, 1;
  // then the value 1 means the second: 7.
  const start = Buffer.from('abcdefghij')
  const withoutLiterals = frame(
    22,
    block(RAW, 10, [...start]),
    compressed([0, 3, 0x54, 0, 1, 0, 0b1010], 0),
    compressed([0, 1, 0x54, 0, 0, 0, 1]),
  )
  assert.is(decode(withoutLiterals, 22), 'abcdefghij' + 'cde' + 'ghi' + 'iii' + 'egh')
  for (const bytes of [afterLiterals, withoutLiterals]) {
    assert.is(decode(bytes, bytes[5] ?? 0), Buffer.from(decompress(bytes)).toString('latin1'))
  }
})

/** Frames of random literals and matches, in several blocks where they are long. */
function* randomFrames(seed: number, rounds: number): Generator<Uint8Array> {
  const random = seededRandom(seed)
  const w = new ZstdFrameEncoder()
  for (let round = 0; round < rounds; round++) {
    w.begin()
    const steps = 1 + random(60)
    for (let step = 0; step < steps; step++) {
      const literalLength = 1 + random(step === 0 ? 40 : round % 4 === 0 ? 200 : 5)
      w.keepTogether(literalLength)
      for (let i = 0; i < literalLength; i++) w.literals[w.literalLength + i] = random(256)
      w.addLiterals(literalLength)
      if (random(4) > 0) w.repeat(1 + random(literalLength), 3 + random(round % 5 === 0 ? 20_000 : 200))
    }
    const out = new ByteWriter()
    w.end(out)
    yield out.copy()
  }
}

test('another decoder reads the same out of every frame that our encoder makes', () => {
  for (const bytes of randomFrames(3, 200)) {
    const expected = decompress(bytes)
    const found = decodeZstd(bytes, { where: 'test', byteLength: expected.length })
    assert.is(Buffer.compare(expandBytes(found), expected), 0)
  }
  for (const matchLength of [32, 64, 1000, 40_960, 131_000]) {
    const out = new ByteWriter()
    appendOneMatchFrame(out, Uint8Array.of(9, 1, 2, 3, 4, 5), 6, 5, matchLength)
    const content = decodeZstd(out.copy(), { where: 'test', byteLength: 6 + matchLength })
    assert.is(content.prefix.length, 6)
    assert.is(Buffer.compare(expandBytes(content), decompress(out.copy())), 0)
  }
})

test('a frame of another kind, or one that reaches outside itself or its content, is refused', () => {
  const changed = (at: number, byte: number) => compressed(ONE_MATCH.map((old, i) => (i === at ? byte : old)))
  const table: Record<string, [Uint8Array, number]> = {
    'nothing at all': [Uint8Array.of(), 0],
    'another magic': [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfc, 0x20, 0, 1, 0, 0), 0],
    'a checksum': [Uint8Array.from([...MAGIC, 0x24, 0, 1, 0, 0, 1, 2, 3, 4]), 0],
    'a dictionary': [Uint8Array.from([...MAGIC, 0x21, 7, 0, 1, 0, 0]), 0],
    'no size': [Uint8Array.from([...MAGIC, 0x00, 0x38, 1, 0, 0]), 0],
    'a size of 64 bits': [Uint8Array.from([...MAGIC, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]), 0],
    'another size than the page says': [frame(2, block(RAW | LAST, 2, AB)), 3],
    'the reserved block type': [frame(2, block(6 | LAST, 2, AB)), 2],
    'a block past the end': [frame(9, block(RAW | LAST, 9, AB)), 9],
    'less than the content': [frame(3, block(RAW | LAST, 2, AB)), 3],
    'more than the content': [frame(1, block(RAW | LAST, 2, AB)), 1],
    'more than the content, by RLE': [frame(4, block(RLE | LAST, 5, AB)), 4],
    'bytes behind the last block': [frame(2, block(RAW | LAST, 2, AB), [0]), 2],
    'no last block': [frame(2, block(RAW, 2, AB)), 2],
    'Huffman literals': [frame(2, compressed([(2 << 3) | 2, ...AB, 0])), 2],
    'literals of the block before': [frame(2, compressed([(2 << 3) | 3, ...AB, 0])), 2],
    'literals past the block': [frame(2, compressed([9 << 3, ...AB, 0])), 2],
    'bytes behind no sequences': [frame(2, compressed([2 << 3, ...AB, 0, 0])), 2],
    'tables of its own': [frame(12, changed(4, 0x58)), 12],
    'tables of the block before': [frame(12, changed(4, 0x5c)), 12],
    'reserved modes': [frame(12, changed(4, 0x55)), 12],
    'a literal code beyond the last': [frame(12, changed(5, 36)), 12],
    'an offset code beyond all pages': [frame(12, changed(6, 25)), 12],
    'a match code beyond the last': [frame(12, changed(7, 53)), 12],
    'more literals than there are': [frame(13, changed(5, 3)), 13],
    'a stream without its end mark': [frame(12, changed(8, 0)), 12],
    'bits that are left': [frame(12, changed(8, 0b1001)), 12],
    'bits that are missing': [frame(12, changed(8, 0b11)), 12],
    'an offset before the content': [frame(12, changed(8, 0b110)), 12],
    'a match past the content': [frame(11, compressed(ONE_MATCH)), 11],
    'content behind a match to the end': [frame(12, compressed(ONE_MATCH, 0), block(RLE | LAST, 1, AB)), 12],
    'more sequences than bytes': [
      frame(12, compressed([2 << 3, ...AB, 255, 255, 255, 0x54, 2, 2, 7, 1])),
      12,
    ],
  }
  for (const [name, [bytes, byteLength]] of Object.entries(table)) {
    assert.throws(() => decode(bytes, byteLength), /test.*expected/, name)
  }
})

test('a bomb is refused by what the page says, before memory is taken', () => {
  const bytes = Uint8Array.from([...MAGIC, 0xa0, 0xff, 0xff, 0xff, 0xff, ...block(RLE | LAST, 131_072, [0])])
  assert.throws(() => decode(bytes, 1000), /a frame of 1000 bytes, found 4294967295/)
})

test('flipped bits and truncations end in an error or in as many bytes, never in more', () => {
  for (const bytes of [...randomFrames(5, 40)].filter(({ length }) => length < 300)) {
    const byteLength = decompress(bytes).length
    if (byteLength > 3000) continue
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        assert.is(expandBytes(decodeZstd(flipped, { where: 'test', byteLength })).length, byteLength)
      } catch (error) {
        assert.match(String(error), /test.*expected/)
      }
    }
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      assert.throws(() => decodeZstd(cut, { where: 'test', byteLength }), /test.*expected/)
    }
  }
})

test.run()
