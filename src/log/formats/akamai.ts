/** `akamai`: DataStream 2, JSON lines. `bytes` are body bytes; under HTTP/2 they may include `overheadBytes`. */

import { jsonFormat } from './json-format.ts'
import type { LogFormat } from './log-format.ts'

/** See the head of this file. */
export const AKAMAI: LogFormat = jsonFormat({
  name: 'akamai',
  known: ['cliIP', 'statusCode', 'reqTimeSec'],
  spelling: { percent: true, dashIsNull: true, addSlash: true },
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
    ['rspContentLen', 'contentLength'],
    ['objSize', 'length'],
    ['reqId', 'requestId'],
  ],
})
