/** Layouts of lines that a server writes by a template of literals and variables. */

import type {
  CompletionKind,
  RecordCounts,
  RecordField,
  RecordSlot,
  RecordSpelling,
} from '../record-layout.ts'
import { findForgeable, type TrustRule } from './forged-fields.ts'
import type { RecordShape } from './record-reading.ts'

/** One part of a template, in order. */
export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }

/** The shape of lines by a template, or what is wrong with the template; its lines may be known all the same. */
export type TemplateReading =
  | { readonly ok: true; readonly shape: RecordShape }
  | { readonly ok: false; readonly problem: string; readonly shape?: RecordShape }

/** What is particular about the server. */
export interface TemplateStyle {
  readonly spelling: RecordSpelling
  readonly completion: CompletionKind
  readonly counts: RecordCounts
  readonly slots: readonly (RecordSlot | undefined)[]
  /** What a variable begins with, for messages. */
  readonly sign: string
  readonly isTrusted: TrustRule
}

/** Says which variable must stand in quotes. */
function refuseForgeable(
  prefix: string,
  fields: readonly RecordField[],
  names: readonly string[],
  { sign, isTrusted }: TemplateStyle,
): string | undefined {
  const variables = fields.map(({ slot, text }, i) => ({
    name: names[i] ?? '',
    slot,
    before: fields[i - 1]?.text ?? prefix,
    after: text,
  }))
  const name = findForgeable(variables, isTrusted)
  return name === undefined
    ? undefined
    : `expected ${sign}${name} in double quotes, found it without: what a client puts there passes for the fields ` +
        `behind it; log "${sign}${name}", in double quotes`
}

/**
 * Says of a time in brackets that it begins after the last of them: a user may be called ` [`, but neither a time nor,
 * as servers escape quotes, a user holds the `] "` behind the time.
 */
function startTimesLast(fields: readonly RecordField[]): RecordField[] {
  return fields.map((field, i) => {
    const { slot, text } = field
    const isInBrackets = fields[i - 1]?.text.endsWith('[') === true && text.startsWith(']')
    return slot === 'instant' && isInBrackets && text.includes('"') ? { ...field, startsLast: true } : field
  })
}

/** Puts parts together; `slots` has one entry a variable. */
export function readTemplate(parts: readonly TemplatePart[], style: TemplateStyle): TemplateReading {
  let prefix = ''
  const fields: RecordField[] = []
  const names: string[] = []
  for (const part of parts) {
    const last = fields.at(-1)
    if (part.kind === 'variable') {
      if (last !== undefined && last.text === '') {
        return {
          ok: false,
          problem: `expected text between variables, so that they can be told apart; found none before ${part.name}`,
        }
      }
      fields.push({ slot: style.slots[fields.length], text: '' })
      names.push(part.name)
    } else if (last === undefined) {
      prefix += part.text
    } else {
      fields[fields.length - 1] = { ...last, text: last.text + part.text }
    }
  }
  if (fields.length === 0) return { ok: false, problem: 'expected a format with variables, found none' }
  const shape: RecordShape = {
    structure: 'template',
    prefix,
    fields: startTimesLast(fields),
    spelling: style.spelling,
    completion: style.slots.includes('completion') ? style.completion : 'none',
    counts: style.counts,
  }
  const problem = refuseForgeable(prefix, fields, names, style)
  return problem === undefined ? { ok: true, shape } : { ok: false, problem, shape }
}

/** Where a literal stands that no backslash escapes; -1 when it does not. */
function findLiteral(line: string, text: string, from: number): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\' && text[0] !== '\\') at++
    else if (line.startsWith(text, at)) return at
  }
  return -1
}

/** The fields of a line by slot, or undefined when the line is not made by the template. */
export function matchTemplate(shape: RecordShape, line: string): ReadonlyMap<RecordSlot, string> | undefined {
  const prefix = shape.prefix ?? ''
  if (!line.startsWith(prefix)) return undefined
  const values = new Map<RecordSlot, string>()
  let at = prefix.length
  let before: RecordField | undefined
  let from = at
  for (const field of shape.fields) {
    const { slot, text } = field
    const end = text === '' ? line.length : findLiteral(line, text, at)
    if (end < 0) return undefined
    if (field.startsLast === true && before !== undefined) {
      const start = Math.max(at, line.slice(0, end).lastIndexOf(before.text) + before.text.length)
      if (before.slot !== undefined) values.set(before.slot, line.slice(from, start - before.text.length))
      at = start
    }
    const value = line.slice(at, end)
    if (slot !== undefined) values.set(slot, value)
    if (text === '' && slot !== undefined && value.includes(' ')) return undefined
    before = field
    from = at
    at = end + text.length
  }
  return at === line.length ? values : undefined
}

/** Whether a text has all that stands between the fields of a line that is made by the template. */
export function hasLiterals({ fields }: RecordShape, text: string): boolean {
  // Every text is full of blanks: a search for what begins with one takes longest.
  for (const { text: literal } of fields)
    if (!literal.startsWith(' ') && !text.includes(literal)) return false
  for (const { text: literal } of fields) if (literal.startsWith(' ') && !text.includes(literal)) return false
  return true
}

/** Whether a line is made by the template and its status is one. */
export function isMadeBy(shape: RecordShape, line: string): boolean {
  // Most lines of other formats lack one of the literals, which is seen much faster than where fields end.
  if (!hasLiterals(shape, line)) return false
  const values = matchTemplate(shape, line)
  return values !== undefined && /^\d{3}$/.test(values.get('status') ?? '')
}
