/** `w3c`: any extended log, whose `#Fields:` names its columns. */

import { PLAIN_SPELLING } from '../record-layout.ts'
import { type FormatReading, type LogFormat, problem } from './log-format.ts'
import { assignSlots, readShape } from './record-reading.ts'
import { completionOf, findFieldsComment, W3C_MEANINGS } from './w3c-fields.ts'

const SPELLING = { ...PLAIN_SPELLING, dashIsNull: true, quoted: true, comments: true, trailingField: true }

/** Whether fields named like these are CloudFront's. */
export function areCloudFrontNames(names: readonly string[]): boolean {
  return names.some((name) => name.startsWith('x-edge-'))
}

/** See the head of this file. */
export const W3C: LogFormat = {
  name: 'w3c',
  decodesUserAgents: false,
  option: 'fields',
  sentFields: 'sc-bytes',
  recognizes(sample) {
    const found = findFieldsComment(sample)
    return found !== undefined && !areCloudFrontNames(found.names)
  },
  readLayout(sample, choices): FormatReading {
    const found = findFieldsComment(sample)
    const names = found?.names ?? choices.fields?.toLowerCase().split(',')
    if (names === undefined)
      return problem(
        'expected a comment that begins with #Fields: before the first line, or --fields; found none',
      )
    const { slots, duplicate } = assignSlots(names, W3C_MEANINGS)
    if (duplicate !== undefined)
      return problem(`expected each field once in #Fields:, found "${duplicate}" twice`)
    // A TAB may also stand inside a field: only as many as there are fields make it the separator.
    const hasTabs = sample.lines.some((line) => line.replace(/\t$/, '').split('\t').length === names.length)
    return readShape(
      {
        structure: 'separated',
        separator: hasTabs && names.length > 1 ? '\t' : ' ',
        spelling: SPELLING,
        fields: slots.map((slot) => ({ slot, text: '' })),
        completion: completionOf(slots),
      },
      choices,
      found?.comment,
    )
  },
}
