/**
 * The order of runs. Ranks are packed above the run's number into 64-bit words, the least significant
 * first: as many of user agent, ip and request as fit, usually all, and the words sorted; what did not fit is
 * packed and sorted next, and as the sort is stable the whole is in order. Runs of one key then stand
 * together, nearly always in order of time; they are put in order of (first, epoch, last) there.
 */

import {
  ips,
  orphanedLines,
  RUN_BYTES,
  RUN_KEY_BYTES,
  requests,
  runCount,
  runKeys,
  runs,
  userAgents,
} from './batch'
import { Dictionary } from './dictionary'
import { ensureRegion, Region } from './memory'
import { sortWords } from './radix'
import { initStringTable, StringTable, sortStrings } from './string-table'

/** Runs of one key up to so many are sorted by insertion, as are stretches of longer groups. */
const FEW: usize = 24
/** Components of a key: user agent, ip, request. */
const COMPONENTS: u32 = 3

/** All user agents in order. */
export const userAgentTable: StringTable = initStringTable(
  memory.data(offsetof<StringTable>(), 8),
  memory.data(64, 8),
)
/** All ip addresses in order. */
export const ipTable: StringTable = initStringTable(
  memory.data(offsetof<StringTable>(), 8),
  memory.data(64, 8),
)
/** All requests in order. */
export const requestTable: StringTable = initStringTable(
  memory.data(offsetof<StringTable>(), 8),
  memory.data(64, 8),
)
/** Ranks of the sorted runs (u32). */
export const sortedRequest: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Ranks of the sorted runs (u32). */
export const sortedIp: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Ranks of the sorted runs (u32). */
export const sortedUserAgent: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** First positions of the sorted runs (f64). */
export const sortedFirst: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Last positions of the sorted runs (f64). */
export const sortedLast: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Epochs of the sorted runs (f64). */
export const sortedEpoch: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))

const words: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
const otherWords: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Triples of a long group (first, epoch, last as f64), twice. */
const triples: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
const otherTriples: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
const used: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))

/** Bits of a word that may be used; fewer only in tests of what happens when ranks do not fit. */
let wordBits: u64 = 64

/** See `wordBits`. */
export function limitWordBits(bits: u64): void {
  wordBits = bits
}

/** Bits that hold the numbers 0 to `count - 1`, at least one. */
function bitsFor(count: u32): u64 {
  return count <= 2 ? 1 : <u64>(32 - clz<u32>(count - 1))
}

function tableOf(component: u32): StringTable {
  return component == 0 ? userAgentTable : component == 1 ? ipTable : requestTable
}

/** Offset of the component's number in a run's keys. */
function keyOffset(component: u32): usize {
  return component == 0 ? 8 : component == 1 ? 4 : 0
}

/** Sorts one dictionary, without the strings that only rejected lines had. */
function sortDictionary(dictionary: Dictionary, component: u32): bool {
  let usedFlags: usize = 0
  if (orphanedLines > 0) {
    if (!ensureRegion(used, 0, <u64>dictionary.count + 1)) return false
    usedFlags = used.address
    memory.fill(usedFlags, 0, dictionary.count)
    const end = runKeys.address + <usize>runCount * RUN_KEY_BYTES
    for (let at = runKeys.address + keyOffset(component); at < end; at += RUN_KEY_BYTES) {
      store<u8>(usedFlags + load<u32>(at), 1)
    }
  }
  return sortStrings(dictionary, usedFlags, tableOf(component))
}

/** Puts the component's rank of every word's run into the word, at `shift`. */
function addRanks(list: usize, component: u32, shift: u64, indexMask: u64): void {
  const ranks = tableOf(component).ranks.address
  const keys = runKeys.address + keyOffset(component)
  const end = list + ((<usize>runCount) << 3)
  for (let at = list; at < end; at += 8) {
    const word = load<u64>(at)
    const number = load<u32>(keys + <usize>(word & indexMask) * RUN_KEY_BYTES)
    store<u64>(at, word | ((<u64>load<u32>(ranks + ((<usize>number) << 2))) << shift))
  }
}

/** Where the words of the last sort have the ranks of a component; 0 bits when they do not have them. */
@unmanaged
class RankField {
  shift: u64
  bits: u64
}

const rankFields: usize = memory.data(48, 8)

function rankField(component: u32): RankField {
  return changetype<RankField>(rankFields + (<usize>component << 4))
}

/** Sorts run numbers by key; returns the list of words, whose low bits are the run numbers. */
function orderByKey(indexBits: u64): usize {
  const indexMask = ((<u64>1) << indexBits) - 1
  let list = words.address
  for (let i: u32 = 0; i < runCount; i++) store<u64>(list + (<usize>i << 3), <u64>i)
  let component: u32 = 0
  while (component < COMPONENTS) {
    if (component > 0) {
      for (let at = list; at < list + (<usize>runCount << 3); at += 8) {
        store<u64>(at, load<u64>(at) & indexMask)
      }
    }
    let shift = indexBits
    for (let other: u32 = 0; other < COMPONENTS; other++) rankField(other).bits = 0
    while (component < COMPONENTS) {
      const bits = bitsFor(tableOf(component).count)
      // One component always fits; run numbers and ranks have at most 31 bits each.
      if (shift > indexBits && shift + bits > wordBits) break
      rankField(component).shift = shift
      rankField(component).bits = bits
      addRanks(list, component++, shift, indexMask)
      shift += bits
    }
    const other = list == words.address ? otherWords.address : words.address
    list = sortWords(list, other, runCount, indexBits, shift - indexBits)
  }
  return list
}

/** Writes the ranks of one component in the words' order. */
function writeRanks(list: usize, component: u32, indexMask: u64, out: usize): void {
  const end = list + (<usize>runCount << 3)
  const bits = rankField(component).bits
  if (bits > 0) {
    const shift = rankField(component).shift
    const mask = ((<u64>1) << bits) - 1
    for (let at = list; at < end; at += 8) {
      store<u32>(out, <u32>((load<u64>(at) >> shift) & mask))
      out += 4
    }
    return
  }
  const ranks = tableOf(component).ranks.address
  const keys = runKeys.address + keyOffset(component)
  for (let at = list; at < end; at += 8) {
    const number = load<u32>(keys + <usize>(load<u64>(at) & indexMask) * RUN_KEY_BYTES)
    store<u32>(out, load<u32>(ranks + (<usize>number << 2)))
    out += 4
  }
}

/** Writes the runs' numbers in the words' order: nothing but a gather, so that its cache misses overlap. */
function writePositions(list: usize, indexMask: u64): void {
  const from = runs.address
  const end = list + (<usize>runCount << 3)
  let first = sortedFirst.address
  let last = sortedLast.address
  let epoch = sortedEpoch.address
  for (let at = list; at < end; at += 8) {
    const run = from + <usize>(load<u64>(at) & indexMask) * RUN_BYTES
    store<f64>(first, load<f64>(run))
    store<f64>(last, load<f64>(run, 8))
    store<f64>(epoch, load<f64>(run, 16))
    first += 8
    last += 8
    epoch += 8
  }
}

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
  if (!ensureRegion(triples, 0, byteLength) || !ensureRegion(otherTriples, 0, byteLength)) return false
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
function orderGroups(): bool {
  const requestRanks = sortedRequest.address
  const ipRanks = sortedIp.address
  const userAgentRanks = sortedUserAgent.address
  const end = <usize>runCount << 3
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

function reserveRuns(): bool {
  const ranks = ((<u64>runCount) << 2) + 8
  const numbers = ((<u64>runCount) << 3) + 8
  return (
    ensureRegion(sortedRequest, 0, ranks) &&
    ensureRegion(sortedIp, 0, ranks) &&
    ensureRegion(sortedUserAgent, 0, ranks) &&
    ensureRegion(sortedFirst, 0, numbers) &&
    ensureRegion(sortedLast, 0, numbers) &&
    ensureRegion(sortedEpoch, 0, numbers) &&
    ensureRegion(words, 0, numbers) &&
    ensureRegion(otherWords, 0, numbers)
  )
}

/** Sorts all dictionaries and runs; false when memory is exhausted. */
export function sortRuns(): bool {
  const tablesSorted = sortDictionary(userAgents, 0) && sortDictionary(ips, 1) && sortDictionary(requests, 2)
  if (!tablesSorted || !reserveRuns()) return false
  const indexBits = bitsFor(runCount)
  const indexMask = ((<u64>1) << indexBits) - 1
  const list = orderByKey(indexBits)
  writeRanks(list, 0, indexMask, sortedUserAgent.address)
  writeRanks(list, 1, indexMask, sortedIp.address)
  writeRanks(list, 2, indexMask, sortedRequest.address)
  writePositions(list, indexMask)
  return orderGroups()
}
