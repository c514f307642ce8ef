/** Logs of every format with random and hostile lines, and how the oracle is to read them. */

import type { OracleFormat } from './record-oracle.ts'
import { escapeJson, escapePercent, orDash, type RecordSample } from './record-sample.ts'
import { SERVER_SAMPLES } from './server-samples.ts'

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
  'x-edge-response-result-type': 'responseResult',
  'sc-content-len': 'contentLength',
  'sc-range-start': 'rangeFirst',
  'sc-range-end': 'rangeLast',
}

const cloudFrontName = (name: string, values: ReadonlyMap<string, string>): string =>
  orDash(escapePercent(values.get(CLOUDFRONT_SLOTS[name] ?? '') ?? ''))

const REAL_TIME_SLOTS: Readonly<Record<string, string>> = {
  ...CLOUDFRONT_SLOTS,
  timestamp: 'instant',
  'cs-uri-stem': 'target',
  'cs-user-agent': 'userAgent',
}

function realTimeSample(name: string, fields: readonly string[]): RecordSample {
  const slots = fields.map((field) => REAL_TIME_SLOTS[field] ?? '')
  return {
    name,
    format: 'cloudfront-realtime',
    fields: fields.join(','),
    header: [],
    oracle: {
      dashIsNull: true,
      percent: true,
      completion: 'edge-result',
      structure: 'separated',
      slots,
      trailing: true,
    },
    write: (values) => slots.map((slot) => orDash(escapePercent(values.get(slot) ?? ''))).join('\t'),
  }
}

function cloudFrontSamples(): RecordSample[] {
  const names = CLOUDFRONT_NAMES.split(' ')
  const common = { dashIsNull: true, percent: true, completion: 'edge-result' } as const
  const head = ['timestamp', 'c-ip', 'sc-status']
  const tail = [
    'cs-method',
    'cs-uri-stem',
    'cs-user-agent',
    'sc-range-start',
    'sc-range-end',
    'x-edge-request-id',
  ]
  const realtime = [...head, 'sc-bytes', 'x-edge-result-type', ...tail]
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
    realTimeSample('cloudfront-realtime', realtime),
    realTimeSample('cloudfront-realtime by its detail', [...head, 'x-edge-detailed-result-type', ...tail]),
    realTimeSample('cloudfront-realtime before the response', [
      ...head,
      'x-edge-response-result-type',
      ...tail,
    ]),
    realTimeSample('cloudfront-realtime without a result', [...head, 'sc-content-len', ...tail]),
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
        totalBytes: 'sentBytes',
        proto: 'protocol',
        isMidgress: 'inner',
        rspContentLen: 'contentLength',
        objSize: 'length',
        reqId: 'requestId',
      },
      { percent: true, dashIsNull: true, addSlash: true, body: 'frames', sent: 'frames' },
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
        WorkerSubrequest: 'inner',
        ClientRequestSource: 'source',
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
  ...SERVER_SAMPLES,
  ...vendorJsonSamples(),
  ...ownJsonSamples(),
]
