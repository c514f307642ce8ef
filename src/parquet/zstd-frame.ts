/**
 * Zstandard frames whose matches are known beforehand, so nothing is searched for and the bytes that
 * repeat are never made. Literals are stored raw; sequences use the predefined FSE tables.
 * Source: RFC 8878, section 3.1.1 (frames, blocks, sequences) and 4.1 (FSE).
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import {
  LITERAL_BASES,
  LITERAL_BITS,
  LITERAL_LENGTH_CODES,
  LITERAL_LENGTH_STEPS,
  MATCH_BASES,
  MATCH_BITS,
  MATCH_LENGTH_CODES,
  MATCH_LENGTH_STEPS,
  OFFSET_STEPS,
} from './zstd-encoding.ts'

/**
 * A block inflates to at most so much. The format's limit is 128 KiB, for a block as stored too
 * (RFC 8878, 3.1.1.2.4), and one with hardly a match is stored a few bytes longer than it is.
 */
const MAX_BLOCK_BYTE_LENGTH = 128 * 1024 - 64
/** Shorter matches cannot be written. */
const MIN_MATCH_LENGTH = 3
/** So many sequences fit a block at most, as each covers three bytes or more. */
const MAX_SEQUENCES = Math.ceil(MAX_BLOCK_BYTE_LENGTH / MIN_MATCH_LENGTH) + 1

/** Magic, descriptor, window, content size. */
const MAX_FRAME_HEADER = 10

const BLOCK_TYPE_RAW = 0
const BLOCK_TYPE_COMPRESSED = 2

/** Builds one frame at a time: `begin`, then literals and repeats in order, then `end`. */
export class ZstdFrameEncoder {
  private readonly blocks = new ByteWriter(64 * 1024)
  /** Where the block's literals are written, see `addLiterals`; `keepTogether` makes sure of the room. */
  readonly literals: Uint8Array = new Uint8Array(MAX_BLOCK_BYTE_LENGTH)
  literalLength = 0
  /** Literals since the last match: they belong to the sequence that comes next. */
  private pendingLiterals = 0
  private readonly literalLengths = new Int32Array(MAX_SEQUENCES)
  private readonly matchLengths = new Int32Array(MAX_SEQUENCES)
  private readonly offsetValues = new Int32Array(MAX_SEQUENCES)
  private sequenceCount = 0
  /** The offset of the sequence being written, so that neighbours that repeat alike become one. */
  private lastOffset = 0
  private repeatOffset = 1
  private blockByteLength = 0
  private earlierByteLength = 0
  /** Bytes of the longest block as stored. */
  private largestBlock = 0

  begin(): void {
    this.blocks.clear()
    this.repeatOffset = 1
    this.earlierByteLength = 0
    this.largestBlock = 0
    this.beginBlock()
  }

  /** How many bytes the frame inflates to so far. */
  get contentByteLength(): number {
    return this.earlierByteLength + this.blockByteLength
  }

  /** Says that `byteLength` more literals were written at `literals[literalLength]` and following. */
  addLiterals(byteLength: number): void {
    this.literalLength += byteLength
    this.pendingLiterals += byteLength
    this.blockByteLength += byteLength
  }

  /** Begins a new block unless `byteLength` more bytes fit this one, so that they stand together. */
  keepTogether(byteLength: number): void {
    if (this.blockByteLength + byteLength > MAX_BLOCK_BYTE_LENGTH) this.endBlock(false)
  }

  /** Whether a repeat of `offset` goes on with the match just written and so may have any length. */
  canExtend(offset: number): boolean {
    return this.pendingLiterals === 0 && this.sequenceCount > 0 && offset === this.lastOffset
  }

  /** Repeats the last `offset` bytes until `byteLength` (three or more) more bytes stand there. */
  repeat(offset: number, byteLength: number): void {
    let rest = byteLength
    while (rest > 0) {
      let length = Math.min(rest, MAX_BLOCK_BYTE_LENGTH - this.blockByteLength)
      // Never leave the next block a tail that is too short to be a match.
      if (rest > length && rest - length < MIN_MATCH_LENGTH) length -= MIN_MATCH_LENGTH
      if (length > 0 && this.canExtend(offset)) {
        const last = this.sequenceCount - 1
        this.matchLengths[last] = (this.matchLengths[last] ?? 0) + length
        this.blockByteLength += length
        rest -= length
      } else if (length >= MIN_MATCH_LENGTH) {
        this.addSequence(offset, length)
        rest -= length
      } else {
        invariant(rest >= MIN_MATCH_LENGTH, 'a zstd match of less than three bytes')
        this.endBlock(false)
      }
    }
  }

  /** Appends the frame to `out`; without blocks it is the frame of no bytes. */
  end(out: ByteWriter): void {
    const contentByteLength = this.contentByteLength
    this.endBlock(true)
    out.length = putFrameHeader(
      out.reserve(MAX_FRAME_HEADER),
      out.length,
      contentByteLength,
      this.largestBlock,
    )
    out.append(this.blocks.view())
  }

  private addSequence(offset: number, length: number): void {
    const at = this.sequenceCount++
    this.literalLengths[at] = this.pendingLiterals
    this.matchLengths[at] = length
    if (offset === this.repeatOffset && this.pendingLiterals > 0) {
      this.offsetValues[at] = 1
    } else {
      this.offsetValues[at] = offset + 3
      this.repeatOffset = offset
    }
    this.lastOffset = offset
    this.pendingLiterals = 0
    this.blockByteLength += length
  }

  private beginBlock(): void {
    this.literalLength = 0
    this.pendingLiterals = 0
    this.sequenceCount = 0
    this.blockByteLength = 0
  }

  private endBlock(isLast: boolean): void {
    const out = this.blocks
    const headerAt = out.length
    out.reserve(3)
    out.length += 3
    let blockType = BLOCK_TYPE_RAW
    if (this.sequenceCount > 0) {
      blockType = BLOCK_TYPE_COMPRESSED
      writeLiteralsHeader(out, this.literalLength)
    }
    out.append(this.literals.subarray(0, this.literalLength))
    if (this.sequenceCount > 0) this.writeSequences()
    const storedByteLength = out.length - headerAt - 3
    this.largestBlock = Math.max(this.largestBlock, storedByteLength)
    const header = (storedByteLength << 3) | (blockType << 1) | (isLast ? 1 : 0)
    out.bytes[headerAt] = header
    out.bytes[headerAt + 1] = header >>> 8
    out.bytes[headerAt + 2] = header >>> 16
    this.earlierByteLength += this.blockByteLength
    this.beginBlock()
  }

  /**
   * The sequences section. A decoder reads the bit stream from its end, so it is written from the last
   * sequence to the first: each state is the one from which the state after it can be reached.
   */
  private writeSequences(): void {
    const out = this.blocks
    const count = this.sequenceCount
    writeSequenceCount(out, count)
    out.u8(0) // all three tables in predefined mode
    // A sequence takes at most 16 + 16 + 17 extra bits and 6 + 6 + 5 of states.
    const bytes = out.reserve(count * 9 + 16)
    const { literalLengths, matchLengths, offsetValues } = this
    let at = out.length
    let pending = 0
    let pendingBits = 0
    let literalState = 0
    let matchState = 0
    let offsetState = 0
    for (let i = count - 1; i >= 0; i--) {
      const literalLength = literalLengths[i] ?? 0
      const matchLength = matchLengths[i] ?? 0
      const offsetValue = offsetValues[i] ?? 0
      const literalCode = literalLengthCode(literalLength)
      const matchCode = matchLengthCode(matchLength)
      const offsetCode = 31 - Math.clz32(offsetValue)
      const offsetStep = OFFSET_STEPS[(offsetCode << 6) | offsetState] ?? 0
      const matchStep = MATCH_LENGTH_STEPS[(matchCode << 6) | matchState] ?? 0
      const literalStep = LITERAL_LENGTH_STEPS[(literalCode << 6) | literalState] ?? 0
      // Fewer than 8 bits are pending here: 17 bits of states fit into 32. The states of the last
      // sequence need no bits: nothing comes after them.
      if (i < count - 1) {
        pending |= (offsetStep >>> 10) << pendingBits
        pendingBits += (offsetStep >>> 6) & 15
        pending |= (matchStep >>> 10) << pendingBits
        pendingBits += (matchStep >>> 6) & 15
        pending |= (literalStep >>> 10) << pendingBits
        pendingBits += (literalStep >>> 6) & 15
      }
      offsetState = offsetStep & 63
      matchState = matchStep & 63
      literalState = literalStep & 63
      const literalBits = LITERAL_BITS[literalCode] ?? 0
      const matchBits = MATCH_BITS[matchCode] ?? 0
      if (pendingBits + literalBits > 31) {
        at = putBytes(bytes, at, pending, pendingBits)
        pending >>>= pendingBits & 24
        pendingBits &= 7
      }
      pending |= (literalLength - (LITERAL_BASES[literalCode] ?? 0)) << pendingBits
      pendingBits += literalBits
      if (pendingBits + matchBits > 31) {
        at = putBytes(bytes, at, pending, pendingBits)
        pending >>>= pendingBits & 24
        pendingBits &= 7
      }
      pending |= (matchLength - (MATCH_BASES[matchCode] ?? 0)) << pendingBits
      pendingBits += matchBits
      if (pendingBits + offsetCode > 31) {
        at = putBytes(bytes, at, pending, pendingBits)
        pending >>>= pendingBits & 24
        pendingBits &= 7
      }
      pending |= (offsetValue - (1 << offsetCode)) << pendingBits
      pendingBits += offsetCode
      at = putBytes(bytes, at, pending, pendingBits)
      pending >>>= pendingBits & 24
      pendingBits &= 7
    }
    // The first states, then the end mark: the highest set bit of the last byte.
    pending |= (matchState << pendingBits) | (offsetState << (pendingBits + 6))
    pending |= (literalState << (pendingBits + 11)) | (1 << (pendingBits + 17))
    putBytes(bytes, at, pending, 31)
    at += (pendingBits + 18 + 7) >>> 3
    out.length = at
  }
}

/**
 * The content size is always there. A frame is mostly a single segment, whose blocks may be no longer
 * than the content; where one is, the frame has a window of 128 KiB instead.
 */
function putFrameHeader(
  bytes: Uint8Array,
  start: number,
  contentByteLength: number,
  largestBlock: number,
): number {
  let at = putLittleEndian(bytes, start, 0xfd2f_b528, 4)
  if (largestBlock > contentByteLength) {
    bytes[at++] = 0x80
    bytes[at++] = 0x38
    return putLittleEndian(bytes, at, contentByteLength, 4)
  }
  if (contentByteLength < 256) {
    bytes[at++] = 0x20
    return putLittleEndian(bytes, at, contentByteLength, 1)
  }
  if (contentByteLength < 65_536 + 256) {
    bytes[at++] = 0x60
    return putLittleEndian(bytes, at, contentByteLength - 256, 2)
  }
  bytes[at++] = 0xa0
  return putLittleEndian(bytes, at, contentByteLength, 4)
}

/** The lowest `byteLength` bytes of a 32-bit value. Gives the place after them. */
function putLittleEndian(bytes: Uint8Array, at: number, value: number, byteLength: number): number {
  let rest = value
  for (let i = 0; i < byteLength; i++) {
    bytes[at + i] = rest
    rest >>>= 8
  }
  return at + byteLength
}

/**
 * Appends the frame of a few literals (fewer than 32) and one match that repeats their last `offset` (up
 * to 8) bytes: the page of one long run, made by the million and so without the steps above.
 */
export function appendOneMatchFrame(
  out: ByteWriter,
  literals: Uint8Array,
  literalLength: number,
  offset: number,
  matchLength: number,
): void {
  invariant(literalLength > 0 && literalLength < 32 && offset <= 8, 'more than the short frame can say')
  invariant(literalLength + matchLength <= MAX_BLOCK_BYTE_LENGTH, 'more than one block can hold')
  invariant(matchLength >= 32, 'a match that saves nothing')
  const bytes = out.reserve(MAX_FRAME_HEADER + literalLength + 32)
  const blockAt = putFrameHeader(bytes, out.length, literalLength + matchLength, 0)
  let at = blockAt + 3
  bytes[at++] = literalLength << 3
  for (let i = 0; i < literalLength; i++) bytes[at++] = literals[i] ?? 0
  bytes[at++] = 1 // one sequence
  bytes[at++] = 0 // all three tables in predefined mode
  const literalCode = literalLengthCode(literalLength)
  const matchCode = matchLengthCode(matchLength)
  const offsetCode = 31 - Math.clz32(offset + 3)
  // Extra bits, at most 2 + 16, then 3 of the offset: 21 bits and the match's state make 27.
  let pending = literalLength - (LITERAL_BASES[literalCode] ?? 0)
  let pendingBits = LITERAL_BITS[literalCode] ?? 0
  pending |= (matchLength - (MATCH_BASES[matchCode] ?? 0)) << pendingBits
  pendingBits += MATCH_BITS[matchCode] ?? 0
  pending |= (offset + 3 - (1 << offsetCode)) << pendingBits
  pendingBits += offsetCode
  at = putBytes(bytes, at, pending, pendingBits)
  pending >>>= pendingBits & 24
  pendingBits &= 7
  pending |= ((MATCH_LENGTH_STEPS[matchCode << 6] ?? 0) & 63) << pendingBits
  pending |= ((OFFSET_STEPS[offsetCode << 6] ?? 0) & 63) << (pendingBits + 6)
  pending |= ((LITERAL_LENGTH_STEPS[literalCode << 6] ?? 0) & 63) << (pendingBits + 11)
  pending |= 1 << (pendingBits + 17)
  putBytes(bytes, at, pending, 31)
  at += (pendingBits + 18 + 7) >>> 3
  const header = ((at - blockAt - 3) << 3) | (BLOCK_TYPE_COMPRESSED << 1) | 1
  bytes[blockAt] = header
  bytes[blockAt + 1] = header >>> 8
  bytes[blockAt + 2] = header >>> 16
  out.length = at
}

/** Where in a frame of `appendOneMatchFrame` that inflates to `contentByteLength` its literals begin. */
export function oneMatchLiteralsOffset(contentByteLength: number): number {
  const blockHeaders = 3 + 1
  return putFrameHeader(new Uint8Array(MAX_FRAME_HEADER), 0, contentByteLength, 0) + blockHeaders
}

/** Writes the whole bytes among `bitCount` (at most 31) pending bits; gives the place after them. */
function putBytes(bytes: Uint8Array, at: number, pending: number, bitCount: number): number {
  bytes[at] = pending
  bytes[at + 1] = pending >>> 8
  bytes[at + 2] = pending >>> 16
  bytes[at + 3] = pending >>> 24
  return at + (bitCount >>> 3)
}

function literalLengthCode(length: number): number {
  return length < 64 ? (LITERAL_LENGTH_CODES[length] ?? 0) : 50 - Math.clz32(length)
}

function matchLengthCode(length: number): number {
  return length < 131 ? (MATCH_LENGTH_CODES[length] ?? 0) : 67 - Math.clz32(length - 3)
}

function writeLiteralsHeader(out: ByteWriter, literalLength: number): void {
  if (literalLength < 32) {
    out.u8(literalLength << 3)
  } else if (literalLength < 4096) {
    out.u8(((literalLength & 15) << 4) | 4)
    out.u8(literalLength >>> 4)
  } else {
    out.u8(((literalLength & 15) << 4) | 12)
    out.u8((literalLength >>> 4) & 255)
    out.u8(literalLength >>> 12)
  }
}

function writeSequenceCount(out: ByteWriter, count: number): void {
  if (count < 128) {
    out.u8(count)
  } else if (count < 0x7f00) {
    out.u8((count >>> 8) + 128)
    out.u8(count & 255)
  } else {
    out.u8(255)
    out.u8((count - 0x7f00) & 255)
    out.u8((count - 0x7f00) >>> 8)
  }
}
