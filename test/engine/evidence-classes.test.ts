/**
 * What each format proves of one request for bytes 0 to 99999 when fields are missing: never more than the fields that
 * are left say, and never in silence when none says how much was sent.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FormatRequest } from '#src/engine/input-format.js'
import { CLOUDFRONT_PART, json, refusal, run, write } from '../support/format-runs.ts'
import { runBuilt } from '../support/run-built.ts'

const test = suite('classes of evidence')

/** What is proven, and whether it is said that nothing tells how much was sent; or why the log is refused. */
type Outcome = { readonly rows: number; readonly unmeasured: number } | RegExp
const proven = (rows: number): Outcome => ({ rows, unmeasured: 0 })
const told: Outcome = { rows: 100_000, unmeasured: 1 }

interface Log {
  readonly name: string
  readonly request: Partial<FormatRequest>
  readonly text: string
}

type Fields = Readonly<Record<string, string | undefined>>
const without = (fields: Fields, names: readonly string[]): [string, string][] =>
  Object.entries(fields).flatMap(([name, text]) =>
    names.includes(name) || text === undefined ? [] : [[name, text]],
  )

const CLOUDFRONT: Fields = {
  ...CLOUDFRONT_PART,
  'sc-bytes': '100400',
  'x-edge-result-type': 'Hit',
  'sc-content-len': '100000',
  'sc-range-start': '0',
  'sc-range-end': '99999',
}
const END = ['sc-bytes', 'x-edge-result-type']
const RANGE = ['sc-range-start', 'sc-range-end']
const COUNTED = proven(100_400 - 2048)

function cloudFront(names: readonly string[], outcome: Outcome): [Log, Outcome][] {
  const fields = without(CLOUDFRONT, names)
  const realTime = [['timestamp', '1715947200'], ...fields.slice(2)]
  const columns = realTime.map(([name]) => name).join(',')
  const values = fields.map(([, text]) => text).join('\t')
  return [
    [
      {
        name: 'cloudfront 1',
        request: { format: 'cloudfront' },
        text: `#Fields: ${fields.map(([name]) => name).join(' ')}\n${values}\n`,
      },
      outcome,
    ],
    [
      {
        name: 'cloudfront-realtime',
        request: {
          format: 'cloudfront-realtime',
          fields: columns.replace('cs(User-Agent)', 'cs-user-agent'),
        },
        text: `${realTime.map(([, text]) => text).join('\t')}\n`,
      },
      outcome,
    ],
    [
      {
        name: 'cloudfront 2',
        request: { format: 'cloudfront' },
        text: json(Object.fromEntries(fields)),
      },
      // Members may stand on later lines: a log is never refused for those of the first.
      outcome instanceof RegExp ? proven(0) : outcome,
    ],
  ]
}

const W3C: Fields = {
  date: '2024-05-17',
  time: '12:00:00',
  'c-ip': '192.0.2.1',
  'cs-uri-stem': '/a',
  'sc-status': '206',
  'cs(User-Agent)': 'curl/8',
  'sc-bytes': '60000',
  'cs(Range)': 'bytes=0-99999',
  'sc(Content-Range)': 'bytes_0-99999/200000',
}

function w3c(names: readonly string[], outcome: Outcome): [Log, Outcome] {
  const fields = without(W3C, names)
  const text = fields.map(([, value]) => `"${value.replace('_', ' ')}"`).join(' ')
  const header = `#Fields: ${fields.map(([name]) => name).join(' ')}`
  return [{ name: 'w3c', request: { format: 'w3c' }, text: `${header}\n${text}\n` }, outcome]
}

/** A template of a server, each part with the variable and what is logged for it. */
function server(
  format: 'nginx' | 'apache',
  parts: readonly (readonly [variable: string, text: string])[],
  outcome: Outcome,
): [Log, Outcome] {
  const quoted = (index: 0 | 1): string => parts.map((part) => `"${part[index]}"`).join(' ')
  return [{ name: format, request: { format, logFormat: quoted(0) }, text: `${quoted(1)}\n` }, outcome]
}

const NGINX = [
  ['$remote_addr', '192.0.2.1'],
  ['$time_iso8601', '2024-05-17T12:00:00+00:00'],
  ['$request', 'GET /a HTTP/1.1'],
  ['$status', '206'],
  ['$http_user_agent', 'curl/8'],
] as const
const NGINX_RANGE = ['$sent_http_content_range', 'bytes 0-99999/200000'] as const
const APACHE = [
  ['%h', '192.0.2.1'],
  ['%{sec}t', '1715947200'],
  ['%r', 'GET /a HTTP/1.1'],
  ['%>s', '206'],
  ['%{User-Agent}i', 'curl/8'],
] as const
const APACHE_RANGE = ['%{Content-Range}o', 'bytes 0-99999/200000'] as const

/** JSON lines of a format, without some of their members. */
function members(format: string, fields: object, names: readonly string[], outcome: Outcome): [Log, Outcome] {
  const left = Object.entries(fields).filter(([name]) => !names.includes(name))
  return [{ name: format, request: { format }, text: json(Object.fromEntries(left)) }, outcome]
}

const AKAMAI = {
  reqTimeSec: '1715947200',
  cliIP: '192.0.2.1',
  statusCode: '206',
  reqPath: '/a',
  UA: 'curl/8',
  range: '0-99999',
  bytes: '60100',
  overheadBytes: '100',
  objSize: '200000',
}
const CLOUDFLARE = {
  ClientIP: '192.0.2.1',
  ClientRequestURI: '/a',
  ClientRequestUserAgent: 'curl/8',
  EdgeResponseStatus: 206,
  EdgeStartTimestamp: '2024-05-17T12:00:00Z',
  EdgeResponseBodyBytes: 60_000,
  RequestHeaders: { range: 'bytes=0-99999' },
  ResponseHeaders: { 'content-range': 'bytes 0-99999/200000' },
}
const FASTLY = {
  time: '2024-05-17T12:00:00Z',
  client_ip: '192.0.2.1',
  url: '/a',
  user_agent: 'curl/8',
  status: '206',
  content_range: 'bytes 0-99999/200000',
  body_bytes: '60000',
  completed: 'false',
}

function own(fields: string, line: object, outcome: Outcome): [Log, Outcome] {
  const common = 'time=t,ip=i,ua=u,url=p,status=s'
  const text = json({ t: '2024-05-17T12:00:00Z', i: '192.0.2.1', u: 'curl/8', p: '/a', s: '206', ...line })
  return [{ name: 'json', request: { format: 'json', fields: `${common},${fields}` }, text }, outcome]
}

const NO_RANGE = /a byte range or a number of bytes/
const NOTHING_SENT = /fields that tell how much was sent/
const TABLE: readonly [Log, Outcome][] = [
  ...cloudFront([], proven(100_000)),
  ...cloudFront(['x-edge-result-type'], COUNTED),
  ...cloudFront(['sc-bytes'], proven(100_000)),
  ...cloudFront(END, told),
  ...cloudFront([...END, 'sc-content-len'], told),
  ...cloudFront(RANGE, proven(0)),
  ...cloudFront([...RANGE, ...END], NO_RANGE),
  w3c([], proven(60_000 - 2048)),
  w3c(['sc-bytes'], told),
  w3c(['sc-bytes', 'sc(Content-Range)'], told),
  w3c(['sc(Content-Range)', 'cs(Range)'], proven(0)),
  w3c(['sc-bytes', 'sc(Content-Range)', 'cs(Range)'], NO_RANGE),
  server('nginx', [...NGINX, NGINX_RANGE, ['$body_bytes_sent', '60000']], proven(60_000)),
  server('nginx', [...NGINX, NGINX_RANGE, ['$bytes_sent', '60000']], proven(60_000 - 7500 - 2048)),
  server('nginx', [...NGINX, NGINX_RANGE, ['$request_completion', '']], proven(0)),
  server('nginx', [...NGINX, NGINX_RANGE, ['$request_completion', 'OK']], proven(100_000)),
  server('nginx', [...NGINX, NGINX_RANGE], told),
  server('nginx', [...NGINX, ['$http_range', 'bytes=0-99999']], told),
  server('nginx', [...NGINX, ['$body_bytes_sent', '60000']], proven(0)),
  server('nginx', NGINX, NO_RANGE),
  server('apache', [...APACHE, APACHE_RANGE, ['%B', '100000'], ['%X', 'X']], proven(0)),
  server('apache', [...APACHE, APACHE_RANGE, ['%B', '100000'], ['%X', '+']], proven(100_000)),
  server('apache', [...APACHE, APACHE_RANGE, ['%X', '+']], proven(100_000)),
  server('apache', [...APACHE, APACHE_RANGE, ['%B', '100000']], NOTHING_SENT),
  server('apache', [...APACHE, APACHE_RANGE], NOTHING_SENT),
  server('apache', APACHE, NO_RANGE),
  members('akamai', AKAMAI, [], proven(60_000)),
  members('akamai', AKAMAI, ['bytes'], proven(0)),
  members('akamai', AKAMAI, ['overheadBytes'], proven(60_100 - 7512 - 2048)),
  members('akamai', AKAMAI, ['objSize'], proven(60_000)),
  members('akamai', AKAMAI, ['range'], proven(0)),
  members('cloudflare', CLOUDFLARE, [], proven(60_000)),
  members('cloudflare', CLOUDFLARE, ['EdgeResponseBodyBytes'], told),
  members('cloudflare', CLOUDFLARE, ['EdgeResponseBodyBytes', 'ResponseHeaders'], told),
  members('cloudflare', CLOUDFLARE, ['RequestHeaders', 'ResponseHeaders'], proven(0)),
  members('fastly', FASTLY, [], proven(60_000)),
  members('fastly', { ...FASTLY, completed: 'true' }, ['body_bytes'], proven(100_000)),
  members('fastly', FASTLY, ['body_bytes'], proven(0)),
  members('fastly', FASTLY, ['completed'], proven(60_000)),
  members('fastly', FASTLY, ['body_bytes', 'completed'], told),
  members('fastly', FASTLY, ['content_range'], proven(0)),
  own('range=r,bytes=b', { r: 'bytes=0-99999', b: '60000' }, proven(60_000)),
  own('range=r,bytes_with_headers=b', { r: 'bytes=0-99999', b: '60000' }, proven(60_000 - 2048)),
  own('range=r,completed=c', { r: 'bytes=0-99999', c: 'false' }, proven(0)),
  own('range=r,completed=c', { r: 'bytes=0-99999', c: 'true' }, proven(100_000)),
  own('range=r', { r: 'bytes=0-99999' }, told),
  own('first=a,last=b', { a: '0', b: '99999' }, told),
  own('range=r,bytes=b', { r: 'bytes=0-99999' }, told),
  own('completed=c', { c: 'true' }, NO_RANGE),
]

test('a claim is cut to what was sent, told to be without that, or refused', async () => {
  for (const [{ name, request, text }, outcome] of TABLE) {
    const what = `${name}: ${text.slice(0, 400)}`
    const running = run([write(text)], request)
    if (outcome instanceof RegExp) {
      assert.match(await refusal(running), outcome, what)
    } else {
      const { rows, unmeasured, rejected } = await running
      assert.equal({ rows, unmeasured }, outcome, what)
      assert.equal(rejected, {}, what)
    }
  }
})

test('what was requested and is trusted, or was proven by a count before, is not told', async () => {
  for (const [{ request, text }, outcome] of TABLE) {
    if (outcome !== told) continue
    const report = await run([write(text)], { ...request, trustRequested: true })
    assert.equal([report.rows, report.unmeasured], [100_000, 0])
  }
})

test('a repeated line is not counted again', async () => {
  const [log] = cloudFront(END, told).map(([{ text }]) => text)
  const text = (log ?? '').replace(/^(#.*)\n(.*)\n/, '$1 x-edge-request-id\n$2\tone\n$2\tone\n$2\ttwo\n')
  const report = await run([write(text)])
  assert.equal([report.kept, report.skipped['duplicate'], report.unmeasured], [2, 1, 2])
})

test('people are told which fields to log', async () => {
  const [log] = cloudFront(END, told).map(([{ text }]) => text)
  const out = write('').replace('.log', '.parquet')
  const words = ['process', write(log ?? ''), '--format', 'cloudfront', '--out', out]
  const { stdout, stderr } = await runBuilt(words)
  assert.match(stdout, /kept +1 +of these 1 for their range alone/)
  assert.match(
    stderr,
    /1 request counted for the range alone, .*; log sc-bytes and x-edge-result-type \(cloudfront\)/,
  )
  const quiet = await runBuilt([...words, '--quiet'])
  assert.is(quiet.stderr, '')
})

test.run()
