/** A cursor over bytes that nobody vouches for: every read is bounded, every number exact. */

import { damaged } from './failure.ts'

/** Ten groups of seven bits hold 64 bits; a longer varint is never valid. */
const MAX_VARINT_BYTE_LENGTH = 10

/**
 * Reads `bytes[at..end)`; `where` names the file and the part for messages. A read past `end` and a
 * number beyond 2^53 fail as DAMAGED, so no caller sees a value that is not what the bytes say.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly where: string
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, where: string, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.where = where
    this.at = start
    this.end = end
  }

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.at
  }

  u8(): number {
    if (this.at >= this.end) this.fail('one more byte', 'the end')
    return this.bytes[this.at++] ?? 0
  }

  u32(): number {
    this.require(4)
    const { bytes, at } = this
    this.at = at + 4
    return (
      ((bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24)) >>>
      0
    )
  }

  /** A two's complement 64-bit integer of magnitude up to 2^53. */
  i64(): number {
    const low = this.u32()
    const value = (this.u32() | 0) * 0x1_0000_0000 + low
    if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) {
      this.fail('an integer within 2^53', String(value))
    }
    return value
  }

  /** Unsigned LEB128 up to 2^53. */
  uleb128(): number {
    const first = this.u8()
    if (first < 128) return first
    return this.exact((first & 127) + 128 * this.higherGroups())
  }

  /** Zigzag LEB128 of magnitude up to 2^53. */
  zigzag(): number {
    const first = this.u8()
    let magnitude = (first & 127) >>> 1
    if (first >= 128) magnitude = this.exact(magnitude + 64 * this.higherGroups())
    // Zigzag maps -1 to 1: the magnitude of a negative number counts from one.
    return first & 1 ? -magnitude - 1 : magnitude
  }

  /** Moves behind a varint of up to 64 bits without looking at its value. */
  skipVarint(): void {
    for (let length = 1; this.u8() >= 128; length++) {
      if (length >= MAX_VARINT_BYTE_LENGTH) this.fail('a varint of at most 10 bytes', 'a longer one')
    }
  }

  /** Moves on by `byteLength` and gives where it stood before. */
  skip(byteLength: number): number {
    this.require(byteLength)
    const start = this.at
    this.at = start + byteLength
    return start
  }

  /** Fails unless so many bytes are left. */
  require(byteLength: number): void {
    if (!(byteLength >= 0 && byteLength <= this.end - this.at)) {
      this.fail(`${byteLength} more bytes`, `${this.end - this.at}`)
    }
  }

  /** Fails as DAMAGED, naming this place. */
  fail(expected: string, found: string): never {
    damaged(`${this.where}, byte ${this.at}`, expected, found)
  }

  /** The groups after a varint's first, as a number; up to three of them without a loop. */
  private higherGroups(): number {
    const { bytes, at } = this
    if (this.end - at < 3) return this.manyGroups()
    const second = bytes[at] ?? 0
    if (second < 128) {
      this.at = at + 1
      return second
    }
    const third = bytes[at + 1] ?? 0
    if (third < 128) {
      this.at = at + 2
      return (second & 127) | (third << 7)
    }
    const fourth = bytes[at + 2] ?? 0
    if (fourth < 128) {
      this.at = at + 3
      return (second & 127) | ((third & 127) << 7) | (fourth << 14)
    }
    return this.manyGroups()
  }

  private manyGroups(): number {
    let sum = 0
    let worth = 1
    for (let length = 2; length <= MAX_VARINT_BYTE_LENGTH; length++) {
      const byte = this.u8()
      sum += (byte & 127) * worth
      if (byte < 128) return sum
      worth *= 128
    }
    return this.fail('a varint of at most 10 bytes', 'a longer one')
  }

  /** Below 2^53 every partial sum was exact; at or above it the number is refused. */
  private exact(value: number): number {
    if (value >= Number.MAX_SAFE_INTEGER) this.fail('an integer within 2^53', `about ${value}`)
    return value
  }
}
