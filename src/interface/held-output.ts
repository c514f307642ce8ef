/**
 * Output that is whole or not there: who reads half a report from a pipe may take it for all. It is held until it is
 * made, in memory while it is little, in a temporary file when it is much.
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { attempted, damaged } from '../base/failure.ts'
import { type WriteResult, writeOutput } from './write-output.ts'

/** So many bytes stay in memory. */
const MEMORY_BYTE_LENGTH = 8 * 1024 * 1024
/** So many are written, and read back, at once. */
const PIECE_BYTE_LENGTH = 256 * 1024

/** Writes what the pieces make together when all are there, after `onMade`; nothing when making them fails. */
export async function writeWhole(
  stream: Writable,
  pieces: AsyncIterable<string> | Iterable<string>,
  onMade: () => void = () => undefined,
  memoryByteLength: number = MEMORY_BYTE_LENGTH,
): Promise<WriteResult> {
  const held = new HeldOutput(memoryByteLength)
  try {
    for await (const piece of pieces) held.append(piece)
    onMade()
    return await held.writeTo(stream)
  } finally {
    held.discard()
  }
}

class HeldOutput {
  private readonly memoryByteLength: number
  private readonly blocks: Buffer[] = []
  private blocksByteLength = 0
  private text = ''
  private file: TemporaryFile | undefined

  constructor(memoryByteLength: number) {
    this.memoryByteLength = memoryByteLength
  }

  append(piece: string): void {
    this.text += piece
    if (this.text.length >= PIECE_BYTE_LENGTH) this.closeBlock()
  }

  async writeTo(stream: Writable): Promise<WriteResult> {
    this.closeBlock()
    for (const bytes of this.file?.readAll() ?? [])
      if ((await writeOutput(stream, bytes)) === 'closed') return 'closed'
    for (const block of this.blocks) if ((await writeOutput(stream, block)) === 'closed') return 'closed'
    return 'written'
  }

  discard(): void {
    this.file?.close()
  }

  private closeBlock(): void {
    const block = Buffer.from(this.text)
    this.text = ''
    this.blocks.push(block)
    this.blocksByteLength += block.length
    if (this.blocksByteLength <= this.memoryByteLength) return
    this.file ??= new TemporaryFile()
    for (const each of this.blocks) this.file.append(each)
    this.blocks.length = 0
    this.blocksByteLength = 0
  }
}

/** A file that has no name any more: nothing is left of it however the program ends. */
class TemporaryFile {
  private readonly path: string
  private readonly descriptor: number
  private byteLength = 0

  constructor() {
    // Nobody else may look into the directory: what is held speaks of listeners.
    const directory = attempted(tmpdir(), 'make a temporary directory in', () =>
      mkdtempSync(join(tmpdir(), 'byteledger-')),
    )
    this.path = join(directory, 'held-output')
    try {
      this.descriptor = attempted(this.path, 'create', () => openSync(this.path, 'wx+', 0o600))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const from = at
      at += attempted(this.path, 'hold output in', () =>
        writeSync(this.descriptor, bytes, from, bytes.length - from, this.byteLength + from),
      )
    }
    this.byteLength += bytes.length
  }

  *readAll(): Generator<Uint8Array> {
    for (let at = 0; at < this.byteLength; ) {
      const bytes = new Uint8Array(Math.min(PIECE_BYTE_LENGTH, this.byteLength - at))
      const from = at
      const count = attempted(this.path, 'read', () =>
        readSync(this.descriptor, bytes, 0, bytes.length, from),
      )
      if (count === 0) damaged(this.path, `${this.byteLength} bytes`, `the end after ${at}`)
      at += count
      yield bytes.subarray(0, count)
    }
  }

  close(): void {
    closeSync(this.descriptor)
  }
}
