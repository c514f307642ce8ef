/** What a log format is: how it is recognised, and how a log's lines become a layout. */

import type { RecordChoices } from '../record-layout.ts'
import type { PieceLayout } from '../scanned-runs.ts'

/** The beginning of a log. Text is Latin-1: one character a byte. */
export interface LogSample {
  /** Comments before the first other line: lines that begin with `#`, without line end. */
  readonly comments: readonly Uint8Array[]
  /** The first lines that are neither comments nor blank. */
  readonly lines: readonly string[]
  /** The text that they were taken from: what is not in it is in none of them. */
  readonly text: string
}

/** What the user says about the format. */
export interface FormatChoices extends RecordChoices {
  /** `--fields`. */
  readonly fields: string | undefined
  /** `--log-format`. */
  readonly logFormat: string | undefined
}

/** The layout of a log, or what is wrong with it in words. */
export type FormatReading =
  | { readonly ok: true; readonly layout: PieceLayout; readonly header: Uint8Array | undefined }
  | { readonly ok: false; readonly problem: string }

/** One log format. */
export interface LogFormat {
  readonly name: string
  /** Whether user agents are decoded from percent-encoding. */
  readonly decodesUserAgents: boolean
  /** The option that it may be told by, if there is one. */
  readonly option: 'fields' | 'log-format' | undefined
  /** Fields that say how much of a response was sent, for messages; undefined when a log of this format has none. */
  readonly sentFields: string | undefined
  /** Whether the sample is of this format, as far as its first lines tell. */
  recognizes(sample: LogSample, choices: FormatChoices): boolean
  /** Whether a sample that it recognises is read by a layout that no other format has; undefined when all are. */
  readonly isReadAsOwn?: (sample: LogSample, choices: FormatChoices) => boolean
  /** The layout of a log of this format. */
  readLayout(sample: LogSample, choices: FormatChoices): FormatReading
}

/** A reading that failed. */
export function problem(text: string): FormatReading {
  return { ok: false, problem: text }
}

/** The first line that is a JSON object, parsed; undefined when there is none. */
export function firstJsonObject(sample: LogSample): Readonly<Record<string, unknown>> | undefined {
  for (const line of sample.lines) {
    if (!line.startsWith('{')) continue
    try {
      const value: unknown = JSON.parse(line)
      if (isObject(value)) return value
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
