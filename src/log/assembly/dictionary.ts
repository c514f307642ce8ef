/**
 * Distinct byte strings, numbered from 0 in the order of their first occurrence. Records stand one after
 * the other: number (u32), byte length (u32), the bytes, filled up to a multiple of eight. Slots are open
 * addressing with linear probing, at most half full: hash (high half) and record offset (low half).
 * A string that is not UTF-8 has a record too, with `INVALID` for its number: it is validated once.
 */

import { copyBytes, equalBytes, hashBytes } from './bytes'
import { allocateBlock, ensureRegion, Region, releaseBlock } from './memory'
import { isUtf8 } from './utf8'

/** The number of a string that is not valid UTF-8. */
export const INVALID: u32 = 0xffffffff
/** Bytes of a record before the string. */
export const RECORD_HEAD: usize = 8
/** Offset of the first record; 0 stands for an empty slot. */
export const FIRST_RECORD: usize = 8

const FEWEST_SLOTS: u32 = 1024
/** Bytes after the last record that a vector load may touch. */
const SLACK: u64 = 64

/** See the head of this file. */
@unmanaged
export class Dictionary {
  slots: Region
  records: Region
  /** Slots in use for hashing, minus one; at most what the region holds. */
  slotMask: u32
  /** Numbers given so far. */
  count: u32
  /** Records so far, the invalid ones too. */
  recordCount: u32
  /** Offset after the last record. */
  end: usize
}

/** Length of a record of a string of `byteLength` bytes. */
export function recordByteLength(byteLength: usize): usize {
  return RECORD_HEAD + ((byteLength + 7) & ~7)
}

/** Makes a dictionary of zero-filled memory. */
export function initDictionary(dictionary: usize, slots: usize, records: usize): Dictionary {
  const made = changetype<Dictionary>(dictionary)
  made.slots = changetype<Region>(slots)
  made.records = changetype<Region>(records)
  made.end = FIRST_RECORD
  return made
}

/** Forgets all strings; as many slots stay as the last use needed. */
export function emptyDictionary(dictionary: Dictionary): void {
  let slotCount = FEWEST_SLOTS
  while (slotCount < dictionary.recordCount << 1) slotCount <<= 1
  if (slotCount - 1 < dictionary.slotMask) dictionary.slotMask = slotCount - 1
  if (dictionary.slotMask != 0) {
    memory.fill(dictionary.slots.address, 0, (<usize>dictionary.slotMask + 1) << 3)
  }
  dictionary.count = 0
  dictionary.recordCount = 0
  dictionary.end = FIRST_RECORD
}

function growSlots(dictionary: Dictionary, slotCount: u32): bool {
  const region = dictionary.slots
  const byteLength = (<usize>slotCount) << 3
  const slots = allocateBlock(byteLength)
  if (slots == 0) return false
  memory.fill(slots, 0, byteLength)
  const mask = slotCount - 1
  if (dictionary.slotMask != 0) {
    const oldEnd = region.address + ((<usize>dictionary.slotMask + 1) << 3)
    for (let at = region.address; at < oldEnd; at += 8) {
      const entry = load<u64>(at)
      if (entry == 0) continue
      let slot = <u32>(entry >> 32) & mask
      while (load<u64>(slots + ((<usize>slot) << 3)) != 0) slot = (slot + 1) & mask
      store<u64>(slots + ((<usize>slot) << 3), entry)
    }
  }
  if (region.byteLength != 0) releaseBlock(region.address, region.byteLength)
  region.address = slots
  region.byteLength = byteLength
  dictionary.slotMask = mask
  return true
}

/** Makes room for `stringCount` more strings of `byteLength` bytes together; false when memory is exhausted. */
export function reserveStrings(dictionary: Dictionary, stringCount: u32, byteLength: usize): bool {
  const records = <u64>dictionary.end + byteLength + ((<u64>stringCount) << 4) + SLACK
  if (!ensureRegion(dictionary.records, dictionary.end, records)) return false
  const wanted = (dictionary.recordCount + stringCount) << 1
  let slotCount = dictionary.slotMask == 0 ? FEWEST_SLOTS : dictionary.slotMask + 1
  if (dictionary.slotMask != 0 && wanted <= slotCount) return true
  while (slotCount < wanted) slotCount <<= 1
  return growSlots(dictionary, slotCount)
}

function addRecord(dictionary: Dictionary, start: usize, length: usize): usize {
  const offset = dictionary.end
  const record = dictionary.records.address + offset
  const valid = isUtf8(start, start + length)
  store<u32>(record, valid ? dictionary.count++ : INVALID)
  store<u32>(record, <u32>length, 4)
  copyBytes(record + RECORD_HEAD, start, length)
  dictionary.recordCount++
  dictionary.end = offset + recordByteLength(length)
  return offset
}

/** Hashes of a batch's strings. */
const hashes: usize = memory.data(4096, 16)
/** Where loads go that only want a cache line to come. */
const touched: usize = memory.data(8, 8)

/**
 * Hashes the strings of a batch and touches their slots and records: these loads do not depend on each
 * other, so the cache misses of a large dictionary overlap, which they would not in the comparisons.
 */
function hashStrings(dictionary: Dictionary, count: u32, strings: usize, stride: usize): void {
  let out = hashes
  for (const end = strings + <usize>count * stride; strings < end; strings += stride) {
    store<u32>(out, hashBytes(<usize>load<u32>(strings), <usize>load<u32>(strings, 4)))
    out += 4
  }
  if (dictionary.slotMask < 16384) return
  const slots = dictionary.slots.address
  const records = dictionary.records.address
  const mask = dictionary.slotMask
  let sum: u32 = 0
  for (let at = hashes; at < out; at += 4) {
    const entry = load<u32>(slots + ((<usize>(load<u32>(at) & mask)) << 3))
    store<u32>(at, entry, 2048)
  }
  for (let at = hashes; at < out; at += 4) {
    const record = records + <usize>load<u32>(at, 2048)
    sum += load<u32>(record) + load<u32>(record, 20)
  }
  store<u32>(touched, sum)
}

/**
 * Numbers the strings of a batch. String i: address (u32) and length (u32) at `strings + i * stride`; its
 * number goes to `numbers + i * numberStride`. True when one of them is `INVALID`. Room must have been
 * reserved.
 */
export function numberStrings(
  dictionary: Dictionary,
  count: u32,
  strings: usize,
  stride: usize,
  numbers: usize,
  numberStride: usize,
): bool {
  hashStrings(dictionary, count, strings, stride)
  const slots = dictionary.slots.address
  const records = dictionary.records.address
  const mask = dictionary.slotMask
  let anyInvalid = false
  let hashAt = hashes
  for (const end = strings + <usize>count * stride; strings < end; strings += stride) {
    const start = <usize>load<u32>(strings)
    const length = <usize>load<u32>(strings, 4)
    const hash = load<u32>(hashAt)
    hashAt += 4
    let slot = hash & mask
    let record: usize = 0
    while (true) {
      const entry = load<u64>(slots + ((<usize>slot) << 3))
      if (entry == 0) {
        const offset = addRecord(dictionary, start, length)
        store<u64>(slots + ((<usize>slot) << 3), ((<u64>hash) << 32) | <u64>offset)
        record = records + offset
        break
      }
      if (<u32>(entry >> 32) == hash) {
        record = records + <usize>(<u32>entry)
        if (load<u32>(record, 4) == <u32>length && equalBytes(record + RECORD_HEAD, start, length)) break
      }
      slot = (slot + 1) & mask
    }
    const number = load<u32>(record)
    store<u32>(numbers, number)
    numbers += numberStride
    anyInvalid = anyInvalid || number == INVALID
  }
  return anyInvalid
}
