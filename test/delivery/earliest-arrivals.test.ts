import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EarliestArrivals } from '#src/delivery/earliest-arrivals.js'
import { askOracle } from '../support/byte-oracle.ts'
import type { RandomRequest } from '../support/random-runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('when a union was complete')

function arrivalsOf(requests: readonly RandomRequest[]): EarliestArrivals {
  const arrivals = new EarliestArrivals()
  for (const { first, last, epochSeconds } of requests) arrivals.add(first, last + 1, epochSeconds)
  return arrivals
}

test('a byte counts from its earliest request, whoever sent it', () => {
  const arrivals = arrivalsOf([
    { first: 0, last: 9, epochSeconds: 50 },
    { first: 5, last: 19, epochSeconds: 20 },
    { first: 0, last: 4, epochSeconds: 30 },
    { first: 15, last: 29, epochSeconds: 90 },
  ])
  assert.is(arrivals.completeAt(0, 20), 30)
  assert.is(arrivals.completeAt(5, 20), 20)
  assert.is(arrivals.completeAt(0, 30), 90)
  assert.is(arrivals.completeAt(0, 31), undefined)
  assert.is(arrivals.completeAt(7, 7), undefined, 'nothing follows from an empty range')
  assert.is(new EarliestArrivals().completeAt(0, 1), undefined)
})

test('the time is that of an oracle that marks single bytes', () => {
  const random = seededRandom(31)
  let completeCount = 0
  for (let round = 0; round < 400; round++) {
    const span = 1 + random(120)
    const requests = Array.from({ length: 1 + random(40) }, () => {
      const first = random(span)
      return { first, last: first + random(span), epochSeconds: random(12) }
    })
    const arrivals = arrivalsOf(requests)
    for (let ask = 0; ask < 5; ask++) {
      const first = random(span)
      const last = first + random(span)
      const expected = askOracle({ first, last }, requests).completeAt
      assert.is(arrivals.completeAt(first, last + 1), expected, `round ${round}: ${first}-${last}`)
      if (expected !== undefined) completeCount++
    }
  }
  assert.ok(completeCount > 400, `${completeCount} ranges were complete`)
})

test('merging on the way changes nothing', () => {
  const random = seededRandom(32)
  const requests = Array.from({ length: 200_000 }, () => {
    const first = random(2000)
    return { first, last: first + random(3), epochSeconds: random(1_000_000) }
  })
  const arrivals = arrivalsOf(requests)
  const expected = askOracle({ first: 10, last: 1990 }, requests).completeAt
  assert.ok(expected !== undefined)
  assert.is(arrivals.completeAt(10, 1991), expected)
})

test.run()
