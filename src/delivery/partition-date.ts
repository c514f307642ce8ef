/** The day that a store's directory names, `date=YYYY-MM-DD`: prunes files by time before they are opened. */

import type { TimeWindow } from './question-time.ts'

const SECONDS_PER_DAY = 86_400
const PARTITION_PATH = /(?:^|[/\\])date=(\d{4}-\d{2}-\d{2})[/\\][^/\\]+$/

/**
 * Whether a file can hold requests of the window, as far as its path tells. Files are put into such
 * directories by day, so those of another day hold nothing that is asked for.
 */
export function mayHoldTimes(path: string, { sinceEpochSeconds, untilEpochSeconds }: TimeWindow): boolean {
  if (sinceEpochSeconds === undefined && untilEpochSeconds === undefined) return true
  const date = PARTITION_PATH.exec(path)?.[1]
  if (date === undefined) return true
  const start = Date.parse(`${date}T00:00:00Z`) / 1000
  if (Number.isNaN(start)) return true
  return (
    (sinceEpochSeconds === undefined || start + SECONDS_PER_DAY > sinceEpochSeconds) &&
    (untilEpochSeconds === undefined || start <= untilEpochSeconds)
  )
}
