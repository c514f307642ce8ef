/** Cuts the inputs into shards. The cuts depend on the inputs and the shard length only, never on threads. */

import type { InputLines } from './input-format.ts'
import type { Chunks, LogInput, PlainInput } from './inputs.ts'
import type { Shard, ShardPiece } from './shard.ts'

const LINE_FEED = 0x0a
/** A line that is longer than any that is kept: of such a one no more is passed on. */
const LONG_LINE_BYTE_LENGTH = 128 * 1024

/** A piece, and how much of its shard's room it takes. */
interface PlannedPiece {
  readonly piece: ShardPiece
  readonly byteLength: number
}

/** What of an input is to be taken. */
export interface InputPart {
  readonly input: LogInput
  /** Where the part begins in the (decompressed) input: at the start of a line. */
  readonly start: number
  /** How many lines of the input stand before it. */
  readonly linesBefore: number
  /** Where it ends, undefined for the end of the input. */
  readonly end: number | undefined
  /** Hears all of a streamed input's text up to `end`, from the very beginning. */
  readonly onText?: (bytes: Uint8Array) => void
}

/** Decides what is taken of an input when its turn comes; undefined for nothing. */
export type ChoosePart = (input: LogInput, inputIndex: number) => Promise<InputPart | undefined>

/** Takes inputs whole. */
export const takeWhole: ChoosePart = (input) =>
  Promise.resolve({ input, start: 0, linesBefore: 0, end: undefined })

/**
 * Yields shards of about `shardByteLength` bytes in input order; small inputs share one. Text is cut where
 * the same bytes in a plain file would be, however it arrives.
 */
export async function* planShards(
  inputs: readonly LogInput[],
  shardByteLength: number,
  choosePart: ChoosePart = takeWhole,
): AsyncGenerator<Shard> {
  let pieces: ShardPiece[] = []
  let room = shardByteLength
  for (const [inputIndex, input] of inputs.entries()) {
    const part = await choosePart(input, inputIndex)
    if (part === undefined) continue
    for await (const { piece, byteLength } of await partPieces(part, inputIndex, () => room)) {
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

async function partPieces(
  part: InputPart,
  inputIndex: number,
  room: () => number,
): Promise<Iterable<PlannedPiece> | AsyncIterable<PlannedPiece>> {
  const { input } = part
  if (input.kind === 'plain') return filePieces(input, part, inputIndex, room)
  const opened = await input.open()
  const cutter = new TextCutter(opened, part, inputIndex, room)
  return opened.whole === undefined
    ? streamPieces(opened.text, part, cutter)
    : wholePieces(opened.whole, part, cutter)
}

function* filePieces(
  input: PlainInput,
  part: InputPart,
  inputIndex: number,
  room: () => number,
): Generator<PlannedPiece> {
  const { path, layout, header } = input
  const fileByteLength = part.end ?? input.byteLength
  for (let { start } = part; start < fileByteLength; ) {
    const end = Math.min(fileByteLength, start + room())
    yield {
      piece: { kind: 'file', inputIndex, path, layout, header, start, end, fileByteLength },
      byteLength: end - start,
    }
    start = end
  }
}

/** Where the text of a part begins: with the byte before it, which tells whether a line begins there. */
function textStart(part: InputPart): number {
  return Math.max(0, part.start - 1)
}

/** Text that is in memory as a whole. */
function* wholePieces(whole: Uint8Array, part: InputPart, cutter: TextCutter): Generator<PlannedPiece> {
  const bytes = part.end === undefined ? whole : whole.subarray(0, part.end)
  if (bytes.length > 0) part.onText?.(bytes)
  if (bytes.length > textStart(part)) yield* cutter.cut(bytes.subarray(textStart(part)))
  yield* cutter.rest()
}

/** Text that comes chunk by chunk. */
async function* streamPieces(
  text: Chunks,
  part: InputPart,
  cutter: TextCutter,
): AsyncGenerator<PlannedPiece> {
  for await (const bytes of textOfPart(text, part)) yield* cutter.cut(bytes)
  yield* cutter.rest()
}

/** The text of a part and the byte before it: all else is only heard. */
async function* textOfPart(text: Chunks, part: InputPart): AsyncGenerator<Uint8Array> {
  const from = textStart(part)
  let at = 0
  for await (const chunk of text) {
    const bytes = part.end === undefined ? chunk : chunk.subarray(0, Math.max(0, part.end - at))
    if (bytes.length === 0) {
      // An empty chunk says nothing, the end of the part does.
      if (chunk.length > 0) return
      continue
    }
    part.onText?.(bytes)
    if (at + bytes.length > from) yield bytes.subarray(Math.max(0, from - at))
    at += bytes.length
  }
}

/** Text that has arrived and is not handed on yet. */
class HeldText {
  private parts: Uint8Array[] = []
  private partsByteLength = 0
  /** Where it begins in the input. */
  start: number

  constructor(start: number) {
    this.start = start
  }

  get end(): number {
    return this.start + this.partsByteLength
  }

  push(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.partsByteLength += bytes.length
  }

  /** All of it, in one: a copy, unless there is one part only. */
  whole(): Uint8Array {
    const [only] = this.parts
    if (this.parts.length === 1 && only !== undefined) return only
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
    this.parts = byteLength === whole.length ? [] : [whole.subarray(byteLength)]
    this.partsByteLength = whole.length - byteLength
    this.start += byteLength
  }
}

/** Cuts text that comes from front to back where the same bytes in a file would be. */
class TextCutter {
  private readonly lines: InputLines
  private readonly inputIndex: number
  private readonly room: () => number
  private readonly held: HeldText
  private cutAt: number
  private nextCut: number
  /** As in a file, a line that began before the part is not of it. */
  private isSkippingLine: boolean

  constructor(lines: InputLines, part: InputPart, inputIndex: number, room: () => number) {
    this.lines = lines
    this.inputIndex = inputIndex
    this.room = room
    this.held = new HeldText(textStart(part))
    this.cutAt = part.start
    this.nextCut = part.start + room()
    this.isSkippingLine = part.start > 0
  }

  /** Takes the next bytes; gives the pieces that are whole by now. */
  *cut(bytes: Uint8Array): Generator<PlannedPiece> {
    const { held } = this
    held.push(bytes)
    if (this.isSkippingLine) {
      const whole = held.whole()
      const lineFeed = whole.indexOf(LINE_FEED)
      held.drop(whole, lineFeed < 0 ? whole.length : lineFeed + 1)
      this.isSkippingLine = lineFeed < 0
    }
    while (held.end > this.nextCut) {
      if (held.start < this.nextCut) {
        const piece = this.nextPiece()
        if (piece === undefined) break
        yield piece
      }
      this.cutAt = this.nextCut
      this.nextCut += this.room()
    }
  }

  /** What is left at the end. */
  *rest(): Generator<PlannedPiece> {
    if (this.held.end > this.held.start) yield this.planned(this.held.whole(), this.held.end)
  }

  /** What goes up to the cut; undefined while its last line goes on. */
  private nextPiece(): PlannedPiece | undefined {
    const { held, nextCut } = this
    const whole = held.whole()
    // The line that crosses the cut belongs to the shard before it.
    const lineFeed = whole.indexOf(LINE_FEED, Math.max(0, nextCut - 1 - held.start))
    const lineStart = whole.lastIndexOf(LINE_FEED) + 1
    if (lineFeed < 0 && whole.length - lineStart <= LONG_LINE_BYTE_LENGTH) return undefined
    this.isSkippingLine = lineFeed < 0
    // Of a line that is too long only the beginning goes on: enough to be counted as such.
    const end = this.isSkippingLine ? lineStart + LONG_LINE_BYTE_LENGTH : lineFeed + 1
    const piece = this.planned(whole.subarray(0, end), nextCut)
    held.drop(whole, this.isSkippingLine ? whole.length : lineFeed + 1)
    return piece
  }

  private planned(text: Uint8Array, to: number): PlannedPiece {
    const { layout, header } = this.lines
    return {
      piece: { kind: 'text', inputIndex: this.inputIndex, layout, header, text, start: this.held.start },
      byteLength: to - this.cutAt,
    }
  }
}
