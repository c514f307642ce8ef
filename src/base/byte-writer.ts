/** A growable buffer with the little-endian and variable-length writers that file formats need. */

import { putUleb128, putZigzag } from './varint.ts'

const INITIAL_BYTE_LENGTH = 1024

/**
 * Writes at `length` and grows by doubling. `bytes` may be written directly between `reserve(n)` and a
 * change of `length`; any other call may replace it.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>
  /** The same memory as `bytes`: its word writes are the fastest way to write a few dozen bytes. */
  words: DataView
  length = 0

  constructor(byteCapacity: number = INITIAL_BYTE_LENGTH) {
    this.bytes = new Uint8Array(byteCapacity)
    this.words = new DataView(this.bytes.buffer)
  }

  /** Makes room for `byteLength` more bytes and gives the buffer to write them into. */
  reserve(byteLength: number): Uint8Array<ArrayBuffer> {
    const needed = this.length + byteLength
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
      this.words = new DataView(grown.buffer)
    }
    return this.bytes
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.length = 0
  }

  u8(value: number): void {
    this.reserve(1)[this.length++] = value
  }

  u32(value: number): void {
    this.reserve(4)
    this.words.setUint32(this.length, value, true)
    this.length += 4
  }

  /** A whole number of magnitude up to 2^53 as a two's complement 64-bit integer. */
  i64(value: number): void {
    this.u32(value >>> 0)
    this.u32(Math.floor(value / 0x1_0000_0000) | 0)
  }

  /** Unsigned LEB128 of a whole number in 0..2^53. */
  uleb128(value: number): void {
    this.length = putUleb128(this.reserve(8), this.length, value)
  }

  /** Zigzag LEB128 of a whole number of magnitude up to 2^53. */
  zigzag(value: number): void {
    this.length = putZigzag(this.reserve(8), this.length, value)
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length)
    this.length += bytes.length
  }

  /** Appends `source[start..end)`: for a handful of bytes a loop beats `set`, and makes no view. */
  appendShort(source: Uint8Array, start: number, end: number): void {
    const bytes = this.reserve(end - start)
    let at = this.length
    for (let i = start; i < end; i++) bytes[at++] = source[i] ?? 0
    this.length = at
  }

  /** Appends the first `byteLength` bytes of another writer: by words, as a call of `set` costs more. */
  appendWords(source: ByteWriter, byteLength: number): void {
    // Whole words are read and written, so both need a few bytes of room behind.
    source.reserve(4)
    this.reserve(byteLength + 3)
    const from = source.words
    const to = this.words
    const at = this.length
    for (let i = 0; i < byteLength; i += 4) to.setInt32(at + i, from.getInt32(i, true), true)
    this.length = at + byteLength
  }

  /** What was written, as a view that the next write may leave behind. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Hands over what was written, memory and all, and goes on with `replacement` or new memory. */
  take(replacement: ArrayBuffer | undefined): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = replacement === undefined ? new Uint8Array(this.bytes.length) : new Uint8Array(replacement)
    this.words = new DataView(this.bytes.buffer)
    this.length = 0
    return taken
  }

  /** What was written, as a copy of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }
}
