/** What programs give the library, checked as strictly as the command line: the compiler did not see all of it. */

import { Failure } from '../base/failure.ts'
import type { BotList } from '../delivery/download-rules.ts'
import { checkAsset, checkLength, parseKey, type Query, type QueryLabels } from '../delivery/question.ts'
import {
  describeValue,
  type Fields,
  QUESTION_FIELDS,
  readFields,
  targetField,
  textField,
} from '../delivery/question-fields.ts'
import { parseTimeWindow, type TimeWindow } from '../delivery/question-time.ts'
import { REPORT_KINDS, type ReportKind, type ReportScope } from '../delivery/report-model.ts'
import type { ReportSettings, SettingLabels } from './make-report.ts'

/** What the parts of a question are called in messages. */
const LABELS: QueryLabels = {
  ...{ asset: 'asset', ip: 'ip', userAgent: 'userAgent', range: 'range' },
  ...{ start: 'range[0]', end: 'range[1]', whole: 'whole', length: 'length' },
}

/** What the settings of a report are called in messages. */
export const SETTING_LABELS: SettingLabels = {
  ...{ by: 'by', window: 'window', bitrate: 'bitrate', headerBytes: 'headerBytes', bots: 'bots' },
  ...{ asset: 'asset', length: 'length' },
}

const TIME_FIELDS = ['since', 'until']
const SCOPE_FIELDS = ['asset', ...TIME_FIELDS]
const SETTING_FIELDS = ['by', 'window', 'bitrate', 'headerBytes', 'bots']
const REPORT_FIELDS = [...SCOPE_FIELDS, 'length', 'threads', ...SETTING_FIELDS]
const BOT_FIELDS = ['name', 'version', 'parts']

const EXAMPLE = "{ asset: '/a.mp3', ip: '192.0.2.1', userAgent: 'curl/8', range: [10, 500] }"
/** Bits a second: more is no audio. */
const MAX_BITRATE = 1e12

/** A question about many listeners, before its patterns are read. */
export interface ReadSelection extends Pick<Query, 'target' | 'window'> {
  readonly asset: string
  readonly ips: readonly string[]
  readonly userAgents: readonly string[]
}

/** The settings of a report, checked as far as they do not depend on its kind. */
export interface ReadReport {
  readonly kind: ReportKind
  readonly scope: ReportScope
  readonly settings: ReportSettings
  readonly threadCount: number | undefined
}

/** Reads the path of a store. Fails with `USAGE` for what is no text. */
export function readPath(path: unknown): string {
  if (typeof path === 'string') return path
  return fail(`path expects a text; found ${describeValue(path)}`)
}

/** Reads a list of questions, each of which may be anything. Fails with `USAGE` for what is no list. */
export function readList(questions: unknown): readonly unknown[] {
  if (Array.isArray(questions)) return Array.from<unknown>(questions)
  return fail(`questions expects a list of them; found ${describeValue(questions)}`)
}

/** Reads one question. Fails with `USAGE` for what is none. */
export function readQuestion(question: unknown): Query {
  const fields = fieldsOf(question, 'a question', [...QUESTION_FIELDS, ...TIME_FIELDS], EXAMPLE)
  const key = {
    asset: textField(fields, 'asset', LABELS.asset),
    ip: textField(fields, 'ip', LABELS.ip),
    userAgent: textField(fields, 'userAgent', LABELS.userAgent),
  }
  return { key: parseKey(key, LABELS), target: targetField(fields, LABELS), window: windowOf(fields) }
}

/** Reads a question about many listeners. Fails with `USAGE` for what is none. */
export function readSelection(question: unknown): ReadSelection {
  const fields = fieldsOf(question, 'a question', [...QUESTION_FIELDS, ...TIME_FIELDS], EXAMPLE)
  const asset = textField(fields, 'asset', LABELS.asset)
  const ips = textsOf(fields, 'ip')
  const userAgents = textsOf(fields, 'userAgent')
  const [ip] = ips
  const [userAgent] = userAgents
  const key = parseKey({ asset, ip, userAgent }, LABELS)
  for (const text of ips) parseKey({ ...key, ip: text }, LABELS)
  for (const text of userAgents) parseKey({ ...key, userAgent: text }, LABELS)
  return { asset: key.asset, ips, userAgents, target: targetField(fields, LABELS), window: windowOf(fields) }
}

/** Reads what is asked of all assets or of one. Fails with `USAGE` for anything else. */
export function readScope(scope: unknown): Pick<ReportScope, 'asset' | 'window'> {
  const fields = fieldsOf(scope, 'a scope', SCOPE_FIELDS, "{ asset: '/a.mp3', since: '2020-07-31' }")
  return { asset: assetOf(fields), window: windowOf(fields) }
}

function assetOf(fields: Fields): string | undefined {
  const asset = textField(fields, 'asset', LABELS.asset)
  return asset === undefined ? undefined : checkAsset(asset, LABELS.asset)
}

/** Reads the name of a report and its settings. Fails with `USAGE` for what is no report. */
export function readReport(name: unknown, question: unknown): ReadReport {
  const kind = REPORT_KINDS.find((known) => known === name)
  if (kind === undefined) fail(`no report ${describeValue(name)}: expected one of ${REPORT_KINDS.join(', ')}`)
  const fields = fieldsOf(question, 'settings', REPORT_FIELDS, "{ asset: '/a.mp3', by: 'day' }")
  const givenLength = numberOf(fields, 'length', 'a number of bytes, like 1447', () => true)
  return {
    kind,
    scope: {
      asset: assetOf(fields),
      window: windowOf(fields),
      givenLength: givenLength === undefined ? undefined : checkLength(givenLength, LABELS.length),
    },
    settings: {
      by: textField(fields, 'by', 'by'),
      window: textField(fields, 'window', 'window'),
      bitrate: numberOf(
        fields,
        'bitrate',
        'bits a second, like 128000',
        (bits) => bits <= MAX_BITRATE && bits > 0,
      ),
      headerBytes: numberOf(fields, 'headerBytes', 'a whole number of bytes, like 40000', isCount),
      bots: fields.has('bots') ? botsOf(fields.get('bots')) : undefined,
    },
    threadCount: numberOf(
      fields,
      'threads',
      'a whole number from 1 on',
      (count) => isCount(count) && count > 0,
    ),
  }
}

function fieldsOf(value: unknown, what: string, known: readonly string[], example: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(`expected ${what} like ${example}; found ${describeValue(value)}`)
  return readFields(value, known)
}

function windowOf(fields: Fields): TimeWindow {
  const names = { since: 'since', until: 'until' }
  return parseTimeWindow(textField(fields, 'since', 'since'), textField(fields, 'until', 'until'), names)
}

/** One text, or a list of at least one. */
function textsOf(fields: Fields, name: 'ip' | 'userAgent'): readonly string[] {
  const value = fields.get(name)
  if (!Array.isArray(value)) {
    const text = textField(fields, name, name)
    return text === undefined ? [] : [text]
  }
  if (value.length === 0) fail(`${name} expects a text or a list of at least one; found an empty list`)
  return Array.from<unknown>(value).map((text) =>
    typeof text === 'string' ? text : fail(`${name} expects texts; found ${describeValue(text)} in the list`),
  )
}

function numberOf(
  fields: Fields,
  name: string,
  expected: string,
  isRight: (value: number) => boolean,
): number | undefined {
  const value = fields.get(name)
  if (value === undefined || (typeof value === 'number' && isRight(value))) return value
  return fail(`${name} expects ${expected}; found ${describeValue(value)}`)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function botsOf(value: unknown): BotList {
  const example = "{ name: 'mine', version: '1', parts: ['bot'] }"
  const fields = fieldsOf(value, 'bots', BOT_FIELDS, example)
  const name = textField(fields, 'name', 'bots.name')
  const version = textField(fields, 'version', 'bots.version')
  const parts = fields.get('parts')
  if (name === undefined || version === undefined || !Array.isArray(parts))
    return fail(`expected bots like ${example}`)
  // User agents are compared in lower case, and every one contains an empty part.
  const texts = Array.from<unknown>(parts).map((part) =>
    typeof part === 'string' && part !== ''
      ? part.toLowerCase()
      : fail(`bots.parts expects texts that are not empty; found ${describeValue(part)}`),
  )
  return { name, version, parts: texts }
}

function fail(message: string): never {
  throw new Failure('USAGE', message)
}
