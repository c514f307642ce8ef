/**
 * Lengths of assets that lines tell of which no run is made: of a 416, of the answer to a HEAD, of a transfer that was
 * cut off at once. A telling is 24 bytes: number of the asset in a dictionary of its own (u32, then four bytes of
 * nothing), the length (f64, see `ANSWERED`), and the epoch (f64).
 */

import {
  Dictionary,
  emptyDictionary,
  INVALID,
  initDictionary,
  numberStrings,
  reserveStrings,
} from './dictionary'
import { ensureRegion, Region } from './memory'
import { initStringTable, StringTable } from './string-table'

/**
 * A length below 0 is no complete one: the asset may be so long, or, where the number is this times the length, is at
 * least so long for certain. No length of the first kind is as far below 0.
 */
export const ANSWERED: f64 = -18014398509481984

/** Bytes of a telling. */
export const TELLING_BYTES: usize = 24

/** The assets. */
export const toldAssets: Dictionary = initDictionary(
  memory.data(offsetof<Dictionary>(), 8),
  memory.data(offsetof<Region>(), 8),
  memory.data(offsetof<Region>(), 8),
)
/** The assets in order. */
export const toldTable: StringTable = initStringTable(
  memory.data(offsetof<StringTable>(), 8),
  memory.data(64, 8),
)
/** In the order of the lines. */
export const tellings: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** How many there are. */
export let tellingCount: u32 = 0

/** Address and length of the asset that is numbered. */
const asset: usize = memory.data(8, 8)

/** Forgets all. */
export function emptyTellings(): void {
  tellingCount = 0
  emptyDictionary(toldAssets)
}

/** Keeps that the asset [start, end) has a length, as the head of this file has it; not of one that is no UTF-8. */
export function noteTelling(start: usize, end: usize, length: f64, epoch: i64): void {
  const used = <usize>tellingCount * TELLING_BYTES
  if (!ensureRegion(tellings, used, <u64>used + TELLING_BYTES)) return
  if (!reserveStrings(toldAssets, 1, end - start)) return
  const telling = tellings.address + used
  store<u32>(asset, <u32>start)
  store<u32>(asset, <u32>(end - start), 4)
  numberStrings(toldAssets, 1, asset, 8, telling, 4)
  if (load<u32>(telling) == INVALID) return
  store<f64>(telling, length, 8)
  store<f64>(telling, <f64>epoch, 16)
  tellingCount++
}
