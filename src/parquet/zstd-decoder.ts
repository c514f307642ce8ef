/**
 * Decodes the Zstandard frames that byteledger writes, out of bytes that nobody vouches for: known
 * size; blocks raw, RLE or of raw or RLE literals and sequences in predefined or RLE mode. Frames
 * with Huffman literals or tables of their own are refused, for no page of ours has them.
 * Source: RFC 8878, sections 3.1.1 (frames, blocks, sequences) and 4.1 (FSE).
 */

import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import type { PeriodicBytes } from './periodic-bytes.ts'
import type { ExpectedContent } from './snappy-decoder.ts'
import { RepeatOffsets, readSequences, type Sequences } from './zstd-sequences.ts'

/** A block inflates to at most so much (3.1.1.2.4). */
const MAX_BLOCK_BYTE_LENGTH = 128 * 1024

/**
 * The content of the frame that fills `frame`. A match that reaches to the end is not written out but
 * given as the period it repeats, so a page of one run costs the same whatever its rows. Fails as DAMAGED
 * when the frame's content is not `expected.byteLength` long, before memory is taken. The content lies in the
 * memory of `scratch`, if that is given, until the next call.
 */
export function decodeZstd(
  frame: Uint8Array,
  expected: ExpectedContent,
  scratch?: ByteWriter,
): PeriodicBytes {
  const r: ByteReader = new ByteReader(frame, expected.where)
  const byteLength = readContentByteLength(r)
  if (byteLength !== expected.byteLength) r.fail(`a frame of ${expected.byteLength} bytes`, `${byteLength}`)
  const content = new Content(byteLength, scratch)
  const offsets = new RepeatOffsets()
  for (let isLast = false; !isLast; ) {
    const header = r.u8() | (r.u8() << 8) | (r.u8() << 16)
    isLast = (header & 1) === 1
    const size = header >>> 3
    if (size > MAX_BLOCK_BYTE_LENGTH) r.fail('a block of at most 128 KiB', `${size} bytes`)
    const type = (header >>> 1) & 3
    if (type === 0) content.append(r, r.skip(size), size)
    else if (type === 1) content.fill(r, r.u8(), size)
    else if (type === 2) readBlock(r, size, content, offsets)
    else r.fail('a block of a known type', 'the reserved one')
  }
  if (r.left > 0) r.fail('the end of the frame', `${r.left} more bytes`)
  return content.finish(r)
}

/** Reads the frame header: a content size, no checksum, no dictionary (3.1.1.1). */
function readContentByteLength(r: ByteReader): number {
  if (r.u32() !== 0xfd2f_b528) r.fail('a zstd frame', 'other bytes')
  const descriptor = r.u8()
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >>> 6
  if ((descriptor & 0x1f) !== 0 || sizeFlag === 3 || (sizeFlag === 0 && !isSingleSegment)) {
    r.fail('a frame of known size below 4 GiB, no checksum, no dictionary', `descriptor ${descriptor}`)
  }
  // The window only says what a decoder may forget, and this one keeps all.
  if (!isSingleSegment) r.skip(1)
  if (sizeFlag === 0) return r.u8()
  return sizeFlag === 1 ? (r.u8() | (r.u8() << 8)) + 256 : r.u32()
}

/** Reads a compressed block of `size` bytes: literals, then sequences (3.1.1.3). */
function readBlock(r: ByteReader, size: number, content: Content, offsets: RepeatOffsets): void {
  const end = r.skip(size) + size
  const block: ByteReader = new ByteReader(r.bytes, r.where, end - size, end)
  const literals = readLiterals(block)
  const sequences = readSequences(block, offsets)
  const start = content.byteLength
  let literalAt = 0
  for (let i = 0; i < sequences.count; i++) {
    const literalLength = sequences.literalLengths[i] ?? 0
    if (literalLength > literals.length - literalAt) block.fail('enough literals', `${literals.length}`)
    content.append(block, literalAt, literalLength, literals)
    literalAt += literalLength
    const matchLength = sequences.matchLengths[i] ?? 0
    if (content.byteLength + matchLength - start > MAX_BLOCK_BYTE_LENGTH) {
      block.fail('a block of at most 128 KiB', 'a longer one')
    }
    content.repeat(block, offsetAt(sequences, i), matchLength)
  }
  content.append(block, literalAt, literals.length - literalAt, literals)
}

function offsetAt(sequences: Sequences, i: number): number {
  return sequences.offsets[i] ?? 0
}

/** The literals of a block, raw or one byte repeated (3.1.1.3.1). */
function readLiterals(r: ByteReader): Uint8Array {
  const first = r.u8()
  const type = first & 3
  if (type > 1) r.fail('raw or RLE literals', 'Huffman-coded ones')
  const sizeFormat = (first >>> 2) & 3
  let length = first >>> 3
  if (sizeFormat === 1) length = (first >>> 4) | (r.u8() << 4)
  else if (sizeFormat === 3) length = (first >>> 4) | (r.u8() << 4) | (r.u8() << 12)
  if (length > MAX_BLOCK_BYTE_LENGTH) r.fail('at most 128 KiB of literals', `${length} bytes`)
  if (type === 1) return new Uint8Array(length).fill(r.u8())
  const start = r.skip(length)
  return r.bytes.subarray(start, start + length)
}

const WORD_BYTE_LENGTH = 4

/** Writes up to `end`, or a few bytes beyond, what stands `offset` bytes before. */
function repeatBytes({ bytes, words, length }: ByteWriter, offset: number, end: number): void {
  // What repeats after `offset` bytes does so after a multiple of them, and a word must not overlap its source.
  const distance = offset * Math.ceil(WORD_BYTE_LENGTH / offset)
  const wordsFrom = Math.min(end, length + distance - offset)
  let at = length
  for (; at < wordsFrom; at++) bytes[at] = bytes[at - offset] ?? 0
  for (; at < end; at += WORD_BYTE_LENGTH) words.setInt32(at, words.getInt32(at - distance, true), true)
}

/** What the frame inflates to. */
class Content {
  /** Bytes of the content so far, those of a period that is not written out included. */
  byteLength = 0
  private readonly expectedByteLength: number
  private readonly w: ByteWriter
  private period = 0

  constructor(expectedByteLength: number, scratch: ByteWriter | undefined) {
    this.expectedByteLength = expectedByteLength
    // Most pages are one run, of which some 30 bytes are written out; V8 keeps up to 64 bytes on its own heap.
    this.w = scratch ?? new ByteWriter(Math.min(expectedByteLength, 64))
    this.w.clear()
  }

  /** Appends `source[start..start + length)`. */
  append(r: ByteReader, start: number, length: number, source: Uint8Array = r.bytes): void {
    if (length === 0) return
    this.grow(r, length)
    this.w.appendShort(source, start, start + length)
  }

  /** Appends one byte `count` times. */
  fill(r: ByteReader, byte: number, count: number): void {
    this.grow(r, count)
    this.w.reserve(count).fill(byte, this.w.length, this.w.length + count)
    this.w.length += count
  }

  /** Repeats the bytes from `offset` back, `length` in all. */
  repeat(r: ByteReader, offset: number, length: number): void {
    const { w } = this
    if (offset < 1 || offset > w.length) r.fail(`an offset within ${w.length} bytes`, String(offset))
    this.grow(r, length)
    if (this.byteLength === this.expectedByteLength && length >= offset) {
      this.period = offset
      return
    }
    // Whole words are written, which takes room for a few bytes more.
    const bytes = w.reserve(length + WORD_BYTE_LENGTH)
    const end = w.length + length
    // A copy may overlap what it writes, which repeats it; for few bytes a loop is the fastest way.
    if (offset < length || length < 32) repeatBytes(w, offset, end)
    else bytes.copyWithin(w.length, w.length - offset, w.length - offset + length)
    w.length = end
  }

  finish(r: ByteReader): PeriodicBytes {
    const { byteLength, expectedByteLength, period } = this
    if (byteLength !== expectedByteLength) r.fail(`${expectedByteLength} bytes`, String(byteLength))
    return { prefix: this.w.view(), period, byteLength }
  }

  /** Nothing may follow what reached the end; a period that was not written out does reach it. */
  private grow(r: ByteReader, length: number): void {
    if (length > this.expectedByteLength - this.byteLength) {
      r.fail(`content of ${this.expectedByteLength} bytes`, 'more')
    }
    this.byteLength += length
  }
}
