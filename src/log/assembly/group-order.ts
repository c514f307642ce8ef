/**
 * The order of runs of one key: (first, epoch, last). A log is written in order of time, so most groups are
 * in order already or nearly so; a group in any other order is sorted in O(n log n) all the same.
 */

import { runCount } from './batch'
import { Region } from './memory'
import { reserveScratch, scratchA, scratchB } from './scratch'
import { sortedEpoch, sortedFirst, sortedIp, sortedLast, sortedRequest, sortedUserAgent } from './sorted-runs'

/** Groups of up to so many runs are sorted by insertion, as are stretches of longer ones. */
const FEW: usize = 24

/** Triples of a long group (first, epoch, last as f64). */
const triples: Region = scratchA
const otherTriples: Region = scratchB

/** Whether run `a` of the sorted lists comes before (first, epoch, last). */
function precedes(a: usize, first: f64, epoch: f64, last: f64): bool {
  const otherFirst = load<f64>(sortedFirst.address + a)
  if (first != otherFirst) return otherFirst < first
  const otherEpoch = load<f64>(sortedEpoch.address + a)
  if (epoch != otherEpoch) return otherEpoch < epoch
  return load<f64>(sortedLast.address + a) <= last
}

function insertionSortGroup(from: usize, to: usize): void {
  const firsts = sortedFirst.address
  const epochs = sortedEpoch.address
  const lasts = sortedLast.address
  for (let at = from + 8; at < to; at += 8) {
    const first = load<f64>(firsts + at)
    const epoch = load<f64>(epochs + at)
    const last = load<f64>(lasts + at)
    let hole = at
    while (hole > from && !precedes(hole - 8, first, epoch, last)) {
      store<f64>(firsts + hole, load<f64>(firsts + hole - 8))
      store<f64>(epochs + hole, load<f64>(epochs + hole - 8))
      store<f64>(lasts + hole, load<f64>(lasts + hole - 8))
      hole -= 8
    }
    store<f64>(firsts + hole, first)
    store<f64>(epochs + hole, epoch)
    store<f64>(lasts + hole, last)
  }
}

/** Whether the triple at `a` comes before the one at `b` or equals it. */
function isOrdered(a: usize, b: usize): bool {
  const firstA = load<f64>(a)
  const firstB = load<f64>(b)
  if (firstA != firstB) return firstA < firstB
  const epochA = load<f64>(a, 8)
  const epochB = load<f64>(b, 8)
  if (epochA != epochB) return epochA < epochB
  return load<f64>(a, 16) <= load<f64>(b, 16)
}

function copyTriple(to: usize, from: usize): void {
  v128.store(to, v128.load(from))
  store<f64>(to, load<f64>(from, 16), 16)
}

/** Merges two sorted neighbours, [a, middle) and [middle, end), to `out`. */
function mergeTriples(a: usize, middle: usize, end: usize, out: usize): void {
  if (middle >= end || isOrdered(middle - 24, middle)) {
    memory.copy(out, a, end - a)
    return
  }
  let b = middle
  while (a < middle && b < end) {
    const takeA = isOrdered(a, b)
    copyTriple(out, takeA ? a : b)
    if (takeA) a += 24
    else b += 24
    out += 24
  }
  memory.copy(out, a, middle - a)
  memory.copy(out + (middle - a), b, end - b)
}

/** Sorts a long group, [from, to) of the sorted lists in bytes of f64, in O(n log n) whatever its order. */
function mergeSortGroup(from: usize, to: usize): bool {
  const count = (to - from) >> 3
  const byteLength = count * 24
  if (!reserveScratch(byteLength)) return false
  let source = triples.address
  let target = otherTriples.address
  for (let at = from; at < to; at += FEW << 3) {
    insertionSortGroup(at, at + (FEW << 3) < to ? at + (FEW << 3) : to)
  }
  for (let i: usize = 0; i < count; i++) {
    store<f64>(source + i * 24, load<f64>(sortedFirst.address + from + (i << 3)))
    store<f64>(source + i * 24, load<f64>(sortedEpoch.address + from + (i << 3)), 8)
    store<f64>(source + i * 24, load<f64>(sortedLast.address + from + (i << 3)), 16)
  }
  for (let width = FEW * 24; width < byteLength; width <<= 1) {
    for (let at: usize = 0; at < byteLength; at += width << 1) {
      const middle = at + width < byteLength ? at + width : byteLength
      const end = middle + width < byteLength ? middle + width : byteLength
      mergeTriples(source + at, source + middle, source + end, target + at)
    }
    const swap = source
    source = target
    target = swap
  }
  for (let i: usize = 0; i < count; i++) {
    store<f64>(sortedFirst.address + from + (i << 3), load<f64>(source + i * 24))
    store<f64>(sortedEpoch.address + from + (i << 3), load<f64>(source + i * 24, 8))
    store<f64>(sortedLast.address + from + (i << 3), load<f64>(source + i * 24, 16))
  }
  return true
}

function orderGroup(from: usize, to: usize): bool {
  if (to - from > FEW << 3) return mergeSortGroup(from, to)
  insertionSortGroup(from, to)
  return true
}

/** Puts the runs of each key in order; false when memory is exhausted. */
export function orderGroups(): bool {
  const requestRanks = sortedRequest.address
  const ipRanks = sortedIp.address
  const userAgentRanks = sortedUserAgent.address
  const end = (<usize>runCount) << 3
  let groupStart: usize = 0
  let disordered = false
  for (let at: usize = 8; at < end; at += 8) {
    const half = at >> 1
    const differences =
      (load<u32>(requestRanks + half) ^ load<u32>(requestRanks + half - 4)) |
      (load<u32>(ipRanks + half) ^ load<u32>(ipRanks + half - 4)) |
      (load<u32>(userAgentRanks + half) ^ load<u32>(userAgentRanks + half - 4))
    if (differences != 0) {
      if (disordered && !orderGroup(groupStart, at)) return false
      groupStart = at
      disordered = false
    } else if (!disordered) {
      disordered = !precedes(
        at - 8,
        load<f64>(sortedFirst.address + at),
        load<f64>(sortedEpoch.address + at),
        load<f64>(sortedLast.address + at),
      )
    }
  }
  return !disordered || orderGroup(groupStart, end)
}
