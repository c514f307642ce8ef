/** Seeded random numbers and runs: the same seed gives the same runs on every machine. */

/** A request as a person would note it: both positions inclusive. */
export interface RandomRequest {
  readonly first: number
  readonly last: number
  readonly epochSeconds: number
}

/** Draws integers `0 <= n < limit` (mulberry32: 32 bits of state, good enough for tests). */
export type Draw = (limit: number) => number

export function seededDraw(seed: number): Draw {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** Up to `maxCount` requests within `[0, span)`, at few distinct times so that equal ones occur. */
export function randomRequests(draw: Draw, maxCount: number, span: number): RandomRequest[] {
  const count = draw(maxCount + 1)
  const longest = 1 + draw(span)
  return Array.from({ length: count }, () => {
    const first = draw(span)
    const last = Math.min(span - 1, first + draw(longest))
    return { first, last, epochSeconds: 1_596_200_000 + draw(12) }
  })
}
