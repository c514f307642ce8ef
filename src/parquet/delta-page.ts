/**
 * DELTA_BINARY_PACKED pages of byte positions, computed from runs and compressed on the way.
 * Source: parquet-format, Encodings.md, "Delta Encoding"; blocks of 128 deltas in 4 miniblocks.
 *
 * Inside a run every delta is 1, so a page is known from its EXCEPTIONS: the deltas from one run to the
 * next. Blocks without one are five constant bytes, however many follow each other; a block with
 * exceptions repeats one packed value between them. Both are matches of the zstd frame, so the cost is
 * one step an exception, and nothing a row.
 */

import type { ByteWriter } from '../base/byte-writer.ts'
import { putUleb128, putZigzag } from '../base/varint.ts'
import type { PositionRuns } from './position-pages.ts'
import { appendOneMatchFrame, type ZstdFrameEncoder } from './zstd-frame.ts'

const BLOCK_VALUES = 128
const MINIBLOCKS = 4
const MINIBLOCK_VALUES = 32

/** Raw bytes of a block of deltas 1: zigzag(1) and four miniblocks of bit width 0. */
const PLAIN_BLOCK_BYTE_LENGTH = 5
/** The most that page header or block take: varints of 8 bytes, widths, 128 values of 8 bytes. */
const MAX_BLOCK_BYTE_LENGTH = 32 + BLOCK_VALUES * 8
/** From so many blocks on, the page of one run is a frame of one match. */
const MIN_ONE_MATCH_BLOCKS = 8
/** A shorter repetition costs less as literals (measured on short runs). */
const MIN_REPEAT_BYTE_LENGTH = 6

/** Encodes pages one after the other; holds only scratch memory. */
export class DeltaPageEncoder {
  private readonly frame: ZstdFrameEncoder
  private readonly shortLiterals = new Uint8Array(64)
  /** Index among the page's deltas, ascending, and value of every delta that is not 1. */
  private exceptionAt = new Float64Array(1024)
  private exceptionDelta = new Float64Array(1024)
  private exceptionCount = 0
  /** Bytes that the page inflates to; read after `encode`. */
  uncompressedByteLength = 0

  constructor(frame: ZstdFrameEncoder) {
    this.frame = frame
  }

  /** Appends the compressed body of one page that holds the runs `[from, to)`. */
  encode(runs: PositionRuns, from: number, to: number, out: ByteWriter): void {
    const rowCount = this.collectExceptions(runs, from, to)
    this.encodePage(runs.starts[from] ?? 0, rowCount, out)
  }

  /** Appends the compressed body of a page of `rowCount` (at most 2^20) consecutive positions. */
  encodeOneRun(start: number, rowCount: number, out: ByteWriter): void {
    const blockCount = Math.ceil((rowCount - 1) / BLOCK_VALUES)
    if (blockCount < MIN_ONE_MATCH_BLOCKS) {
      this.exceptionCount = 0
      this.encodePage(start, rowCount, out)
      return
    }
    const literals = this.shortLiterals
    const literalLength = putPlainBlock(literals, putPageHeader(literals, 0, start, rowCount))
    const matchLength = (blockCount - 1) * PLAIN_BLOCK_BYTE_LENGTH
    this.uncompressedByteLength = literalLength + matchLength
    appendOneMatchFrame(out, literals, literalLength, PLAIN_BLOCK_BYTE_LENGTH, matchLength)
  }

  private collectExceptions(runs: PositionRuns, from: number, to: number): number {
    if (this.exceptionAt.length < to - from) {
      this.exceptionAt = new Float64Array(2 * (to - from))
      this.exceptionDelta = new Float64Array(2 * (to - from))
    }
    const { exceptionAt, exceptionDelta } = this
    const { starts, rowCounts } = runs
    let count = 0
    let rowCount = rowCounts[from] ?? 0
    let next = (starts[from] ?? 0) + rowCount
    for (let i = from + 1; i < to; i++) {
      const start = starts[i] ?? 0
      if (start !== next) {
        exceptionAt[count] = rowCount - 1
        exceptionDelta[count++] = start - next + 1
      }
      const rows = rowCounts[i] ?? 0
      rowCount += rows
      next = start + rows
    }
    this.exceptionCount = count
    return rowCount
  }

  private encodePage(firstValue: number, rowCount: number, out: ByteWriter): void {
    const { frame, exceptionAt } = this
    frame.begin()
    frame.addLiterals(putPageHeader(frame.literals, 0, firstValue, rowCount))
    const deltaCount = rowCount - 1
    let block = 0
    for (let exception = 0; exception < this.exceptionCount; ) {
      const exceptionBlock = Math.floor((exceptionAt[exception] ?? 0) / BLOCK_VALUES)
      if (exceptionBlock > block) this.plainBlocks(exceptionBlock - block)
      const blockStart = exceptionBlock * BLOCK_VALUES
      exception = this.exceptionBlock(exception, blockStart, Math.min(deltaCount - blockStart, BLOCK_VALUES))
      block = exceptionBlock + 1
    }
    const blockCount = Math.ceil(deltaCount / BLOCK_VALUES)
    if (blockCount > block) this.plainBlocks(blockCount - block)
    this.uncompressedByteLength = frame.contentByteLength
    frame.end(out)
  }

  private plainBlocks(blockCount: number): void {
    const { frame } = this
    frame.keepTogether(PLAIN_BLOCK_BYTE_LENGTH)
    frame.addLiterals(putPlainBlock(frame.literals, frame.literalLength) - frame.literalLength)
    if (blockCount > 1) frame.repeat(PLAIN_BLOCK_BYTE_LENGTH, (blockCount - 1) * PLAIN_BLOCK_BYTE_LENGTH)
  }

  /**
   * Writes the block that exception `first` lies in; gives the first exception after the block. All of
   * its miniblocks have one width, of whole bytes: then a value repeats from one end to the other.
   */
  private exceptionBlock(first: number, blockStart: number, valueCount: number): number {
    const { frame, exceptionAt, exceptionDelta } = this
    frame.keepTogether(MAX_BLOCK_BYTE_LENGTH)
    const blockEnd = blockStart + valueCount
    let minDelta = Number.POSITIVE_INFINITY
    let maxDelta = Number.NEGATIVE_INFINITY
    let end = first
    for (; end < this.exceptionCount && (exceptionAt[end] ?? 0) < blockEnd; end++) {
      const delta = exceptionDelta[end] ?? 0
      if (delta < minDelta) minDelta = delta
      if (delta > maxDelta) maxDelta = delta
    }
    if (end - first < valueCount) {
      if (minDelta > 1) minDelta = 1
      if (maxDelta < 1) maxDelta = 1
    }
    const width = byteWidth(maxDelta - minDelta)
    const miniblockCount = Math.ceil(valueCount / MINIBLOCK_VALUES)
    const { literals } = frame
    let at = putZigzag(literals, frame.literalLength, minDelta)
    // Miniblocks without values have the width 0 and no body.
    for (let i = 0; i < MINIBLOCKS; i++) literals[at++] = i < miniblockCount ? 8 * width : 0
    frame.addLiterals(at - frame.literalLength)
    if (width === 0) return end
    // Where every delta is an exception the plain value is only padding, and must not be negative.
    const plain = minDelta > 1 ? 0 : 1 - minDelta
    let next = blockStart
    for (let exception = first; exception < end; exception++) {
      const index = exceptionAt[exception] ?? 0
      if (index > next) this.fill(plain, width, index - next)
      frame.addLiterals(
        putValue(literals, frame.literalLength, (exceptionDelta[exception] ?? 0) - minDelta, width),
      )
      next = index + 1
    }
    const padded = blockStart + miniblockCount * MINIBLOCK_VALUES
    if (padded > next) this.fill(plain, width, padded - next)
    return end
  }

  /** Writes `value` `count` times. */
  private fill(value: number, width: number, count: number): void {
    const { frame } = this
    const { literals } = frame
    const rest = (count - 1) * width
    const literalCount = rest >= MIN_REPEAT_BYTE_LENGTH ? 1 : count
    let byteLength = 0
    for (let i = 0; i < literalCount; i++) {
      byteLength += putValue(literals, frame.literalLength + byteLength, value, width)
    }
    frame.addLiterals(byteLength)
    if (literalCount < count) frame.repeat(width, rest)
  }
}

/** Where in a page of `rowCount` values the varint of the first one begins. */
export function firstValueOffset(rowCount: number): number {
  return putPageHeader(new Uint8Array(32), 0, 0, rowCount) - 1
}

/** Whole bytes that hold `value`. */
function byteWidth(value: number): number {
  if (value < 0x1_0000) return value < 0x100 ? (value === 0 ? 0 : 1) : 2
  if (value < 0x1_0000_0000) return value < 0x100_0000 ? 3 : 4
  if (value < 0x1_0000_0000_0000) return value < 0x100_0000_0000 ? 5 : 6
  return value < 0x100_0000_0000_0000 ? 7 : 8
}

/** Header of a page: block size, miniblocks, values, first value. Gives the place after it. */
function putPageHeader(bytes: Uint8Array, start: number, firstValue: number, rowCount: number): number {
  bytes[start] = (BLOCK_VALUES & 127) | 128
  bytes[start + 1] = BLOCK_VALUES >>> 7
  bytes[start + 2] = MINIBLOCKS
  return putZigzag(bytes, putUleb128(bytes, start + 3, rowCount), firstValue)
}

/** A block of deltas 1. Gives the place after it. */
function putPlainBlock(bytes: Uint8Array, at: number): number {
  bytes[at] = 2
  for (let i = 1; i < PLAIN_BLOCK_BYTE_LENGTH; i++) bytes[at + i] = 0
  return at + PLAIN_BLOCK_BYTE_LENGTH
}

/** Little-endian value of `width` bytes. Gives the width. */
function putValue(bytes: Uint8Array, at: number, value: number, width: number): number {
  if (width <= 2) {
    bytes[at] = value
    if (width === 2) bytes[at + 1] = value >>> 8
    return width
  }
  let low = value >>> 0
  for (let i = 0; i < width && i < 4; i++) {
    bytes[at + i] = low
    low >>>= 8
  }
  let high = Math.floor(value / 0x1_0000_0000)
  for (let i = 4; i < width; i++) {
    bytes[at + i] = high
    high >>>= 8
  }
  return width
}
