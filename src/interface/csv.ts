/** CSV for programs and spreadsheets (RFC 4180). */

import { escapeText } from './escape-text.ts'

/** What a spreadsheet may take for a formula (OWASP, "CSV Injection"), full-width signs included. */
const FORMULA_START = /^[\s]*[=+\-@＝＋－＠\t\r]/

/** What may begin like a formula, and is only a number. */
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i

/**
 * A text that no spreadsheet computes and no terminal obeys; numbers stay numbers. A `'` before it says so, also where
 * the text itself begins with one: what stands behind the first is the text.
 */
export function csvText(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  const text = escapeText(value)
  const isDefused = value.startsWith("'") || (FORMULA_START.test(value) && !NUMBER.test(value))
  return isDefused ? `'${text}` : text
}

/** One record, ended by CRLF; fields are quoted where they must be. */
export function csvLine(fields: readonly string[]): string {
  const quoted = fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
  return `${quoted.join(',')}\r\n`
}
