/** DELTA_BINARY_PACKED bodies of runs of positions, as the plain twin makes them (delta-page.ts). */

import { putOneSequence } from './sequences'
import { putUleb128, putZigzag } from './varint'
import {
  addLiteralsTo,
  beginFrame,
  endFrame,
  keepTogether,
  literalEnd,
  putBlockHeader,
  putFrameHeader,
  repeat,
} from './zstd-frame'

const BLOCK_VALUES: i32 = 128
const MINIBLOCK_VALUES: i32 = 32
const PLAIN_BLOCK_BYTE_LENGTH: i32 = 5
const MAX_DELTA_BLOCK_BYTE_LENGTH: i32 = 32 + BLOCK_VALUES * 8
const MIN_ONE_MATCH_BLOCKS: i32 = 8
const MIN_REPEAT_BYTE_LENGTH: i32 = 6
const COMPRESSED: u32 = 2

/** Exceptions of the page at hand: index among its deltas (i64) and delta (i64). */
let exceptions: usize = 0
let exceptionCount: i32 = 0

/** Says where exceptions may be kept: sixteen bytes for every run of a page. */
export function setExceptions(address: usize): void {
  exceptions = address
}

/** Bytes that the body made last inflates to. */
export let uncompressedByteLength: i32 = 0

function exceptionAt(exception: i32): i32 {
  return <i32>load<i64>(exceptions + ((<usize>exception) << 4))
}

function exceptionDelta(exception: i32): i64 {
  return load<i64>(exceptions + ((<usize>exception) << 4), 8)
}

/** Keeps a delta that is not 1. */
export function addException(at: i32, delta: i64): void {
  const address = exceptions + ((<usize>exceptionCount) << 4)
  store<i64>(address, <i64>at)
  store<i64>(address, delta, 8)
  exceptionCount++
}

/** Begins a page without exceptions. */
export function clearExceptions(): void {
  exceptionCount = 0
}

function putPageHeader(at: usize, firstValue: i64, rowCount: i32): usize {
  store<u32>(at, 0x040180) // block size 128 in two bytes, four miniblocks
  return putZigzag(putUleb128(at + 3, <u64>rowCount), firstValue)
}

function putPlainBlock(at: usize): usize {
  store<u32>(at, 2)
  store<u8>(at, 0, 4)
  return at + PLAIN_BLOCK_BYTE_LENGTH
}

/** Makes the frame of a page of `rowCount` positions from `firstValue` on, with the exceptions that were added. */
export function encodePage(firstValue: i64, rowCount: i32, blocks: usize): void {
  beginFrame(blocks)
  addLiteralsTo(putPageHeader(literalEnd, firstValue, rowCount))
  const deltaCount = rowCount - 1
  let block = 0
  for (let exception = 0; exception < exceptionCount; ) {
    const exceptionBlock = exceptionAt(exception) / BLOCK_VALUES
    if (exceptionBlock > block) plainBlocks(exceptionBlock - block)
    const blockStart = exceptionBlock * BLOCK_VALUES
    exception = exceptionsBlock(exception, blockStart, min(deltaCount - blockStart, BLOCK_VALUES))
    block = exceptionBlock + 1
  }
  const blockCount = (deltaCount + BLOCK_VALUES - 1) / BLOCK_VALUES
  if (blockCount > block) plainBlocks(blockCount - block)
  endFrame()
}

function plainBlocks(blockCount: i32): void {
  keepTogether(PLAIN_BLOCK_BYTE_LENGTH)
  addLiteralsTo(putPlainBlock(literalEnd))
  if (blockCount > 1) repeat(PLAIN_BLOCK_BYTE_LENGTH, (blockCount - 1) * PLAIN_BLOCK_BYTE_LENGTH)
}

/** Writes the block that exception `first` lies in; gives the first exception after the block. */
function exceptionsBlock(first: i32, blockStart: i32, valueCount: i32): i32 {
  keepTogether(MAX_DELTA_BLOCK_BYTE_LENGTH)
  const blockEnd = blockStart + valueCount
  let minDelta = i64.MAX_VALUE
  let maxDelta = i64.MIN_VALUE
  let end = first
  for (; end < exceptionCount && exceptionAt(end) < blockEnd; end++) {
    const delta = exceptionDelta(end)
    if (delta < minDelta) minDelta = delta
    if (delta > maxDelta) maxDelta = delta
  }
  if (end - first < valueCount) {
    if (minDelta > 1) minDelta = 1
    if (maxDelta < 1) maxDelta = 1
  }
  const span = <u64>(maxDelta - minDelta)
  const width: i32 = span == 0 ? 0 : <i32>((71 - clz<u64>(span)) >> 3)
  const miniblockCount = (valueCount + MINIBLOCK_VALUES - 1) / MINIBLOCK_VALUES
  const at = putZigzag(literalEnd, minDelta)
  // Miniblocks without values have the width 0 and no body.
  store<u32>(at, (<u32>width * 0x08080808) & (0xffffffff >> ((4 - <u32>miniblockCount) << 3)))
  addLiteralsTo(at + 4)
  if (width == 0) return end
  // Where every delta is an exception the plain value is only padding, and must not be negative.
  const plain: i64 = minDelta > 1 ? 0 : 1 - minDelta
  let next = blockStart
  for (let exception = first; exception < end; exception++) {
    const index = exceptionAt(exception)
    if (index > next) fill(plain, width, index - next)
    store<i64>(literalEnd, exceptionDelta(exception) - minDelta)
    addLiteralsTo(literalEnd + width)
    next = index + 1
  }
  const padded = blockStart + miniblockCount * MINIBLOCK_VALUES
  if (padded > next) fill(plain, width, padded - next)
  return end
}

/** Writes `value` `count` times. */
function fill(value: i64, width: i32, count: i32): void {
  const rest = (count - 1) * width
  const literalCount = rest >= MIN_REPEAT_BYTE_LENGTH ? 1 : count
  let at = literalEnd
  for (let i = 0; i < literalCount; i++) {
    store<i64>(at, value)
    at += width
  }
  addLiteralsTo(at)
  if (literalCount < count) repeat(width, rest)
}

/** Whether `rowCount` consecutive positions are enough for `putOneRunBody`. */
export function isOneMatch(rowCount: i32): bool {
  return (rowCount - 1 + BLOCK_VALUES - 1) / BLOCK_VALUES >= MIN_ONE_MATCH_BLOCKS
}

/** The body of `rowCount` consecutive positions: a frame of a few literals and one match. Gives the place after. */
export function putOneRunBody(start: usize, firstValue: i64, rowCount: i32): usize {
  const blockCount = (rowCount - 1 + BLOCK_VALUES - 1) / BLOCK_VALUES
  const matchLength = (blockCount - 1) * PLAIN_BLOCK_BYTE_LENGTH
  const headerByteLength = pageHeaderByteLength(firstValue, rowCount)
  const literalLength = headerByteLength + PLAIN_BLOCK_BYTE_LENGTH
  uncompressedByteLength = literalLength + matchLength
  const block = putFrameHeader(start, uncompressedByteLength, 0)
  store<u8>(block, <u8>(literalLength << 3), 3)
  let at = putPlainBlock(putPageHeader(block + 4, firstValue, rowCount))
  store<u16>(at, 1) // one sequence, all three tables in predefined mode
  at = putOneSequence(at + 2, literalLength, matchLength, PLAIN_BLOCK_BYTE_LENGTH + 3)
  putBlockHeader(block, <u32>(at - block - 3), COMPRESSED, true)
  return at
}

function varintByteLength(value: u64): i32 {
  return <i32>((70 - clz<u64>(value | 1)) / 7)
}

function pageHeaderByteLength(firstValue: i64, rowCount: i32): i32 {
  return 3 + varintByteLength(<u64>rowCount) + varintByteLength((<u64>firstValue) << 1)
}
