import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { appendOneMatchFrame, oneMatchLiteralsOffset, ZstdFrameEncoder } from '#src/parquet/zstd-frame.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { inflateZstd } from '../support/foreign-zstd.ts'

const frames = suite('zstd frames')

/** The encoder's steps, done to plain bytes as well. */
class Twin {
  readonly encoder = new ZstdFrameEncoder()
  readonly plain: number[] = []

  literals(bytes: readonly number[]): void {
    this.encoder.keepTogether(bytes.length)
    this.encoder.literals.set(bytes, this.encoder.literalLength)
    this.encoder.addLiterals(bytes.length)
    this.plain.push(...bytes)
  }

  repeat(offset: number, byteLength: number): void {
    this.encoder.repeat(offset, byteLength)
    for (let i = 0; i < byteLength; i++) this.plain.push(this.plain[this.plain.length - offset] ?? -1)
  }

  check(label: string): void {
    const out = new ByteWriter()
    const { contentByteLength } = this.encoder
    this.encoder.end(out)
    assert.is(contentByteLength, this.plain.length, label)
    assert.ok(Buffer.from(inflateZstd(out.view(), contentByteLength)).equals(Buffer.from(this.plain)), label)
  }
}

frames('an empty frame inflates to nothing', () => {
  const twin = new Twin()
  twin.encoder.begin()
  twin.check('empty')
})

frames('every length of literals and of matches survives, at each step of the code tables', () => {
  const lengths = [
    3, 4, 5, 34, 35, 36, 37, 42, 43, 66, 67, 82, 98, 99, 130, 131, 258, 259, 514, 4098, 32_771, 65_539,
  ]
  for (const literalLength of [
    1, 2, 15, 16, 17, 18, 24, 31, 32, 47, 48, 63, 64, 127, 128, 255, 256, 4095, 4096, 65_536,
  ]) {
    const twin = new Twin()
    twin.encoder.begin()
    for (const length of lengths.slice(0, 8 + (literalLength % 15))) {
      twin.literals(Array.from({ length: literalLength }, (_, i) => (i * 7 + length) & 255))
      twin.repeat(1 + (literalLength % 8) * (literalLength >= 8 ? 1 : 0), length)
    }
    twin.check(`${literalLength} literals`)
  }
})

frames('a repeat over many blocks and one that goes on after a repeat are one run of bytes', () => {
  const twin = new Twin()
  twin.encoder.begin()
  twin.literals([1, 2, 3, 4, 5])
  twin.repeat(5, 400_003)
  assert.ok(twin.encoder.canExtend(5))
  twin.repeat(5, 1)
  twin.repeat(5, 2)
  twin.check('long')
})

frames('frames that hardly compress stay within the format (no block longer than its window)', () => {
  const twin = new Twin()
  twin.encoder.begin()
  twin.literals(Array.from({ length: 300 }, (_, i) => (i * 31) & 255))
  twin.repeat(1, 3)
  twin.check('incompressible')
})

frames('random steps inflate to the same bytes', () => {
  const seed = 20_200_731
  const random = createSeededRandom(seed)
  for (let round = 0; round < 150; round++) {
    const twin = new Twin()
    twin.encoder.begin()
    for (let step = random.below(60); step >= 0; step--) {
      twin.literals(Array.from({ length: random.between(1, 40) }, () => random.below(256)))
      const offset = random.pick([1, 1, 2, 3, 5, 5, 8])
      if (twin.plain.length >= offset && random.below(4) > 0) {
        twin.repeat(offset, random.between(3, random.pick([10, 300, 30_000])))
      }
    }
    twin.check(`seed ${seed}, round ${round}`)
  }
})

frames('a frame of one match inflates to its literals and the repetition of their end', () => {
  for (const literalLength of [12, 13, 15, 16, 17, 18, 19, 24, 31]) {
    for (const matchLength of [32, 66, 67, 131, 259, 300, 4000, 40_955, 65_538, 65_539, 100_000]) {
      const literals = Uint8Array.from({ length: literalLength }, (_, i) => i + 1)
      const out = new ByteWriter()
      appendOneMatchFrame(out, literals, literalLength, 5, matchLength)
      const inflated = inflateZstd(out.view(), literalLength + matchLength)
      const expected = Uint8Array.from({ length: literalLength + matchLength }, (_, i) =>
        i < literalLength ? i + 1 : literalLength - 4 + ((i - literalLength) % 5),
      )
      assert.ok(Buffer.from(inflated).equals(Buffer.from(expected)), `${literalLength}+${matchLength}`)
      const at = oneMatchLiteralsOffset(literalLength + matchLength)
      assert.equal(out.view().slice(at, at + literalLength), literals)
    }
  }
})

frames.run()
