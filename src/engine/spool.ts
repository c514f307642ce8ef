/** Bytes that are written now and wanted at the end: in memory while few, in a temporary file when many. */

import { type FileHandle, open, unlink } from 'node:fs/promises'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { writeFully } from './file-writes.ts'

/** Bytes are collected in blocks of so many ... */
const BLOCK_BYTE_LENGTH = 1024 * 1024
/** ... and beyond so many blocks the spool goes to disk. */
const MEMORY_BLOCKS = 24

/** Collects bytes in order, then copies them into a file. */
export class Spool {
  private readonly path: string
  private full: Uint8Array[] = []
  private block = new Uint8Array(BLOCK_BYTE_LENGTH)
  private blockByteLength = 0
  private file: FileHandle | undefined
  private fileByteLength = 0

  /** `path` names the temporary file, which is made only when it is needed. */
  constructor(path: string) {
    this.path = path
  }

  /** How many bytes were appended. */
  get byteLength(): number {
    return this.fileByteLength + this.full.length * BLOCK_BYTE_LENGTH + this.blockByteLength
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BLOCK_BYTE_LENGTH - this.blockByteLength)
      this.block.set(part, this.blockByteLength)
      this.blockByteLength += part.length
      at += part.length
      if (this.blockByteLength < BLOCK_BYTE_LENGTH) continue
      this.full.push(this.block)
      this.block = new Uint8Array(BLOCK_BYTE_LENGTH)
      this.blockByteLength = 0
      if (this.full.length === MEMORY_BLOCKS) await this.flush()
    }
  }

  /** Hands everything to `write`, in order and in large parts. */
  async copyTo(write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const { file } = this
    if (file !== undefined) {
      const buffer = new Uint8Array(BLOCK_BYTE_LENGTH)
      for (let at = 0; at < this.fileByteLength; ) {
        const { bytesRead } = await attemptedAsync(this.path, 'read', () =>
          file.read(buffer, 0, buffer.length, at),
        )
        if (bytesRead === 0)
          throw new Failure('ENVIRONMENT', `cannot read ${this.path}: it has become shorter`)
        await write(buffer.subarray(0, bytesRead))
        at += bytesRead
      }
    }
    for (const block of this.full) await write(block)
    await write(this.block.subarray(0, this.blockByteLength))
  }

  /** Removes the temporary file, if there is one. */
  async discard(): Promise<void> {
    if (this.file === undefined) return
    await this.file.close()
    this.file = undefined
    await unlink(this.path)
  }

  private async flush(): Promise<void> {
    this.file ??= await attemptedAsync(this.path, 'create', () => open(this.path, 'wx+'))
    for (const block of this.full) {
      await writeFully(this.file, this.path, block, this.fileByteLength)
      this.fileByteLength += block.length
    }
    this.full = []
  }
}
