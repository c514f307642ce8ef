/** A file that is read in places, without a position of its own. */

import { closeSync, readSync, type Stats } from 'node:fs'
import { attempted, damaged, Failure } from '../base/failure.ts'
import { type OpenedFile, openRegularFile } from '../base/regular-file.ts'
import { newTally, type ReadTally } from './read-tally.ts'

/** Most files that the system holds open for us at once; one more, and the one opened first is let go. */
const DESCRIPTOR_LIMIT = 512

/** Files with a descriptor, in the order in which these were opened. */
const withDescriptor = new Set<PositionedFile>()

/**
 * An open file. Its length is the one it had when it was opened: published files do not change. When many are
 * open its descriptor may be closed between two reads; the next read opens the same file again.
 */
export class PositionedFile {
  readonly path: string
  readonly byteLength: number
  #descriptor: number | undefined
  /** Device, inode, length and time of change. */
  readonly #identity: string
  readonly #tally: ReadTally
  #isOpen = true

  /** Fails as ENVIRONMENT when it cannot be opened, or is no file. */
  constructor(path: string, tally: ReadTally = newTally()) {
    this.path = path
    this.#tally = tally
    const { stats } = this.#open()
    this.byteLength = stats.size
    this.#identity = identityOf(stats)
  }

  #open(): OpenedFile {
    const opened = attempted(this.path, 'open', () => PositionedFile.#openWithRoom(this.path))
    this.#descriptor = opened.descriptor
    withDescriptor.add(this)
    for (const oldest of withDescriptor) {
      if (withDescriptor.size <= DESCRIPTOR_LIMIT) break
      oldest.#release()
    }
    return opened
  }

  /** Lets go of the half of all descriptors that were opened first; tells whether there were any. */
  static #makeRoom(): boolean {
    let count = Math.ceil(withDescriptor.size / 2)
    if (count === 0) return false
    for (const oldest of withDescriptor) {
      oldest.#release()
      if (--count === 0) break
    }
    return true
  }

  /** The system may allow for fewer descriptors than we keep. */
  static #openWithRoom(path: string): OpenedFile {
    for (;;) {
      try {
        return openRegularFile(path)
      } catch (cause) {
        const isFull = cause instanceof Error && 'code' in cause && /^E[MN]FILE$/.test(String(cause.code))
        if (!isFull || !PositionedFile.#makeRoom()) throw cause
      }
    }
  }

  #openAgain(): number {
    if (!this.#isOpen) throw new Failure('ENVIRONMENT', `cannot read ${this.path}: it was closed`)
    const { descriptor, stats } = this.#open()
    if (identityOf(stats) !== this.#identity)
      damaged(this.path, 'the file that was opened before', 'another in its place')
    return descriptor
  }

  #release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    withDescriptor.delete(this)
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
    const descriptor = this.#descriptor ?? this.#openAgain()
    // A read may give less than was asked for.
    for (let at = 0; at < bytes.length; ) {
      const count = attempted(this.path, 'read', () =>
        readSync(descriptor, bytes, at, bytes.length - at, byteOffset + at),
      )
      if (count === 0) damaged(this.path, `${bytes.length} bytes at ${byteOffset}`, `the end after ${at}`)
      at += count
      this.#tally.reads++
      this.#tally.bytesRead += count
    }
  }

  #requireWithin(byteOffset: number, byteLength: number): void {
    if (!(byteOffset >= 0 && byteLength >= 0 && byteOffset + byteLength <= this.byteLength)) {
      damaged(this.path, `${byteLength} bytes at ${byteOffset}`, `a file of ${this.byteLength} bytes`)
    }
  }

  close(): void {
    this.#isOpen = false
    this.#release()
  }
}

function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs].join('/')
}
