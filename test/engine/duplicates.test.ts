import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Duplicates } from '#src/engine/duplicates.js'
import type { ShardIdentifiers } from '#src/engine/shard.js'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('repeated lines')

function makeShard(hashes: readonly (readonly [low: number, high: number])[]): ShardIdentifiers {
  return {
    kind: 'identifiers',
    identifiers: Uint32Array.from(hashes.flat()),
    drop: new Uint8Array(hashes.length),
    answered: new Int32Array(new SharedArrayBuffer(4)),
  }
}

/** The low half of a hash is odd, zero is none. */
function hashOf(value: number): readonly [number, number] {
  return value === 0 ? [0, 0] : [(Math.imul(value, 0x9e3779b1) | 1) >>> 0, value]
}

test('the first of each identifier stays, whatever the order in which shards are heard', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const values = Array.from({ length: 8 }, () => Array.from({ length: random(400) }, () => random(900)))
    const seen = new Set<number>()
    const expected = values.map((shard) =>
      shard.map((value) => {
        const isRepeated = value !== 0 && seen.has(value)
        seen.add(value)
        return isRepeated ? 1 : 0
      }),
    )
    const duplicates = new Duplicates()
    const shards = values.map((shard) => ({
      awaited: duplicates.await(),
      message: makeShard(shard.map(hashOf)),
    }))
    const order = shards.map((shard) => ({ shard, key: random(1000) })).sort((a, b) => a.key - b.key)
    for (const { shard } of order) duplicates.offer(shard.awaited, shard.message)
    for (const [i, { message }] of shards.entries()) {
      assert.equal([...message.drop], expected[i], `seed ${seed}, shard ${i}`)
      assert.is(message.answered[0], 1)
    }
  }
})

test('a shard is answered only when all before it are', () => {
  const duplicates = new Duplicates()
  const [first, second] = [duplicates.await(), duplicates.await()]
  const [early, late] = [makeShard([hashOf(5)]), makeShard([hashOf(5)])]
  duplicates.offer(second, late)
  assert.is(late.answered[0], 0)
  duplicates.offer(first, early)
  assert.equal([early.answered[0], late.answered[0]], [1, 1])
  assert.equal([early.drop[0], late.drop[0]], [0, 1])
})

test('as many identifiers as promised are remembered, and memory stays bounded', () => {
  const limit = 1000
  const duplicates = new Duplicates(limit)
  const isRepeated = (value: number): boolean => {
    const message = makeShard([hashOf(value)])
    duplicates.offer(duplicates.await(), message)
    return message.drop[0] === 1
  }
  for (let value = 1; value <= 10 * limit; value++) assert.not.ok(isRepeated(value))
  for (let value = 9 * limit + 1; value <= 10 * limit; value++) assert.ok(isRepeated(value), String(value))
  assert.not.ok(isRepeated(1), 'what was long ago is forgotten')
})

test.run()
