/**
 * A question - which bytes of which asset, to whom, in which time - and its reading from text.
 *
 * Everything here is strict: what is not exactly a question is a `USAGE` failure whose message shows the right
 * form, because a question read wrongly gets a wrong proof. Positions are inclusive in text, half-open inside.
 */

import { Failure } from '../base/failure.ts'
import { MAX_POSITION } from '../base/positions.ts'
import type { DeliveryKey, Interval } from './evidence.ts'
import { parseTimeWindow, type TimeWindow } from './question-time.ts'

/** What of the asset is asked about: some positions, or all of it. */
export type QueryTarget =
  | { readonly kind: 'range'; readonly range: Interval }
  | { readonly kind: 'whole'; readonly givenLength: number | undefined }

/** One complete, valid question. */
export interface Query {
  readonly key: DeliveryKey
  readonly target: QueryTarget
  readonly window: TimeWindow
}

/** The parts of a question as text: options of the command line or fields of a CSV line. */
export interface QueryText {
  readonly asset: string | undefined
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  readonly range?: string | undefined
  readonly start?: string | undefined
  readonly end?: string | undefined
  readonly whole?: boolean
  readonly length?: string | undefined
}

/** What the parts are called where they come from; messages use these names. */
export interface QueryLabels {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly range: string
  readonly start: string
  readonly end: string
  readonly whole: string
  readonly length: string
}

/** The names on the command line. */
export const OPTION_LABELS: QueryLabels = {
  asset: '--asset',
  ip: '--ip',
  userAgent: '--user-agent',
  range: '--range',
  start: '--start',
  end: '--end',
  whole: '--whole',
  length: '--length',
}

/**
 * Reads a question from text. The target is given in exactly one of three ways: `range` as `10-500`; `start`
 * and `end`; or `whole`, alone or with `length`.
 * Fails with `USAGE` when a part is missing, superfluous or not a plain decimal number.
 */
export function parseQuery(
  text: QueryText,
  window: { readonly since: string | undefined; readonly until: string | undefined },
  labels: QueryLabels = OPTION_LABELS,
): Query {
  return {
    key: parseKey(text, labels),
    target: parseTarget(text, labels),
    window: parseTimeWindow(window.since, window.until),
  }
}

/**
 * Checks the three parts of a key. An empty user agent is a real one (the client sent none); an empty asset or
 * address is not. A lone surrogate cannot come from a log: as UTF-8 it would turn into another text's bytes.
 */
export function parseKey(
  parts: { readonly [name in 'asset' | 'ip' | 'userAgent']: string | undefined },
  labels: QueryLabels,
): DeliveryKey {
  const asset = requireText(parts.asset, labels.asset, '/path/of/the/asset.mp3')
  const ip = requireText(parts.ip, labels.ip, '192.0.2.1')
  const userAgent = requireText(parts.userAgent, labels.userAgent, 'Mozilla/5.0 (Windows NT 10.0)')
  checkAsset(asset, labels.asset)
  if (ip === '') fail(`${labels.ip} is empty: expected an address as logged, like 192.0.2.1`)
  return { asset, ip, userAgent }
}

/** Fails for an asset that no log line can name; returns any other. */
export function checkAsset(asset: string, label: string): string {
  if (asset === '') fail(`${label} is empty: expected a request path as logged, like /a.mp3`)
  return asset
}

function requireText(text: string | undefined, label: string, example: string): string {
  if (text === undefined) fail(`${label} is missing: expected the text exactly as logged, like ${example}`)
  if (/[\ud800-\udfff]/u.test(text))
    fail(`${label} holds half of a surrogate pair, which no log line can contain`)
  return text
}

function parseTarget(text: QueryText, labels: QueryLabels): QueryTarget {
  const { range, start, end, length } = text
  const whole = text.whole === true
  const hasEnds = start !== undefined || end !== undefined
  const ways = [range !== undefined, hasEnds, whole].filter(Boolean).length
  const forms = `${labels.range} 10-500, or ${labels.start} 10 with ${labels.end} 500, or ${labels.whole}`
  if (ways === 0) fail(`which bytes? expected one of: ${forms}`)
  if (ways > 1) fail(`the bytes are given in two ways; expected only one of: ${forms}`)
  if (length !== undefined && !whole) fail(`${labels.length} goes with ${labels.whole}, not with a range`)
  if (whole) {
    return {
      kind: 'whole',
      givenLength: length === undefined ? undefined : parseLength(length, labels.length),
    }
  }
  if (range !== undefined) return { kind: 'range', range: parseRange(range, labels.range) }
  if (start === undefined)
    fail(`${labels.end} needs ${labels.start}, like ${labels.start} 10 ${labels.end} 500`)
  if (end === undefined)
    fail(`${labels.start} needs ${labels.end}, like ${labels.start} 10 ${labels.end} 500`)
  const first = parsePosition(start, labels.start)
  const last = parsePosition(end, labels.end)
  return { kind: 'range', range: checkRange(first, last, `${labels.start} and ${labels.end}`) }
}

function parseRange(text: string, label: string): Interval {
  const match = /^(\d+)-(\d+)$/.exec(text)
  const [, first, last] = match ?? []
  if (first === undefined || last === undefined) {
    fail(`${label} expects FIRST-LAST, both inclusive, like 10-500; found '${text}'`)
  }
  return checkRange(parsePosition(first, label), parsePosition(last, label), label)
}

function parsePosition(text: string, label: string): number {
  if (!/^\d+$/.test(text)) fail(`${label} expects a byte position, like 10; found '${text}'`)
  return checkPosition(Number(text), label, text)
}

function parseLength(text: string, label: string): number {
  if (!/^\d+$/.test(text)) fail(`${label} expects a number of bytes, like 1447; found '${text}'`)
  return checkLength(Number(text), label, text)
}

/** Fails unless `first` and `last` are positions in order; returns them half-open. */
export function checkRange(first: number, last: number, label: string): Interval {
  checkPosition(first, label)
  checkPosition(last, label)
  if (first > last) {
    fail(`${label}: the first position comes before the last, like ${last}-${first}; found ${first}-${last}`)
  }
  return { start: first, end: last + 1 }
}

function checkPosition(position: number, label: string, text: string | number = position): number {
  if (!Number.isInteger(position) || position < 0 || position > MAX_POSITION) {
    fail(`${label} expects whole byte positions from 0 to ${MAX_POSITION}, like 10; found ${text}`)
  }
  return position
}

/** Fails unless `length` is a number of bytes: an integer from 0 to 2^53 - 1. */
export function checkLength(length: number, label: string, text: string | number = length): number {
  if (!Number.isInteger(length) || length < 0 || length > MAX_POSITION + 1) {
    fail(`${label} expects a whole number of bytes from 0 to ${MAX_POSITION + 1}, like 1447; found ${text}`)
  }
  return length
}

function fail(message: string): never {
  throw new Failure('USAGE', message)
}
