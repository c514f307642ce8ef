/** The beginning of an input, which tells its kind and how its lines are laid out. */

import { closeSync, openSync, readSync } from 'node:fs'
import { attempted, Failure } from '../base/failure.ts'
import { AUTOMATIC, type InputLines, readInputLines } from './input-format.ts'
import type { InputOptions } from './log-input.ts'
import { shrunken } from './shrunken-input.ts'

/** So much of each input is looked at for its kind and its header. */
export const HEAD_BYTE_LENGTH: number = 64 * 1024

/** How archives begin that are not read, or not within another. */
const ARCHIVE_MARKS: readonly (readonly [name: string, mark: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['Parquet', [0x50, 0x41, 0x52, 0x31]],
]

/** Fails when the text of an input is an archive: its lines would be nothing but rejects. */
function refuseArchive(path: string, head: Uint8Array): void {
  for (const [name, mark] of ARCHIVE_MARKS) {
    if (!mark.every((byte, index) => head[index] === byte)) continue
    throw new Failure(
      'DAMAGED',
      `${path}: expected a log, plain or in one layer of gzip or zstd; found ${name}; unpack or convert it first`,
    )
  }
}

/** Finds out how the lines of an input are laid out that begins with `head`. */
export function decideLines(path: string, head: Uint8Array, { request, onLines }: InputOptions): InputLines {
  refuseArchive(path, head)
  const lines = readInputLines(path, head, request ?? AUTOMATIC)
  onLines?.(lines)
  return lines
}

/** The first bytes of a file, which must be there, into `bytes`. */
export function readStart(path: string, bytes: Uint8Array): Uint8Array {
  const byteLength = bytes.length
  const fd = attempted(path, 'open', () => openSync(path, 'r'))
  try {
    for (let at = 0; at < byteLength; ) {
      const from = at
      const bytesRead = attempted(path, 'read', () => readSync(fd, bytes, from, byteLength - from, from))
      if (bytesRead === 0) throw shrunken(path, byteLength, at)
      at += bytesRead
    }
  } finally {
    closeSync(fd)
  }
  return bytes
}
