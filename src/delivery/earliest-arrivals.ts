/** When each position first arrived, from whomever: what tells when a union was complete. */

import { RunBuffer } from './run-buffer.ts'

/** Runs are merged whenever so many have come together. */
const MERGE_EVERY = 65_536

/** Collects runs in any order. Memory follows how often the earliest time changes from position to position. */
export class EarliestArrivals {
  /** Runs that were merged: disjoint, ascending, each with the earliest time of its positions; then those added. */
  private runs = new RunBuffer()
  private mergeAt = MERGE_EVERY

  add(start: number, end: number, epochSeconds: number): void {
    if (start >= end) return
    this.runs.add(start, end, epochSeconds)
    if (this.runs.count < this.mergeAt) return
    this.merge()
    this.mergeAt = this.runs.count + MERGE_EVERY
  }

  /** The earliest time at which all of `[start, end)` had arrived; undefined when some never did. */
  completeAt(start: number, end: number): number | undefined {
    this.merge()
    const { starts, ends, epochs, count } = this.runs
    let at = start
    let latest = Number.NEGATIVE_INFINITY
    for (let i = 0; i < count && at < end; i++) {
      if ((ends[i] ?? 0) <= at) continue
      if ((starts[i] ?? 0) > at) return undefined
      latest = Math.max(latest, epochs[i] ?? 0)
      at = ends[i] ?? 0
    }
    return at >= end && start < end ? latest : undefined
  }

  /**
   * Cuts the positions where any run begins or ends, and lets the runs, earliest first, take the cells that are
   * still free: each is taken once, as `nextFree` leads past those that are taken.
   */
  private merge(): void {
    const { starts, ends, epochs, count } = this.runs
    const cuts = Float64Array.from(new Set([...starts.subarray(0, count), ...ends.subarray(0, count)])).sort()
    const cellEpochs = new Float64Array(cuts.length).fill(Number.NaN)
    const nextFree = Uint32Array.from({ length: cuts.length + 1 }, (_, cell) => cell)
    const byTime = Uint32Array.from({ length: count }, (_, run) => run).sort(
      (a, b) => (epochs[a] ?? 0) - (epochs[b] ?? 0),
    )
    for (const run of byTime) {
      const endCell = placeOf(cuts, ends[run] ?? 0)
      let cell = firstFree(nextFree, placeOf(cuts, starts[run] ?? 0))
      while (cell < endCell) {
        cellEpochs[cell] = epochs[run] ?? 0
        nextFree[cell] = cell + 1
        cell = firstFree(nextFree, cell + 1)
      }
    }
    const merged = new RunBuffer(count)
    for (let cell = 0; cell + 1 < cuts.length; cell++) {
      const epoch = cellEpochs[cell] ?? Number.NaN
      if (Number.isNaN(epoch)) continue
      const [start, end] = [cuts[cell] ?? 0, cuts[cell + 1] ?? 0]
      const last = merged.count - 1
      const goesOn = last >= 0 && merged.ends[last] === start && merged.epochs[last] === epoch
      if (goesOn) merged.extendLast(end)
      else merged.add(start, end, epoch)
    }
    this.runs = merged
  }
}

/** The first cell from `cell` on that is free; shortens the way for the next who asks. */
function firstFree(nextFree: Uint32Array, cell: number): number {
  let free = cell
  while (nextFree[free] !== free) free = nextFree[free] ?? 0
  for (let at = cell; at !== free; ) {
    const next = nextFree[at] ?? 0
    nextFree[at] = free
    at = next
  }
  return free
}

/** Where `position` stands in `cuts`, which have it. */
function placeOf(cuts: Float64Array, position: number): number {
  let low = 0
  let high = cuts.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((cuts[middle] ?? 0) < position) low = middle + 1
    else high = middle
  }
  return low
}
