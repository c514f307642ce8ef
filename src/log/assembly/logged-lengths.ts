/**
 * The lengths that records told, day by day: open addressing over (request, length, UTC day). An entry is 40 bytes:
 * request number and count of requests (u32 each), length, first and last epoch, day (f64 each). A length below 0
 * is no complete one (tellings.ts); of either kind of those a request and day have one, the farthest.
 */

import { EXTRA_BYTES, extraCount, extras, RUN_BYTES, RUN_KEY_BYTES, runKeys, runs } from './batch'
import { ensureRegion, Region } from './memory'
import { sortStrings } from './string-table'
import { ANSWERED, TELLING_BYTES, tellingCount, tellings, toldAssets, toldTable } from './tellings'

/** Bytes of an entry. */
const ENTRY_BYTES: usize = 40
const FEWEST_SLOTS: u32 = 1024

/** Entries in the order of their first request: those of runs, then those of other lines. */
export const lengthEntries: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
const slots: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** How many entries there are. */
export let lengthCount: u32 = 0
/** How many of them are of runs: their request numbers are of the dictionary of requests. */
export let runLengthCount: u32 = 0

function hashOf(request: u32, length: f64, day: f64): u32 {
  const mixed = (reinterpret<u64>(length + day * 0x1000000) ^ ((<u64>request) << 32)) * 0x9e3779b97f4a7c15
  return <u32>(mixed >> 32)
}

function note(at: usize, length: f64, epoch: f64): void {
  store<u32>(at, load<u32>(at, 4) + 1, 4)
  if (length < load<f64>(at, 8)) store<f64>(at, length, 8)
  if (epoch < load<f64>(at, 16)) store<f64>(at, epoch, 16)
  if (epoch > load<f64>(at, 24)) store<f64>(at, epoch, 24)
}

function add(request: u32, length: f64, day: f64, epoch: f64): usize {
  const at = lengthEntries.address + <usize>lengthCount * ENTRY_BYTES
  store<u32>(at, request)
  store<u32>(at, 0, 4)
  store<f64>(at, length, 8)
  store<f64>(at, epoch, 16)
  store<f64>(at, epoch, 24)
  store<f64>(at, day, 32)
  lengthCount++
  return at
}

/** Makes room for the entries of so many lines beside those there are, and empties the slots; their number, or 0. */
function reserveEntries(lineCount: u32): u32 {
  let slotCount = FEWEST_SLOTS
  while (slotCount < lineCount << 1) slotCount <<= 1
  if (!ensureRegion(slots, 0, (<u64>slotCount) << 2)) return 0
  const used = <usize>lengthCount * ENTRY_BYTES
  if (!ensureRegion(lengthEntries, used, <u64>used + <u64>lineCount * ENTRY_BYTES)) return 0
  memory.fill(slots.address, 0, (<usize>slotCount) << 2)
  return slotCount
}

/** Adds a line's length to its entry. */
function collect(request: u32, length: f64, epoch: f64, mask: u32): void {
  const day = floor<f64>(epoch / 86400)
  const kind: f64 = length >= 0 ? length : length > ANSWERED ? 0 : ANSWERED
  let slot = hashOf(request, kind, day) & mask
  while (true) {
    const place = slots.address + ((<usize>slot) << 2)
    const entry = load<u32>(place)
    if (entry == 0) {
      note(add(request, length, day, epoch), length, epoch)
      store<u32>(place, lengthCount)
      return
    }
    const at = lengthEntries.address + <usize>(entry - 1) * ENTRY_BYTES
    const known = load<f64>(at, 8)
    const isSame = kind > 0 ? known == length : kind == 0 ? known < 0 && known > ANSWERED : known <= ANSWERED
    if (isSame && load<u32>(at) == request && load<f64>(at, 32) == day) {
      note(at, length, epoch)
      return
    }
    slot = (slot + 1) & mask
  }
}

/** Collects the lengths of all lines; before runs are sorted. False when memory is exhausted. */
export function collectLengths(): bool {
  lengthCount = 0
  if (extraCount > 0) {
    const mask = reserveEntries(extraCount) - 1
    if (mask == 0xffffffff) return false
    for (let i: u32 = 0; i < extraCount; i++) {
      const length = load<f64>(extras.address + <usize>i * EXTRA_BYTES)
      if (length == 0) continue
      const request = load<u32>(runKeys.address + <usize>i * RUN_KEY_BYTES)
      collect(request, length, load<f64>(runs.address + <usize>i * RUN_BYTES, 16), mask)
    }
  }
  runLengthCount = lengthCount
  toldTable.count = 0
  toldTable.byteLength = 0
  if (tellingCount == 0) return true
  const mask = reserveEntries(tellingCount) - 1
  if (mask == 0xffffffff) return false
  const end = tellings.address + <usize>tellingCount * TELLING_BYTES
  for (let at = tellings.address; at < end; at += TELLING_BYTES) {
    collect(load<u32>(at), load<f64>(at, 8), load<f64>(at, 16), mask)
  }
  return sortStrings(toldAssets, 0, toldTable)
}
