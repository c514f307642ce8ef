/** `json`: JSON lines of any kind; `--fields` says which member means what. */

import { PLAIN_SPELLING, type RecordSlot } from '../record-layout.ts'
import { jsonFields } from './json-members.ts'
import { type FormatReading, type LogFormat, problem } from './log-format.ts'
import { readShape } from './record-reading.ts'

/** What `--fields` can name. */
const MEANINGS: ReadonlyMap<string, RecordSlot> = new Map([
  ['time', 'instant'],
  ['date', 'date'],
  ['ip', 'ip'],
  ['forwarded', 'forwardedFor'],
  ['ua', 'userAgent'],
  ['request', 'requestLine'],
  ['url', 'target'],
  ['path', 'path'],
  ['query', 'query'],
  ['host', 'host'],
  ['scheme', 'scheme'],
  ['method', 'method'],
  ['status', 'status'],
  ['range', 'range'],
  ['content_range', 'contentRange'],
  ['first', 'rangeFirst'],
  ['last', 'rangeLast'],
  ['bytes', 'bodyBytes'],
  ['bytes_with_headers', 'sentBytes'],
  ['content_length', 'contentLength'],
  ['length', 'length'],
  ['completed', 'completion'],
  ['id', 'requestId'],
])

/** See the head of this file. */
export const JSON_LINES: LogFormat = {
  name: 'json',
  decodesUserAgents: false,
  option: 'fields',
  sentFields: 'a number of bytes, named in --fields as bytes or bytes_with_headers',
  recognizes: (sample, { fields }) =>
    fields?.includes('=') === true && (sample.lines[0]?.startsWith('{') ?? false),
  readLayout(_sample, choices): FormatReading {
    if (choices.fields === undefined) {
      return problem(
        'expected --fields that says which member means what, like time=ts,ip=clientIp,ua=agent,url=url,status=code; found none',
      )
    }
    const members: (readonly [path: string, slot: RecordSlot])[] = []
    for (const part of choices.fields.split(',')) {
      const at = part.indexOf('=')
      const name = part.slice(0, at).trim()
      const slot = MEANINGS.get(name)
      const path = part.slice(at + 1).trim()
      if (at < 0 || slot === undefined || path === '') {
        return problem(
          `expected --fields of NAME=MEMBER with ${[...MEANINGS.keys()].join(', ')}; found "${part}"`,
        )
      }
      if (members.some(([, taken]) => taken === slot)) {
        return problem(`expected each name once in --fields, found "${name}" twice`)
      }
      members.push([path, slot])
    }
    const hasDate = members.some(([, slot]) => slot === 'date')
    const timed = members.map(([path, slot]) =>
      hasDate && slot === 'instant' ? ([path, 'time'] as const) : ([path, slot] as const),
    )
    const completion = members.some(([, slot]) => slot === 'completion') ? 'truth' : 'none'
    return readShape(
      { structure: 'json', spelling: PLAIN_SPELLING, fields: jsonFields(timed), completion },
      choices,
      undefined,
    )
  },
}
