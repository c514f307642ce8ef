/**
 * Two buffers that the sorts share, one after the other: pages that were touched once are cheap, fresh ones
 * are not. Whoever takes them has them until the next one does.
 */

import { ensureRegion, Region } from './memory'

/** One of the two buffers. */
export const scratchA: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** The other. */
export const scratchB: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))

/** Makes room in both; false when memory is exhausted. What was in them is lost. */
export function reserveScratch(byteLength: u64): bool {
  return ensureRegion(scratchA, 0, byteLength) && ensureRegion(scratchB, 0, byteLength)
}
