/** Cuts the inputs into shards. The cuts depend on the inputs and the shard length only, never on threads. */

import type { LogInput, PlainInput, StreamedInput } from './inputs.ts'
import type { Shard, ShardPiece } from './shard.ts'

const LINE_FEED = 0x0a
/** A line that is longer than any that is kept: of such a one no more is passed on. */
const LONG_LINE_BYTE_LENGTH = 128 * 1024

/** Yields shards of about `shardByteLength` bytes in input order; small inputs share one. */
export async function* planShards(
  inputs: readonly LogInput[],
  shardByteLength: number,
): AsyncGenerator<Shard> {
  let pieces: ShardPiece[] = []
  let room = shardByteLength
  for (const [inputIndex, input] of inputs.entries()) {
    const planned =
      input.kind === 'plain'
        ? filePieces(input, inputIndex, () => room)
        : textPieces(input, inputIndex, () => room)
    for await (const piece of planned) {
      pieces.push(piece)
      room -= piece.kind === 'file' ? piece.end - piece.start : piece.text.length
      if (room > 0) continue
      yield { pieces }
      pieces = []
      room = shardByteLength
    }
  }
  if (pieces.length > 0) yield { pieces }
}

function* filePieces(input: PlainInput, inputIndex: number, room: () => number): Generator<ShardPiece> {
  const { path, layout, header, byteLength } = input
  for (let start = 0; start < byteLength; ) {
    const end = Math.min(byteLength, start + room())
    yield { kind: 'file', inputIndex, path, layout, header, start, end, fileByteLength: byteLength }
    start = end
  }
}

async function* textPieces(
  input: StreamedInput,
  inputIndex: number,
  room: () => number,
): AsyncGenerator<ShardPiece> {
  const { layout, header } = input
  let parts: Uint8Array[] = []
  let byteLength = 0
  let start = 0
  let isInLongLine = false
  const piece = (text: Uint8Array<ArrayBuffer>): ShardPiece => ({
    kind: 'text',
    inputIndex,
    layout,
    header,
    text,
    start,
  })
  for await (const chunk of input.text) {
    let rest = chunk
    if (isInLongLine) {
      const lineFeed = rest.indexOf(LINE_FEED)
      const skipped = lineFeed < 0 ? rest.length : lineFeed + 1
      start += skipped
      rest = rest.subarray(skipped)
      isInLongLine = lineFeed < 0
    }
    if (rest.length === 0) continue
    parts.push(rest)
    byteLength += rest.length
    if (byteLength < Math.max(room(), LONG_LINE_BYTE_LENGTH)) continue
    const text = concatenate(parts, byteLength)
    const end = text.lastIndexOf(LINE_FEED) + 1
    isInLongLine = end === 0
    // Of a line that fills a shard only the beginning goes on: enough to be counted as too long.
    yield piece(text.slice(0, isInLongLine ? LONG_LINE_BYTE_LENGTH : end))
    parts = isInLongLine ? [] : [text.subarray(end)]
    start += isInLongLine ? byteLength : end
    byteLength = isInLongLine ? 0 : byteLength - end
  }
  if (byteLength > 0) yield piece(concatenate(parts, byteLength))
}

/** One buffer of its own, so that it can be transferred. */
function concatenate(parts: readonly Uint8Array[], byteLength: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(byteLength)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
