/** CSV for programs and spreadsheets (RFC 4180). */

import { escapeText } from './escape-text.ts'

/** What a spreadsheet may take for a formula (OWASP, "CSV Injection"), full-width signs included. */
const FORMULA_START = /^[\s]*[=+\-@＝＋－＠\t\r]/

/** A text that no spreadsheet computes and no terminal obeys; numbers stay numbers. */
export function csvText(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  const text = escapeText(value)
  return FORMULA_START.test(value) ? `'${text}` : text
}

/** One record, ended by CRLF; fields are quoted where they must be. */
export function csvLine(fields: readonly string[]): string {
  const quoted = fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
  return `${quoted.join(',')}\r\n`
}
