/** Distinct byte strings in plain TypeScript, numbered in the order of their first occurrence. */

import { isUtf8 } from './plain-fields.ts'
import { plainXxhash64 } from './plain-xxhash64.ts'
import type { StringTable } from './scanned-runs.ts'

/** The number of a string that is not valid UTF-8. */
export const INVALID = -1

const FEWEST_SLOTS = 1024
const FIRST_BYTES = 1 << 16
const HASH_START = 0x811c9dc5
const HASH_PRIME = 0x01000193

/** A dictionary's strings in order, and the rank of each number; numbers that were not used have none. */
export interface SortedStrings {
  readonly table: StringTable
  readonly ranks: Uint32Array
}

/** See the head of this file. */
export interface PlainDictionary {
  /** The number of [start, end), or `INVALID`. The bytes are copied when they are new. */
  numberOf(bytes: Uint8Array, start: number, end: number): number
  /** How many numbers were given. */
  readonly count: number
  /** Sorts the strings whose number has a non-zero entry in `used`. */
  sort(used: Uint8Array): SortedStrings
  clear(): void
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_START
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), HASH_PRIME)
  return (hash ^ (hash >>> 15)) >>> 0
}

function makeTable(values: readonly Uint8Array[]): StringTable {
  const count = values.length
  const offsets = new Uint32Array(count + 1)
  const hashLow = new Uint32Array(count)
  const hashHigh = new Uint32Array(count)
  for (const [rank, value] of values.entries()) {
    offsets[rank + 1] = (offsets[rank] ?? 0) + value.length
    const hash = plainXxhash64(value)
    hashLow[rank] = hash.low
    hashHigh[rank] = hash.high
  }
  return { count, bytes: new Uint8Array(Buffer.concat(values)), offsets, hashLow, hashHigh }
}

/** Records of strings, the invalid ones too: record r is `bytes[starts[r]..starts[r] + lengths[r])`. */
interface Records {
  bytes: Uint8Array
  byteLength: number
  readonly starts: number[]
  readonly lengths: number[]
  readonly hashes: number[]
  readonly numbers: number[]
}

function createRecords(): Records {
  return {
    bytes: new Uint8Array(FIRST_BYTES),
    byteLength: 0,
    starts: [],
    lengths: [],
    hashes: [],
    numbers: [],
  }
}

function addRecord(records: Records, value: Uint8Array, hash: number, number: number): void {
  const end = records.byteLength + value.length
  if (end > records.bytes.length) {
    const larger = new Uint8Array(Math.max(records.bytes.length * 2, end))
    larger.set(records.bytes)
    records.bytes = larger
  }
  records.bytes.set(value, records.byteLength)
  records.starts.push(records.byteLength)
  records.lengths.push(value.length)
  records.hashes.push(hash)
  records.numbers.push(number)
  records.byteLength = end
}

function recordEquals(
  records: Records,
  record: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (records.lengths[record] !== end - start) return false
  const from = records.starts[record] ?? 0
  for (let i = 0; i < end - start; i++) if (records.bytes[from + i] !== bytes[start + i]) return false
  return true
}

/** `slotCount` slots, filled from the hashes of all records. */
function makeSlots(slotCount: number, hashes: readonly number[]): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(slotCount)
  for (const [record, hash] of hashes.entries()) {
    let slot = hash & (slotCount - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slotCount - 1)
    slots[slot] = record + 1
  }
  return slots
}

function sortRecords(records: Records, count: number, used: Uint8Array): SortedStrings {
  const values: { readonly number: number; readonly bytes: Uint8Array }[] = []
  for (const [record, number] of records.numbers.entries()) {
    if (number === INVALID || used[number] === 0) continue
    const start = records.starts[record] ?? 0
    values.push({ number, bytes: records.bytes.subarray(start, start + (records.lengths[record] ?? 0)) })
  }
  values.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  const ranks = new Uint32Array(count)
  for (const [rank, { number }] of values.entries()) ranks[number] = rank
  return { table: makeTable(values.map(({ bytes }) => bytes)), ranks }
}

/** An empty dictionary. */
export function createPlainDictionary(): PlainDictionary {
  let records = createRecords()
  /** Record plus one; 0 is an empty slot. At most half of them are used. */
  let slots = new Uint32Array(FEWEST_SLOTS)
  let count = 0
  return {
    numberOf(bytes: Uint8Array, start: number, end: number): number {
      const hash = hashBytes(bytes, start, end)
      const mask = slots.length - 1
      let slot = hash & mask
      for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
        const record = entry - 1
        if (records.hashes[record] === hash && recordEquals(records, record, bytes, start, end)) {
          return records.numbers[record] ?? INVALID
        }
        slot = (slot + 1) & mask
      }
      const number = isUtf8(bytes, start, end) ? count++ : INVALID
      addRecord(records, bytes.subarray(start, end), hash, number)
      slots[slot] = records.starts.length
      if (records.starts.length * 2 > slots.length) slots = makeSlots(slots.length * 2, records.hashes)
      return number
    },
    get count(): number {
      return count
    },
    sort: (used) => sortRecords(records, count, used),
    clear(): void {
      records = createRecords()
      slots = new Uint32Array(FEWEST_SLOTS)
      count = 0
    },
  }
}
