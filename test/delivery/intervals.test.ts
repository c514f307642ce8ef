import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  coveredLength,
  intersectIntervals,
  mergeIntervals,
  subtractIntervals,
} from '#src/delivery/intervals.js'
import { type Draw, seededDraw } from '../support/random-runs.ts'

const test = suite('interval algebra')
const SPAN = 40

const interval = (start: number, end: number) => ({ start, end })

function randomIntervals(draw: Draw) {
  return Array.from({ length: draw(9) }, () => {
    const start = draw(SPAN)
    return interval(start, start + draw(8))
  })
}

function positions(intervals: readonly { start: number; end: number }[]): Set<number> {
  const members = new Set<number>()
  for (const { start, end } of intervals) for (let at = start; at < end; at++) members.add(at)
  return members
}

function isCanonical(set: readonly { start: number; end: number }[]): boolean {
  return set.every(({ start, end }, i) => start < end && start > (set[i - 1]?.end ?? -1))
}

test('touching and overlapping intervals become one, in any order; empty ones vanish', () => {
  assert.equal(mergeIntervals([interval(5, 9), interval(0, 3), interval(3, 5), interval(20, 20)]), [
    interval(0, 9),
  ])
  assert.equal(mergeIntervals([interval(0, 10), interval(2, 3), interval(12, 13)]), [
    interval(0, 10),
    interval(12, 13),
  ])
  assert.equal(mergeIntervals([]), [])
})

test('a gap is what lies between, before and after; an interval over two of the others cuts both', () => {
  const whole = [interval(0, 10), interval(20, 30)]
  assert.equal(subtractIntervals(whole, [interval(5, 25)]), [interval(0, 5), interval(25, 30)])
  assert.equal(subtractIntervals(whole, [interval(0, 10)]), [interval(20, 30)])
  assert.equal(subtractIntervals(whole, []), whole)
})

test('every operation agrees with sets of single positions, and its result is canonical', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const draw = seededDraw(seed)
    const [a, b] = [randomIntervals(draw), randomIntervals(draw)]
    const [setA, setB] = [mergeIntervals(a), mergeIntervals(b)]
    const [inA, inB] = [positions(a), positions(b)]
    const results = {
      union: [mergeIntervals([...a, ...b]), (at: number) => inA.has(at) || inB.has(at)],
      intersection: [intersectIntervals(setA, setB), (at: number) => inA.has(at) && inB.has(at)],
      difference: [subtractIntervals(setA, setB), (at: number) => inA.has(at) && !inB.has(at)],
      merge: [setA, (at: number) => inA.has(at)],
    } as const
    for (const [name, [set, belongs]] of Object.entries(results)) {
      const found = positions(set)
      for (let at = 0; at < SPAN + 10; at++)
        assert.is(found.has(at), belongs(at), `seed ${seed}, ${name}, at ${at}`)
      assert.ok(isCanonical(set), `seed ${seed}, ${name}`)
      assert.is(coveredLength(set), found.size, `seed ${seed}, ${name}`)
    }
  }
})

test('positions near 2^53 stay exact', () => {
  const end = 2 ** 53 - 1
  const whole = [interval(0, end)]
  const gaps = subtractIntervals(whole, [interval(1, end - 1)])
  assert.equal(gaps, [interval(0, 1), interval(end - 1, end)])
  assert.is(coveredLength(whole), end)
  assert.is(coveredLength(mergeIntervals([interval(end - 1, end), interval(0, 1)])), 2)
})

test.run()
