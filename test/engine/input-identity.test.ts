import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { appIdOf, digestHead, HEAD_BYTE_LENGTH, isContent, KnownInputs } from '#src/engine/input-identity.js'

const test = suite('identity of inputs')

function contentOf(text: string): { sha256: string; byteLength: number } {
  return { sha256: createHash('sha256').update(text).digest('hex'), byteLength: Buffer.byteLength(text) }
}

function headsOf(text: string): ReturnType<typeof digestHead> {
  return digestHead(Buffer.from(text).subarray(0, HEAD_BYTE_LENGTH))
}

/** The lengths of what an input may begin with. */
function candidateLengths(known: KnownInputs, text: string): number[] {
  return known.candidates(headsOf(text)).map(({ byteLength }) => byteLength)
}

const line = (i: number): string => `2024-05-17\t00:00:${i}\t10.0.0.${i}\tcurl\t/a/${i}\t206\t0-${i}\n`
const log = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => line(from + i)).join('')

test('a log that grew is a candidate at every length, another log at none', () => {
  for (const count of [1, 2, 9, 40, 41, 80, 900, 5000]) {
    const text = log(count)
    const known = new KnownInputs(new Map([[appIdOf(contentOf(text), headsOf(text)), text.length]]))
    assert.equal(candidateLengths(known, text + log(3, 7000)), [text.length], `${count} lines`)
    assert.equal(candidateLengths(known, text), [text.length])
    assert.equal(candidateLengths(known, log(count, 1)), [], `others, ${count} lines`)
  }
})

test('content of an earlier version is known, whatever its head was taken of', () => {
  for (const count of [3, 1000]) {
    const text = log(count)
    const { sha256, byteLength } = contentOf(text)
    const [, , , head = ''] = appIdOf({ sha256, byteLength }, headsOf(text)).split(':')
    const appId = `byteledger:1:${sha256}:${byteLength > 1024 ? '0123456789abcdef' : head}`
    assert.ok(isContent(appId, sha256))
    const known = new KnownInputs(new Map([[appId, byteLength]]))
    assert.is(known.isEmpty, false)
    assert.equal(candidateLengths(known, text), [byteLength])
  }
})

test('behind a long header the first line tells logs apart', () => {
  const header = `#${'x'.repeat(9000)}\n#Fields: ${'y '.repeat(3000)}\n`
  const ends = (text: string): string => JSON.stringify(headsOf(text).lineEnds)
  assert.is.not(ends(header + log(3)), ends(header + log(3, 1)))
  assert.is(headsOf(header + log(3)).lineEnds.at(-1)?.byteLength, header.length + line(0).length)
  // Without one within reach, the header is all that there is.
  assert.is(headsOf(`#${'x'.repeat(70_000)}\n`).lineEnds.length, 0)
})

test.run()
