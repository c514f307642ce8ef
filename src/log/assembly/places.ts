/**
 * Where lines stand that the host wants to hear of: rejected lines, and comments that may be headers. Lists
 * are 32 bytes an entry: byte offset (u64), byte length (u64), line index, reason, text offset, text length (u32 each).
 */

import { ensureRegion, Region } from './memory'
import { countReject, counts } from './state'

/** Bytes of an entry. */
export const PLACE_BYTES: usize = 32
const MAX_TEXT_BYTE_LENGTH: usize = 1024
const MAX_LISTED_COMMENTS: u64 = 1024

/** Rejected lines in line order. */
export const rejects: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Their texts, one after the other. */
export const rejectTexts: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Comments with a TAB that are not the header. */
export const otherHeaders: usize = memory.data(32768, 8)

let rejectLimit: u32 = 0
let keepTexts: bool = false
/** Bytes of texts so far. */
let textsEnd: usize = 0
/** Address of the end of what was committed, and its byte offset in the piece. */
let committedEnd: usize = 0
let committedOffset: u64 = 0

/** Says how many rejects are listed, and whether with text. */
export function configureRejects(limit: u32, withText: bool): void {
  rejectLimit = limit
  keepTexts = withText
}

/** Forgets what was listed for the piece before; its counts are forgotten elsewhere. */
export function emptyRejects(): void {
  textsEnd = 0
}

/** Says which byte offset of the piece the address `end` has. */
export function placeCommitted(end: usize, byteOffset: u64): void {
  committedEnd = end
  committedOffset = byteOffset
}

/** Byte offset in the piece of an address in the input. */
export function byteOffsetOf(address: usize): u64 {
  return committedOffset - <u64>(committedEnd - address)
}

function writePlace(entry: usize, byteOffset: u64, byteLength: u64, lineIndex: u32, reason: u32): void {
  store<u64>(entry, byteOffset)
  store<u64>(entry, byteLength, 8)
  store<u32>(entry, lineIndex, 16)
  store<u32>(entry, reason, 20)
}

/** Counts a comment, [start, end), that may be another header. */
export function noteOtherHeader(byteOffset: u64, byteLength: u64, lineIndex: u32): void {
  if (counts.otherHeaderCount < MAX_LISTED_COMMENTS) {
    writePlace(otherHeaders + ((<usize>counts.otherHeaderCount) << 5), byteOffset, byteLength, lineIndex, 0)
  }
  counts.otherHeaderCount++
}

/** Makes room for one more entry and text; false when memory is exhausted. */
function reserveReject(listed: usize): bool {
  const entries = <u64>(listed + 1) * PLACE_BYTES
  if (!ensureRegion(rejects, listed * PLACE_BYTES, entries)) return false
  if (!keepTexts) return true
  return ensureRegion(rejectTexts, textsEnd, <u64>textsEnd + MAX_TEXT_BYTE_LENGTH)
}

/** Counts a rejected line that is [start, end) in memory. */
export function noteReject(reason: u32, start: usize, end: usize, lineIndex: u32): void {
  noteRejectAt(reason, byteOffsetOf(start), end - start, start, lineIndex)
}

/**
 * Counts a rejected line; `start` is the address of its text. Lines of one batch may come out of order
 * (UTF-8 is checked last): the list is kept in line order, and the last entry gives way when it is full. Its
 * text stays behind, but that can happen within one batch only: afterwards all listed lines are earlier ones.
 */
export function noteRejectAt(
  reason: u32,
  byteOffset: u64,
  byteLength: u64,
  start: usize,
  lineIndex: u32,
): void {
  countReject(reason)
  if (rejectLimit == 0) return
  let last = <usize>counts.listedRejects
  if (last == <usize>rejectLimit) {
    last--
    if (load<u32>(rejects.address + last * PLACE_BYTES, 16) < lineIndex) return
    counts.listedRejects--
  }
  if (!reserveReject(last)) return
  counts.listedRejects++
  const list = rejects.address
  const end = list + last * PLACE_BYTES
  let at = end
  while (at > list && load<u32>(at - PLACE_BYTES, 16) > lineIndex) at -= PLACE_BYTES
  if (at < end) memory.copy(at + PLACE_BYTES, at, end - at)
  writePlace(at, byteOffset, byteLength, lineIndex, reason)
  if (!keepTexts) return
  const textLength: usize = byteLength < <u64>MAX_TEXT_BYTE_LENGTH ? <usize>byteLength : MAX_TEXT_BYTE_LENGTH
  store<u32>(at, <u32>textsEnd, 24)
  store<u32>(at, <u32>textLength, 28)
  memory.copy(rejectTexts.address + textsEnd, start, textLength)
  textsEnd += textLength
}
