/** `nginx`: access logs by a `log_format`. */

import { PLAIN_SPELLING, type RecordCounts, type RecordSlot, type RecordSpelling } from '../record-layout.ts'
import type { LogFormat } from './log-format.ts'
import { assignSlots } from './record-reading.ts'
import { serverFormat } from './server-format.ts'
import { readTemplate, type TemplatePart, type TemplateReading } from './template-layout.ts'

const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
const RANGES = `${COMBINED} $msec "$http_range" "$sent_http_content_range"`
/** Combined, with the fields that make proofs possible. */
export const NGINX_RANGE_FORMAT: string = `${RANGES} "$sent_http_content_length" "$request_completion"`
/** The same without the content length, with which whole files cannot be told from chunks. */
const WITHOUT_LENGTH = `${RANGES} "$request_completion"`

/**
 * Seen with nginx 1.22: the count of the body is what was handed to the network, to the byte, also in HTTP/2; but
 * with the framing of chunks, which a response without a content length comes in: told where that is logged. The
 * count with headers has the frames of HTTP/2.
 */
function countsOf(slots: readonly (RecordSlot | undefined)[]): RecordCounts {
  return { body: slots.includes('contentLength') ? 'sent-in-chunks' : 'sent', sent: 'frames' }
}

/** Where several mean the same, the first counts. */
const MEANINGS: readonly (readonly [name: string, slot: RecordSlot])[] = [
  ['msec', 'instant'],
  ['time_iso8601', 'instant'],
  ['time_local', 'instant'],
  ['remote_addr', 'ip'],
  ['realip_remote_addr', 'ip'],
  ['http_x_forwarded_for', 'forwardedFor'],
  ['proxy_add_x_forwarded_for', 'forwardedFor'],
  ['http_user_agent', 'userAgent'],
  ['request', 'requestLine'],
  ['request_uri', 'target'],
  ['uri', 'path'],
  ['args', 'query'],
  ['query_string', 'query'],
  ['host', 'host'],
  ['http_host', 'host'],
  ['server_name', 'host'],
  ['scheme', 'scheme'],
  ['request_method', 'method'],
  ['status', 'status'],
  ['http_range', 'range'],
  ['sent_http_content_range', 'contentRange'],
  ['body_bytes_sent', 'bodyBytes'],
  ['bytes_sent', 'sentBytes'],
  ['sent_http_content_length', 'contentLength'],
  ['request_completion', 'completion'],
  ['request_id', 'requestId'],
]

/** Variables that the server makes of what is not a client's text, or of which it has checked every character. */
const TRUSTED =
  /^(?:(?:realip_)?remote_(?:addr|port)|time_local|time_iso8601|msec|status|body_bytes_sent|bytes_sent|request_(?:length|time|completion|id|method)|scheme|https|server_\w+|hostname|pid|nginx_version|connection\w*|connections_\w+|pipe|ssl_(?:protocol|cipher|session_reused)|tcpinfo_\w+|upstream_cache_status|gzip_ratio|http2|http3)$/
/** Values of all servers that were asked, with commas, colons and spaces between them. */
const LISTS =
  /^upstream_(?:addr|status|response_time|connect_time|header_time|bytes_sent|bytes_received|response_length)$/

/** See `TrustRule`. A host may be any text without a space. */
function isTrusted(name: string, after: string): boolean {
  if (name === 'host') return /[\s"]/.test(after)
  return TRUSTED.test(name) || (LISTS.test(name) && /[^\w\s,:./[\]-]/.test(after))
}

const DIRECTIVE = /^\s*log_format\s+\S+\s+(?:escape=(\w+)\s+)?((?:'[^']*'|"[^"]*"|\s+)+);?\s*$/
/** What one copies of it: double quotes may be the log's own. */
const DIRECTIVE_END = /^\s*(?:escape=(\w+)\s+)?((?:'[^']*'\s*)+);?\s*$/

/** The template of a whole directive, `log_format name escape=json '...' '...';`, or of its end; or the text itself. */
function unwrapDirective(text: string): { readonly template: string; readonly escaping: string } {
  const match = DIRECTIVE.exec(text) ?? DIRECTIVE_END.exec(text)
  if (match === null) return { template: text, escaping: 'default' }
  const quoted = [...(match[2] ?? '').matchAll(/'([^']*)'|"([^"]*)"/g)]
  return {
    template: quoted.map(([, single, double]) => single ?? double ?? '').join(''),
    escaping: match[1] ?? 'default',
  }
}

function spellingOf(escaping: string): RecordSpelling | undefined {
  if (escaping === 'json') return { ...PLAIN_SPELLING, escapes: 'json' }
  return escaping === 'default' ? { ...PLAIN_SPELLING, escapes: 'c', dashIsNull: true } : undefined
}

function readNginxTemplate(text: string): TemplateReading {
  const { template, escaping } = unwrapDirective(text)
  const spelling = spellingOf(escaping)
  if (spelling === undefined) {
    return {
      ok: false,
      problem: `expected escape=default or escape=json; found escape=${escaping}, with which a client can forge fields`,
    }
  }
  const parts: TemplatePart[] = []
  for (const [whole, braced, bare] of template.matchAll(/\$\{(\w+)\}|\$(\w+)|[^$]+|\$/g)) {
    const name = braced ?? bare
    parts.push(name === undefined ? { kind: 'literal', text: whole } : { kind: 'variable', name })
  }
  const names = parts.flatMap((part) => (part.kind === 'variable' ? [part.name] : []))
  const { slots, duplicate } = assignSlots(names, MEANINGS)
  if (duplicate !== undefined) {
    return { ok: false, problem: `expected each variable once, found $${duplicate} twice` }
  }
  // The parts of the request line are the same as its own: one of them is enough.
  const usable = slots.includes('requestLine')
    ? slots.map((slot) => (slot === 'target' || slot === 'path' || slot === 'method' ? undefined : slot))
    : slots
  const counts = countsOf(slots)
  return readTemplate(parts, { spelling, completion: 'ok', counts, slots: usable, sign: '$', isTrusted })
}

/** See the head of this file. */
export const NGINX: LogFormat = serverFormat({
  name: 'nginx',
  sentFields: '$body_bytes_sent and $request_completion',
  usual: [NGINX_RANGE_FORMAT, WITHOUT_LENGTH, COMBINED],
  readTemplate: readNginxTemplate,
})
