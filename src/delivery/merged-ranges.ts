/** What each listener holds, as rows for SQL over intervals: one for each merged interval. */

import type { ReportScope } from './report-model.ts'
import type { RunBuffer } from './run-buffer.ts'
import type { DeliveryStore } from './store.ts'

/** Positions are inclusive; epochs are those of the earliest and the latest request of the interval. */
export interface RangeRow {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly firstByte: number
  readonly lastByte: number
  readonly firstEpoch: number
  readonly lastEpoch: number
  readonly requests: number
}

/** The names of the columns, in their order. */
export const RANGE_COLUMNS = [
  'asset',
  'ip',
  'user_agent',
  'first_byte',
  'last_byte',
  'first_epoch',
  'last_epoch',
  'requests',
] as const

/** Rows in the order (asset, ip, user agent, first byte); intervals neither overlap nor touch. */
export function* mergedRanges(
  store: DeliveryStore,
  { asset: only, window }: Pick<ReportScope, 'asset' | 'window'>,
): Generator<RangeRow, void, void> {
  const scan = only === undefined ? { window } : { window, assets: new Set([only]) }
  for (const { asset, ip, userAgent, runs } of store.listeners(scan)) {
    for (let i = 0; i < runs.count; ) {
      const interval = intervalFrom(runs, i)
      const { firstByte, lastByte, firstEpoch, lastEpoch, requests } = interval
      yield { asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests }
      i += requests
    }
  }
}

/** The interval that begins with run `from`, of runs that are sorted by start. */
function intervalFrom(runs: RunBuffer, from: number): Omit<RangeRow, 'asset' | 'ip' | 'userAgent'> {
  const { starts, ends, epochs, count } = runs
  let end = ends[from] ?? 0
  let firstEpoch = epochs[from] ?? 0
  let lastEpoch = firstEpoch
  let next = from + 1
  for (; next < count && (starts[next] ?? 0) <= end; next++) {
    end = Math.max(end, ends[next] ?? 0)
    firstEpoch = Math.min(firstEpoch, epochs[next] ?? 0)
    lastEpoch = Math.max(lastEpoch, epochs[next] ?? 0)
  }
  return { firstByte: starts[from] ?? 0, lastByte: end - 1, firstEpoch, lastEpoch, requests: next - from }
}
