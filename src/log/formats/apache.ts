/** `apache`: access logs of the Apache HTTP server by a `LogFormat`. */

import { PLAIN_SPELLING, type RecordCounts, type RecordSlot } from '../record-layout.ts'
import type { LogFormat } from './log-format.ts'
import { assignSlots } from './record-reading.ts'
import { serverFormat } from './server-format.ts'
import { readTemplate, type TemplatePart, type TemplateReading } from './template-layout.ts'

const COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
const RANGES = `${COMBINED} "%{Range}i" "%{Content-Range}o"`
/** Combined, with the fields that make proofs possible. */
const WITH_LENGTH = `${RANGES} "%{Content-Length}o" %B %O %X`
/** The same without the content length, with which an aborted transfer cannot be told from one in chunks. */
const WITHOUT_LENGTH = `${RANGES} %B %O %X`
/** The same without what was sent: nothing is known of a transfer that was aborted. */
const WITHOUT_SENT = `${RANGES} %B %X`

/**
 * `%B` and `%b` are the size of the response, however much of it was sent (mod_log_config says so; seen with 2.4.71:
 * all of 60 MB for a transfer that ended after one), without the framing of chunks. What was sent is `%O`, as it went
 * over the wire: with 25 kB of TLS around 8 MB, and with chunks where there is no content length.
 */
const COUNTS: RecordCounts = { body: 'offered', sent: 'wire' }

/** Names of directives in the form that `directiveName` gives; where several mean the same, the first counts. */
const MEANINGS: readonly (readonly [name: string, slot: RecordSlot])[] = [
  ['{usec}t', 'instant'],
  ['{msec}t', 'instant'],
  ['{sec}t', 'instant'],
  ['t', 'instant'],
  ['a', 'ip'],
  ['h', 'ip'],
  ['{c}a', 'ip'],
  ['{x-forwarded-for}i', 'forwardedFor'],
  ['{user-agent}i', 'userAgent'],
  ['r', 'requestLine'],
  ['U', 'path'],
  ['q', 'query'],
  ['{host}i', 'host'],
  ['V', 'host'],
  ['v', 'host'],
  ['m', 'method'],
  ['>s', 'status'],
  ['s', 'status'],
  ['<s', 'status'],
  ['{range}i', 'range'],
  ['{content-range}o', 'contentRange'],
  ['B', 'bodyBytes'],
  ['b', 'bodyBytes'],
  ['O', 'sentBytes'],
  ['{content-length}o', 'contentLength'],
  ['X', 'completion'],
  ['{UNIQUE_ID}e', 'requestId'],
  ['L', 'requestId'],
]

/** Directives that the server makes of what is not a client's text, or of which it has checked every character. */
const TRUSTED = /^(?:[<>]?s|(?:\{[^}]*\})?[aAhBbDIOSkLpPtTvXHR]|\{UNIQUE_ID\}e)$/

/** See `TrustRule`. A method may be any text without a space. */
function isTrusted(name: string, after: string): boolean {
  return name === 'm' ? /[\s"]/.test(after) : TRUSTED.test(name)
}

const DIRECTIVE = /%(?:!?\d{3}(?:,\d{3})*)?([<>]?)(?:\{([^}]*)\})?([<>]?)(\^\w\w|[a-zA-Z])|%%|[^%]+|%/g

/** The template of a whole directive, `LogFormat "..." name`, or the text itself; `\"` is a quote. */
function unwrapDirective(text: string): string {
  const match = /^\s*LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)?\s*$/i.exec(text)
  return (match?.[1] ?? text).replace(/\\(["\\nt])/g, (_whole, letter: string) =>
    letter === 'n' ? '\n' : letter === 't' ? '\t' : letter,
  )
}

/** Header names are the same in any case, names of variables are not. */
function directiveName(order: string, argument: string | undefined, letter: string): string {
  if (argument === undefined) return `${letter === 's' ? order : ''}${letter}`
  return `{${letter === 'i' || letter === 'o' ? argument.toLowerCase() : argument}}${letter}`
}

function readApacheTemplate(text: string): TemplateReading {
  const parts: TemplatePart[] = []
  for (const [whole, before = '', argument, after = '', letter] of unwrapDirective(text).matchAll(
    DIRECTIVE,
  )) {
    if (letter === undefined) {
      parts.push({ kind: 'literal', text: whole === '%%' ? '%' : whole })
      continue
    }
    const name = directiveName(before + after, argument, letter)
    const variable: TemplatePart = { kind: 'variable', name }
    // The brackets are the server's own: they tell where the time begins.
    if (name === 't') parts.push({ kind: 'literal', text: '[' }, variable, { kind: 'literal', text: ']' })
    else parts.push(variable)
  }
  const names = parts.flatMap((part) => (part.kind === 'variable' ? [part.name] : []))
  const { slots, duplicate } = assignSlots(names, MEANINGS)
  if (duplicate !== undefined) {
    return { ok: false, problem: `expected each directive once, found %${duplicate} twice` }
  }
  const usable = slots.includes('requestLine')
    ? slots.map((slot) => (slot === 'path' || slot === 'method' ? undefined : slot))
    : slots
  return readTemplate(parts, {
    spelling: {
      ...PLAIN_SPELLING,
      escapes: 'c',
      dashIsNull: true,
      dashIsZero: names[slots.indexOf('bodyBytes')] === 'b',
    },
    completion: 'not-x',
    counts: COUNTS,
    slots: usable,
    sign: '%',
    isTrusted,
  })
}

/** See the head of this file. */
export const APACHE: LogFormat = serverFormat({
  name: 'apache',
  sentFields: '%O and %X',
  usual: [WITH_LENGTH, WITHOUT_LENGTH, WITHOUT_SENT, COMBINED],
  readTemplate: readApacheTemplate,
})
