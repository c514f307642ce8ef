/** `fastly`: JSON lines that the VCL in the README writes. */

import { jsonFormat } from './json-format.ts'
import type { LogFormat } from './log-format.ts'

/** See the head of this file. */
export const FASTLY: LogFormat = jsonFormat({
  name: 'fastly',
  sentFields: 'body_bytes and completed',
  known: ['time', 'client_ip', 'url', 'status', 'body_bytes', 'completed'],
  completion: 'truth',
  members: [
    ['time', 'instant'],
    ['client_ip', 'ip'],
    ['forwarded_for', 'forwardedFor'],
    ['user_agent', 'userAgent'],
    ['url', 'target'],
    ['host', 'host'],
    ['scheme', 'scheme'],
    ['method', 'method'],
    ['status', 'status'],
    ['range', 'range'],
    ['content_range', 'contentRange'],
    ['content_length', 'contentLength'],
    ['body_bytes', 'bodyBytes'],
    ['completed', 'completion'],
    ['request_id', 'requestId'],
    ['inner', 'inner'],
  ],
})
