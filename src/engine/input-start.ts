/** The beginning of an input, which tells its kind and how its lines are laid out. */

import { closeSync, openSync, readSync } from 'node:fs'
import { attempted } from '../base/failure.ts'
import { AUTOMATIC, type InputLines, readInputLines } from './input-format.ts'
import type { InputOptions } from './log-input.ts'
import { shrunken } from './shrunken-input.ts'

/** So much of each input is looked at for its kind and its header. */
export const HEAD_BYTE_LENGTH: number = 64 * 1024

/** Finds out how the lines of an input are laid out that begins with `head`. */
export function decideLines(path: string, head: Uint8Array, { request, onLines }: InputOptions): InputLines {
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
