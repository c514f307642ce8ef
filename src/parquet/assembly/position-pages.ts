/** The pages of a position chunk: which runs share one, its header and body, its bounds. Twin: plain-position-pages.ts. */

import { crc32 } from './crc32'
import {
  addException,
  clearExceptions,
  encodePage,
  isOneMatch,
  putOneRunBody,
  setExceptions,
  uncompressedByteLength,
} from './delta-page'
import { allocateRegion, shortBody } from './memory'
import { putUleb128, putZigzag } from './varint'
import { frameContentByteLength, frameEnd, frameStart, MAX_FRAME_HEADER } from './zstd-frame'

const OWN_PAGE_ROWS: i64 = 65536
const SHARED_PAGE_ROWS: i64 = 131072
const MAX_PAGE_ROWS: i64 = 1048576
const EXACT_POSITION_LIMIT: i64 = 0x8000000000000
/** A run adds at most so much to a shared page; measured against the twin's own bounds. */
const MAX_RUN_BYTE_LENGTH: u64 = 192
/** Header, frame and first block of a page, and the page of a run alone. */
const MAX_PAGE_OVERHEAD: u64 = 256
const MAX_BODY_OVERHEAD: u64 = 4096
/** Bytes of a bound as the column index has it: the length 8 and the position. */
const BOUND_BYTE_LENGTH: usize = 9

let starts: usize = 0
let rowCounts: usize = 0
let runCount: i32 = 0
let body: usize = 0

/** What the host reads. */
export let pages: usize = 0
export let pagesEnd: usize = 0
export let pageCount: u32 = 0
export let pageByteLengths: usize = 0
export let pageFirstRows: usize = 0
export let pageMinima: usize = 0
export let pageMaxima: usize = 0
export let smallest: i64 = 0
export let largest: i64 = 0
export let inflatedByteLength: u64 = 0

/** Makes room for `count` runs: starts, then row counts, as f64. Gives the address, or 0 without memory. */
export function reserveRuns(count: i32): usize {
  runCount = count
  starts = allocateRegion((<u64>count) << 4)
  rowCounts = starts + ((<usize>count) << 3)
  return starts
}

function startOf(run: i32): i64 {
  return <i64>load<f64>(starts + ((<usize>run) << 3))
}

function rowsOf(run: i32): i64 {
  return <i64>load<f64>(rowCounts + ((<usize>run) << 3))
}

/** Lays out what depends on the runs. False without memory. */
function reserveResults(): bool {
  let maxPages: u64 = 0
  for (let run = 0; run < runCount; run++) maxPages += 1 + (<u64>rowsOf(run) >> 20)
  // A run whose row count ends a page early begins one more.
  maxPages += <u64>runCount
  const runs = <u64>runCount
  const exceptions = allocateRegion(runs << 4)
  body = allocateRegion(runs * MAX_RUN_BYTE_LENGTH + MAX_BODY_OVERHEAD)
  pageByteLengths = allocateRegion(maxPages << 2)
  pageFirstRows = allocateRegion(maxPages << 3)
  pageMinima = allocateRegion(maxPages * BOUND_BYTE_LENGTH)
  pageMaxima = allocateRegion(maxPages * BOUND_BYTE_LENGTH)
  pages = allocateRegion(runs * MAX_RUN_BYTE_LENGTH + maxPages * MAX_PAGE_OVERHEAD)
  if (exceptions == 0 || body == 0 || pageByteLengths == 0 || pageFirstRows == 0) return false
  if (pageMinima == 0 || pageMaxima == 0 || pages == 0) return false
  setExceptions(exceptions)
  return true
}

/** Encodes the runs that were reserved and written. False without memory. */
export function encodePositionPages(): bool {
  if (!reserveResults()) return false
  pagesEnd = pages
  pageCount = 0
  inflatedByteLength = 0
  smallest = i64.MAX_VALUE
  largest = 0
  let firstRow: i64 = 0
  for (let run = 0; run < runCount; ) {
    // Runs that follow each other without a gap are one run of positions, whatever else differs.
    const start = startOf(run)
    let end = run
    let rows: i64 = 0
    do rows += rowsOf(end++)
    while (end < runCount && startOf(end) == start + rows)
    if (rows >= OWN_PAGE_ROWS || start >= EXACT_POSITION_LIMIT) {
      pagesOfOneRun(start, rows, firstRow)
      firstRow += rows
    } else {
      end = endOfSharedPage(run)
      firstRow += sharedPage(run, end, firstRow)
    }
    run = end
  }
  return true
}

function endOfSharedPage(from: i32): i32 {
  let rowCount = rowsOf(from)
  let end = from + 1
  for (; end < runCount; end++) {
    const rows = rowsOf(end)
    if (rowCount + rows > SHARED_PAGE_ROWS || rows >= OWN_PAGE_ROWS) break
    if (startOf(end) >= EXACT_POSITION_LIMIT) break
    rowCount += rows
  }
  return end
}

function pagesOfOneRun(start: i64, rowCount: i64, firstRow: i64): void {
  for (let at: i64 = 0; at < rowCount; at += MAX_PAGE_ROWS) {
    const rows = min(rowCount - at, MAX_PAGE_ROWS)
    const first = start + at
    if (isOneMatch(<i32>rows)) {
      const end = putOneRunBody(shortBody, first, <i32>rows)
      const header = putHeader(pagesEnd, shortBody, end, uncompressedByteLength, rows)
      // A body of one match has fewer than 64 bytes.
      v128.store(header, v128.load(shortBody))
      v128.store(header, v128.load(shortBody, 16), 16)
      v128.store(header, v128.load(shortBody, 32), 32)
      v128.store(header, v128.load(shortBody, 48), 48)
      addPage(header, <usize>(end - shortBody), uncompressedByteLength, firstRow + at)
    } else {
      clearExceptions()
      encodePage(first, <i32>rows, body + MAX_FRAME_HEADER)
      copyPage(rows, firstRow + at)
    }
    addBounds(first, first + rows - 1)
  }
}

/** Gives the number of rows that the page holds. */
function sharedPage(from: i32, to: i32, firstRow: i64): i64 {
  clearExceptions()
  const first = startOf(from)
  let least = first
  let most: i64 = 0
  let next = first
  let rowCount: i64 = 0
  for (let run = from; run < to; run++) {
    const start = startOf(run)
    const rows = rowsOf(run)
    if (start != next) addException(<i32>rowCount - 1, start - next + 1)
    rowCount += rows
    next = start + rows
    least = min(least, start)
    most = max(most, next - 1)
  }
  encodePage(first, <i32>rowCount, body + MAX_FRAME_HEADER)
  copyPage(rowCount, firstRow)
  addBounds(least, most)
  return rowCount
}

/** Puts the frame made last behind the pages. */
function copyPage(rowCount: i64, firstRow: i64): void {
  const header = putHeader(pagesEnd, frameStart, frameEnd, frameContentByteLength, rowCount)
  const byteLength = frameEnd - frameStart
  memory.copy(header, frameStart, byteLength)
  addPage(header, byteLength, frameContentByteLength, firstRow)
}

/** Header of a data page in DELTA_BINARY_PACKED, see page-header.ts. Gives the place after it. */
function putHeader(start: usize, bodyStart: usize, bodyEnd: usize, inflated: i32, rowCount: i64): usize {
  const byteLength = bodyEnd - bodyStart
  store<u32>(start, 0x150015) // type: data page
  let at = putUleb128(start + 3, (<u64>inflated) << 1)
  store<u8>(at++, 0x15)
  at = putUleb128(at, (<u64>byteLength) << 1)
  store<u8>(at++, 0x15)
  at = putZigzag(at, <i64>(<i32>crc32(bodyStart, byteLength)))
  store<u16>(at, 0x151c)
  at = putUleb128(at + 2, (<u64>rowCount) << 1)
  // Encoding DELTA_BINARY_PACKED, both levels RLE, the ends of both structures.
  store<u64>(at, 0x00061506150a15)
  return at + 8
}

/** Counts a page whose body stands behind its header at `bodyStart`. */
function addPage(bodyStart: usize, bodyByteLength: usize, inflated: i32, firstRow: i64): void {
  const end = bodyStart + bodyByteLength
  inflatedByteLength += <u64>(bodyStart - pagesEnd) + <u64>inflated
  store<u32>(pageByteLengths + ((<usize>pageCount) << 2), <u32>(end - pagesEnd))
  store<f64>(pageFirstRows + ((<usize>pageCount) << 3), <f64>firstRow)
  pagesEnd = end
  pageCount++
}

/** Bounds of the page counted last. */
function addBounds(least: i64, most: i64): void {
  const at = <usize>(pageCount - 1) * BOUND_BYTE_LENGTH
  store<u8>(pageMinima + at, 8)
  store<i64>(pageMinima + at, least, 1)
  store<u8>(pageMaxima + at, 8)
  store<i64>(pageMaxima + at, most, 1)
  if (least < smallest) smallest = least
  if (most > largest) largest = most
}
