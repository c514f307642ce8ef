/** Cuts the inputs into shards. The cuts depend on the inputs and the shard length only, never on threads. */

import type { LogInput, PlainInput, StreamedInput } from './inputs.ts'
import type { Shard, ShardPiece } from './shard.ts'

const LINE_FEED = 0x0a
/** A line that is longer than any that is kept: of such a one no more is passed on. */
const LONG_LINE_BYTE_LENGTH = 128 * 1024

/** A piece, and how much of its shard's room it takes. */
interface PlannedPiece {
  readonly piece: ShardPiece
  readonly byteLength: number
}

/**
 * Yields shards of about `shardByteLength` bytes in input order; small inputs share one. Text is cut where
 * the same bytes in a plain file would be, however it arrives.
 */
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
    for await (const { piece, byteLength } of planned) {
      pieces.push(piece)
      room -= byteLength
      if (room > 0) continue
      yield { pieces }
      pieces = []
      room = shardByteLength
    }
  }
  if (pieces.length > 0) yield { pieces }
}

function* filePieces(input: PlainInput, inputIndex: number, room: () => number): Generator<PlannedPiece> {
  const { path, layout, header, byteLength } = input
  for (let start = 0; start < byteLength; ) {
    const end = Math.min(byteLength, start + room())
    yield {
      piece: { kind: 'file', inputIndex, path, layout, header, start, end, fileByteLength: byteLength },
      byteLength: end - start,
    }
    start = end
  }
}

/** Text that has arrived and is not handed on yet. */
class HeldText {
  private parts: Uint8Array[] = []
  private partsByteLength = 0
  /** Where it begins in the input. */
  start = 0

  get end(): number {
    return this.start + this.partsByteLength
  }

  push(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.partsByteLength += bytes.length
  }

  /** All of it, in one buffer. */
  whole(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.partsByteLength)
    let at = 0
    for (const part of this.parts) {
      whole.set(part, at)
      at += part.length
    }
    this.parts = [whole]
    return whole
  }

  /** Forgets the first `byteLength` bytes of `whole`. */
  drop(whole: Uint8Array, byteLength: number): void {
    this.parts = [whole.subarray(byteLength)]
    this.partsByteLength = whole.length - byteLength
    this.start += byteLength
  }
}

async function* textPieces(
  input: StreamedInput,
  inputIndex: number,
  room: () => number,
): AsyncGenerator<PlannedPiece> {
  const { layout, header, text: chunks } = await input.open()
  const held = new HeldText()
  let cut = 0
  let nextCut = room()
  let isInLongLine = false
  const planned = (text: Uint8Array<ArrayBuffer>, to: number): PlannedPiece => ({
    piece: { kind: 'text', inputIndex, layout, header, text, start: held.start },
    byteLength: to - cut,
  })
  for await (const chunk of chunks) {
    held.push(chunk)
    if (isInLongLine) {
      const whole = held.whole()
      const lineFeed = whole.indexOf(LINE_FEED)
      held.drop(whole, lineFeed < 0 ? whole.length : lineFeed + 1)
      isInLongLine = lineFeed < 0
    }
    while (held.end > nextCut) {
      if (held.start < nextCut) {
        const whole = held.whole()
        // The line that crosses the cut belongs to the shard before it.
        const lineFeed = whole.indexOf(LINE_FEED, Math.max(0, nextCut - 1 - held.start))
        const lineStart = whole.lastIndexOf(LINE_FEED) + 1
        if (lineFeed < 0 && whole.length - lineStart <= LONG_LINE_BYTE_LENGTH) break
        isInLongLine = lineFeed < 0
        // Of a line that is too long only the beginning goes on: enough to be counted as such.
        yield planned(
          whole.slice(0, isInLongLine ? lineStart + LONG_LINE_BYTE_LENGTH : lineFeed + 1),
          nextCut,
        )
        held.drop(whole, isInLongLine ? whole.length : lineFeed + 1)
      }
      cut = nextCut
      nextCut += room()
    }
  }
  if (held.end > held.start) yield planned(held.whole(), held.end)
}
