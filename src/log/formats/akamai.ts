/**
 * `akamai`: DataStream 2, JSON lines. `bytes` are those of the body; under HTTP/2 with what the protocol adds, which
 * `overheadBytes` tells. A line without `bytes` or `totalBytes` says nothing of what was sent.
 */

import { jsonFormat } from './json-format.ts'
import type { LogFormat } from './log-format.ts'

/** See the head of this file. */
export const AKAMAI: LogFormat = jsonFormat({
  name: 'akamai',
  sentFields: 'bytes and overheadBytes',
  known: ['cliIP', 'statusCode', 'reqTimeSec'],
  spelling: { percent: true, dashIsNull: true, addSlash: true },
  counts: { body: 'sent-in-frames', sent: 'frames' },
  members: [
    ['reqTimeSec', 'instant'],
    ['cliIP', 'ip'],
    ['xForwardedFor', 'forwardedFor'],
    ['UA', 'userAgent'],
    ['reqPath', 'path'],
    ['queryStr', 'query'],
    ['reqHost', 'host'],
    ['reqMethod', 'method'],
    ['statusCode', 'status'],
    ['range', 'range'],
    ['bytes', 'bodyBytes'],
    ['overheadBytes', 'overheadBytes'],
    ['totalBytes', 'sentBytes'],
    ['proto', 'protocol'],
    ['rspContentLen', 'contentLength'],
    ['objSize', 'length'],
    ['reqId', 'requestId'],
    ['isMidgress', 'inner'],
  ],
})
