/** The module's interface to its host; see the file that loads it for the order of calls. */

import { configureRanges, emptyRuns, extraCount, extras, removeRuns, reserveExtras, runCount } from './batch'
import { beginInput, commitInput, endInput, reserveInput } from './input'
import { resetMembers } from './json-members'
import { collectLengths, lengthCount, lengthEntries, runLengthCount } from './logged-lengths'
import { allocateBlock, ensureRegion, limitMemory, Region, releaseBlock } from './memory'
import { configureRejects, emptyRejects, otherHeaders, rejects, rejectTexts } from './places'
import * as program from './record-layout'
import { limitWordBits, sortRuns } from './run-order'
import {
  ipTable,
  requestTable,
  sortedEpoch,
  sortedFirst,
  sortedIp,
  sortedLast,
  sortedRequest,
  sortedUserAgent,
  userAgentTable,
} from './sorted-runs'
import { Counts, counts, layout } from './state'
import { StringTable } from './string-table'
import { emptyTellings, toldTable } from './tellings'
import { xxhash64 } from './xxhash64'

/** What the host reads after `finish` and `endPiece`: u32 values, in the order of `RESULT_FIELDS` there. */
const results: usize = memory.data(128, 8)
const hashInput: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))

/** Sets the options; once, before anything else. */
export function configure(
  maxRangeByteLength: f64,
  rejectLimit: u32,
  keepTexts: bool,
  memoryLimit: f64,
  sortWordBits: u32,
): void {
  configureRanges(<u64>maxRangeByteLength)
  configureRejects(rejectLimit, keepTexts)
  limitMemory(<u64>memoryLimit)
  limitWordBits(sortWordBits)
  emptyRuns()
  emptyTellings()
}

/** Address of eight numbers of the layout (u32), to be written before `beginPiece`. */
export function layoutAddress(): usize {
  return changetype<usize>(layout)
}

/** Makes room for a header of `byteLength` bytes; its address, or 0 when memory is exhausted. */
export function reserveHeader(byteLength: usize): usize {
  if (layout.header != 0) releaseBlock(layout.header, layout.headerByteLength)
  layout.header = allocateBlock(byteLength)
  layout.headerByteLength = byteLength
  return layout.header
}

/** Makes room for the program of a format of `byteLength` bytes; its address, or 0 when memory is exhausted. */
export function reserveProgram(byteLength: usize): usize {
  return program.reserveProgram(byteLength)
}

/** Begins a piece; `hasProgram` when its lines are as the program says that was written last. */
export function beginPiece(atInputStart: bool, hasProgram: bool): void {
  memory.fill(changetype<usize>(counts), 0, offsetof<Counts>())
  emptyRejects()
  program.useProgram(hasProgram)
  resetMembers()
  beginInput(atInputStart)
}

/** Address to read `byteLength` bytes to, or 0 when memory is exhausted. */
export function reserve(byteLength: usize): usize {
  return reserveInput(byteLength)
}

/** Scans the bytes that were read; false when memory is exhausted. */
export function commit(byteLength: usize): bool {
  return commitInput(byteLength)
}

/** Ends the piece; false when memory is exhausted. */
export function endPiece(): bool {
  return endInput()
}

/** Address of the piece's counts: 24 u64. */
export function countsAddress(): usize {
  return changetype<usize>(counts)
}

/** Address of the list of rejected lines. */
export function rejectsAddress(): usize {
  return rejects.address
}

/** Address of the texts of rejected lines. */
export function rejectTextsAddress(): usize {
  return rejectTexts.address
}

/** Address of the list of comments that may be headers. */
export function otherHeadersAddress(): usize {
  return otherHeaders
}

/** Runs of the shard so far. */
export function runsSoFar(): u32 {
  return runCount
}

/** Runs from the first that have extras. */
export function extrasSoFar(): u32 {
  return extraCount
}

/** Address of the extras: length, clipped bytes (f64), hash that identifies the line (u64) a run. */
export function extrasAddress(): usize {
  return extras.address
}

/** Takes out the runs whose byte at `flags` is not zero, one a run; false when memory is exhausted. */
export function drop(flags: usize): bool {
  if (!reserveExtras()) return false
  removeRuns(flags)
  return true
}

/** Sorts; false when memory is exhausted. */
export function finish(): bool {
  return collectLengths() && sortRuns()
}

/** Address of the lengths that `finish` collected. */
export function lengthsAddress(): usize {
  return lengthEntries.address
}

/** How many there are. */
export function lengthsCount(): u32 {
  return lengthCount
}

/** How many of them, from the first, are of runs: the others number assets by a dictionary of their own. */
export function runLengthsCount(): u32 {
  return runLengthCount
}

/** Address of the rank of each asset number of the others (u32), after `finish`. */
export function toldRanksAddress(): usize {
  return toldTable.ranks.address
}

/** Address of the rank of each request number (u32), after `finish`. */
export function requestRanksAddress(): usize {
  return requestTable.ranks.address
}

function writeTableResults(at: usize, table: StringTable): void {
  store<u32>(at, table.count)
  store<u32>(at, <u32>table.byteLength, 4)
  store<u32>(at, <u32>table.bytes.address, 8)
  store<u32>(at, <u32>table.offsets.address, 12)
  store<u32>(at, <u32>table.hashLow.address, 16)
  store<u32>(at, <u32>table.hashHigh.address, 20)
}

function addressOf(region: Region): u32 {
  return <u32>region.address
}

/** Address of what `finish` made: the runs' count and six lists, then six numbers a table, the last of lengths' assets. */
export function resultsAddress(): usize {
  store<u32>(results, runCount)
  store<u32>(results, addressOf(sortedRequest), 4)
  store<u32>(results, addressOf(sortedIp), 8)
  store<u32>(results, addressOf(sortedUserAgent), 12)
  store<u32>(results, addressOf(sortedFirst), 16)
  store<u32>(results, addressOf(sortedLast), 20)
  store<u32>(results, addressOf(sortedEpoch), 24)
  writeTableResults(results + 28, requestTable)
  writeTableResults(results + 52, ipTable)
  writeTableResults(results + 76, userAgentTable)
  writeTableResults(results + 100, toldTable)
  return results
}

/** Forgets runs and strings, keeps memory. */
export function reset(): void {
  emptyRuns()
  emptyTellings()
}

/** Address of `byteLength` bytes for `hash64`, or 0 when memory is exhausted. */
export function reserveHashInput(byteLength: usize): usize {
  return ensureRegion(hashInput, 0, byteLength + 1) ? hashInput.address : 0
}

/** XXH64 with seed 0 of bytes in linear memory. */
export function hash64(address: usize, byteLength: usize): u64 {
  return xxhash64(address, byteLength)
}
