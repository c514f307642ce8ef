/** What a run reads: files that can be read anywhere, and text that comes from front to back. */

import type { FormatRequest, InputLines } from './input-format.ts'

/** The name of standard input on the command line. */
export const STDIN = '-'

/** How inputs are read. */
export interface InputOptions {
  /** Allows for reading a small file in one go; it does by default. */
  readonly small?: boolean
  /** By default each input is looked at for its format. */
  readonly request?: FormatRequest
  /** Most bytes that may come out of one compressed input. */
  readonly maxInflateByteLength?: number
  /** Hears how the lines of the input are laid out, once that is known. */
  readonly onLines?: (lines: InputLines) => void
}

/** A plain file, which can be read anywhere. */
export interface PlainInput extends InputLines {
  readonly kind: 'plain'
  readonly path: string
  readonly byteLength: number
}

/** Bytes from front to back. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Text from front to back, and how its lines are laid out. */
export interface OpenedText extends InputLines {
  readonly text: Chunks
  /** All of the text, where it is in memory anyway. */
  readonly whole: Uint8Array | undefined
  /** Takes the memory of `whole` back, once nobody looks at it any more; it may be called once, or not at all. */
  readonly release?: () => void
  /** Whether it is a file that is stored as it is, and may have more at its end later. */
  readonly mayGrow: boolean
}

/** A compressed file, a small file or a pipe: text that comes from front to back. */
export interface StreamedInput {
  readonly kind: 'streamed'
  readonly path: string
  /** Bytes as stored, or undefined for a pipe. */
  readonly byteLength: number | undefined
  /** Opens it, when its turn comes: thousands of inputs must not be open at once. */
  open(): Promise<OpenedText>
  /** Begins to read and to inflate it before its turn; what comes is held, up to some MiB, for `open`. */
  begin(): void
  /** Lets go of what was begun and not opened. */
  abandon(): void
  /** How many bytes, as stored, were taken so far. */
  readonly bytesTaken: () => number
}

/** One log of a run. */
export type LogInput = PlainInput | StreamedInput
