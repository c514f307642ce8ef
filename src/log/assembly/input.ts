/**
 * The input of one piece. Memory: a margin, room for the line that the last commit left unfinished (it ends
 * where the next bytes are read to, so that they follow it), the reserved bytes, a margin. A line that
 * grows beyond the limit is not kept: its bytes are counted until its line feed comes.
 */

import { scanLines } from './lines'
import { findByte, findLastLineEnd } from './marks'
import { allocateBlock, memoryExhausted, Region, releaseBlock } from './memory'
import { noteOtherHeader, noteRejectAt, placeCommitted } from './places'
import { hasComments, isRecord } from './record-layout'
import { isFieldsComment, scanRecords } from './records'
import { counts, LONG_LINE, MAX_LINE_BYTE_LENGTH } from './state'

const LINE_FEED: u8 = 10
const TAB: u8 = 9
const NUMBER_SIGN: u8 = 35
/** Vector loads reach so far before and after what they want. */
const MARGIN: usize = 128
/** Longest unfinished line and a byte order mark before it. */
const CARRY_BYTE_LENGTH: usize = 65792

const input: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** Where the next bytes are read to. */
let fresh: usize = 0
/** Bytes of the unfinished line, directly before `fresh`. */
let carried: usize = 0
/** A byte order mark may come. */
let markAwaited: bool = false

/** The long line at hand: whether there is one, its start, its length so far, and what it is. */
let longLine: bool = false
let longOffset: u64 = 0
let longByteLength: u64 = 0
let longIsComment: bool = false
let longHasTab: bool = false
/** Its first bytes, kept until its length is known. */
const longText: usize = memory.data(1024, 16)

/** Makes ready for a piece; `atInputStart` when a byte order mark may come. */
export function beginInput(atInputStart: bool): void {
  carried = 0
  longLine = false
  markAwaited = atInputStart
}

/** Address of `byteLength` bytes to read to, or 0 when memory is exhausted. */
export function reserveInput(byteLength: usize): usize {
  const needed = MARGIN + CARRY_BYTE_LENGTH + byteLength + MARGIN
  if (needed > input.byteLength) {
    const address = allocateBlock(needed)
    if (address == 0) return 0
    const start = address + MARGIN + CARRY_BYTE_LENGTH
    if (input.byteLength != 0) {
      memory.copy(start - carried, fresh - carried, carried)
      releaseBlock(input.address, input.byteLength)
    }
    input.address = address
    input.byteLength = needed
    fresh = start
  }
  return fresh
}

function beginLongLine(start: usize, end: usize): void {
  longLine = true
  longByteLength = <u64>(end - start)
  longOffset = counts.byteLength - longByteLength
  longIsComment = load<u8>(start) == NUMBER_SIGN && hasComments()
  longHasTab = isRecord ? isFieldsComment(start, end) : findByte(TAB, start, end) < end
  memory.copy(longText, start, 1024)
}

/** Takes the bytes of the long line out of [start, end); returns where the next line begins, or 0. */
function passLongLine(start: usize, end: usize): usize {
  const lineFeed = findByte(LINE_FEED, start, end)
  longByteLength += <u64>(lineFeed - start)
  if (longIsComment && !longHasTab && !isRecord) longHasTab = findByte(TAB, start, lineFeed) < lineFeed
  if (lineFeed == end) return 0
  endLongLine()
  return lineFeed + 1
}

function endLongLine(): void {
  longLine = false
  const lineIndex = <u32>counts.lines
  counts.lines++
  if (!longIsComment) {
    noteRejectAt(LONG_LINE, longOffset, longByteLength, longText, lineIndex)
    return
  }
  counts.comments++
  if (longHasTab) noteOtherHeader(longOffset, longByteLength, lineIndex)
}

/** Keeps the unfinished line [start, end) for the next commit. */
function carry(start: usize, end: usize): void {
  const byteLength = end - start
  if (byteLength > MAX_LINE_BYTE_LENGTH) {
    beginLongLine(start, end)
    carried = 0
  } else {
    memory.copy(fresh - byteLength, start, byteLength)
    carried = byteLength
  }
}

function scan(from: usize, to: usize): bool {
  return isRecord ? scanRecords(from, to) : scanLines(from, to)
}

/** Scans what was read: `byteLength` bytes at the reserved address. False when memory is exhausted. */
export function commitInput(byteLength: usize): bool {
  const end = fresh + byteLength
  counts.byteLength += <u64>byteLength
  placeCommitted(end, counts.byteLength)
  let start = fresh - carried
  // The carried bytes hold no line feed, unless they waited to be told from a byte order mark.
  let searchFrom = fresh
  if (longLine) {
    start = passLongLine(fresh, end)
    if (start == 0) return true
    searchFrom = start
  }
  if (markAwaited && end - start >= 3) {
    markAwaited = false
    if (load<u16>(start) == 0xbbef && load<u8>(start, 2) == 0xbf) start += 3
    searchFrom = start
  }
  if (!markAwaited) {
    const linesEnd = findLastLineEnd(searchFrom, end)
    if (linesEnd > searchFrom) {
      if (!scan(start, linesEnd)) return false
      start = linesEnd
    }
  }
  carry(start, end)
  return !memoryExhausted
}

/** Scans what is left at the end of the piece. False when memory is exhausted. */
export function endInput(): bool {
  if (longLine) {
    endLongLine()
  } else if (carried > 0) {
    const start = fresh - carried
    const linesEnd = findLastLineEnd(start, fresh)
    placeCommitted(fresh, counts.byteLength)
    if (linesEnd > start && !scan(start, linesEnd)) return false
    if (linesEnd < fresh) {
      // A line feed of our own ends the last line; nothing of it is counted.
      store<u8>(fresh, LINE_FEED)
      if (!scan(linesEnd, fresh + 1)) return false
    }
  }
  carried = 0
  return !memoryExhausted
}
