/** The fields of extended logs (W3C working draft WD-logfile) and CloudFront's, by name. */

import type { CompletionKind, RecordSlot } from '../record-layout.ts'
import type { LogSample } from './log-format.ts'

/** Names in lower case; where several mean the same, the first counts. */
export const W3C_MEANINGS: readonly (readonly [name: string, slot: RecordSlot])[] = [
  ['timestamp', 'instant'],
  ['date', 'date'],
  ['time', 'time'],
  ['c-ip', 'ip'],
  ['x-forwarded-for', 'forwardedFor'],
  ['cs(x-forwarded-for)', 'forwardedFor'],
  ['cs(user-agent)', 'userAgent'],
  ['cs-user-agent', 'userAgent'],
  ['cs-uri-stem', 'path'],
  ['cs-uri', 'target'],
  ['cs-uri-query', 'query'],
  ['x-host-header', 'host'],
  ['cs-host', 'host'],
  ['cs(host)', 'host'],
  ['cs-protocol', 'scheme'],
  ['cs-method', 'method'],
  ['sc-status', 'status'],
  ['cs(range)', 'range'],
  ['sc(content-range)', 'contentRange'],
  ['sc-range-start', 'rangeFirst'],
  ['sc-range-end', 'rangeLast'],
  ['sc-bytes', 'sentBytes'],
  ['sc-content-len', 'contentLength'],
  ['sc(content-length)', 'contentLength'],
  ['x-edge-result-type', 'result'],
  ['x-edge-detailed-result-type', 'detail'],
  ['x-edge-response-result-type', 'responseResult'],
  ['x-edge-request-id', 'requestId'],
]

/** How fields say that a transfer ended: as CloudFront does, if any of its results is among them. */
export function completionOf(slots: readonly (RecordSlot | undefined)[]): CompletionKind {
  const results = ['result', 'detail', 'responseResult'] as const
  return results.some((slot) => slots.includes(slot)) ? 'edge-result' : 'none'
}

/** The names of a `#Fields:` comment, in lower case; undefined for another comment. */
export function fieldsOfComment(comment: Uint8Array): readonly string[] | undefined {
  const match = /^#fields:[ \t]*(.*?)[ \t\r]*$/is.exec(Buffer.from(comment).toString('latin1'))
  if (match === null) return undefined
  const names = match[1]?.toLowerCase() ?? ''
  return names === '' ? [] : names.split(/[ \t]+/)
}

/** The first comment of a sample that names fields. */
export function findFieldsComment(
  sample: LogSample,
): { readonly comment: Uint8Array; readonly names: readonly string[] } | undefined {
  for (const comment of sample.comments) {
    const names = fieldsOfComment(comment)
    if (names !== undefined) return { comment, names }
  }
  return undefined
}
