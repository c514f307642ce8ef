/**
 * Dictionaries in byte order. A prefix of each string becomes a 64-bit key of as many characters as fit
 * when only the bytes that occur are numbered: an IPv4 address as a whole. Strings with equal keys are
 * sorted again by what follows, a few of them by direct comparison.
 */

import { copyBytes } from './bytes'
import { Dictionary, FIRST_RECORD, INVALID, RECORD_HEAD, recordByteLength } from './dictionary'
import { ensureRegion, Region } from './memory'
import { sortPairs } from './radix'
import { reserveScratch, scratchA, scratchB } from './scratch'
import { xxhash64 } from './xxhash64'

/** So many strings or fewer are sorted by insertion. */
const FEW: usize = 16

/** A dictionary's strings, ascending by bytes; see `StringTable`. */
@unmanaged
export class StringTable {
  /** Rank by dictionary number (u32). */
  ranks: Region
  bytes: Region
  offsets: Region
  hashLow: Region
  hashHigh: Region
  count: u32
  byteLength: usize
}

/** (key u64, record u32, unused u32) of each string. */
const pairs: Region = scratchA
const otherPairs: Region = scratchB
/** Groups with equal keys that are still to be sorted: first, end, depth (u32). */
const groups: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Per byte value its code, ascending from 1; 0 stands for the end of the string. */
const codes: usize = memory.data(256, 16)
/** Pairs whose records are touched, and then written, together. */
const TOUCHED_BYTE_LENGTH: usize = 1024
/** Where loads go that only want a cache line to come. */
const touched: usize = memory.data(8, 8)

let codeBits: u64 = 8
let keyCharacters: usize = 8
let groupCount: usize = 0
/** Rank and address of the string that is written next. */
let writtenRank: u32 = 0
let writtenEnd: usize = 0

/** Makes a table of zero-filled memory: the table and five regions one after the other. */
export function initStringTable(table: usize, regions: usize): StringTable {
  const made = changetype<StringTable>(table)
  const step = offsetof<Region>()
  made.ranks = changetype<Region>(regions)
  made.bytes = changetype<Region>(regions + step)
  made.offsets = changetype<Region>(regions + 2 * step)
  made.hashLow = changetype<Region>(regions + 3 * step)
  made.hashHigh = changetype<Region>(regions + 4 * step)
  return made
}

/** Lists the wanted records at `pairs`, and marks the bytes that occur in `codes`; the number of records. */
function listRecords(dictionary: Dictionary, used: usize): usize {
  memory.fill(codes, 0, 256)
  let out = pairs.address
  let record = dictionary.records.address + FIRST_RECORD
  const end = dictionary.records.address + dictionary.end
  while (record < end) {
    const number = load<u32>(record)
    const byteLength = <usize>load<u32>(record, 4)
    if (number != INVALID && (used == 0 || load<u8>(used + number) != 0)) {
      store<u32>(out, <u32>record, 8)
      out += 16
      const stringEnd = record + RECORD_HEAD + byteLength
      for (let at = record + RECORD_HEAD; at < stringEnd; at++) store<u8>(codes + load<u8>(at), 1)
    }
    record += recordByteLength(byteLength)
  }
  return (out - pairs.address) >> 4
}

/** Turns the flags in `codes` into codes. */
function numberCodes(): void {
  let code: u32 = 0
  for (let byte: usize = 0; byte < 256; byte++) {
    if (load<u8>(codes + byte) != 0) store<u8>(codes + byte, <u8>++code)
  }
  codeBits = <u64>(32 - clz<u32>(code | 1))
  keyCharacters = <usize>(64 / codeBits)
}

/** Makes the keys of the pairs [at, end): as many characters from `depth` on as fit. */
function makeKeys(at: usize, end: usize, depth: usize): void {
  for (; at < end; at += 16) {
    const record = <usize>load<u32>(at, 8)
    const rest = <usize>load<u32>(record, 4) - depth
    const characters = rest < keyCharacters ? rest : keyCharacters
    let from = record + RECORD_HEAD + depth
    const to = from + characters
    let key: u64 = 0
    for (; from < to; from++) key = (key << codeBits) | <u64>load<u8>(codes + load<u8>(from))
    // With no character left the shift could be by 64, which is none: zero stays zero.
    store<u64>(at, key << (codeBits * <u64>(keyCharacters - characters)))
  }
}

/** Whether string `a` comes before string `b`, both known to be equal up to `depth`. */
function comesBefore(a: usize, b: usize, depth: usize): bool {
  const lengthA = <usize>load<u32>(a, 4)
  const lengthB = <usize>load<u32>(b, 4)
  const common = lengthA < lengthB ? lengthA : lengthB
  let i = depth
  for (; i + 8 <= common; i += 8) {
    const wordA = load<u64>(a + RECORD_HEAD + i)
    const wordB = load<u64>(b + RECORD_HEAD + i)
    if (wordA != wordB) return bswap<u64>(wordA) < bswap<u64>(wordB)
  }
  for (; i < common; i++) {
    const byteA = load<u8>(a + RECORD_HEAD + i)
    const byteB = load<u8>(b + RECORD_HEAD + i)
    if (byteA != byteB) return byteA < byteB
  }
  return lengthA < lengthB
}

function insertionSort(first: usize, end: usize, depth: usize): void {
  const from = pairs.address + (first << 4)
  const to = pairs.address + (end << 4)
  for (let at = from + 16; at < to; at += 16) {
    const record = load<u32>(at, 8)
    let hole = at
    while (hole > from && comesBefore(record, load<u32>(hole - 8), depth)) {
      store<u32>(hole, load<u32>(hole - 8), 8)
      hole -= 16
    }
    store<u32>(hole, record, 8)
  }
}

function pushGroup(first: usize, end: usize, depth: usize): bool {
  const at = groupCount * 12
  if (!ensureRegion(groups, at, <u64>at + 12)) return false
  store<u32>(groups.address + at, <u32>first)
  store<u32>(groups.address + at, <u32>end, 4)
  store<u32>(groups.address + at, <u32>depth, 8)
  groupCount++
  return true
}

/** Sorts one group by its keys at `depth` and pushes the groups of equal keys. */
function sortGroup(first: usize, end: usize, depth: usize): bool {
  if (end - first <= FEW) {
    insertionSort(first, end, depth)
    return true
  }
  const from = pairs.address + (first << 4)
  const to = pairs.address + (end << 4)
  makeKeys(from, to, depth)
  const sorted = sortPairs(from, otherPairs.address, end - first, codeBits * <u64>keyCharacters)
  if (sorted != from) memory.copy(from, sorted, to - from)
  let groupStart = from
  for (let at = from + 16; at <= to; at += 16) {
    if (at < to && load<u64>(at) == load<u64>(groupStart)) continue
    if (at - groupStart > 16) {
      const groupFirst = first + ((groupStart - from) >> 4)
      if (!pushGroup(groupFirst, groupFirst + ((at - groupStart) >> 4), depth + keyCharacters)) return false
    }
    groupStart = at
  }
  return true
}

/** Touches the records of the pairs [at, end): the cache misses overlap here, as they would not in the work on each. */
function touchRecords(at: usize, end: usize): void {
  let sum: u32 = 0
  for (; at < end; at += 16) {
    const record = <usize>load<u32>(at, 8)
    sum += load<u32>(record) + load<u32>(record, 20)
  }
  store<u32>(touched, sum)
}

/** Writes the strings of the pairs [at, end), their ranks and hashes. */
function writeStrings(table: StringTable, at: usize, end: usize): void {
  const ranks = table.ranks.address
  const offsets = table.offsets.address
  const hashLow = table.hashLow.address
  const hashHigh = table.hashHigh.address
  let rank = writtenRank
  let out = writtenEnd
  for (; at < end; at += 16) {
    const record = <usize>load<u32>(at, 8)
    const byteLength = <usize>load<u32>(record, 4)
    const entry = (<usize>rank) << 2
    store<u32>(ranks + ((<usize>load<u32>(record)) << 2), rank)
    store<u32>(offsets + entry, <u32>(out - table.bytes.address))
    copyBytes(out, record + RECORD_HEAD, byteLength)
    const hash = xxhash64(record + RECORD_HEAD, byteLength)
    store<u32>(hashLow + entry, <u32>hash)
    store<u32>(hashHigh + entry, <u32>(hash >> 32))
    out += byteLength
    rank++
  }
  writtenRank = rank
  writtenEnd = out
}

/** Writes the sorted strings. */
function writeTable(table: StringTable, count: usize): void {
  writtenRank = 0
  writtenEnd = table.bytes.address
  const end = pairs.address + (count << 4)
  for (let at = pairs.address; at < end; at += TOUCHED_BYTE_LENGTH) {
    const blockEnd = end - at < TOUCHED_BYTE_LENGTH ? end : at + TOUCHED_BYTE_LENGTH
    touchRecords(at, blockEnd)
    writeStrings(table, at, blockEnd)
  }
  table.count = <u32>count
  table.byteLength = writtenEnd - table.bytes.address
  store<u32>(table.offsets.address + (count << 2), <u32>table.byteLength)
}

/**
 * Sorts the strings of `dictionary` into `table`: all valid ones, or, unless `used` is 0, those whose
 * number has a non-zero byte there. False when memory is exhausted.
 */
export function sortStrings(dictionary: Dictionary, used: usize, table: StringTable): bool {
  const limit = <u64>dictionary.count
  const enough =
    reserveScratch((limit << 4) + 16) &&
    ensureRegion(table.ranks, 0, (limit << 2) + 4) &&
    ensureRegion(table.offsets, 0, (limit << 2) + 4) &&
    ensureRegion(table.hashLow, 0, (limit << 2) + 4) &&
    ensureRegion(table.hashHigh, 0, (limit << 2) + 4) &&
    ensureRegion(table.bytes, 0, <u64>dictionary.end + 16)
  if (!enough) return false
  const count = listRecords(dictionary, used)
  numberCodes()
  groupCount = 0
  if (!pushGroup(0, count, 0)) return false
  while (groupCount > 0) {
    groupCount--
    const group = groups.address + groupCount * 12
    if (!sortGroup(load<u32>(group), load<u32>(group, 4), load<u32>(group, 8))) return false
  }
  writeTable(table, count)
  return true
}
