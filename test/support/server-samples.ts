/** Logs of nginx and Apache in several formats. */

import { escapeC, escapeJson, orDash, type RecordSample } from './record-sample.ts'

function requestLine(values: ReadonlyMap<string, string>): string {
  return `${values.get('method')} ${values.get('target')} HTTP/1.1`
}

const writeCombined = (values: ReadonlyMap<string, string>): string =>
  `${values.get('ip')} - ${values.get('user') ?? '-'} [${values.get('clf')}] "${escapeC(requestLine(values))}" ${values.get('status')} ${orDash(values.get('bodyBytes'))} "-" "${escapeC(values.get('userAgent') ?? '')}"`

const writeNginxRanges = (values: ReadonlyMap<string, string>): string =>
  `${writeCombined(values)} ${values.get('epoch')} "${orDash(values.get('range'))}" "${orDash(values.get('contentRange'))}"`

const NGINX = {
  structure: 'template',
  dashIsNull: true,
  completion: 'ok',
  sent: 'frames',
} as const
const NGINX_JSON = `log_format j escape=json '{"t":"$time_iso8601","ip":"$remote_addr",' '"r":"$request","s":$status,"b":$body_bytes_sent,"ua":"$http_user_agent","range":"$http_range","cr":"$sent_http_content_range"}';`

const nginxEnd = (values: ReadonlyMap<string, string>): string =>
  `"${values.get('aborted') === '1' ? '' : 'OK'}"`

function nginxRangeSamples(): RecordSample[] {
  const slots = ['ip', '', '', 'requestLine', 'status', 'bodyBytes', '', 'userAgent', 'instant']
  const literals = ['', ' - ', ' [', '] "', '" ', ' ', ' "', '" "', '" ', ' "', '" "', '" "']
  return [
    {
      name: 'nginx',
      format: 'nginx',
      header: [],
      oracle: {
        ...NGINX,
        slots: [...slots, 'range', 'contentRange', 'contentLength', 'completion'],
        body: 'chunks',
        literals: [...literals, '" "', '"'],
        escapes: 'c',
      },
      write: (values) =>
        `${writeNginxRanges(values)} "${orDash(values.get('contentLength'))}" ${nginxEnd(values)}`,
    },
    {
      name: 'nginx without content length',
      format: 'nginx',
      header: [],
      oracle: {
        ...NGINX,
        slots: [...slots, 'range', 'contentRange', 'completion'],
        literals: [...literals, '"'],
        escapes: 'c',
      },
      write: (values) => `${writeNginxRanges(values)} ${nginxEnd(values)}`,
    },
  ]
}

function nginxOtherSamples(): RecordSample[] {
  return [
    {
      name: 'nginx with headers counted',
      format: 'nginx',
      logFormat:
        '$remote_addr [$msec] "$request" $status $bytes_sent "$http_user_agent" "$sent_http_content_range" "$sent_http_content_length" "$request_completion"',
      header: [],
      oracle: {
        ...NGINX,
        slots: [
          'ip',
          'instant',
          'requestLine',
          'status',
          'sentBytes',
          'userAgent',
          'contentRange',
          'contentLength',
          'completion',
        ],
        body: 'chunks',
        literals: ['', ' [', '] "', '" ', ' ', ' "', '" "', '" "', '" "', '"'],
        escapes: 'c',
      },
      write: (values) =>
        `${values.get('ip')} [${values.get('epoch')}] "${escapeC(requestLine(values))}" ${values.get('status')} ${orDash(values.get('sentBytes'))} "${escapeC(values.get('userAgent') ?? '')}" "${orDash(values.get('contentRange'))}" "${orDash(values.get('contentLength'))}" ${nginxEnd(values)}`,
    },
    {
      name: 'nginx escape=json',
      format: 'nginx',
      logFormat: NGINX_JSON,
      header: [],
      oracle: {
        structure: 'template',
        slots: ['instant', 'ip', 'requestLine', 'status', 'bodyBytes', 'userAgent', 'range', 'contentRange'],
        literals: [
          '{"t":"',
          '","ip":"',
          '","r":"',
          '","s":',
          ',"b":',
          ',"ua":"',
          '","range":"',
          '","cr":"',
          '"}',
        ],
        escapes: 'json',
      },
      write: (values) =>
        `{"t":"${values.get('iso')}","ip":"${values.get('ip')}","r":${escapeJson(requestLine(values))},"s":${values.get('status')},"b":${values.get('bodyBytes')},"ua":${escapeJson(values.get('userAgent') ?? '')},"range":"${values.get('range') ?? ''}","cr":"${values.get('contentRange') ?? ''}"}`,
    },
  ]
}

const writeApacheRanges = (values: ReadonlyMap<string, string>): string =>
  `${writeCombined(values)} "${orDash(values.get('range'))}" "${orDash(values.get('contentRange'))}" ${orDash(values.get('bodyBytes'))}`

const APACHE_SLOTS = [
  'ip',
  '',
  '',
  'instant',
  'requestLine',
  'status',
  '',
  '',
  'userAgent',
  'range',
  'contentRange',
]
const APACHE_LITERALS = ['', ' ', ' ', ' [', '] "', '" ', ' ', ' "', '" "', '" "', '" "', '" ', ' ']
const APACHE = {
  structure: 'template',
  escapes: 'c',
  dashIsNull: true,
  completion: 'not-x',
  body: 'offered',
  sent: 'wire',
} as const

function apacheRangeSamples(): RecordSample[] {
  return [
    {
      name: 'apache',
      format: 'apache',
      header: [],
      oracle: {
        ...APACHE,
        slots: [...APACHE_SLOTS, 'contentLength', 'bodyBytes', 'sentBytes', 'completion'],
        literals: [...APACHE_LITERALS.slice(0, 11), '" "', '" ', ' ', ' ', ''],
      },
      write: (values) =>
        `${writeCombined(values)} "${orDash(values.get('range'))}" "${orDash(values.get('contentRange'))}" "${orDash(values.get('contentLength'))}" ${orDash(values.get('bodyBytes'))} ${orDash(values.get('sentBytes'))} ${values.get('aborted') === '1' ? 'X' : '+'}`,
    },
    {
      name: 'apache without the content length',
      format: 'apache',
      header: [],
      oracle: {
        ...APACHE,
        slots: [...APACHE_SLOTS, 'bodyBytes', 'sentBytes', 'completion'],
        literals: [...APACHE_LITERALS, ' ', ''],
      },
      write: (values) =>
        `${writeApacheRanges(values)} ${orDash(values.get('sentBytes'))} ${values.get('aborted') === '1' ? 'X' : '+'}`,
    },
  ]
}

function apacheOtherSamples(): RecordSample[] {
  return [
    {
      name: 'apache without what was sent',
      format: 'apache',
      header: [],
      oracle: {
        ...APACHE,
        slots: [...APACHE_SLOTS, 'bodyBytes', 'completion'],
        literals: [...APACHE_LITERALS, ''],
      },
      write: (values) => `${writeApacheRanges(values)} ${values.get('aborted') === '1' ? 'X' : '+'}`,
    },
    {
      name: 'apache without the end',
      format: 'apache',
      logFormat:
        '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Range}i" "%{Content-Range}o" %B %O',
      header: [],
      oracle: {
        ...APACHE,
        slots: [...APACHE_SLOTS, 'bodyBytes', 'sentBytes'],
        literals: [...APACHE_LITERALS, ''],
      },
      write: (values) => `${writeApacheRanges(values)} ${orDash(values.get('sentBytes'))}`,
    },
    {
      name: 'apache combined with the end',
      format: 'apache',
      logFormat: 'LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\" %X" combined',
      header: [],
      oracle: {
        ...APACHE,
        slots: [...APACHE_SLOTS.slice(0, 6), 'bodyBytes', '', 'userAgent', 'completion'],
        literals: [...APACHE_LITERALS.slice(0, 9), '" ', ''],
        dashIsZero: true,
      },
      write: (values) => `${writeCombined(values)} ${values.get('aborted') === '1' ? 'X' : '-'}`,
    },
  ]
}

/** Those of `RECORD_SAMPLES` that web servers write by a template. */
export const SERVER_SAMPLES: readonly RecordSample[] = [
  ...nginxRangeSamples(),
  ...nginxOtherSamples(),
  ...apacheRangeSamples(),
  ...apacheOtherSamples(),
]
