/** The last bytes that a Zstandard frame gave, which its matches copy from. */

import type { ByteReader } from '../base/byte-reader.ts'

/** A block gives at most so much (RFC 8878, 3.1.1.2.4). */
export const MAX_BLOCK_BYTE_LENGTH: number = 128 * 1024
const FIRST_BYTE_LENGTH = 2 * MAX_BLOCK_BYTE_LENGTH
const MIN_SLACK_BYTE_LENGTH = 1024 * 1024
const MAX_SLACK_BYTE_LENGTH = 16 * 1024 * 1024
/** Copying fewer bytes one by one is faster than a call. */
const SHORT_COPY_BYTE_LENGTH = 32

/** Grows with what it holds, up to the window and some slack: a frame may declare more than it gives. */
export class ZstdWindow {
  private readonly windowByteLength: number
  private readonly mostByteLength: number
  private bytes: Uint8Array = new Uint8Array(FIRST_BYTE_LENGTH)
  private end = 0
  private blockStart = 0
  private blockEnd = 0

  constructor(windowByteLength: number) {
    this.windowByteLength = windowByteLength
    const slack = Math.min(MAX_SLACK_BYTE_LENGTH, Math.max(MIN_SLACK_BYTE_LENGTH, windowByteLength))
    this.mostByteLength = windowByteLength + slack
  }

  /** Makes room for one more block. */
  beginBlock(): void {
    if (this.bytes.length - this.end < MAX_BLOCK_BYTE_LENGTH) {
      if (this.bytes.length < this.mostByteLength) {
        const grown = new Uint8Array(Math.min(this.mostByteLength, 2 * this.bytes.length))
        grown.set(this.bytes.subarray(0, this.end))
        this.bytes = grown
      }
      if (this.bytes.length - this.end < MAX_BLOCK_BYTE_LENGTH) {
        const start = Math.max(0, this.end - this.windowByteLength)
        this.bytes.copyWithin(0, start, this.end)
        this.end -= start
      }
    }
    this.blockStart = this.end
    this.blockEnd = this.end + MAX_BLOCK_BYTE_LENGTH
  }

  /** A copy of what the block gave. */
  endBlock(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(this.blockStart, this.end))
  }

  /** Appends `source[start..start + length)`. */
  append(r: ByteReader, source: Uint8Array, start: number, length: number): void {
    const { bytes, end } = this
    this.grow(r, length)
    if (length >= SHORT_COPY_BYTE_LENGTH) bytes.set(source.subarray(start, start + length), end)
    else for (let i = 0; i < length; i++) bytes[end + i] = source[start + i] ?? 0
  }

  /** Appends one byte `count` times. */
  fill(r: ByteReader, byte: number, count: number): void {
    const { end } = this
    this.grow(r, count)
    this.bytes.fill(byte, end, end + count)
  }

  /** Appends the bytes from `offset` back, `length` in all: what it appends itself, too. */
  repeat(r: ByteReader, offset: number, length: number): void {
    const { bytes, end } = this
    if (offset < 1 || offset > end) r.fail(`an offset within ${end} bytes`, String(offset))
    this.grow(r, length)
    if (offset >= length && length >= SHORT_COPY_BYTE_LENGTH) {
      bytes.copyWithin(end, end - offset, end - offset + length)
    } else {
      for (let at = end; at < end + length; at++) bytes[at] = bytes[at - offset] ?? 0
    }
  }

  private grow(r: ByteReader, length: number): void {
    this.end += length
    if (this.end > this.blockEnd) r.fail('a block of at most 128 KiB', 'a longer one')
  }
}
