/** From a byte stream to its lines, one at a time, in bounded memory. */

/** One physical line, without its line feed. */
export interface ByteLine {
  /** Counted from 1. */
  readonly lineNumber: number
  /** Without a byte order mark in line 1; empty when `isTooLong`. */
  readonly bytes: Uint8Array
  readonly isTooLong: boolean
}

/** A question is a path, an address and a user agent: far below this many bytes. */
export const MAX_LINE_BYTES: number = 1 << 20

const LINE_FEED = 0x0a

/**
 * Splits on 0x0A only; a last line without a line feed counts. A line above `MAX_LINE_BYTES` is dropped while
 * it is read and reported as one `isTooLong` line, so memory stays bounded whatever the input is.
 * Lines are views of the input's buffers, which must stay untouched (Node's streams never reuse theirs).
 */
export async function* splitLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<ByteLine> {
  let pieces: Uint8Array[] = []
  let heldBytes = 0
  let lineNumber = 0
  const hold = (piece: Uint8Array): void => {
    heldBytes += piece.byteLength
    if (heldBytes > MAX_LINE_BYTES) pieces = []
    else if (piece.byteLength > 0) pieces.push(piece)
  }
  const take = (): ByteLine => {
    lineNumber++
    const isTooLong = heldBytes > MAX_LINE_BYTES
    const bytes = joinPieces(pieces)
    pieces = []
    heldBytes = 0
    return { lineNumber, bytes: lineNumber === 1 ? withoutByteOrderMark(bytes) : bytes, isTooLong }
  }
  for await (const chunk of input) {
    let lineStart = 0
    for (;;) {
      const lineEnd = chunk.indexOf(LINE_FEED, lineStart)
      if (lineEnd < 0) break
      hold(chunk.subarray(lineStart, lineEnd))
      yield take()
      lineStart = lineEnd + 1
    }
    hold(chunk.subarray(lineStart))
  }
  if (heldBytes > 0) yield take()
}

function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces
  if (only !== undefined && pieces.length === 1) return only
  return Buffer.concat(pieces)
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
