/** One format's random lines, and how texts are written in them. */

import type { OracleFormat } from './record-oracle.ts'

/** A format as the program and the oracle are told of it. */
export interface RecordSample {
  readonly name: string
  /** The option `--format` and what goes with it. */
  readonly format: string
  readonly fields?: string
  readonly logFormat?: string
  /** Lines before all others, without line feeds. */
  readonly header: readonly string[]
  readonly oracle: OracleFormat
  /** A line with these values by slot; Latin-1. */
  write(values: ReadonlyMap<string, string>): string
}

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0')

/** Replaces the characters whose code `isSpecial`. */
function escapeWhere(
  text: string,
  isSpecial: (code: number) => boolean,
  write: (code: number) => string,
): string {
  return [...text]
    .map((character) => (isSpecial(character.charCodeAt(0)) ? write(character.charCodeAt(0)) : character))
    .join('')
}

/** As web servers escape. */
export const escapeC = (text: string): string =>
  escapeWhere(
    text,
    (code) => code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c,
    (code) => `\\x${hex(code)}`,
  )

/** As CloudFront and Akamai do. */
export const escapePercent = (text: string): string =>
  escapeWhere(
    text,
    (code) => code < 0x21 || code > 0x7e || code === 0x22 || code === 0x25,
    (code) => `%${hex(code)}`,
  )

/** As a JSON string; bytes that are no ASCII go as they are. */
export const escapeJson = (text: string): string =>
  `"${escapeWhere(
    text,
    (code) => code < 0x20 || code === 0x22 || code === 0x5c,
    (code) => `\\u00${hex(code).toLowerCase()}`,
  )}"`

/** `-` for what is not there. */
export const orDash = (text: string | undefined): string => (text === undefined || text === '' ? '-' : text)
