import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InputsAhead } from '#src/engine/inputs-ahead.js'
import type { LogInput } from '#src/engine/log-input.js'
import { ReadAhead } from '#src/engine/read-ahead.js'

const test = suite('reading ahead')

/** Chunks of 10 bytes; tells how many were taken, and whether the source was let go of. */
function chunkSource(count: number, failure?: Error) {
  const seen = { taken: 0, isClosed: false }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; i < count; i++) {
        await setTimeout(0)
        seen.taken++
        yield new Uint8Array(10).fill(i)
      }
      if (failure !== undefined) throw failure
    } finally {
      seen.isClosed = true
    }
  }
  return { seen, chunks: chunks() }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 1000, 'waited in vain')
    await setTimeout(1)
  }
}

test('everything comes in order, and a failure behind all of it', async () => {
  const { chunks } = chunkSource(50, new Error('the disk is gone'))
  const got: number[] = []
  try {
    for await (const bytes of new ReadAhead(chunks, 35)) got.push(bytes[0] ?? -1)
    assert.unreachable('it fails')
  } catch (error) {
    assert.match(String(error), /the disk is gone/)
  }
  assert.equal(
    got,
    Array.from({ length: 50 }, (_, i) => i),
  )
})

test('it reads before it is asked, up to its limit, and goes on when something is taken', async () => {
  const { seen, chunks } = chunkSource(50)
  const ahead = new ReadAhead(chunks, 35)
  await until(() => seen.taken === 4)
  await setTimeout(20)
  assert.is(seen.taken, 4)
  await ahead.next()
  await until(() => seen.taken === 5)
  await setTimeout(20)
  assert.is(seen.taken, 5)
})

test('who stops early lets go of the source', async () => {
  for (const limit of [35, 10_000]) {
    const { seen, chunks } = chunkSource(50)
    for await (const bytes of new ReadAhead(chunks, limit)) {
      assert.is(bytes[0], 0)
      break
    }
    await until(() => seen.isClosed)
    assert.ok(limit > 35 || seen.taken < 8, `${seen.taken} chunks were taken`)
  }
})

test('the next inputs are begun, each once, and those whose turn does not come are let go of', () => {
  const events: string[] = []
  const inputs = Array.from(
    { length: 7 },
    (_, index): LogInput => ({
      kind: 'streamed',
      path: `${index}`,
      byteLength: 1,
      bytesTaken: () => 0,
      begin: () => events.push(`begin ${index}`),
      abandon: () => events.push(`abandon ${index}`),
      open: () => Promise.reject(new Error('not here')),
    }),
  )
  const ahead = new InputsAhead(inputs, 3)
  const after = (act: () => void): string[] => {
    events.length = 0
    act()
    return [...events]
  }
  assert.equal(
    after(() => ahead.advance(0)),
    ['begin 1', 'begin 2', 'begin 3'],
  )
  assert.equal(
    after(() => ahead.advance(1)),
    ['begin 4'],
  )
  assert.equal(
    after(() => ahead.abandon()),
    ['abandon 2', 'abandon 3', 'abandon 4'],
  )
  assert.equal(
    after(() => ahead.advance(4)),
    ['begin 5', 'begin 6'],
  )
})

test.run()
