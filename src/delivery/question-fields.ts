/** Questions that come as objects: the lines of a JSON batch, and what programs give the library. */

import { Failure } from '../base/failure.ts'
import { checkLength, checkRange, type QueryLabels, type QueryTarget } from './question.ts'

/** The fields of an object by name; one that is undefined is absent. */
export type Fields = ReadonlyMap<string, unknown>

/** The fields of a question. */
export const QUESTION_FIELDS = ['asset', 'ip', 'userAgent', 'range', 'whole', 'length'] as const

/**
 * Takes an object apart. Fails with `USAGE` for one with a field that is not known: it may change the question
 * ("since"), and ignoring it would answer another one.
 */
export function readFields(value: object, known: readonly string[]): Fields {
  const fields = new Map<string, unknown>(Object.entries(value).filter(([, found]) => found !== undefined))
  for (const name of fields.keys()) {
    if (!known.includes(name)) fail(`unknown field "${name}": expected only ${known.join(', ')}`)
  }
  return fields
}

/** The text of a field, if it is there. Fails with `USAGE` for anything else. */
export function textField(fields: Fields, name: string, label: string): string | undefined {
  const value = fields.get(name)
  if (value === undefined || typeof value === 'string') return value
  return fail(`${label} expects a text; found ${describeValue(value)}`)
}

/** The bytes asked about: `range`, or `whole` with or without `length`. Fails with `USAGE` for anything else. */
export function targetField(fields: Fields, labels: QueryLabels): QueryTarget {
  const range = fields.get('range')
  const whole = fields.get('whole')
  const length = fields.get('length')
  if (whole !== undefined && typeof whole !== 'boolean') fail(`${labels.whole} expects true`)
  if ((range === undefined) === (whole !== true))
    fail(`expected either ${labels.range}:[10,500] or ${labels.whole}:true`)
  if (whole === true) {
    if (length === undefined || length === null) return { kind: 'whole', givenLength: undefined }
    if (typeof length !== 'number') return fail(`${labels.length} expects a number of bytes, like 1447`)
    return { kind: 'whole', givenLength: checkLength(length, labels.length) }
  }
  if (length !== undefined) fail(`${labels.length} goes with ${labels.whole}:true, not with a range`)
  const [first, last]: readonly unknown[] = Array.isArray(range) && range.length === 2 ? range : []
  if (typeof first !== 'number' || typeof last !== 'number') {
    return fail(`${labels.range} expects the first and the last position, both inclusive, like [10,500]`)
  }
  return { kind: 'range', range: checkRange(first, last, labels.range) }
}

/** A value as messages show it. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return 'a list'
  const isPlain = value === null || ['number', 'boolean', 'bigint', 'undefined'].includes(typeof value)
  return isPlain ? String(value) : `something else (${typeof value})`
}

function fail(message: string): never {
  throw new Failure('USAGE', message)
}
