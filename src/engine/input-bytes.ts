/** Bytes of inputs: parts of files, and text from front to back. */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { attempted } from '../base/failure.ts'
import type { PieceLayout } from '../log/scanned-runs.ts'
import type { Chunks } from './log-input.ts'
import { shrunken } from './shrunken-input.ts'
import { isWholeLine, LONGEST_HELD_BYTE_LENGTH } from './whole-lines.ts'

const LINE_FEED = 0x0a
const TAIL_BYTE_LENGTH = 64 * 1024

/** Undefined for a file that is not there. */
export function sizeOf(path: string): number | undefined {
  return attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))?.size
}

/** A part of a file, which must be there. */
export function readBytes(path: string, start: number, byteLength: number): Uint8Array {
  const fd = attempted(path, 'open', () => openSync(path, 'r'))
  try {
    const bytes = new Uint8Array(byteLength)
    for (let at = 0; at < byteLength; ) {
      const wanted = byteLength - at
      const from = at
      const bytesRead = attempted(path, 'read', () => readSync(fd, bytes, from, wanted, start + from))
      if (bytesRead === 0) throw shrunken(path, start + byteLength, fstatSync(fd).size)
      at += bytesRead
    }
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** One past the last whole line of a file. */
export function endOfLines(path: string, byteLength: number, layout: PieceLayout): number {
  let end = 0
  for (let until = byteLength; until > 0 && end === 0; ) {
    const start = Math.max(0, until - TAIL_BYTE_LENGTH)
    end = start + readBytes(path, start, until - start).lastIndexOf(LINE_FEED) + 1
    if (end === start) end = 0
    until = start
  }
  if (end === byteLength || byteLength - end > LONGEST_HELD_BYTE_LENGTH) return end
  return isWholeLine(readBytes(path, end, byteLength - end), layout) ? byteLength : end
}

/** One generator, whatever the chunks come as. */
export async function* iterate(text: Chunks): AsyncGenerator<Uint8Array> {
  for await (const bytes of text) yield bytes
}

/** Reads until there are `byteLength` bytes, or all. */
export async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  byteLength: number,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = []
  for (let length = 0; length < byteLength; ) {
    const { done, value } = await chunks.next()
    if (done === true) return { bytes: joined(parts), isWhole: true }
    parts.push(value)
    length += value.length
  }
  return { bytes: joined(parts), isWhole: false }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
}

/** All of it at once. */
export function* once(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

/** The first bytes, then the rest. */
export async function* follow(
  bytes: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield bytes
  yield* rest
}
