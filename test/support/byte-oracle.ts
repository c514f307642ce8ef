/**
 * Answers a question the slow and obvious way, one byte at a time: the oracle for everything that reasons in
 * runs. It shares no code with the program, on purpose.
 */

import type { RandomRequest } from './random-runs.ts'

/** What the oracle says; pairs and positions are inclusive, times are epoch seconds. */
export interface OracleAnswer {
  readonly coveredBytes: number
  readonly covered: [number, number][]
  readonly missing: [number, number][]
  readonly requests: number
  readonly firstAt: number | undefined
  readonly lastAt: number | undefined
  readonly completeAt: number | undefined
}

/** Marks each byte of `[first, last]` with the earliest time at which some request of the window sent it. */
export function askOracle(
  asked: { readonly first: number; readonly last: number },
  requests: readonly RandomRequest[],
  window: { readonly since?: number; readonly until?: number } = {},
): OracleAnswer {
  const sentAt = new Map<number, number>()
  const times: number[] = []
  for (const { first, last, epochSeconds } of requests) {
    if (epochSeconds < (window.since ?? -Infinity) || epochSeconds > (window.until ?? Infinity)) continue
    let touches = false
    for (let byte = first; byte <= last; byte++) {
      if (byte < asked.first || byte > asked.last) continue
      touches = true
      sentAt.set(byte, Math.min(sentAt.get(byte) ?? Infinity, epochSeconds))
    }
    if (touches) times.push(epochSeconds)
  }
  const covered: [number, number][] = []
  const missing: [number, number][] = []
  for (let byte = asked.first; byte <= asked.last; byte++) {
    const pairs = sentAt.has(byte) ? covered : missing
    const open = pairs.at(-1)
    if (open !== undefined && open[1] === byte - 1) open[1] = byte
    else pairs.push([byte, byte])
  }
  const isComplete = missing.length === 0 && asked.first <= asked.last
  times.sort((a, b) => a - b)
  return {
    coveredBytes: sentAt.size,
    covered,
    missing,
    requests: times.length,
    firstAt: times.at(0),
    lastAt: times.at(-1),
    completeAt: isComplete ? [...sentAt.values()].sort((a, b) => a - b).at(-1) : undefined,
  }
}
