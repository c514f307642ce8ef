/**
 * Lines of one piece: marks are laid out a block at a time, then each line's marks are checked and its
 * fields read. A line that has exactly its TABs and its line feed takes the short way; every other line
 * the careful one, which says what it is.
 */

import { BLOCK_BYTE_LENGTH, closeBatch, readFields, reserveBatch } from './batch'
import { isHeader } from './header-line'
import { findByte, markBytes } from './marks'
import { memoryExhausted } from './memory'
import { byteOffsetOf, noteOtherHeader, noteReject } from './places'
import { BAD_FIELDS, counts, KEPT, LONG_LINE, layout, MAX_LINE_BYTE_LENGTH, NUL_BYTE, SKIPPED } from './state'

const TAB: u8 = 9
const LINE_FEED: u8 = 10
const CARRIAGE_RETURN: u8 = 13
const NUMBER_SIGN: u8 = 35

/**
 * The mark before the first line, then those of a line that goes on from the block before (at most one a
 * byte), of a block, and what `markBytes` may overwrite: (65536 + 16384 + 128) * 4 bytes.
 */
const marks: usize = memory.data(328192, 16) + 64
/** Field ends of a line that takes the careful way, in the form of marks: (65536 + 64) * 4 bytes. */
const carefulMarks: usize = memory.data(262400, 16)

/** Lays out the fields of [start, end) at `carefulMarks`; false when their number is wrong. */
function markFields(start: usize, end: usize): bool {
  const last = carefulMarks + ((<usize>layout.fieldCount) << 2)
  let out = carefulMarks
  let tab = start - 1
  store<u32>(out, <u32>tab)
  while (tab < end && out < last) {
    tab = findByte(TAB, tab + 1, end)
    out += 4
    store<u32>(out, <u32>tab)
  }
  return tab == end && out == last
}

function settle(fate: u32, start: usize, lineFeed: usize, lineIndex: u32): void {
  if (fate == KEPT) return
  if (fate == SKIPPED) counts.skippedStatus++
  else noteReject(fate, start, lineFeed, lineIndex)
}

/** Decides on one whole line, [start, lineFeed), of whatever shape. */
export function readCarefully(start: usize, lineFeed: usize): void {
  const lineIndex = <u32>counts.lines
  counts.lines++
  const end = lineFeed > start && load<u8>(lineFeed - 1) == CARRIAGE_RETURN ? lineFeed - 1 : lineFeed
  if (start == end) {
    counts.blank++
  } else if (load<u8>(start) == NUMBER_SIGN) {
    counts.comments++
    if (findByte(TAB, start, end) < end && !isHeader(start, end)) {
      noteOtherHeader(byteOffsetOf(start), lineFeed - start, lineIndex)
    }
  } else if (lineFeed - start > MAX_LINE_BYTE_LENGTH) {
    noteReject(LONG_LINE, start, lineFeed, lineIndex)
  } else if (findByte(0, start, end) < end) {
    noteReject(NUL_BYTE, start, lineFeed, lineIndex)
  } else if (!markFields(start, end)) {
    noteReject(BAD_FIELDS, start, lineFeed, lineIndex)
  } else {
    settle(readFields(carefulMarks, lineFeed, lineIndex), start, lineFeed, lineIndex)
  }
}

/** Whether the marks after `mark` are those of an ordinary line: TABs, then a line feed. */
function isOrdinary(mark: usize, lastMark: usize, start: usize, lineFeed: usize): bool {
  let differences = <u32>(load<u8>(lineFeed) ^ LINE_FEED)
  for (let at = mark + 4; at < lastMark; at += 4) differences |= <u32>(load<u8>(<usize>load<u32>(at)) ^ TAB)
  return differences == 0 && load<u8>(start) != NUMBER_SIGN && lineFeed - start <= MAX_LINE_BYTE_LENGTH
}

/** Reads the whole lines among the marks up to `marksEnd`; returns the mark before the first that is not whole. */
function readLines(marksEnd: usize): usize {
  const span = (<usize>layout.fieldCount) << 2
  let mark = marks
  while (true) {
    const start = <usize>load<u32>(mark) + 1
    const lastMark = mark + span
    const lineFeed = <usize>load<u32>(lastMark)
    if (lastMark < marksEnd && isOrdinary(mark, lastMark, start, lineFeed)) {
      const lineIndex = <u32>counts.lines
      counts.lines++
      // The last field ends before a carriage return; the next line begins after the line feed all the same.
      store<u32>(lastMark, <u32>lineFeed - <u32>(load<u8>(lineFeed - 1) == CARRIAGE_RETURN))
      settle(readFields(mark, lineFeed, lineIndex), start, lineFeed, lineIndex)
      store<u32>(lastMark, <u32>lineFeed)
      mark = lastMark
      continue
    }
    let next = mark + 4
    while (next < marksEnd && load<u8>(<usize>load<u32>(next)) != LINE_FEED) next += 4
    if (next >= marksEnd) return mark
    readCarefully(start, <usize>load<u32>(next))
    mark = next
  }
}

/** Scans [from, to), whole lines, the last byte a line feed. False when memory is exhausted. */
export function scanLines(from: usize, to: usize): bool {
  store<u32>(marks, <u32>from - 1)
  let marksEnd = marks + 4
  let at = from
  while (at < to) {
    if (!reserveBatch()) return false
    const blockEnd = to - at < BLOCK_BYTE_LENGTH ? to : at + BLOCK_BYTE_LENGTH
    marksEnd = markBytes(at, blockEnd, marksEnd)
    at = blockEnd
    const rest = readLines(marksEnd)
    closeBatch(false)
    if (memoryExhausted) return false
    const restByteLength = marksEnd - rest
    if (rest != marks) memory.copy(marks, rest, restByteLength)
    marksEnd = marks + restByteLength
    const start = <usize>load<u32>(marks) + 1
    if (at - start > MAX_LINE_BYTE_LENGTH) {
      // Too long already: its marks are of no use, whatever follows up to the line feed.
      const lineFeed = findByte(LINE_FEED, at, to)
      readCarefully(start, lineFeed)
      store<u32>(marks, <u32>lineFeed)
      marksEnd = marks + 4
      at = lineFeed + 1
    }
  }
  return true
}
