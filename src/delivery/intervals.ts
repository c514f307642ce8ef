/**
 * Interval-set algebra over half-open integer intervals `[start, end)`.
 *
 * An interval SET is a sorted array of intervals that are not empty and neither overlap nor touch, so that
 * equal sets are equal arrays. Every operation on sets is one linear pass, and every number in it is a
 * position or a sum of disjoint lengths: exact for positions up to 2^53 - 1.
 */

import type { Interval } from './evidence.ts'

/** Sorted, not empty, disjoint, with at least one position between two neighbours. */
export type IntervalSet = readonly Interval[]

/**
 * The union: the interval set that covers what `intervals`, in any order and overlapping at will, cover together.
 * Linear when they are sorted by start, as evidence is; else it sorts a copy first.
 */
export function mergeIntervals(intervals: readonly Interval[]): IntervalSet {
  const sorted = isSortedByStart(intervals) ? intervals : intervals.toSorted((a, b) => a.start - b.start)
  const merged: Interval[] = []
  let open: Interval | undefined
  for (const { start, end } of sorted) {
    if (start >= end) continue
    if (open === undefined || start > open.end) {
      if (open !== undefined) merged.push(open)
      open = { start, end }
    } else if (end > open.end) {
      open = { start: open.start, end }
    }
  }
  if (open !== undefined) merged.push(open)
  return merged
}

function isSortedByStart(intervals: readonly Interval[]): boolean {
  let previous = Number.NEGATIVE_INFINITY
  for (const { start } of intervals) {
    if (start < previous) return false
    previous = start
  }
  return true
}

/** Positions that are in both `a` and `b`. */
export function intersectIntervals(a: IntervalSet, b: IntervalSet): IntervalSet {
  const common: Interval[] = []
  let ai = 0
  let bi = 0
  for (;;) {
    const left = a[ai]
    const right = b[bi]
    if (left === undefined || right === undefined) return common
    const start = Math.max(left.start, right.start)
    const end = Math.min(left.end, right.end)
    if (start < end) common.push({ start, end })
    // Whichever ends first can meet nothing further on the other side.
    if (left.end < right.end) ai++
    else bi++
  }
}

/** Positions of `a` that are not in `b`: the gaps that `b` leaves in `a`. */
export function subtractIntervals(a: IntervalSet, b: IntervalSet): IntervalSet {
  const gaps: Interval[] = []
  let bi = 0
  for (const { start, end } of a) {
    let gapStart = start
    for (;;) {
      const taken = b[bi]
      if (taken === undefined || taken.start >= end) break
      if (taken.start > gapStart) gaps.push({ start: gapStart, end: taken.start })
      gapStart = Math.max(gapStart, taken.end)
      // An interval that reaches beyond this one may take from the next one too: it stays current.
      if (taken.end > end) break
      bi++
    }
    if (gapStart < end) gaps.push({ start: gapStart, end })
  }
  return gaps
}

/** How many positions the set holds. */
export function coveredLength(set: IntervalSet): number {
  let length = 0
  for (const { start, end } of set) length += end - start
  return length
}
