/** A file that is read in places, without a position of its own. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { attempted, damaged, Failure } from '../base/failure.ts'

/** An open file. Its length is the one it had when it was opened: published files do not change. */
export class PositionedFile {
  readonly path: string
  readonly byteLength: number
  readonly #descriptor: number
  #isOpen = true

  /** Fails as ENVIRONMENT when the file cannot be opened. */
  constructor(path: string) {
    this.path = path
    this.#descriptor = attempted(path, 'open', () => openSync(path, 'r'))
    this.byteLength = attempted(path, 'measure', () => {
      const stat = fstatSync(this.#descriptor)
      return stat.isFile() ? stat.size : -1
    })
    if (this.byteLength < 0) {
      this.close()
      throw new Failure('ENVIRONMENT', `cannot read ${path}: it is not a file`)
    }
  }

  /** Reads `byteLength` bytes from `byteOffset` on. Fails as DAMAGED when the file ends before them. */
  read(byteOffset: number, byteLength: number): Uint8Array {
    this.#requireWithin(byteOffset, byteLength)
    const bytes = new Uint8Array(byteLength)
    this.readInto(bytes, byteOffset)
    return bytes
  }

  /** Fills `bytes` with what stands at `byteOffset`. Fails as `read` does. */
  readInto(bytes: Uint8Array, byteOffset: number): void {
    this.#requireWithin(byteOffset, bytes.length)
    // A read may give less than was asked for.
    for (let at = 0; at < bytes.length; ) {
      const count = attempted(this.path, 'read', () =>
        readSync(this.#descriptor, bytes, at, bytes.length - at, byteOffset + at),
      )
      if (count === 0) damaged(this.path, `${bytes.length} bytes at ${byteOffset}`, `the end after ${at}`)
      at += count
    }
  }

  #requireWithin(byteOffset: number, byteLength: number): void {
    if (!(byteOffset >= 0 && byteLength >= 0 && byteOffset + byteLength <= this.byteLength)) {
      damaged(this.path, `${byteLength} bytes at ${byteOffset}`, `a file of ${this.byteLength} bytes`)
    }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#descriptor)
  }
}
