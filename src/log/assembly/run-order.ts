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
import { orderGroups } from './group-order'
import { ensureRegion, Region } from './memory'
import { sortWords } from './radix'
import { reserveScratch, scratchA, scratchB } from './scratch'
import {
  ipTable,
  requestTable,
  reserveSortedRuns,
  sortedEpoch,
  sortedFirst,
  sortedIp,
  sortedLast,
  sortedRequest,
  sortedUserAgent,
  userAgentTable,
} from './sorted-runs'
import { StringTable, sortStrings } from './string-table'

/** Components of a key: user agent, ip, request. */
const COMPONENTS: u32 = 3

/** The words, and where they are sorted to. */
const words: Region = scratchA
const otherWords: Region = scratchB
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
  return changetype<RankField>(rankFields + ((<usize>component) << 4))
}

/** Makes the words run numbers: in the log's order at first, in the order that they have later. */
function clearWords(list: usize, isFirst: bool, indexMask: u64): void {
  for (let i: u32 = 0; i < runCount; i++) {
    const at = list + ((<usize>i) << 3)
    store<u64>(at, isFirst ? <u64>i : load<u64>(at) & indexMask)
  }
}

/** Sorts run numbers by key; returns the list of words, whose low bits are the run numbers. */
function orderByKey(indexBits: u64, indexMask: u64): usize {
  let list = words.address
  let component: u32 = 0
  while (component < COMPONENTS) {
    clearWords(list, component == 0, indexMask)
    for (let other: u32 = 0; other < COMPONENTS; other++) rankField(other).bits = 0
    let shift = indexBits
    while (component < COMPONENTS) {
      const bits = bitsFor(tableOf(component).count)
      // One component always fits; run numbers and ranks have at most 31 bits each.
      if (shift > indexBits && shift + bits > wordBits) break
      rankField(component).shift = shift
      rankField(component).bits = bits
      addRanks(list, component, shift, indexMask)
      component++
      shift += bits
    }
    const other = list == words.address ? otherWords.address : words.address
    list = sortWords(list, other, runCount, indexBits, shift - indexBits)
  }
  return list
}

/** Writes the ranks of one component in the words' order. */
function writeRanks(list: usize, component: u32, indexMask: u64, out: usize): void {
  const end = list + ((<usize>runCount) << 3)
  const field = rankField(component)
  if (field.bits > 0) {
    const shift = field.shift
    const mask = ((<u64>1) << field.bits) - 1
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
    store<u32>(out, load<u32>(ranks + ((<usize>number) << 2)))
    out += 4
  }
}

/** Writes the runs' numbers in the words' order: nothing but a gather, so that its cache misses overlap. */
function writePositions(list: usize, indexMask: u64): void {
  const from = runs.address
  const end = list + ((<usize>runCount) << 3)
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

/** Sorts all dictionaries and runs; false when memory is exhausted. */
export function sortRuns(): bool {
  const tablesSorted = sortDictionary(userAgents, 0) && sortDictionary(ips, 1) && sortDictionary(requests, 2)
  if (!tablesSorted || !reserveSortedRuns(runCount) || !reserveScratch(((<u64>runCount) << 3) + 8))
    return false
  const indexBits = bitsFor(runCount)
  const indexMask = ((<u64>1) << indexBits) - 1
  const list = orderByKey(indexBits, indexMask)
  writeRanks(list, 0, indexMask, sortedUserAgent.address)
  writeRanks(list, 1, indexMask, sortedIp.address)
  writeRanks(list, 2, indexMask, sortedRequest.address)
  writePositions(list, indexMask)
  return orderGroups()
}
