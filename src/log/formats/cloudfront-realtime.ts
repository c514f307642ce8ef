/** `cloudfront-realtime`: real-time logs of CloudFront, which name no fields: `--fields` says what was chosen. */

import { PLAIN_SPELLING } from '../record-layout.ts'
import { type FormatReading, type LogFormat, problem } from './log-format.ts'
import { assignSlots, readShape } from './record-reading.ts'
import { completionOf, W3C_MEANINGS } from './w3c-fields.ts'

const SPELLING = { ...PLAIN_SPELLING, dashIsNull: true, percent: true, trailingField: true }

/** Here the stem has the query with it. */
const MEANINGS = W3C_MEANINGS.map(([name, slot]) =>
  name === 'cs-uri-stem' ? (['cs-uri-stem', 'target'] as const) : ([name, slot] as const),
)

/** See the head of this file. */
export const CLOUDFRONT_REALTIME: LogFormat = {
  name: 'cloudfront-realtime',
  decodesUserAgents: true,
  option: 'fields',
  sentFields: 'sc-bytes and x-edge-result-type',
  recognizes: (sample, { fields }) =>
    fields !== undefined &&
    !fields.includes('=') &&
    sample.comments.length === 0 &&
    sample.lines.some((line) => line.split('\t').length === fields.split(',').length),
  readLayout(_sample, choices): FormatReading {
    if (choices.fields === undefined) {
      return problem(
        'expected --fields with the names that the log has, in its order, like timestamp,c-ip,sc-status; found none',
      )
    }
    const names = choices.fields.split(',').map((name) => name.trim().toLowerCase())
    const { slots, duplicate } = assignSlots(names, MEANINGS)
    if (duplicate !== undefined)
      return problem(`expected each field once in --fields, found "${duplicate}" twice`)
    return readShape(
      {
        structure: 'separated',
        spelling: SPELLING,
        fields: slots.map((slot) => ({ slot, text: '' })),
        completion: completionOf(slots),
      },
      choices,
      undefined,
    )
  },
}
