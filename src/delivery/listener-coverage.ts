/** What a listener's requests come to: merged intervals and sums, in memory that is used again. */

import { isInWindow, type TimeWindow } from './question-time.ts'
import type { RunBuffer } from './run-buffer.ts'

/** The coverage measured last. Intervals `[starts[i], ends[i])` ascend and do not touch. */
export class Coverage {
  count = 0
  starts: Float64Array = new Float64Array(64)
  ends: Float64Array = new Float64Array(64)
  /** Distinct positions, and all that were sent. */
  coveredBytes = 0
  sentBytes = 0
  requests = 0
  firstEpoch = 0
  lastEpoch = 0
  /** One past the largest position of any request, in the window or not. */
  observedLength = 0

  /**
   * Measures runs that are sorted by start; of those outside of `window` only the reach counts. Positions
   * from `lengthLimit` on are left out of the intervals and of `coveredBytes`.
   */
  measure(runs: RunBuffer, window: TimeWindow, lengthLimit: number = Number.POSITIVE_INFINITY): void {
    this.reset()
    let open = false
    for (let i = 0; i < runs.count; i++) {
      const start = runs.starts[i] ?? 0
      const end = runs.ends[i] ?? 0
      const epoch = runs.epochs[i] ?? 0
      if (end > this.observedLength) this.observedLength = end
      if (!isInWindow(window, epoch)) continue
      this.requests++
      this.sentBytes += end - start
      if (epoch < this.firstEpoch) this.firstEpoch = epoch
      if (epoch > this.lastEpoch) this.lastEpoch = epoch
      const clippedEnd = Math.min(end, lengthLimit)
      if (clippedEnd <= start) continue
      const last = this.count - 1
      if (open && start <= (this.ends[last] ?? 0)) {
        if (clippedEnd > (this.ends[last] ?? 0)) this.ends[last] = clippedEnd
      } else {
        this.add(start, clippedEnd)
        open = true
      }
    }
    for (let i = 0; i < this.count; i++) this.coveredBytes += (this.ends[i] ?? 0) - (this.starts[i] ?? 0)
  }

  private reset(): void {
    this.count = 0
    this.coveredBytes = 0
    this.sentBytes = 0
    this.requests = 0
    this.firstEpoch = Number.POSITIVE_INFINITY
    this.lastEpoch = Number.NEGATIVE_INFINITY
    this.observedLength = 0
  }

  private add(start: number, end: number): void {
    if (this.count === this.starts.length) {
      const starts = new Float64Array(2 * this.count)
      starts.set(this.starts)
      this.starts = starts
      const ends = new Float64Array(2 * this.count)
      ends.set(this.ends)
      this.ends = ends
    }
    this.starts[this.count] = start
    this.ends[this.count++] = end
  }
}
