/** Bytes that are written now and wanted at the end: in memory while few, in a temporary file when many. */

import { unlink } from 'node:fs/promises'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { writeFully } from './file-writes.ts'
import { OpenFiles } from './open-files.ts'

/** Bytes are collected in blocks of so many; the first are smaller, as many spools hold little. */
const BLOCK_BYTE_LENGTH = 1024 * 1024
const FIRST_BLOCK_BYTE_LENGTH = 4 * 1024
/** Beyond so many bytes the spool goes to disk. */
const MEMORY_BYTE_LENGTH = 24 * BLOCK_BYTE_LENGTH

/** How a spool is made; all has a default. */
export interface SpoolOptions {
  readonly files?: OpenFiles
  /** So many bytes stay in memory. */
  readonly memoryByteLength?: number
}

/** Collects bytes in order, then copies them into a file. */
export class Spool {
  private readonly path: string
  private readonly files: OpenFiles
  private readonly memoryByteLength: number
  private full: Uint8Array[] = []
  private fullByteLength = 0
  private block = new Uint8Array(0)
  private blockByteLength = 0
  private hasFile = false
  private fileByteLength = 0

  /** `path` names the temporary file, which is made only when it is needed. */
  constructor(path: string, options: SpoolOptions = {}) {
    this.path = path
    this.files = options.files ?? new OpenFiles()
    this.memoryByteLength = options.memoryByteLength ?? MEMORY_BYTE_LENGTH
  }

  /** How many bytes were appended. */
  get byteLength(): number {
    return this.fileByteLength + this.fullByteLength + this.blockByteLength
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.blockByteLength === this.block.length) await this.beginBlock()
      const part = bytes.subarray(at, at + this.block.length - this.blockByteLength)
      this.block.set(part, this.blockByteLength)
      this.blockByteLength += part.length
      at += part.length
    }
  }

  /** Hands everything to `write`, in order and in large parts. */
  async copyTo(write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const buffer = new Uint8Array(this.hasFile ? BLOCK_BYTE_LENGTH : 0)
    for (let at = 0; at < this.fileByteLength; ) {
      const file = await this.files.get(this.path)
      const wanted = Math.min(buffer.length, this.fileByteLength - at)
      const { bytesRead } = await attemptedAsync(this.path, 'read', () => file.read(buffer, 0, wanted, at))
      if (bytesRead === 0) throw new Failure('ENVIRONMENT', `cannot read ${this.path}: it has become shorter`)
      await write(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    for (const block of this.full) await write(block)
    await write(this.block.subarray(0, this.blockByteLength))
  }

  /** Removes the temporary file, if there is one. */
  async discard(): Promise<void> {
    if (!this.hasFile) return
    this.hasFile = false
    await this.files.close(this.path)
    await unlink(this.path)
  }

  private async beginBlock(): Promise<void> {
    if (this.blockByteLength > 0) this.full.push(this.block)
    this.fullByteLength += this.blockByteLength
    const byteLength = Math.max(
      FIRST_BLOCK_BYTE_LENGTH,
      Math.min(4 * this.blockByteLength, BLOCK_BYTE_LENGTH),
    )
    this.block = new Uint8Array(byteLength)
    this.blockByteLength = 0
    if (this.fullByteLength >= this.memoryByteLength) await this.flush()
  }

  private async flush(): Promise<void> {
    if (!this.hasFile) {
      await this.files.create(this.path)
      this.hasFile = true
    }
    const file = await this.files.get(this.path)
    for (const block of this.full) {
      await writeFully(file, this.path, block, this.fileByteLength)
      this.fileByteLength += block.length
    }
    this.full = []
    this.fullByteLength = 0
  }
}
