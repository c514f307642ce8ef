/** Where `finish` leaves its result: the tables of strings, and the lists of runs in order. */

import { ensureRegion, Region } from './memory'
import { initStringTable, StringTable } from './string-table'

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

/** Makes room for `runCount` runs in all lists; false when memory is exhausted. */
export function reserveSortedRuns(runCount: u32): bool {
  const ranks = ((<u64>runCount) << 2) + 8
  const numbers = ((<u64>runCount) << 3) + 8
  return (
    ensureRegion(sortedRequest, 0, ranks) &&
    ensureRegion(sortedIp, 0, ranks) &&
    ensureRegion(sortedUserAgent, 0, ranks) &&
    ensureRegion(sortedFirst, 0, numbers) &&
    ensureRegion(sortedLast, 0, numbers) &&
    ensureRegion(sortedEpoch, 0, numbers)
  )
}
