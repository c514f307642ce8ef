/** Logs of every format with random and hostile lines, and how the oracle is to read them. */

import type { OracleFormat } from './record-oracle.ts'

/** A format as the program and the oracle are told of it. */
export interface RecordSample {
  readonly name: string
  /** The option `--format` and what goes with it. */
  readonly format: string
  readonly fields?: string
  readonly logFormat?: string
  /** Lines before all others, without line feeds. */
  readonly header: readonly string[]
  readonly oracle: OracleFormat
  /** A line with these values by slot; Latin-1. */
  write(values: ReadonlyMap<string, string>): string
}

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0')

/** Replaces the characters whose code `isSpecial`. */
function escapeWhere(
  text: string,
  isSpecial: (code: number) => boolean,
  write: (code: number) => string,
): string {
  return [...text]
    .map((character) => (isSpecial(character.charCodeAt(0)) ? write(character.charCodeAt(0)) : character))
    .join('')
}

const escapeC = (text: string): string =>
  escapeWhere(
    text,
    (code) => code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c,
    (code) => `\\x${hex(code)}`,
  )

const escapePercent = (text: string): string =>
  escapeWhere(
    text,
    (code) => code < 0x21 || code > 0x7e || code === 0x22 || code === 0x25,
    (code) => `%${hex(code)}`,
  )

/** As a JSON string; bytes that are no ASCII go as they are. */
const escapeJson = (text: string): string =>
  `"${escapeWhere(
    text,
    (code) => code < 0x20 || code === 0x22 || code === 0x5c,
    (code) => `\\u00${hex(code).toLowerCase()}`,
  )}"`

const CLOUDFRONT_NAMES =
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end'
const CLOUDFRONT_SLOTS: Readonly<Record<string, string>> = {
  date: 'date',
  time: 'time',
  'sc-bytes': 'sentBytes',
  'c-ip': 'ip',
  'cs-method': 'method',
  'cs-uri-stem': 'path',
  'sc-status': 'status',
  'cs(User-Agent)': 'userAgent',
  'cs-uri-query': 'query',
  'x-edge-result-type': 'result',
  'x-edge-request-id': 'requestId',
  'x-host-header': 'host',
  'cs-protocol': 'scheme',
  'x-forwarded-for': 'forwardedFor',
  'x-edge-detailed-result-type': 'detail',
  'sc-content-len': 'contentLength',
  'sc-range-start': 'rangeFirst',
  'sc-range-end': 'rangeLast',
}

const orDash = (text: string | undefined): string => (text === undefined || text === '' ? '-' : text)

const cloudFrontName = (name: string, values: ReadonlyMap<string, string>): string =>
  orDash(escapePercent(values.get(CLOUDFRONT_SLOTS[name] ?? '') ?? ''))

function cloudFrontSamples(): RecordSample[] {
  const names = CLOUDFRONT_NAMES.split(' ')
  const common = { dashIsNull: true, percent: true, completion: 'edge-result' } as const
  const realtime =
    'timestamp,c-ip,sc-status,sc-bytes,cs-method,cs-uri-stem,x-edge-result-type,cs-user-agent,sc-range-start,sc-range-end,x-edge-request-id'
  const realtimeSlots = [
    'instant',
    'ip',
    'status',
    'sentBytes',
    'method',
    'target',
    'result',
    'userAgent',
    'rangeFirst',
    'rangeLast',
    'requestId',
  ]
  return [
    {
      name: 'cloudfront',
      format: 'cloudfront',
      header: ['#Version: 1.0', `#Fields: ${CLOUDFRONT_NAMES}`],
      oracle: {
        ...common,
        structure: 'separated',
        slots: names.map((name) => CLOUDFRONT_SLOTS[name] ?? ''),
        comments: true,
        trailing: true,
      },
      write: (values) => names.map((name) => cloudFrontName(name, values)).join('\t'),
    },
    {
      name: 'cloudfront v2',
      format: 'cloudfront',
      header: [`{${names.map((name) => `"${name}":"-"`).join(',')}}`],
      oracle: { ...common, structure: 'json', slots: [], members: CLOUDFRONT_SLOTS, comments: true },
      write: (values) =>
        `{${names.map((name) => `${escapeJson(name)}:${escapeJson(cloudFrontName(name, values))}`).join(',')}}`,
    },
    {
      name: 'cloudfront-realtime',
      format: 'cloudfront-realtime',
      fields: realtime,
      header: [],
      oracle: { ...common, structure: 'separated', slots: realtimeSlots, trailing: true },
      write: (values) =>
        realtimeSlots.map((slot) => orDash(escapePercent(values.get(slot) ?? ''))).join('\t'),
    },
  ]
}

const W3C_NAMES =
  'date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs(User-Agent) cs(Range) sc(Content-Range) cs-host'
const W3C_SLOTS = [
  'date',
  'time',
  'ip',
  'method',
  'path',
  'query',
  'status',
  'sentBytes',
  'userAgent',
  'range',
  'contentRange',
  'host',
]

const quote = (text: string): string => (/[ "]/.test(text) ? `"${text.replaceAll('"', '""')}"` : orDash(text))

function requestLine(values: ReadonlyMap<string, string>): string {
  return `${values.get('method')} ${values.get('target')} HTTP/1.1`
}

const SERVER_SLOTS = ['ip', '', 'instant', 'requestLine', 'status', 'bodyBytes', '', 'userAgent']

const writeCombined = (values: ReadonlyMap<string, string>): string =>
  `${values.get('ip')} - - [${values.get('clf')}] "${escapeC(requestLine(values))}" ${values.get('status')} ${orDash(values.get('bodyBytes'))} "-" "${escapeC(values.get('userAgent') ?? '')}"`

function nginxSamples(): RecordSample[] {
  const combined = ['', ' - ', ' [', '] "', '" ', ' ', ' "', '" "']
  const jsonFormat = `log_format j escape=json '{"t":"$time_iso8601","ip":"$remote_addr",' '"r":"$request","s":$status,"b":$body_bytes_sent,"ua":"$http_user_agent","range":"$http_range","cr":"$sent_http_content_range"}';`
  return [
    {
      name: 'nginx',
      format: 'nginx',
      header: [],
      oracle: {
        structure: 'template',
        slots: [
          'ip',
          '',
          '',
          'requestLine',
          'status',
          'bodyBytes',
          '',
          'userAgent',
          'instant',
          'range',
          'contentRange',
          'completion',
        ],
        literals: [...combined, '" ', ' "', '" "', '" "', '"'],
        escapes: 'c',
        dashIsNull: true,
        completion: 'ok',
      },
      write: (values) =>
        `${writeCombined(values)} ${values.get('epoch')} "${orDash(values.get('range'))}" "${orDash(values.get('contentRange'))}" "${values.get('aborted') === '1' ? '' : 'OK'}"`,
    },
    {
      name: 'nginx escape=json',
      format: 'nginx',
      logFormat: jsonFormat,
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

function apacheSamples(): RecordSample[] {
  return [
    {
      name: 'apache',
      format: 'apache',
      header: [],
      oracle: {
        structure: 'template',
        slots: [
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
          'bodyBytes',
          'completion',
        ],
        literals: ['', ' ', ' ', ' ', ' "', '" ', ' ', ' "', '" "', '" "', '" "', '" ', ' ', ''],
        escapes: 'c',
        dashIsNull: true,
        completion: 'not-x',
      },
      write: (values) =>
        `${writeCombined(values)} "${orDash(values.get('range'))}" "${orDash(values.get('contentRange'))}" ${orDash(values.get('bodyBytes'))} ${values.get('aborted') === '1' ? 'X' : '+'}`,
    },
    {
      name: 'apache combined',
      format: 'apache',
      logFormat: 'LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined',
      header: [],
      oracle: {
        structure: 'template',
        slots: SERVER_SLOTS.flatMap((slot, i) => (i === 1 ? ['', ''] : [slot])),
        literals: ['', ' ', ' ', ' ', ' "', '" ', ' ', ' "', '" "', '"'],
        escapes: 'c',
        dashIsNull: true,
        dashIsZero: true,
      },
      write: writeCombined,
    },
  ]
}

function memberSample(
  name: string,
  slots: Readonly<Record<string, string>>,
  oracle: Partial<OracleFormat>,
  writeMember: (path: string, text: string) => string,
  extra: Partial<RecordSample> = {},
): RecordSample {
  return {
    name,
    format: name,
    header: [],
    oracle: { structure: 'json', slots: [], members: slots, ...oracle },
    write(values) {
      const parts: string[] = []
      const objects = new Map<string, string[]>()
      for (const [path, slot] of Object.entries(slots)) {
        const text = values.get(slot)
        if (text === undefined || text === '') continue
        const [head = '', inner] = path.split('.')
        if (inner === undefined) parts.push(`${escapeJson(path)}:${writeMember(path, text)}`)
        else objects.set(head, [...(objects.get(head) ?? []), `${escapeJson(inner)}: ${escapeJson(text)}`])
      }
      for (const [head, members] of objects)
        parts.push(`"${head}": {"x":[1,{"y":null}],${members.join(',')}}`)
      return `{"other": [true, false, {"a": "\\u00e9"}], ${parts.join(' ,')}}`
    },
    ...extra,
  }
}

function vendorJsonSamples(): RecordSample[] {
  return [
    memberSample(
      'akamai',
      {
        reqTimeSec: 'epoch',
        cliIP: 'ip',
        UA: 'userAgent',
        reqPath: 'path',
        queryStr: 'query',
        reqHost: 'host',
        reqMethod: 'method',
        statusCode: 'status',
        range: 'range',
        bytes: 'bodyBytes',
        overheadBytes: 'overheadBytes',
        rspContentLen: 'contentLength',
        objSize: 'length',
        reqId: 'requestId',
      },
      { percent: true, dashIsNull: true, addSlash: true },
      (path, text) => escapeJson(path === 'UA' ? escapePercent(text) : text),
    ),
    memberSample(
      'cloudflare',
      {
        EdgeStartTimestamp: 'nanoseconds',
        ClientIP: 'ip',
        ClientRequestUserAgent: 'userAgent',
        ClientRequestURI: 'target',
        ClientRequestHost: 'host',
        ClientRequestScheme: 'scheme',
        ClientRequestMethod: 'method',
        EdgeResponseStatus: 'status',
        'RequestHeaders.range': 'range',
        'ResponseHeaders.content-range': 'contentRange',
        EdgeResponseBodyBytes: 'bodyBytes',
        RayID: 'requestId',
      },
      {},
      (path, text) =>
        /Status|Bytes|Timestamp/.test(path) && /^[1-9]\d*$/.test(text) ? text : escapeJson(text),
    ),
  ]
}

function ownJsonSamples(): RecordSample[] {
  return [
    memberSample(
      'fastly',
      {
        time: 'iso',
        client_ip: 'ip',
        user_agent: 'userAgent',
        url: 'target',
        host: 'host',
        method: 'method',
        status: 'status',
        range: 'range',
        content_range: 'contentRange',
        content_length: 'contentLength',
        body_bytes: 'bodyBytes',
        completed: 'truth',
        request_id: 'requestId',
        inner: 'inner',
      },
      { completion: 'truth' },
      (_path, text) => escapeJson(text),
    ),
    memberSample(
      'json',
      {
        ts: 'iso',
        clientIp: 'ip',
        'a.ua': 'userAgent',
        p: 'path',
        m: 'method',
        code: 'status',
        'r.f': 'rangeFirst',
        'r.l': 'rangeLast',
        size: 'length',
        sent: 'sentBytes',
      },
      {},
      (_path, text) => escapeJson(text),
      {
        fields:
          'time=ts,ip=clientIp,ua=a.ua,path=p,method=m,status=code,first=r.f,last=r.l,length=size,bytes_with_headers=sent',
      },
    ),
  ]
}

/** Every format. */
export const RECORD_SAMPLES: readonly RecordSample[] = [
  ...cloudFrontSamples(),
  {
    name: 'w3c',
    format: 'w3c',
    header: [`#Fields: ${W3C_NAMES}`],
    oracle: {
      structure: 'separated',
      separator: ' ',
      slots: W3C_SLOTS,
      dashIsNull: true,
      quoted: true,
      comments: true,
      trailing: true,
    },
    write: (values) => W3C_SLOTS.map((slot) => quote(values.get(slot) ?? '')).join(' '),
  },
  ...nginxSamples(),
  ...apacheSamples(),
  ...vendorJsonSamples(),
  ...ownJsonSamples(),
]
