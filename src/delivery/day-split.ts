/** Runs by the UTC day of their request: a store keeps each day in files of its own. */

import type { ScannedRuns } from '../log/scanned-runs.ts'

const SECONDS_PER_DAY = 86_400

/** The runs of one day, sorted as they were. */
export interface DayRuns {
  /** Days since 1970-01-01 UTC. */
  readonly epochDay: number
  readonly runs: ScannedRuns
}

/** The day of a time. */
export function epochDayOf(epochSeconds: number): number {
  return Math.floor(epochSeconds / SECONDS_PER_DAY)
}

/** The UTC day as `YYYY-MM-DD`, for days up to the year 9999. */
export function formatEpochDay(epochDay: number): string {
  return new Date(epochDay * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10)
}

/** Splits sorted runs by day, the earliest first. Their tables stay common; runs of one day are not copied. */
export function splitByDay(runs: ScannedRuns): readonly DayRuns[] {
  const { runCount, epochSeconds } = runs
  if (runCount === 0) return []
  const counts = new Map<number, number>()
  for (let i = 0; i < runCount; i++) {
    const day = epochDayOf(epochSeconds[i] ?? 0)
    counts.set(day, (counts.get(day) ?? 0) + 1)
  }
  const days = [...counts.keys()].sort((a, b) => a - b)
  if (days.length === 1) return [{ epochDay: days[0] ?? 0, runs }]
  // A counting sort: stable, so the order within a day stays.
  const ends = new Map<number, number>()
  let end = 0
  for (const day of days) {
    ends.set(day, end)
    end += counts.get(day) ?? 0
  }
  const order = new Uint32Array(runCount)
  for (let i = 0; i < runCount; i++) {
    const day = epochDayOf(epochSeconds[i] ?? 0)
    const at = ends.get(day) ?? 0
    order[at] = i
    ends.set(day, at + 1)
  }
  return days.map((epochDay) => {
    const to = ends.get(epochDay) ?? 0
    return { epochDay, runs: pickRuns(runs, order.subarray(to - (counts.get(epochDay) ?? 0), to)) }
  })
}

function pickRuns(runs: ScannedRuns, order: Uint32Array): ScannedRuns {
  const ranks = (from: Uint32Array): Uint32Array => order.map((i) => from[i] ?? 0)
  const numbers = (from: Float64Array): Float64Array => Float64Array.from(order, (i) => from[i] ?? 0)
  return {
    ...runs,
    runCount: order.length,
    request: ranks(runs.request),
    ip: ranks(runs.ip),
    userAgent: ranks(runs.userAgent),
    first: numbers(runs.first),
    last: numbers(runs.last),
    epochSeconds: numbers(runs.epochSeconds),
  }
}
