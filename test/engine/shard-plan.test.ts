import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { InputLines } from '#src/engine/input-format.js'
import type { LogInput } from '#src/engine/log-input.js'
import type { Shard } from '#src/engine/shard.js'
import { planShards } from '#src/engine/shard-plan.js'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('shard plan')
const LINES: InputLines = {
  layout: { fieldCount: 7, date: 0, time: 1, ip: 2, userAgent: 3, request: 4, status: 5, byteRange: 6 },
  header: undefined,
  decision: { path: '', format: 'delivery', isGuess: false, isGiven: true, sentFields: undefined },
  decodesUserAgents: false,
}
const LONG_LINE = 128 * 1024

/** What of a shard comes from one input: as text, without pieces in which no line begins. */
type Owned = readonly [inputIndex: number, start: number, text: string]

/** The lines whose first byte lies in `[start, end)`, of those that begin in the part at `partStart` or behind. */
function linesOf(
  text: string,
  start: number,
  end: number,
): { readonly start: number; readonly text: string } {
  const owned: string[] = []
  let first = text.length
  for (let at = 0; at < text.length; ) {
    const lineFeed = text.indexOf('\n', at)
    const next = lineFeed < 0 ? text.length : lineFeed + 1
    if (at >= start && at < end) {
      first = Math.min(first, at)
      owned.push(text.slice(at, next))
    }
    at = next
  }
  return { start: first, text: owned.join('') }
}

async function shardsOf(
  inputs: readonly LogInput[],
  starts: readonly number[],
  shardByteLength: number,
  spareMemory: ArrayBuffer[] = [],
): Promise<Shard[]> {
  const shards: Shard[] = []
  const plan = planShards(inputs, {
    shardByteLength,
    aheadCount: 2,
    spareMemory,
    choosePart: (input, index) =>
      Promise.resolve({ input, start: starts[index] ?? 0, linesBefore: 0, end: undefined }),
  })
  for await (const { pieces, text } of plan) {
    shards.push({ pieces, text: text.slice() })
    // Another shard may get the memory of one that is done, and must not change it.
    spareMemory.push(text.buffer)
  }
  return shards
}

function ownedBy({ pieces, text: shardText }: Shard, texts: readonly string[]): Owned[] {
  const owned: Owned[] = []
  for (const piece of pieces) {
    const { start, text } =
      piece.kind === 'file'
        ? linesOf(texts[piece.inputIndex] ?? '', piece.start, piece.end)
        : {
            start: piece.start,
            text: Buffer.from(shardText.subarray(piece.textStart, piece.textEnd)).toString('latin1'),
          }
    if (text !== '') owned.push([piece.inputIndex, start, text])
  }
  return owned
}

function plainInput(text: string, index: number): LogInput {
  return { kind: 'plain', path: `${index}`, byteLength: text.length, ...LINES }
}

function streamedInput(text: string, index: number, chunks: readonly string[] | undefined): LogInput {
  const bytes = Buffer.from(text, 'latin1')
  return {
    kind: 'streamed',
    path: `${index}`,
    byteLength: text.length,
    bytesTaken: () => 0,
    begin: () => undefined,
    abandon: () => undefined,
    open: () =>
      Promise.resolve({
        ...LINES,
        text: (chunks ?? [text]).map((chunk) => Buffer.from(chunk, 'latin1')),
        whole: chunks === undefined ? bytes : undefined,
        mayGrow: false,
      }),
  }
}

/** Lines of random lengths, at times without a last line feed. */
function randomText(random: (limit: number) => number): string {
  let text = ''
  for (let count = random(12); count > 0; count--)
    text += `${'x'.repeat(random(random(8) === 0 ? 90 : 12))}\n`
  return random(3) === 0 ? text.slice(0, -1) : text
}

function randomChunks(text: string, random: (limit: number) => number): string[] {
  const chunks: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + random(random(2) === 0 ? 4 : 60)
    chunks.push(text.slice(at, end))
    at = end
  }
  return chunks
}

test('text is cut into the shards that the same bytes in files are, however it comes', async () => {
  const random = seededRandom(41)
  for (let round = 0; round < 3000; round++) {
    const texts = Array.from({ length: 1 + random(4) }, () => randomText(random))
    const starts = texts.map((text) => (random(3) === 0 ? random(text.length + 1) : 0))
    const shardByteLength = 1 + random(random(2) === 0 ? 20 : 150)
    const plain = await shardsOf(texts.map(plainInput), starts, shardByteLength)
    const streams = texts.map((text, index) =>
      streamedInput(text, index, random(3) === 0 ? undefined : randomChunks(text, random)),
    )
    const streamed = await shardsOf(streams, starts, shardByteLength)
    const what = `${JSON.stringify(texts)} from ${starts} in shards of ${shardByteLength}`
    assert.equal(
      streamed.map((shard) => ownedBy(shard, texts)),
      plain.map((shard) => ownedBy(shard, texts)),
      what,
    )
  }
})

test('of a line that is too long no more goes on than shows that', async () => {
  for (const chunkByteLength of [10_000, 100_001]) {
    const line = 'y'.repeat(700_000)
    const text = `a\n${line}\nb\nc\n`
    const chunks: string[] = []
    for (let at = 0; at < text.length; at += chunkByteLength)
      chunks.push(text.slice(at, at + chunkByteLength))
    const shards = await shardsOf([streamedInput(text, 0, chunks)], [0], 100_000)
    const owned = shards.flatMap((shard) => ownedBy(shard, [text]))
    assert.equal(
      owned.map(([, start, { length }]) => [start, length]),
      [
        [0, 2 + LONG_LINE],
        [text.length - 4, 4],
      ],
      `chunks of ${chunkByteLength} bytes`,
    )
    assert.is(shards.length, 8)
  }
})

test('memory of shards that are done is used again', async () => {
  const texts = Array.from({ length: 50 }, (_, i) => `${i}`.repeat(2000))
  const spareMemory: ArrayBuffer[] = []
  await shardsOf(
    texts.map((text, index) => streamedInput(text, index, undefined)),
    texts.map(() => 0),
    10_000,
    spareMemory,
  )
  assert.is(spareMemory.length, 1)
})

test.run()
