import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BoundedCache } from '#src/base/bounded-cache.js'

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

test.run()
