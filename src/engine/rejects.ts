/** Lines that were not kept: counted per reason, listed in a file when asked for, limited in number. */

import { type FileHandle, open } from 'node:fs/promises'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { REJECT_REASONS, type RejectReason } from '../log/scanned-runs.ts'
import { writeFully } from './file-writes.ts'
import type { PieceReport } from './shard.ts'

/** How many rejected lines a run may have and still be published. */
export type MaxRejects =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'count'; readonly count: number }

/** So many places are named in a message. */
const NAMED_PLACES = 5

/** Collects the rejects of a run, in input order. */
export class Rejects {
  readonly counts: Map<RejectReason, number> = new Map()
  private readonly inputs: readonly string[]
  private readonly firstPlaces: string[] = []
  private readonly file: RejectsFile | undefined
  /** Lines of each input before the piece that comes next. */
  private readonly linesBefore: number[]
  /** Lines of each input that were rejected, and those that were understood. */
  private readonly rejectedLines: number[]
  private readonly goodLines: number[]

  constructor(inputs: readonly string[], file: RejectsFile | undefined) {
    this.inputs = inputs
    this.file = file
    this.linesBefore = inputs.map(() => 0)
    this.rejectedLines = inputs.map(() => 0)
    this.goodLines = inputs.map(() => 0)
  }

  /** Tells that so many lines of an input, before its first piece, are not of this run. */
  skipLines(inputIndex: number, lineCount: number): void {
    this.linesBefore[inputIndex] = lineCount
  }

  get total(): number {
    let total = 0
    for (const count of this.counts.values()) total += count
    return total
  }

  /** Adds the next piece; pieces of an input must come in order. */
  async add(piece: PieceReport): Promise<void> {
    const input = this.inputs[piece.inputIndex] ?? ''
    const linesBefore = this.linesBefore[piece.inputIndex] ?? 0
    this.linesBefore[piece.inputIndex] = linesBefore + piece.lines
    if (piece.otherLayout !== undefined) {
      throw new Failure(
        'DAMAGED',
        `${input}: expected one header, found another with other columns in line ` +
          `${linesBefore + piece.otherLayout.lineIndex + 1}; split the log there and give the parts, ` +
          'like those that csplit makes of a log with #Fields lines: csplit -z LOG "/^#Fields/" "{*}"',
      )
    }
    for (const reason of REJECT_REASONS) {
      const count = piece.rejected[reason]
      if (count > 0) this.counts.set(reason, (this.counts.get(reason) ?? 0) + count)
    }
    for (const line of piece.rejectedLines) {
      const place = {
        input,
        line: linesBefore + line.lineIndex + 1,
        byteOffset: piece.start + line.byteOffset,
      }
      if (this.firstPlaces.length < NAMED_PLACES) {
        this.firstPlaces.push(`${input} line ${place.line} (byte ${place.byteOffset}): ${line.reason}`)
      }
      await this.file?.add({
        ...place,
        byteLength: line.byteLength,
        reason: line.reason,
        text: textOf(line.text),
      })
    }
    const total = REJECT_REASONS.reduce((sum, reason) => sum + piece.rejected[reason], 0)
    const { inputIndex } = piece
    this.rejectedLines[inputIndex] = (this.rejectedLines[inputIndex] ?? 0) + total
    const goodCount = piece.lines - piece.comments - piece.blank - total
    this.goodLines[inputIndex] = (this.goodLines[inputIndex] ?? 0) + goodCount
    const notListed = total - piece.rejectedLines.length
    if (notListed > 0) await this.file?.add({ input, afterLine: linesBefore, notListed })
  }

  /**
   * Fails when more than `max` of `lineCount` lines were rejected, or when every line of an input was of which no
   * format is known (`isGuess`): a small one must not get lost among large ones.
   */
  check(max: MaxRejects, lineCount: number, isGuess: (inputIndex: number) => boolean): void {
    const { total } = this
    const allowed = max.kind === 'count' ? max.count : Math.floor(max.share * lineCount)
    if (total <= allowed) {
      if (max.kind === 'share' && max.share < 1) this.checkInputs(isGuess)
      return
    }
    const limit =
      max.kind === 'count' ? `${max.count}` : `${Number((100 * max.share).toFixed(4))}%, which is ${allowed}`
    const reasons = [...this.counts].map(([reason, count]) => `${reason} ${count}`).join(', ')
    throw new Failure(
      'REJECTED',
      `expected at most ${limit} rejected lines of ${lineCount}, found ${total} (${reasons}); nothing was written.\n` +
        `  ${this.firstPlaces.join('\n  ')}\n` +
        'Look at them with --rejects FILE, or allow them with --max-rejects.',
    )
  }

  private checkInputs(isGuess: (inputIndex: number) => boolean): void {
    const unread = this.inputs.filter(
      (_, index) => (this.rejectedLines[index] ?? 0) > 0 && this.goodLines[index] === 0 && isGuess(index),
    )
    const [first] = unread
    if (first === undefined) return
    const others = unread.length === 1 ? '' : `, nor of ${unread.length - 1} more inputs`
    throw new Failure(
      'REJECTED',
      `${first}: expected a log of a known format, found no line of one${others}; nothing was written. ` +
        'Say what it is with --format NAME, leave it out, or allow it with --max-rejects N.',
    )
  }
}

/** Where rejected lines are listed, one JSON object a line. */
export class RejectsFile {
  private readonly path: string
  private readonly file: FileHandle
  private lines: string[] = []
  private byteOffset = 0

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.file = file
  }

  static async create(path: string): Promise<RejectsFile> {
    return new RejectsFile(path, await attemptedAsync(path, 'create', () => open(path, 'w')))
  }

  async add(line: object): Promise<void> {
    this.lines.push(`${JSON.stringify(line)}\n`)
    if (this.lines.length >= 4096) await this.flush()
  }

  async close(): Promise<void> {
    await this.flush()
    await attemptedAsync(this.path, 'close', () => this.file.close())
  }

  private async flush(): Promise<void> {
    const bytes = Buffer.from(this.lines.join(''))
    this.lines = []
    await writeFully(this.file, this.path, bytes, this.byteOffset)
    this.byteOffset += bytes.length
  }
}

/** The line as text for people; bytes that are no UTF-8 show as U+FFFD, the place tells where they are. */
function textOf(text: Uint8Array | undefined): string {
  return new TextDecoder().decode(text ?? new Uint8Array())
}
