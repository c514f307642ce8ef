/** `cloudfront`: standard logs of Amazon CloudFront, version 1 (extended log) or 2 (the same, or JSON lines). */

import { PLAIN_SPELLING } from '../record-layout.ts'
import { jsonFields } from './json-members.ts'
import { type FormatReading, firstJsonObject, type LogFormat, problem } from './log-format.ts'
import { assignSlots, readShape } from './record-reading.ts'
import { areCloudFrontNames } from './w3c.ts'
import { findFieldsComment, W3C_MEANINGS } from './w3c-fields.ts'

const SPELLING = { ...PLAIN_SPELLING, dashIsNull: true, percent: true, comments: true, trailingField: true }

/** See the head of this file. */
export const CLOUDFRONT: LogFormat = {
  name: 'cloudfront',
  decodesUserAgents: true,
  option: undefined,
  recognizes(sample) {
    const found = findFieldsComment(sample)
    if (found !== undefined) return areCloudFrontNames(found.names)
    return areCloudFrontNames(Object.keys(firstJsonObject(sample) ?? {}))
  },
  readLayout(sample, choices): FormatReading {
    const found = findFieldsComment(sample)
    const names = found?.names ?? namesOfJson(sample)
    if (names === undefined) {
      return problem('expected a comment that begins with #Fields:, or JSON lines; found neither')
    }
    const lowered = names.map((name) => name.toLowerCase())
    const { slots, duplicate } = assignSlots(lowered, W3C_MEANINGS)
    if (duplicate !== undefined) return problem(`expected each field once, found "${duplicate}" twice`)
    const isJson = found === undefined
    return readShape(
      {
        structure: isJson ? 'json' : 'separated',
        spelling: SPELLING,
        fields: isJson
          ? jsonFields(
              names.flatMap((name, i) => (slots[i] === undefined ? [] : [[name, slots[i]] as const])),
            )
          : slots.map((slot) => ({ slot, text: '' })),
        completion: slots.includes('result') ? 'edge-result' : 'none',
      },
      choices,
      found?.comment,
    )
  },
}

/** Names with a dot in them would be taken for paths: CloudFront has none. */
function namesOfJson(sample: Parameters<LogFormat['recognizes']>[0]): readonly string[] | undefined {
  const object = firstJsonObject(sample)
  return object === undefined ? undefined : Object.keys(object).filter((name) => !name.includes('.'))
}
