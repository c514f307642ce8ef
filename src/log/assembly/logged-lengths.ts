/**
 * The complete lengths that records told, day by day: open addressing over (request, length, UTC day). An entry
 * is 40 bytes: request number and count of requests (u32 each), length, first and last epoch, day (f64 each).
 */

import { EXTRA_BYTES, extraCount, extras, RUN_BYTES, RUN_KEY_BYTES, runKeys, runs } from './batch'
import { ensureRegion, Region } from './memory'

/** Bytes of an entry. */
const ENTRY_BYTES: usize = 40
const FEWEST_SLOTS: u32 = 1024

/** Entries in the order of their first request. */
export const lengthEntries: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
const slots: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** How many entries there are. */
export let lengthCount: u32 = 0

function hashOf(request: u32, length: f64, day: f64): u32 {
  const mixed = (reinterpret<u64>(length + day * 0x1000000) ^ ((<u64>request) << 32)) * 0x9e3779b97f4a7c15
  return <u32>(mixed >> 32)
}

function note(at: usize, run: usize): void {
  const epoch = load<f64>(run, 16)
  store<u32>(at, load<u32>(at, 4) + 1, 4)
  if (epoch < load<f64>(at, 16)) store<f64>(at, epoch, 16)
  if (epoch > load<f64>(at, 24)) store<f64>(at, epoch, 24)
}

function add(request: u32, length: f64, day: f64, run: usize): usize {
  const at = lengthEntries.address + <usize>lengthCount * ENTRY_BYTES
  store<u32>(at, request)
  store<u32>(at, 0, 4)
  store<f64>(at, length, 8)
  store<f64>(at, load<f64>(run, 16), 16)
  store<f64>(at, load<f64>(run, 16), 24)
  store<f64>(at, day, 32)
  lengthCount++
  return at
}

/** Collects the lengths of all runs; before they are sorted. False when memory is exhausted. */
export function collectLengths(): bool {
  lengthCount = 0
  if (extraCount == 0) return true
  let slotCount = FEWEST_SLOTS
  while (slotCount < extraCount << 1) slotCount <<= 1
  const mask = slotCount - 1
  if (!ensureRegion(slots, 0, (<u64>slotCount) << 2)) return false
  if (!ensureRegion(lengthEntries, 0, <u64>extraCount * ENTRY_BYTES)) return false
  memory.fill(slots.address, 0, (<usize>slotCount) << 2)
  for (let i: u32 = 0; i < extraCount; i++) {
    const length = load<f64>(extras.address + <usize>i * EXTRA_BYTES)
    if (length == 0) continue
    const request = load<u32>(runKeys.address + <usize>i * RUN_KEY_BYTES)
    const run = runs.address + <usize>i * RUN_BYTES
    const day = floor<f64>(load<f64>(run, 16) / 86400)
    let slot = hashOf(request, length, day) & mask
    while (true) {
      const place = slots.address + ((<usize>slot) << 2)
      const entry = load<u32>(place)
      if (entry == 0) {
        note(add(request, length, day, run), run)
        store<u32>(place, lengthCount)
        break
      }
      const at = lengthEntries.address + <usize>(entry - 1) * ENTRY_BYTES
      if (load<u32>(at) == request && load<f64>(at, 8) == length && load<f64>(at, 32) == day) {
        note(at, run)
        break
      }
      slot = (slot + 1) & mask
    }
  }
  return true
}
