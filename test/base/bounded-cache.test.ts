import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BoundedCache } from '#src/base/bounded-cache.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'

const test = suite('bounded cache')

test('what was used longest ago goes first, and only while the rest is too heavy', () => {
  const forgotten: string[] = []
  const cache = new BoundedCache<string>(10, (value) => forgotten.push(value))
  const made: string[] = []
  const use = (key: string, weight: number) =>
    cache.getOrMake(
      key,
      () => {
        made.push(key)
        return key
      },
      () => weight,
    )
  use('a', 4)
  use('b', 4)
  assert.is(use('a', 4), 'a')
  assert.equal(made, ['a', 'b'], 'a value that is there is not made again')
  use('c', 4)
  assert.equal(forgotten, ['b'])
  use('d', 2)
  assert.equal(forgotten, ['b'])
  use('b', 4)
  assert.equal(forgotten, ['b', 'a'])
  assert.equal(made, ['a', 'b', 'c', 'd', 'b'])
})

test('a value heavier than the limit is kept alone', () => {
  const forgotten: number[] = []
  const cache = new BoundedCache<number>(10, (value) => forgotten.push(value))
  for (const value of [1, 2, 30, 4]) cache.getOrMake(`${value}`, () => value, Number)
  assert.equal(forgotten, [1, 2, 30])
  cache.clear()
  assert.equal(forgotten, [1, 2, 30, 4])
})

test('what could not be made is not remembered', () => {
  const cache = new BoundedCache<number>(10)
  const failing = () => {
    throw new Error('not made')
  }
  assert.throws(() => cache.getOrMake('a', failing, Number), /not made/)
  assert.is(
    cache.getOrMake(
      'a',
      () => 5,
      () => 1,
    ),
    5,
  )
})

test('any sequence of uses keeps what a list in the order of use keeps', () => {
  const random = createSeededRandom(71)
  const limit = 60
  /** The model: keys and weights, those used longest ago first. */
  const model: [key: string, weight: number][] = []
  const expected: string[] = []
  const forgotten: string[] = []
  const cache = new BoundedCache<string>(limit, (value) => forgotten.push(value))
  for (let use = 0; use < 5000; use++) {
    const key = `${random.below(25)}`
    const weight = random.below(20)
    const at = model.findIndex(([known]) => known === key)
    const [known] = at === -1 ? [] : model.splice(at, 1)
    model.push(known ?? [key, weight])
    while (at === -1 && model.length > 1 && model.reduce((sum, [, each]) => sum + each, 0) > limit) {
      expected.push(model.shift()?.[0] ?? '')
    }
    cache.getOrMake(
      key,
      () => key,
      () => weight,
    )
  }
  assert.ok(expected.length > 1000, 'much was forgotten')
  assert.equal(forgotten, expected)
  cache.clear()
  assert.equal(forgotten.slice(expected.length).sort(), model.map(([key]) => key).sort())
})

test('forgetting costs the same however much is kept', () => {
  const cache = new BoundedCache<number>(20_000)
  const startedAt = performance.now()
  for (let i = 0; i < 400_000; i++)
    cache.getOrMake(
      String(i),
      () => i,
      () => 1,
    )
  // A tenth of a second; five where what is gone was walked over.
  assert.ok(performance.now() - startedAt < 2000)
})

test.run()
