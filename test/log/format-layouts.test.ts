/** What the options of a format turn into, and which are refused in words. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FormatChoices } from '#src/log/formats/log-format.js'
import { LOG_FORMATS } from '#src/log/formats/registry.js'
import { isRecordLayout } from '#src/log/scanned-runs.js'
import { ROOT } from '../support/source-tree.ts'

const test = suite('layouts of formats')
const CHOICES: FormatChoices = {
  fields: undefined,
  logFormat: undefined,
  asset: 'path',
  client: 'c-ip',
  trustRequested: false,
}

function read(name: string, choices: Partial<FormatChoices>, lines: readonly string[] = []) {
  const format = LOG_FORMATS.find((known) => known.name === name)
  assert.ok(format)
  return format.readLayout({ comments: [], lines, text: lines.join('\n') }, { ...CHOICES, ...choices })
}

function slotsOf(name: string, choices: Partial<FormatChoices>): string[] {
  const reading = read(name, choices)
  if (!reading.ok) throw new Error(reading.problem)
  assert.ok(isRecordLayout(reading.layout))
  return reading.layout.fields.map(({ slot }) => slot ?? '')
}

function problemOf(name: string, choices: Partial<FormatChoices>, lines: readonly string[] = []): string {
  const reading = read(name, choices, lines)
  return reading.ok ? 'none' : reading.problem
}

test('nginx: a format or its whole directive, the finest time, braces', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx writes variables so.
  const format = '$remote_addr [$time_local] $msec "$request" $status ${body_bytes_sent} "$http_user_agent"'
  const slots = ['ip', '', 'instant', 'requestLine', 'status', 'bodyBytes', 'userAgent']
  assert.equal(slotsOf('nginx', { logFormat: format }), slots)
  const directive = `log_format main escape=json '$remote_addr [$time_local] $msec "$request" '\n  '$status \${body_bytes_sent} "$http_user_agent"';`
  assert.equal(slotsOf('nginx', { logFormat: directive }), slots)
  // What one copies of it.
  assert.equal(slotsOf('nginx', { logFormat: directive.replace('log_format main ', '') }), slots)
  assert.equal(slotsOf('nginx', { logFormat: directive.replace('log_format main escape=json', '') }), slots)
})

test('nginx: formats that cannot be read for certain are refused', () => {
  const problem = (logFormat: string): string => problemOf('nginx', { logFormat })
  assert.match(problem('$remote_addr$status'), /text between variables.*none before status/)
  assert.match(
    problem("log_format a escape=none '$remote_addr'"),
    /escape=none, with which a client can forge/,
  )
  assert.match(problem('$status $status'), /\$status twice/)
  assert.match(problem('no variable'), /a format with variables/)
  assert.match(problem('$remote_addr $status'), /the time, the user agent, the path, a byte range/)
})

test('apache: a format or its whole directive, the final status, headers in any case', () => {
  const format = '%a %{%s}t %{msec}t "%r" %s %>s %b "%{USER-agent}i" %% "%{Content-Range}o" %X'
  const slots = [
    'ip',
    '',
    'instant',
    'requestLine',
    '',
    'status',
    'bodyBytes',
    'userAgent',
    'contentRange',
    'completion',
  ]
  assert.equal(slotsOf('apache', { logFormat: format }), slots)
  const directive = `LogFormat "${format.replaceAll('"', '\\"')}" name`
  assert.equal(slotsOf('apache', { logFormat: directive }), slots)
  assert.match(problemOf('apache', { logFormat: '%h%l' }), /text between variables/)
})

test('nginx: a variable that lets a client write the fields behind it must stand in quotes', () => {
  const problem = (logFormat: string): string => problemOf('nginx', { logFormat })
  const end = '"$request" $status $body_bytes_sent "$http_user_agent"'
  const forgeable: [string, string][] = [
    [`$http_x_forwarded_for - $remote_addr [$time_local] ${end}`, 'http_x_forwarded_for'],
    [
      '$remote_addr [$time_local] "$request" $status $http_user_agent $body_bytes_sent $request_completion',
      'http_user_agent',
    ],
    [`$remote_user [$time_local] $remote_addr ${end}`, 'remote_user'],
    [`$remote_addr $remote_user [$time_local] $bytes_sent ${end}`, 'remote_user'],
    [`$remote_addr [$http_cookie] $msec|$server_name ${end}`, 'http_cookie'],
    [
      '$remote_addr [$msec] "$request_method $request_uri $server_protocol" $status $bytes_sent "$http_user_agent"',
      'request_uri',
    ],
    ['$remote_addr [$msec] "$request_uri" $host|$status|$bytes_sent "$http_user_agent"', 'host'],
    [
      `$remote_addr [$msec] $upstream_status $status $body_bytes_sent "$request" "$http_user_agent"`,
      'upstream_status',
    ],
    [
      `$remote_addr [$msec] "$request" "$http_user_agent" '$http_range' $status $body_bytes_sent`,
      'http_range',
    ],
    [
      `{"t":"$msec","ip":"$remote_addr","ua":$http_user_agent,$status,"r":"$request","b":$body_bytes_sent}`,
      'http_user_agent',
    ],
  ]
  for (const [format, name] of forgeable) {
    assert.match(problem(format), `expected $${name} in double quotes, found it without`, format)
  }
  const safe = [
    `$remote_addr - $remote_user [$time_local] ${end}`,
    `"$http_x_forwarded_for" - $remote_addr [$time_local] ${end}`,
    `$http_x_forwarded_for - $remote_user [$time_local] "$remote_addr" ${end}`,
    `$remote_addr [$msec] "$request_uri" $host $status $bytes_sent "$http_user_agent"`,
    `$remote_addr [$msec] ${end} $request_time $upstream_response_time $http_cookie`,
    `$remote_addr ${end} $http_cookie $msec`,
    '$remote_addr [$msec] "$request" $status $request_uri $http_x "$http_range" "$http_user_agent"',
    `$remote_addr [$msec] us=$upstream_status;$status $body_bytes_sent "$request" "$http_user_agent"`,
    `log_format j escape=json '{"t":"$msec","ip":"$remote_addr","r":"$request","s":$status,"b":$body_bytes_sent,"ua":"$http_user_agent"}';`,
  ]
  for (const format of safe) assert.is(problem(format), 'none', format)
})

test('apache: a directive that lets a client write the fields behind it must stand in quotes', () => {
  const problem = (logFormat: string): string => problemOf('apache', { logFormat })
  const forgeable: [string, string][] = [
    ['%h %l %u %t "%r" %>s %B %O %{User-Agent}i %X', '{user-agent}i'],
    ['%{X-Forwarded-For}i %h %l %u %t "%r" %>s %B %X "%{User-Agent}i"', '{x-forwarded-for}i'],
    ['%h %u %t %X "%r" %>s %B "%{User-Agent}i"', 'u'],
    ['%h %t %m %U %H "%{User-Agent}i" %>s %B %X', 'U'],
    ['%h %t "%r" "%{User-Agent}i" %{Foo}e %>s %B %X', '{Foo}e'],
    ['%h %t "%U" "%{User-Agent}i" %m|%>s|%B|%X', 'm'],
  ]
  for (const [format, name] of forgeable) {
    assert.match(problem(format), `expected %${name} in double quotes, found it without`, format)
  }
  const safe = [
    '%h %l %u %t "%r" %>s %B %X "%{User-Agent}i"',
    '%v:%{remote}p %{c}a %l %u %{%s}t "%r" %>s %B %{ms}T %X "%{User-Agent}i" %{usec}t %L',
    '%h %t %m "%U" "%{User-Agent}i" %>s %B %X %{UNIQUE_ID}e',
  ]
  for (const format of safe) assert.is(problem(format), 'none', format)
})

test('fastly: the VCL of the README writes what is read, at the edge alone, and takes no word for who asked', () => {
  const vcl = /```vcl\n([^`]*)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? ''
  assert.match(vcl, 'if (!segmented_caching.is_inner_req && fastly.ff.visits_this_service == 0) {')
  const members = new Map(
    [...vcl.matchAll(/"(\w+)":""\} (.*)/g)].map(([, name = '', value = '']) => [name, value]),
  )
  const reading = read('fastly', {})
  assert.ok(reading.ok && isRecordLayout(reading.layout))
  const known = reading.layout.fields.map(({ text }) => text)
  assert.equal(
    [...members.keys()].filter((name) => !known.includes(name)),
    [],
  )
  assert.equal([members.get('client_ip'), members.get('request_id')], ['client.ip', 'uuid.version4()'])
  for (const [name, value] of members) {
    const isText = /req\.(?:http\.|url|method)|resp\.http\./.test(value)
    assert.is(value.startsWith('json.escape('), isText, name)
  }
})

test('a server log that is none of the usual ones asks for its format', () => {
  assert.match(problemOf('nginx', {}, ['what is this']), /give the format of the log with --log-format/)
})

test('json: every name once, and each known', () => {
  const good = 'time=t,ip=i,ua=u.a,url=p,status=s,bytes=b'
  assert.equal(slotsOf('json', { fields: good }), [
    'instant',
    'ip',
    '',
    'userAgent',
    'target',
    'status',
    'bodyBytes',
  ])
  assert.equal(slotsOf('json', { fields: `date=d,${good}` }).slice(0, 2), ['date', 'time'])
  assert.match(problemOf('json', {}), /expected --fields that says which member means what/)
  assert.match(problemOf('json', { fields: `${good},ip=x` }), /"ip" twice/)
  assert.match(
    problemOf('json', { fields: 'address=x' }),
    /NAME=MEMBER with time, date, ip.*found "address=x"/,
  )
  assert.match(problemOf('json', { fields: 'ip=' }), /found "ip="/)
  assert.match(
    problemOf('json', { fields: 'time=t,ip=i,ua=u,url=p,status=s,first=f' }),
    /both ends of the range/,
  )
})

test('real-time logs need the names of their fields', () => {
  assert.match(problemOf('cloudfront-realtime', {}), /--fields with the names that the log has, in its order/)
  assert.match(problemOf('cloudfront-realtime', { fields: 'c-ip,c-ip' }), /"c-ip" twice/)
  assert.match(problemOf('w3c', {}), /begins with #Fields: before the first line, or --fields/)
})

test('what the asset and the client are made of must be there', () => {
  const fields = 'time=t,ip=i,ua=u,path=p,status=s,bytes=b'
  assert.match(
    problemOf('json', { fields, asset: 'url' }),
    /the host.*the scheme.*the query, for --asset url/,
  )
  assert.match(problemOf('json', { fields, asset: 'path+query' }), /the query, for --asset path\+query/)
  assert.match(problemOf('json', { fields, client: 'x-forwarded-for' }), /X-Forwarded-For, for --client/)
})

test.run()
