/** CSV records as RFC 4180 defines them, from lines: a quoted field may hold commas, quotes and line breaks. */

import { type ByteLine, MAX_LINE_BYTES } from './batch-lines.ts'
import { decodeText, type LineProblem, lineProblem } from './batch-question.ts'

/** One record, or why there is none; either way with the line in which it begins. */
export interface CsvRecord {
  readonly lineNumber: number
  readonly fields: readonly string[] | LineProblem
}

const QUOTE = 0x22

/**
 * Reads records from lines; blank lines are skipped. A record that is wrong is a problem of its first line only:
 * reading goes on at the line after it, so that one stray quote cannot swallow the questions that follow.
 */
export async function* readCsvRecords(lines: AsyncIterator<ByteLine>): AsyncGenerator<CsvRecord> {
  // Lines that were taken into a record by mistake, the next one last.
  const returned: ByteLine[] = []
  const next = async (): Promise<ByteLine | undefined> => returned.pop() ?? nextLine(lines)
  for (;;) {
    const line = await next()
    if (line === undefined) return
    const { lineNumber } = line
    if (line.isTooLong) {
      yield { lineNumber, fields: tooLong() }
      continue
    }
    const { held, isClosed } = await holdRecord(line, next)
    const fields = isClosed ? decodeRecord(held) : unclosedQuote()
    if (fields === undefined) continue
    if ('code' in fields) for (const taken of held.slice(1).reverse()) returned.push(taken)
    yield { lineNumber, fields }
  }
}

/** The next line, or undefined at the end. */
export async function nextLine(lines: AsyncIterator<ByteLine>): Promise<ByteLine | undefined> {
  const { done, value } = await lines.next()
  return done === true ? undefined : value
}

/** Takes lines until the quotes of the record are even, which is when all quoted fields are closed. */
async function holdRecord(
  first: ByteLine,
  next: () => Promise<ByteLine | undefined>,
): Promise<{ readonly held: readonly ByteLine[]; readonly isClosed: boolean }> {
  const held = [first]
  let quoteCount = countQuotes(first.bytes)
  let heldBytes = first.bytes.byteLength + 1
  while (quoteCount % 2 === 1) {
    const line = await next()
    if (line === undefined) return { held, isClosed: false }
    held.push(line)
    heldBytes += line.bytes.byteLength + 1
    if (line.isTooLong || heldBytes > MAX_LINE_BYTES) return { held, isClosed: false }
    quoteCount += countQuotes(line.bytes)
  }
  return { held, isClosed: true }
}

function countQuotes(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(QUOTE); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) count++
  return count
}

/** The fields of one whole record; undefined when it is blank. */
function decodeRecord(held: readonly ByteLine[]): readonly string[] | LineProblem | undefined {
  const texts: string[] = []
  for (const { bytes } of held) {
    const text = decodeText(bytes)
    if (typeof text !== 'string') return text
    texts.push(text)
  }
  const record = texts.join('\n').replace(/\r$/, '')
  return record.trim() === '' ? undefined : splitCsvFields(record)
}

/** Splits one record, given without its line break, into fields. */
export function splitCsvFields(record: string): readonly string[] | LineProblem {
  const fields: string[] = []
  let at = 0
  for (;;) {
    let fieldEnd: number
    if (record[at] === '"') {
      const closing = findClosingQuote(record, at)
      if (closing < 0) return unclosedQuote()
      fields.push(record.slice(at + 1, closing).replaceAll('""', '"'))
      fieldEnd = closing + 1
      if (fieldEnd < record.length && record[fieldEnd] !== ',') {
        return lineProblem('BAD_CSV', `expected a comma after the quoted field ${fields.length}`)
      }
    } else {
      const comma = record.indexOf(',', at)
      fieldEnd = comma < 0 ? record.length : comma
      const field = record.slice(at, fieldEnd)
      if (field.includes('"')) {
        const rule = 'a field with a quote in it must be quoted itself, with "" for the quote'
        return lineProblem('BAD_CSV', `${rule}; found one in field ${fields.length + 1}`)
      }
      fields.push(field)
    }
    if (fieldEnd >= record.length) return fields
    at = fieldEnd + 1
  }
}

function findClosingQuote(record: string, opening: number): number {
  let at = record.indexOf('"', opening + 1)
  while (at >= 0 && record[at + 1] === '"') at = record.indexOf('"', at + 2)
  return at
}

function unclosedQuote(): LineProblem {
  return lineProblem('BAD_CSV', 'a quote that opens a field is never closed')
}

/** The problem of a line that is longer than any question. */
export function tooLong(): LineProblem {
  return lineProblem('LINE_TOO_LONG', `expected at most ${MAX_LINE_BYTES} bytes in a line`)
}
