/** Cuts the inputs into shards. The cuts depend on the inputs and the shard length only, never on threads. */

import { InputsAhead } from './inputs-ahead.ts'
import type { Chunks, LogInput, PlainInput } from './log-input.ts'
import type { Shard, ShardPiece } from './shard.ts'
import { type PlannedPiece, ShardText, TextCutter } from './text-cutter.ts'

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

/** How inputs are cut. */
export interface PlanOptions {
  readonly shardByteLength: number
  readonly choosePart: ChoosePart
  /** So many inputs are begun before their turn. */
  readonly aheadCount: number
  /** Memory of shards that are done, to be used again. */
  readonly spareMemory: ArrayBuffer[]
}

/**
 * Yields shards of about `shardByteLength` bytes in input order; small inputs share one. Text is cut where
 * the same bytes in a plain file would be, however it arrives.
 */
export async function* planShards(
  inputs: readonly LogInput[],
  { shardByteLength, choosePart, aheadCount, spareMemory }: PlanOptions,
): AsyncGenerator<Shard> {
  const text = new ShardText(shardByteLength, spareMemory, streamedByteLength(inputs))
  let pieces: ShardPiece[] = []
  let room = shardByteLength
  const place: PiecePlace = { text, room: () => room }
  const ahead = new InputsAhead(inputs, aheadCount)
  try {
    for (const [inputIndex, input] of inputs.entries()) {
      ahead.advance(inputIndex)
      const part = await choosePart(input, inputIndex)
      if (part === undefined) continue
      for await (const { piece, byteLength } of await partPieces(part, inputIndex, place)) {
        pieces.push(piece)
        room -= byteLength
        if (room > 0) continue
        yield { pieces, text: text.take() }
        pieces = []
        room = shardByteLength
      }
    }
    if (pieces.length > 0) yield { pieces, text: text.take() }
  } finally {
    ahead.abandon()
  }
}

/** Bytes, as stored, of what is no plain file, as far as that is known. */
function streamedByteLength(inputs: readonly LogInput[]): number {
  return inputs.reduce((sum, input) => sum + (input.kind === 'streamed' ? (input.byteLength ?? 0) : 0), 0)
}

/** Where pieces go. */
interface PiecePlace {
  /** The text of the shard. */
  readonly text: ShardText
  /** How much the shard may still take. */
  readonly room: () => number
}

async function partPieces(
  part: InputPart,
  inputIndex: number,
  { text, room }: PiecePlace,
): Promise<Iterable<PlannedPiece> | AsyncIterable<PlannedPiece>> {
  const { input } = part
  if (input.kind === 'plain') return filePieces(input, part, inputIndex, room)
  const opened = await input.open()
  const { layout, header } = opened
  const cutter = new TextCutter({ inputIndex, layout, header }, part.start, textStart(part), text, room)
  return opened.whole === undefined
    ? streamPieces(opened.text, part, cutter)
    : wholePieces(opened.whole, part, cutter, opened.release)
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
function* wholePieces(
  whole: Uint8Array,
  part: InputPart,
  cutter: TextCutter,
  release: (() => void) | undefined,
): Generator<PlannedPiece> {
  const bytes = part.end === undefined ? whole : whole.subarray(0, part.end)
  if (bytes.length > 0) part.onText?.(bytes)
  if (bytes.length > textStart(part)) yield* cutter.cut(bytes.subarray(textStart(part)))
  // The shard has a copy of its own.
  release?.()
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
