/** `cloudfront`: standard logs of Amazon CloudFront, version 1 (extended log) or 2 (the same, or JSON lines). */

import { PLAIN_SPELLING } from '../record-layout.ts'
import { jsonFormat } from './json-format.ts'
import { type FormatReading, firstJsonObject, type LogFormat, problem } from './log-format.ts'
import { assignSlots, readShape } from './record-reading.ts'
import { areCloudFrontNames } from './w3c.ts'
import { completionOf, findFieldsComment, W3C_MEANINGS } from './w3c-fields.ts'

const SPELLING = { ...PLAIN_SPELLING, dashIsNull: true, percent: true, comments: true, trailingField: true }

/** Version 2 as JSON lines: the same names, of which a log has those that were chosen for it. */
const JSON_FORMAT = jsonFormat({
  name: 'cloudfront',
  sentFields: 'sc-bytes and x-edge-result-type',
  known: [],
  spelling: SPELLING,
  completion: 'edge-result',
  members: [
    ['timestamp', 'instant'],
    ['date', 'date'],
    ['time', 'time'],
    ['c-ip', 'ip'],
    ['x-forwarded-for', 'forwardedFor'],
    ['cs(User-Agent)', 'userAgent'],
    ['cs-uri-stem', 'path'],
    ['cs-uri-query', 'query'],
    ['x-host-header', 'host'],
    ['cs(Host)', 'host'],
    ['cs-protocol', 'scheme'],
    ['cs-method', 'method'],
    ['sc-status', 'status'],
    ['sc-range-start', 'rangeFirst'],
    ['sc-range-end', 'rangeLast'],
    ['sc-bytes', 'sentBytes'],
    ['sc-content-len', 'contentLength'],
    ['x-edge-result-type', 'result'],
    ['x-edge-detailed-result-type', 'detail'],
    ['x-edge-response-result-type', 'responseResult'],
    ['x-edge-request-id', 'requestId'],
  ],
})

/** See the head of this file. */
export const CLOUDFRONT: LogFormat = {
  name: 'cloudfront',
  decodesUserAgents: true,
  option: undefined,
  sentFields: 'sc-bytes and x-edge-result-type',
  recognizes(sample) {
    const found = findFieldsComment(sample)
    if (found !== undefined) return areCloudFrontNames(found.names)
    return areCloudFrontNames(Object.keys(firstJsonObject(sample) ?? {}))
  },
  readLayout(sample, choices): FormatReading {
    const found = findFieldsComment(sample)
    if (found === undefined) {
      if (firstJsonObject(sample) !== undefined) return JSON_FORMAT.readLayout(sample, choices)
      return problem('expected a comment that begins with #Fields:, or JSON lines; found neither')
    }
    const { slots, duplicate } = assignSlots(found.names, W3C_MEANINGS)
    if (duplicate !== undefined) return problem(`expected each field once, found "${duplicate}" twice`)
    return readShape(
      {
        structure: 'separated',
        spelling: SPELLING,
        fields: slots.map((slot) => ({ slot, text: '' })),
        completion: completionOf(slots),
      },
      choices,
      found.comment,
    )
  },
}
