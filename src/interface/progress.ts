/** One line on the terminal that tells how far a run is. */

import { formatCount, formatRate, formatSeconds } from './format-figures.ts'
import type { OutputStream } from './terminal.ts'

/** What a run tells from time to time; `bytesTotal` is undefined where it cannot be known (standard input). */
export interface Progress {
  readonly bytesRead: number
  readonly bytesTotal: number | undefined
  readonly lines: number
  readonly rows: number
}

/** Shows progress until `finish` takes the line away again. */
export interface ProgressLine {
  update(progress: Progress): void
  finish(): void
}

const REDRAW_INTERVAL_MS = 100
const ERASE_LINE = '\r\u001b[2K'

/** The text of the line: share, speed, lines and time left, as far as they are known. */
export function describeProgress(progress: Progress, elapsedSeconds: number): string {
  const { bytesRead, bytesTotal, lines, rows } = progress
  const parts = [
    formatRate(bytesRead, elapsedSeconds),
    `${formatCount(lines)} lines`,
    `${formatCount(rows)} rows`,
  ]
  if (bytesTotal !== undefined && bytesTotal > 0) {
    parts.unshift(`${Math.min(100, Math.floor((bytesRead / bytesTotal) * 100))}%`.padStart(4))
    if (bytesRead > 0) {
      const secondsLeft = (elapsedSeconds / bytesRead) * Math.max(0, bytesTotal - bytesRead)
      parts.push(`${formatSeconds(secondsLeft)} left`)
    }
  }
  return parts.join('  ')
}

/** Draws on `stream` at most ten times a second; `nowMs` is a monotonic clock. */
export function openProgressLine(
  stream: OutputStream,
  nowMs: () => number = () => performance.now(),
): ProgressLine {
  return openLine(stream, describeProgress, nowMs)
}

/** Likewise for counts that grow to a known or unknown number: the text comes from `describe`. */
export function openLine<T>(
  stream: OutputStream,
  describe: (progress: T, elapsedSeconds: number) => string,
  nowMs: () => number = () => performance.now(),
): { update(progress: T): void; finish(): void } {
  const startMs = nowMs()
  let drawnMs = Number.NEGATIVE_INFINITY
  return {
    update(progress) {
      const now = nowMs()
      if (now - drawnMs < REDRAW_INTERVAL_MS) return
      drawnMs = now
      // A line that wraps could not be redrawn: the last column stays free too.
      const text = describe(progress, (now - startMs) / 1000).slice(0, (stream.columns ?? 80) - 1)
      stream.write(ERASE_LINE + text)
    },
    finish() {
      if (drawnMs !== Number.NEGATIVE_INFINITY) stream.write(ERASE_LINE)
      drawnMs = Number.NEGATIVE_INFINITY
    },
  }
}
