/** `cloudflare`: Logpush of HTTP requests, JSON lines. Ranges are there only as custom fields; what Workers ask for is inner. */

import { jsonFormat } from './json-format.ts'
import type { LogFormat } from './log-format.ts'

/** See the head of this file. */
export const CLOUDFLARE: LogFormat = jsonFormat({
  name: 'cloudflare',
  sentFields: 'EdgeResponseBodyBytes',
  known: ['ClientIP', 'EdgeResponseStatus'],
  members: [
    ['EdgeStartTimestamp', 'instant'],
    ['ClientIP', 'ip'],
    ['RequestHeaders.x-forwarded-for', 'forwardedFor'],
    ['ClientRequestUserAgent', 'userAgent'],
    ['ClientRequestURI', 'target'],
    ['ClientRequestHost', 'host'],
    ['ClientRequestScheme', 'scheme'],
    ['ClientRequestMethod', 'method'],
    ['EdgeResponseStatus', 'status'],
    ['RequestHeaders.range', 'range'],
    ['ResponseHeaders.content-range', 'contentRange'],
    ['ResponseHeaders.content-length', 'contentLength'],
    ['EdgeResponseBodyBytes', 'bodyBytes'],
    ['EdgeResponseBytes', 'sentBytes'],
    ['RayID', 'requestId'],
    ['WorkerSubrequest', 'inner'],
    ['ClientRequestSource', 'source'],
  ],
})
