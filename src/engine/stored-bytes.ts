/** Takes stretches of known length out of bytes that come in parts of any. */

import { ByteReader } from '../base/byte-reader.ts'
import { Failure } from '../base/failure.ts'

/** An archive as it is stored, from front to back. */
export class StoredBytes {
  private readonly where: string
  private readonly parts: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  private held: Uint8Array = new Uint8Array(0)
  /** Where `held` begins in the archive. */
  private byteOffset = 0

  /** `where` names the archive in messages. */
  constructor(where: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.where = where
    this.parts = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]()
  }

  /** Whether there is no more. */
  async hasEnded(): Promise<boolean> {
    return this.held.length === 0 && !(await this.fetch())
  }

  /** A reader of the next `byteLength` bytes. */
  async reader(byteLength: number): Promise<ByteReader> {
    if (this.held.length < byteLength) await this.gather(byteLength)
    const bytes = this.held.subarray(0, byteLength)
    const reader: ByteReader = new ByteReader(bytes, `${this.where}, block at ${this.byteOffset}`)
    this.drop(byteLength)
    return reader
  }

  /** Passes over bytes, however many, without holding them. */
  async pass(byteLength: number): Promise<void> {
    for (let left = byteLength; left > 0; ) {
      if (await this.hasEnded()) this.cutOff()
      const dropped = Math.min(left, this.held.length)
      this.drop(dropped)
      left -= dropped
    }
  }

  /** Fails as DAMAGED at this place. */
  fail(expected: string, found: string): never {
    throw new Failure(
      'DAMAGED',
      `${this.where}, byte ${this.byteOffset}: expected ${expected}, found ${found}`,
    )
  }

  /** Ends the source, also when it has more. */
  async close(): Promise<void> {
    await this.parts.return?.(undefined)
  }

  private async gather(byteLength: number): Promise<void> {
    const parts = [this.held]
    for (let length = this.held.length; length < byteLength; length += this.held.length) {
      if (!(await this.fetch())) {
        this.byteOffset += length
        this.cutOff()
      }
      parts.push(this.held)
    }
    this.held = Buffer.concat(parts)
  }

  /** Replaces what is held by the next bytes that are not none. */
  private async fetch(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.parts.next()
      if (done === true) return false
      if (value.length === 0) continue
      this.held = value
      return true
    }
  }

  private drop(byteLength: number): void {
    this.held = this.held.subarray(byteLength)
    this.byteOffset += byteLength
  }

  private cutOff(): never {
    throw new Failure(
      'DAMAGED',
      `${this.where}: expected a whole archive, found its end after ${this.byteOffset} bytes in the middle of a frame; ` +
        'it was cut off, get it again',
    )
  }
}
