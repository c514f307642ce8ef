import { Decompress } from 'fzstd'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { StreamedXxhash64 } from '#src/engine/streamed-xxhash64.js'
import { inflateZstd, isZstd, type ZstdOptions } from '#src/engine/zstd-stream.js'
import { xxhash64 } from '#src/parquet/xxhash64.js'
import { contentOf, readZstdFixture, ZSTD_FIXTURES } from '../../fixtures/zstd-fixtures.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('zstd streams')
const skippable = (content: string): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(0x184d_2a53, 0)
  header.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, Buffer.from(content)])
}

function* cut(bytes: Uint8Array, byteLength: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += byteLength) yield bytes.subarray(at, at + byteLength)
}

async function inflated(
  archive: Uint8Array,
  partByteLength = 1000,
  options: ZstdOptions = {},
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const bytes of inflateZstd('x.log', cut(archive, partByteLength), options)) parts.push(bytes)
  return Buffer.concat(parts)
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('expected a failure')
}

function inflatedByFzstd(archive: Uint8Array): Buffer {
  const parts: Uint8Array[] = []
  new Decompress((part) => parts.push(part)).push(archive, true)
  return Buffer.concat(parts)
}

test('what the reference program compresses comes out again, however it arrives', async () => {
  for (const fixture of ZSTD_FIXTURES) {
    if (fixture.name === 'too-wide-window') continue
    const archive = readZstdFixture(fixture.name)
    assert.ok(isZstd(archive))
    for (const partByteLength of [1, 7, 4096, archive.length]) {
      const content = await inflated(archive, partByteLength)
      assert.ok(content.equals(contentOf(fixture)), `${fixture.name} in parts of ${partByteLength}`)
    }
    assert.ok(inflatedByFzstd(archive).equals(contentOf(fixture)), fixture.name)
  }
})

test('frames follow each other, and skippable ones are passed over', async () => {
  const [fast, tiny, empty] = ['fast', 'tiny', 'empty'].map(readZstdFixture)
  assert.ok(fast && tiny && empty)
  const archive = Buffer.concat([
    skippable('first'),
    tiny,
    empty,
    skippable(''),
    fast,
    tiny,
    skippable('z'.repeat(5000)),
  ])
  assert.ok(isZstd(archive))
  const hello = Buffer.from('hello\n')
  const fixture = ZSTD_FIXTURES.find(({ name }) => name === 'fast')
  assert.ok(fixture)
  assert.ok((await inflated(archive)).equals(Buffer.concat([hello, contentOf(fixture), hello])))
  assert.is((await inflated(skippable('only'))).length, 0)
})

test('an archive that ends early fails at every length but those of whole frames', async () => {
  const tiny = readZstdFixture('tiny')
  const archive = Buffer.concat([tiny, skippable('abc'), readZstdFixture('small')])
  const whole = [0, tiny.length, tiny.length + 11, archive.length]
  for (let length = 0; length < archive.length; length++) {
    if (whole.includes(length)) {
      await inflated(archive.subarray(0, length))
      continue
    }
    const failure = await failureOf(inflated(archive.subarray(0, length)))
    assert.is(failure.code, 'DAMAGED', String(length))
    assert.match(
      failure.message,
      new RegExp(`^x\\.log \\(zstd\\): .* its end after ${length} bytes .* cut off`),
    )
  }
})

test('bytes behind the last frame are no silence', async () => {
  for (const tail of ['x', 'garbage', '\0\0\0\0', '(\xb5/']) {
    const archive = Buffer.concat([readZstdFixture('tiny'), Buffer.from(tail, 'latin1')])
    assert.is((await failureOf(inflated(archive))).code, 'DAMAGED', JSON.stringify(tail))
  }
})

test('a damaged archive never gives other content: with a checksum every change is found', async () => {
  const random = seededRandom(4)
  let found = 0
  for (const name of ['fast', 'best', 'small', 'one-byte-many-times', 'wide-window']) {
    const fixture = ZSTD_FIXTURES.find((one) => one.name === name)
    assert.ok(fixture)
    const content = contentOf(fixture)
    for (let i = 0; i < 150; i++) {
      const archive = Buffer.from(readZstdFixture(name))
      // The beginning holds headers and tables, the rest codes.
      const at = random(i % 2 === 0 ? Math.min(200, archive.length) : archive.length)
      archive[at] = (archive[at] ?? 0) ^ (1 << random(8))
      let outcome: Buffer
      try {
        outcome = await inflated(archive, 65_536)
      } catch (error) {
        assert.instance(error, Failure, `${name}, byte ${at}: ${error}`)
        found++
        continue
      }
      // A larger window or an unused bit changes nothing; that is all that may go unnoticed.
      assert.ok(outcome.equals(content), `${name}, byte ${at}`)
    }
  }
  assert.ok(found > 700, `only ${found} of 750`)
})

test('random bytes behind a frame header end soon, with a failure or some content', async () => {
  const random = seededRandom(9)
  let failed = 0
  for (let i = 0; i < 2000; i++) {
    const body = Uint8Array.from({ length: 40 + random(400) }, () => random(256))
    const block = ((body.length << 3) | 4 | 1) >>> 0
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, block & 255, (block >>> 8) & 255, block >>> 16]
    // Half of them claim a Huffman tree with coded weights, where a careless decoder never ends.
    if (i % 2 === 0) body.set([0x02 | (3 << 4), 0x10 | (i & 0xc0), 0x05, 20 + random(60)])
    await inflated(Buffer.concat([Uint8Array.from(header), body])).catch((error: unknown) => {
      assert.instance(error, Failure)
      failed++
    })
  }
  assert.ok(failed > 1900, `only ${failed} of 2000`)
})

test('sizes and checksums that frames state are checked', async () => {
  const content = Buffer.from('0123456789')
  const frame = (stated: number, checksum?: number): Buffer => {
    const block = (content.length << 3) | 1
    const tail = Buffer.alloc(checksum === undefined ? 0 : 4)
    if (checksum !== undefined) tail.writeUInt32LE(checksum)
    const descriptor = 0x20 | (checksum === undefined ? 0 : 4)
    const header = [0x28, 0xb5, 0x2f, 0xfd, descriptor, stated, block & 255, block >>> 8, 0]
    return Buffer.concat([Uint8Array.from(header), content, tail])
  }
  const { low } = xxhash64(content)
  assert.ok((await inflated(frame(10))).equals(content))
  assert.ok((await inflated(frame(10, low))).equals(content))
  assert.match(
    (await failureOf(inflated(frame(10, (low ^ 1) >>> 0)))).message,
    /content of the checksum that the frame/,
  )
  assert.match((await failureOf(inflated(frame(9)))).message, /a frame of 9 bytes, as it says, found more/)
  assert.match((await failureOf(inflated(frame(11)))).message, /a frame of 11 bytes, as it says, found 10/)
})

test('a window beyond 128 MiB, a dictionary and a bomb are refused, with what to do', async () => {
  const wide = await failureOf(inflated(readZstdFixture('too-wide-window')))
  assert.match(
    wide.message,
    /a window of at most 128 MiB, found 256 MiB; decompress it with zstd -dc --long=31/,
  )
  const dictionary = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0])
  assert.match(
    (await failureOf(inflated(dictionary))).message,
    /without a dictionary, found one; .*-D DICTIONARY/,
  )
  const bomb = readZstdFixture('one-byte-many-times')
  const failure = await failureOf(inflated(bomb, 1000, { maxInflatedByteLength: 500_000 }))
  assert.match(failure.message, /^x\.log: expected at most 500000 inflated bytes, found more/)
  assert.is((await inflated(bomb, 1000, { maxInflatedByteLength: 700_000 })).length, 700_000)
})

test('the streamed XXH64 is that of the whole, for every cut', () => {
  const random = seededRandom(1)
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from({ length: random(i < 200 ? 100 : 5000) }, () => random(256))
    const hash = new StreamedXxhash64()
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random(90)
      hash.update(bytes.subarray(at, at + length))
      at += length
    }
    const { low, high } = xxhash64(bytes)
    assert.is(hash.digest(), (BigInt(high) << 32n) | BigInt(low))
  }
})

test.run()
