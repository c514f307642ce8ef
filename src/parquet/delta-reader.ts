/**
 * Reads DELTA_BINARY_PACKED pages as segments of consecutive positions, without expanding them and out
 * of bytes that nobody vouches for. Source: parquet-format, Encodings.md, "Delta Encoding".
 */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { MAX_POSITION_PAGE_ROWS } from './page-limits.ts'
import { expandBytes, type PeriodicBytes } from './periodic-bytes.ts'

const BLOCK_VALUES = 128
const MINIBLOCKS = 4
const MINIBLOCK_VALUES = 32

/** The most that the header takes: varints of 2, 1, 4 and 8 bytes. */
const MAX_HEADER_BYTE_LENGTH = 20
/** The most that a block takes: a varint of 10 bytes, the widths, 128 values of 8 bytes. */
const MAX_BLOCK_BYTE_LENGTH = 10 + MINIBLOCKS + BLOCK_VALUES * 8

/** The most bytes that a page of so many values can inflate to. */
export function maxDeltaByteLength(valueCount: number): number {
  return MAX_HEADER_BYTE_LENGTH + Math.ceil(valueCount / BLOCK_VALUES) * MAX_BLOCK_BYTE_LENGTH
}

/**
 * The positions of a page in segments of consecutive ones, in parallel arrays of `count` entries: the
 * rows `firstRows[i]..firstRows[i + 1]` of the page (the last segment: up to `rowCount`) hold the
 * positions from `firstPositions[i]` on.
 */
export class PositionSegments {
  readonly rowCount: number
  count = 0
  /** Most pages have one segment, and V8 keeps up to 64 bytes on its own heap. */
  firstRows: Float64Array = new Float64Array(8)
  firstPositions: Float64Array = new Float64Array(8)

  constructor(rowCount: number) {
    this.rowCount = rowCount
  }

  add(firstRow: number, firstPosition: number): void {
    if (this.count === this.firstRows.length) {
      const firstRows = new Float64Array(2 * this.count)
      firstRows.set(this.firstRows)
      this.firstRows = firstRows
      const firstPositions = new Float64Array(2 * this.count)
      firstPositions.set(this.firstPositions)
      this.firstPositions = firstPositions
    }
    this.firstRows[this.count] = firstRow
    this.firstPositions[this.count++] = firstPosition
  }

  /** Memory that it holds. */
  get byteLength(): number {
    return 16 * this.firstRows.length + 256
  }

  /** The segment that a row lies in. */
  segmentOf(row: number): number {
    let low = 0
    let high = this.count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.firstRows[middle] ?? 0) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The row behind a segment's last. */
  endOf(segment: number): number {
    return segment + 1 < this.count ? (this.firstRows[segment + 1] ?? 0) : this.rowCount
  }
}

/**
 * Reads a page of `valueCount` positions. Fails as DAMAGED unless the page has blocks of 128 values in 4
 * miniblocks, holds so many values and nothing else, and every position is in 0..2^53.
 */
export function readPositionPage(
  content: PeriodicBytes,
  valueCount: number,
  where: string,
): PositionSegments {
  if (valueCount < 1 || valueCount > MAX_POSITION_PAGE_ROWS) {
    damaged(where, `1 to ${MAX_POSITION_PAGE_ROWS} rows a page`, String(valueCount))
  }
  return new PageReader(content, valueCount, where).read()
}

/** So many values are compared at once: as many words of four bytes as a value has bytes. */
const GROUP_VALUES = 4
/** By width, where groups are compared: what a value must be below, so that it has a group. */
const GROUPED_LIMITS: readonly (number | undefined)[] = Array.from({ length: 33 }, (_, width) =>
  width > 0 && width % 8 === 0 ? 2 ** width : undefined,
)
const NO_WORDS: DataView = new DataView(new ArrayBuffer(0))

/** Walks one page; state is the row and the position reached. */
class PageReader {
  private readonly content: PeriodicBytes
  private readonly segments: PositionSegments
  private readonly where: string
  /** Reads the content's prefix, and all of it once that was written out. */
  private r: ByteReader
  private isExpanded: boolean
  /** Rows whose position is known, and the position of the last of them. */
  private row = 0
  private position = 0
  /** The bytes of `r` as words, made when they are needed. */
  private words: DataView = NO_WORDS
  private wordsOf: Uint8Array | undefined
  /** Four values of delta 1, as their bytes stand in the miniblock at hand. */
  private word1 = 0
  private word2 = 0
  private word3 = 0

  constructor(content: PeriodicBytes, valueCount: number, where: string) {
    this.content = content
    this.segments = new PositionSegments(valueCount)
    this.where = where
    this.r = new ByteReader(content.prefix, where)
    this.isExpanded = content.period === 0
  }

  read(): PositionSegments {
    const { rowCount } = this.segments
    this.readHeader(rowCount)
    while (this.row < rowCount) {
      if (!this.isExpanded && this.r.left < MAX_BLOCK_BYTE_LENGTH) {
        if (this.readEqualBlocks()) return this.segments
        if (!this.isBlockInPrefix()) this.expand()
      }
      this.readBlock()
    }
    if (this.r.at !== this.content.byteLength) {
      this.r.fail('the end of the page', `${this.content.byteLength - this.r.at} more bytes`)
    }
    return this.segments
  }

  private readHeader(rowCount: number): void {
    const { r } = this
    if (r.uleb128() !== BLOCK_VALUES || r.uleb128() !== MINIBLOCKS) {
      r.fail('blocks of 128 values in 4 miniblocks', 'others')
    }
    const valueCount = r.uleb128()
    if (valueCount !== rowCount) r.fail(`${rowCount} values`, String(valueCount))
    this.position = r.zigzag()
    if (this.position < 0) r.fail('a position', String(this.position))
    this.segments.add(0, this.position)
    this.row = 1
  }

  /**
   * Whether all that is left is one block without bodies over and over; then takes all its deltas. A
   * block that ends where the prefix ends, and is as long as the period, is the one that repeats.
   */
  private readEqualBlocks(): boolean {
    const { r, content } = this
    const start = r.at
    if (start !== content.prefix.length - content.period || content.period <= MINIBLOCKS) return false
    const delta = r.zigzag()
    const hasNoBodies = r.left === MINIBLOCKS && r.bytes.subarray(r.at, r.end).every((width) => width === 0)
    const deltaCount = this.segments.rowCount - this.row
    const blockCount = Math.ceil(deltaCount / BLOCK_VALUES)
    if (!hasNoBodies || blockCount * content.period !== content.byteLength - start) {
      r.at = start
      return false
    }
    this.addEqualDeltas(delta, deltaCount)
    return true
  }

  /** Whether the next block ends within the prefix; leaves the reader where it is. */
  private isBlockInPrefix(): boolean {
    const { r } = this
    if (r.left < MAX_BLOCK_BYTE_LENGTH - BLOCK_VALUES * 8) return false
    const start = r.at
    r.skipVarint()
    let bitWidths = 0
    for (let i = 0; i < MINIBLOCKS; i++) bitWidths += r.u8()
    const isInPrefix = r.left >= (bitWidths * MINIBLOCK_VALUES) / 8
    r.at = start
    return isInPrefix
  }

  private expand(): void {
    this.r = new ByteReader(expandBytes(this.content), this.where, this.r.at)
    this.isExpanded = true
  }

  private readBlock(): void {
    const { r } = this
    const minDelta = r.zigzag()
    const widthsAt = r.skip(MINIBLOCKS)
    const { rowCount } = this.segments
    for (let miniblock = 0; miniblock < MINIBLOCKS && this.row < rowCount; miniblock++) {
      const width = r.bytes[widthsAt + miniblock] ?? 0
      const count = Math.min(MINIBLOCK_VALUES, rowCount - this.row)
      if (width === 0) {
        this.addEqualDeltas(minDelta, count)
        continue
      }
      if (width > 64) r.fail('a bit width of at most 64', String(width))
      this.readMiniblock(r.skip((width * MINIBLOCK_VALUES) / 8), width, count, minDelta)
    }
  }

  /** Adds `count` deltas of `width` bits each. Most are 1, so what is not is looked for. */
  private readMiniblock(start: number, width: number, count: number, minDelta: number): void {
    const { bytes } = this.r
    const byteWidth = width / 8
    const plain = 1 - minDelta
    const isGrouped = this.preparePlainGroup(plain, width)
    let plainCount = 0
    for (let i = 0; i < count; i++) {
      const at = start + i * byteWidth
      if (isGrouped && i + GROUP_VALUES <= count && this.isPlainGroup(at, byteWidth)) {
        plainCount += GROUP_VALUES
        i += GROUP_VALUES - 1
        continue
      }
      const packed =
        byteWidth === 1
          ? (bytes[at] ?? 0)
          : byteWidth === 2
            ? (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
            : byteWidth === 3
              ? (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
              : width % 8 === 0
                ? readBytes(bytes, at, byteWidth)
                : readBits(bytes, start, i * width, width)
      if (packed === plain) {
        plainCount++
        continue
      }
      if (packed > Number.MAX_SAFE_INTEGER) this.r.fail('a delta within 2^53', `about ${packed}`)
      this.addEqualDeltas(1, plainCount)
      plainCount = 0
      this.addDelta(minDelta + packed)
    }
    this.addEqualDeltas(1, plainCount)
  }

  /** Whether values of `width` bits are compared by groups; then sets what a group of `plain` ones is, as words. */
  private preparePlainGroup(plain: number, width: number): boolean {
    if (plain >= (GROUPED_LIMITS[width] ?? 0)) return false
    if (this.wordsOf !== this.r.bytes) {
      const { bytes } = this.r
      this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.wordsOf = bytes
    }
    // Only the second and the third word of values of three bytes differ from the first.
    const bits = plain | 0
    this.word1 =
      width === 8
        ? Math.imul(bits, 0x0101_0101)
        : width === 16
          ? bits | (bits << 16)
          : width === 24
            ? bits | (bits << 24)
            : bits
    this.word2 = width === 24 ? (bits >>> 8) | (bits << 16) : this.word1
    this.word3 = width === 24 ? (bits >>> 16) | (bits << 8) : this.word1
    return true
  }

  /** Whether the group of values at `start` is plain: a word for each byte of a value, as there are four values. */
  private isPlainGroup(start: number, byteWidth: number): boolean {
    const { words } = this
    if (words.getInt32(start, true) !== this.word1) return false
    if (byteWidth === 1) return true
    if (words.getInt32(start + 4, true) !== this.word2) return false
    if (byteWidth === 2) return true
    if (words.getInt32(start + 8, true) !== this.word3) return false
    return byteWidth === 3 || words.getInt32(start + 12, true) === this.word1
  }

  private addEqualDeltas(delta: number, count: number): void {
    if (delta !== 1) {
      for (let i = 0; i < count; i++) this.addDelta(delta)
      return
    }
    this.position += count
    this.row += count
    this.checkPosition()
  }

  private addDelta(delta: number): void {
    this.position += delta
    if (delta !== 1) this.segments.add(this.row, this.position)
    this.row++
    this.checkPosition()
  }

  private checkPosition(): void {
    // Both summands are within 2^53, so a sum that was rounded lies beyond it: what passes is exact.
    if (!(this.position >= 0 && this.position < Number.MAX_SAFE_INTEGER)) {
      this.r.fail('a position in 0..2^53', `about ${this.position}`)
    }
  }
}

/** A little-endian integer of `byteWidth` bytes; one beyond 2^53 comes out inexact but beyond it. */
function readBytes(bytes: Uint8Array, at: number, byteWidth: number): number {
  let value = 0
  for (let i = byteWidth - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

/** An integer of `width` bits from bit `bitOffset` on, lowest bit first; likewise. */
function readBits(bytes: Uint8Array, start: number, bitOffset: number, width: number): number {
  let value = 0
  let worth = 1
  for (let bit = bitOffset; bit < bitOffset + width; ) {
    const shift = bit & 7
    const count = Math.min(8 - shift, bitOffset + width - bit)
    const byte = bytes[start + (bit >>> 3)] ?? 0
    value += ((byte >>> shift) & ((1 << count) - 1)) * worth
    worth *= 2 ** count
    bit += count
  }
  return value
}
