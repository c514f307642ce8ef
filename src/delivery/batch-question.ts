/** One line of a batch, as a question: a JSON object, or the fields of a CSV record. */

import { Failure, type FailureCode } from '../base/failure.ts'
import { parseKey, parseQuery, type Query, type QueryLabels } from './question.ts'
import { QUESTION_FIELDS, readFields, targetField, textField } from './question-fields.ts'
import type { TimeWindow } from './question-time.ts'

/** What can be wrong with a line of a batch; the codes of `Failure` are for what went wrong in answering it. */
export type BatchErrorCode =
  | 'BAD_UTF8'
  | 'BAD_JSON'
  | 'BAD_CSV'
  | 'BAD_QUESTION'
  | 'LINE_TOO_LONG'
  | Exclude<FailureCode, 'USAGE'>

/** Why a line is no question, or got no answer. */
export interface LineProblem {
  readonly code: BatchErrorCode
  readonly message: string
}

/** The columns of a CSV batch; the header names each once, in any order. */
export const CSV_COLUMNS = ['asset', 'ip', 'user_agent', 'first_byte', 'last_byte'] as const

/** A JSON question as messages show it. */
export const JSON_EXAMPLE = '{"asset":"/a.mp3","ip":"192.0.2.1","userAgent":"curl/8","range":[10,500]}'

const JSON_LABELS: QueryLabels = {
  asset: '"asset"',
  ip: '"ip"',
  userAgent: '"userAgent"',
  range: '"range"',
  start: '"start"',
  end: '"end"',
  whole: '"whole"',
  length: '"length"',
}
const CSV_LABELS: QueryLabels = {
  ...JSON_LABELS,
  asset: 'asset',
  ip: 'ip',
  userAgent: 'user_agent',
  start: 'first_byte',
  end: 'last_byte',
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A problem as a value. */
export function lineProblem(code: BatchErrorCode, message: string): LineProblem {
  return { code, message }
}

/** Decodes strictly: a replacement character would make different user agents equal. */
export function decodeText(bytes: Uint8Array): string | LineProblem {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return lineProblem('BAD_UTF8', 'expected UTF-8, found bytes that are not')
    throw error
  }
}

/** Reads `{"asset","ip","userAgent","range":[a,b]}`, or `"whole":true` with or without `"length"` for the range. */
export function readJsonQuestion(text: string, window: TimeWindow): Query | LineProblem {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const hint = /^\s*\{/.test(text) ? '' : `; a CSV begins with the header ${CSV_COLUMNS.join(',')}`
    return lineProblem('BAD_JSON', `expected a question like ${JSON_EXAMPLE}: ${error.message}${hint}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return lineProblem('BAD_JSON', `expected an object like ${JSON_EXAMPLE}`)
  }
  return readOrProblem(() => {
    const fields = readFields(value, QUESTION_FIELDS)
    const asset = textField(fields, 'asset', JSON_LABELS.asset)
    const ip = textField(fields, 'ip', JSON_LABELS.ip)
    const userAgent = textField(fields, 'userAgent', JSON_LABELS.userAgent)
    const target = targetField(fields, JSON_LABELS)
    return { key: parseKey({ asset, ip, userAgent }, JSON_LABELS), target, window }
  })
}

/**
 * What `header`, the fields of the first record, says about the order of the columns.
 * @returns for each of `CSV_COLUMNS` its place, or undefined when this is no header at all.
 * Fails with `USAGE` when it is a header but not one of ours.
 */
export function readCsvHeader(header: readonly string[]): readonly number[] | undefined {
  const names = header.map((name) => name.trim().toLowerCase())
  if (!CSV_COLUMNS.some((column) => names.includes(column))) return undefined
  const places = CSV_COLUMNS.map((column) => names.indexOf(column))
  if (names.length !== CSV_COLUMNS.length || places.includes(-1)) {
    fail(`batch: expected the CSV header ${CSV_COLUMNS.join(',')}; found ${header.join(',')}`)
  }
  return places
}

/** Reads a question from a record whose columns stand at `places`. */
export function readCsvQuestion(
  fields: readonly string[],
  places: readonly number[],
  window: TimeWindow,
): Query | LineProblem {
  if (fields.length !== CSV_COLUMNS.length) {
    const expected = `expected ${CSV_COLUMNS.length} fields (${CSV_COLUMNS.join(',')})`
    return lineProblem('BAD_CSV', `${expected}; found ${fields.length}`)
  }
  const [asset, ip, userAgent, start, end] = places.map((place) => fields[place])
  return readOrProblem(() => ({
    ...parseQuery({ asset, ip, userAgent, start, end }, { since: undefined, until: undefined }, CSV_LABELS),
    window,
  }))
}

/** A question, or `BAD_QUESTION` where reading it fails with `USAGE`. */
export function readOrProblem(read: () => Query): Query | LineProblem {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure && error.code === 'USAGE') return lineProblem('BAD_QUESTION', error.message)
    throw error
  }
}

function fail(message: string): never {
  throw new Failure('USAGE', message)
}
