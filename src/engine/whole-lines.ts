/**
 * Where the last whole line of an input ends. A store takes no line that may be cut off: its last field could
 * name a listener who does not exist. A line is whole when a line feed ends it; a line of JSON also when it is
 * an object with its last brace, as uploads of some CDNs end without a line feed.
 */

import { isRecordLayout, type PieceLayout } from '../log/scanned-runs.ts'
import type { Chunks } from './log-input.ts'

const LINE_FEED = 0x0a
/** A line that is longer is kept by no format, however it goes on: it need not wait for its end. */
export const LONGEST_HELD_BYTE_LENGTH: number = 128 * 1024

/** One past the last whole line of a text that is there as a whole. */
export function endOfWholeLines(text: Uint8Array, layout: PieceLayout): number {
  const end = text.lastIndexOf(LINE_FEED) + 1
  return end < text.length && isWholeLine(text.subarray(end), layout) ? text.length : end
}

/** Whether what stands behind the last line feed is a line that nothing is missing from. */
export function isWholeLine(line: Uint8Array, layout: PieceLayout): boolean {
  if (!isRecordLayout(layout) || layout.structure !== 'json' || line.length > LONGEST_HELD_BYTE_LENGTH)
    return false
  try {
    const value: unknown = JSON.parse(Buffer.from(line).toString())
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

/**
 * The whole lines of a text that comes from front to back. What remains at its end is not handed on, and its
 * length told to `onPending`. A line that is too long to be kept is handed on as it comes.
 */
export async function* wholeLines(
  text: Chunks,
  layout: PieceLayout,
  onPending: (byteLength: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let held: Uint8Array[] = []
  let heldByteLength = 0
  let isInLongLine = false
  for await (const chunk of text) {
    const end: number =
      isInLongLine && !chunk.includes(LINE_FEED) ? chunk.length : chunk.lastIndexOf(LINE_FEED) + 1
    if (end > 0) {
      yield* held
      yield chunk.subarray(0, end)
      held = []
      heldByteLength = 0
      isInLongLine = chunk[end - 1] !== LINE_FEED
    }
    if (end === chunk.length) continue
    held.push(chunk.subarray(end))
    heldByteLength += chunk.length - end
    if (heldByteLength <= LONGEST_HELD_BYTE_LENGTH) continue
    yield* held
    held = []
    heldByteLength = 0
    isInLongLine = true
  }
  if (heldByteLength === 0) return
  const rest = Buffer.concat(held)
  if (isWholeLine(rest, layout)) yield rest
  else onPending(heldByteLength)
}
