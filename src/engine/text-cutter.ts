/**
 * Cuts text that comes from front to back where the same bytes in a file would be, and gathers it in one stretch of
 * memory a shard: it is copied once, and the memory is used again when the shard is done.
 */

import type { PieceLines, ShardPiece } from './shard.ts'

const LINE_FEED = 0x0a
/** A line that is longer than any that is kept: of such a one no more is passed on. */
const LONG_LINE_BYTE_LENGTH = 128 * 1024
const LEAST_BYTE_LENGTH = 64 * 1024
/** A shard's last line goes on behind its end, and text comes in chunks of up to 1 MiB. */
const SLACK_BYTE_LENGTH = 2 * 1024 * 1024

/** A piece, and how much of its shard's room it takes. */
export interface PlannedPiece {
  readonly piece: ShardPiece
  readonly byteLength: number
}

/** The text of a shard's pieces, one after the other. */
export class ShardText {
  private readonly spareMemory: ArrayBuffer[]
  /** So much is enough for nearly all shards. */
  private readonly usualByteLength: number
  private readonly firstByteLength: number
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  length = 0

  /** `spareMemory` is taken from before new memory is; so many bytes of text are expected. */
  constructor(shardByteLength: number, spareMemory: ArrayBuffer[], expectedByteLength: number) {
    this.spareMemory = spareMemory
    this.usualByteLength = shardByteLength + SLACK_BYTE_LENGTH
    this.firstByteLength = Math.max(LEAST_BYTE_LENGTH, expectedByteLength)
  }

  append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length
    if (needed > this.bytes.length) this.grow(needed)
    this.bytes.set(bytes, this.length)
    this.length = needed
  }

  /** Where the last line begins of what was appended at `start` and behind. */
  lastLineStart(start: number): number {
    return start + this.bytes.subarray(start, this.length).lastIndexOf(LINE_FEED) + 1
  }

  /** Takes back what stands behind `length`. */
  truncate(length: number): void {
    this.length = length
  }

  /** Hands all of it over, memory and all, for the next shard to begin with none. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = new Uint8Array(0)
    this.length = 0
    return taken
  }

  private grow(needed: number): void {
    const spare = this.length === 0 ? this.spareMemory.pop() : undefined
    if (spare !== undefined && spare.byteLength >= needed) {
      this.bytes = new Uint8Array(spare)
      return
    }
    const doubled = Math.max(this.firstByteLength, 2 * this.bytes.length)
    const byteLength = Math.max(needed, Math.min(doubled, this.usualByteLength))
    const grown = new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer)
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

/** Cuts the text of one input. */
export class TextCutter {
  private readonly lines: PieceLines
  private readonly text: ShardText
  private readonly room: () => number
  /** Where what is held of the piece begins: in the input, and in the shard's text. */
  private start: number
  private textStart: number
  private cutAt: number
  private nextCut: number
  /** As in a file, a line that began before the part is not of it. */
  private isSkippingLine: boolean

  /**
   * The part that is wanted begins at `partStart`, the text at `textStart`: no later, so that it shows whether a line
   * begins there.
   */
  constructor(lines: PieceLines, partStart: number, textStart: number, text: ShardText, room: () => number) {
    this.lines = lines
    this.text = text
    this.room = room
    this.start = textStart
    this.textStart = text.length
    this.cutAt = partStart
    this.nextCut = partStart + room()
    this.isSkippingLine = partStart > 0
  }

  /** Takes the next bytes; gives the pieces that are whole by now. */
  *cut(bytes: Uint8Array): Generator<PlannedPiece> {
    const { text } = this
    for (let at = 0; at < bytes.length; ) {
      if (this.isSkippingLine) {
        at = this.skipLine(bytes, at)
        continue
      }
      if (text.length === this.textStart) yield* this.passCuts(this.start)
      // The line that crosses the cut belongs to the shard before it.
      const lineFeed = bytes.indexOf(LINE_FEED, at + Math.max(0, this.nextCut - 1 - this.end))
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1
      text.append(bytes.subarray(at, end))
      at = end
      const surplus = lineFeed < 0 ? this.surplusOfLongLine() : 0
      if (lineFeed < 0 && surplus === 0) continue
      // Of a line that is too long only the beginning goes on: enough to be counted as such.
      text.truncate(text.length - surplus)
      this.isSkippingLine = surplus > 0
      yield* this.cutHere()
      this.start += surplus
    }
  }

  /** What is left at the end. */
  *rest(): Generator<PlannedPiece> {
    const { end } = this
    yield* this.passCuts(end - 1)
    if (end > this.cutAt) yield this.planned(end)
  }

  /** Where what is held ends in the input. */
  private get end(): number {
    return this.start + this.text.length - this.textStart
  }

  /** Passes over the line that goes on at `at`; gives where the next one begins. */
  private skipLine(bytes: Uint8Array, at: number): number {
    const lineFeed = bytes.indexOf(LINE_FEED, at)
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1
    this.start += end - at
    this.isSkippingLine = lineFeed < 0
    return end
  }

  /** Ends a piece at every cut up to `end`; the next line begins behind it. */
  private *passCuts(end: number): Generator<PlannedPiece> {
    while (end >= this.nextCut) yield* this.cutHere()
  }

  private *cutHere(): Generator<PlannedPiece> {
    const { end } = this
    yield this.planned(this.nextCut)
    this.start = end
    this.textStart = this.text.length
    this.cutAt = this.nextCut
    this.nextCut += this.room()
  }

  /** By how much the line that crosses the cut is too long, as far as it has come. */
  private surplusOfLongLine(): number {
    if (this.end < this.nextCut) return 0
    return Math.max(0, this.text.length - this.text.lastLineStart(this.textStart) - LONG_LINE_BYTE_LENGTH)
  }

  private planned(to: number): PlannedPiece {
    const { lines, start, textStart } = this
    return {
      piece: { kind: 'text', ...lines, start, textStart, textEnd: this.text.length },
      byteLength: to - this.cutAt,
    }
  }
}
