/** Formats as a run sees them: found out or named, refused when in doubt, the same for any number of threads. */
import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStore } from '#src/delivery/store.js'
import { compactStore } from '#src/engine/compact-store.js'
import type { FormatRequest } from '#src/engine/input-format.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { FORMAT_NAMES } from '#src/interface/format-names.js'
import { LOG_FORMATS } from '#src/log/formats/registry.js'
import { queryDuckdb } from '../support/foreign-readers.ts'
import {
  AKAMAI,
  ask,
  FIELDS,
  FORMATS,
  folder,
  json,
  keysOf,
  line,
  refusal,
  run,
  write,
} from '../support/format-runs.ts'

const test = suite('formats of a run')
test('the registry and the help name the same formats', () => {
  assert.equal(
    LOG_FORMATS.map(({ name }) => name),
    [...FORMAT_NAMES],
  )
})

test('a small log that nobody understands does not get lost among large ones', async () => {
  const good = write('2024-02-29\t23:59:59\t192.0.2.1\tagent\t/asset\t206\t0-9\n'.repeat(500))
  const unknown = write('{"when":1,"who":"192.0.2.7"}\n')
  const share = { kind: 'share', share: 0.01 } as const
  for (const inputs of [
    [good, unknown],
    [unknown, good],
  ])
    assert.match(
      await refusal(run(inputs, {}, { maxRejects: share })),
      /^REJECTED .*: expected a log of a known format, found no line of one; nothing was written/,
    )
  const allowed = await run([good, unknown], {}, { maxRejects: { kind: 'count', count: 1 } })
  assert.equal([allowed.kept, allowed.rejected['BAD_FIELDS']], [500, 1])
  // Of a format that is known, a few lines may be broken, and in a small log that is all of them.
  const broken = write(`${FIELDS}\n2024\n`)
  assert.is((await run([good, broken], {}, { maxRejects: share })).kept, 500)
})

test('an archive within an archive, and one that is not read, are no logs', async () => {
  const log = gzipSync('2024-02-29\t23:59:59\t192.0.2.1\tagent\t/asset\t206\t0-9\n')
  const archives = {
    gzip: gzipSync(log),
    xz: Buffer.from('fd377a585a000004e6d6b446', 'hex'),
    bzip2: Buffer.from('BZh91AY&SY'),
    zip: Buffer.from('PK\x03\x04', 'latin1'),
    Parquet: Buffer.from('PAR1\x15\x04', 'latin1'),
  }
  for (const [name, bytes] of Object.entries(archives)) {
    const message = await refusal(run([write(bytes)], {}))
    assert.match(message, new RegExp(`^DAMAGED .*in one layer of gzip or zstd; found ${name};`), name)
  }
})

test('the format is found by header and first lines, and told', async () => {
  const told: string[] = []
  const cases: [string, string][] = [
    [`#Version: 1.0\n${FIELDS}\n${line()}`, 'cloudfront'],
    ['#Fields: date time c-ip sc-status cs-uri-stem cs(User-Agent) sc-bytes\n', 'w3c'],
    [json(AKAMAI), 'akamai'],
    ['# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n', 'delivery'],
    ['2024-02-29\t23:59:59\t192.0.2.1\tagent\t/asset\t206\t0-9\n', 'delivery'],
  ]
  for (const [text, format] of cases) {
    const report = await run([write(text)], {}, { onFormat: (decision) => told.push(decision.format) })
    assert.equal(report.formats, [format])
  }
  assert.equal(
    told,
    cases.map(([, format]) => format),
  )
  const guesses: boolean[] = []
  await run([write('what is this\n')], {}, { onFormat: ({ isGuess }) => guesses.push(isGuess) })
  assert.equal(guesses, [true])
})

test('lines that may be of two formats are an error that names both', async () => {
  const combined = '192.0.2.1 - - [17/May/2024:12:48:31 +0200] "GET /a HTTP/1.1" 200 10 "-" "curl/8"\n'
  assert.match(
    await refusal(run([write(combined)])),
    /^USAGE .*nginx or apache; say which, like --format nginx/,
  )
  assert.match(
    await refusal(run([write(combined)], { format: 'apache' })),
    /^USAGE .*expected fields that tell how much was sent, like %O, .*or give --trust-requested/,
  )
  assert.is((await run([write(combined)], { format: 'apache', trustRequested: true })).kept, 1)
  assert.is((await run([write(combined)], { format: 'nginx' })).rows, 10)
})

test('a log of one server is known by its other lines when one may be of another, and so when it has grown', async () => {
  const combined = '192.0.2.1 - - [17/May/2024:12:48:31 +0200] "GET /a HTTP/1.1" 200 10 "-" "curl/8"'
  const nginx = `${combined} 1715947200.5 "bytes=0-9" "bytes 0-9/10" "10" "OK"`
  const apache = `${combined} "bytes=0-9" "bytes 0-9/10" "10" 10 400 +`
  const text = (...lines: readonly string[]): string => lines.map((one) => `${one}\n`).join('')
  for (const [lines, format] of [
    [[nginx, combined], 'nginx'],
    [[combined, nginx], 'nginx'],
    [[nginx, nginx, ...Array<string>(40).fill(combined)], undefined],
    [[nginx, nginx, nginx, ...Array<string>(40).fill(combined)], 'nginx'],
    [[apache, combined], 'apache'],
  ] as const) {
    const found = async () => (await run([write(text(...lines))])).formats.join()
    if (format === undefined) assert.match(await refusal(found()), /nginx or apache/)
    else assert.is(await found(), format, lines.join(' | '))
  }
  assert.match(await refusal(run([write(text(nginx, apache, combined))])), /nginx or apache/)
  const log = write(text(nginx, nginx))
  const store = join(folder, `store-${randomUUID()}`)
  const take = (count: number) =>
    processIntoStore({ inputs: [log], store, threads: 1, maxRejects: { kind: 'count', count } })
  assert.is((await take(0)).kept, 2)
  appendFileSync(log, text(combined))
  assert.match(await refusal(take(0)), /^REJECTED /, 'a line of another format is none of this log')
  const grown = await take(1)
  assert.equal([grown.formats, grown.kept, grown.rejected], [['nginx'], 0, { BAD_FIELDS: 1 }])
})

test('a log format in which a client can forge fields is refused, also where the format is found out', async () => {
  const logFormat =
    '$remote_addr [$time_local] "$request" $status $http_user_agent $body_bytes_sent "$request_completion"'
  const input = write('192.0.2.1 [17/May/2024:12:48:31 +0200] "GET /a HTTP/1.1" 200 VLC 99999 10 "OK"\n')
  for (const format of ['nginx', undefined]) {
    assert.match(
      await refusal(run([input], { format, logFormat })),
      /^USAGE .*--log-format: expected \$http_user_agent in double quotes, found it without/,
    )
  }
})

test('each input has its own format, also when it is compressed', async () => {
  const inputs = [write(gzipSync(json(AKAMAI)), 'gz'), write(`${FIELDS}\n${line()}`)]
  const report = await run(inputs)
  assert.equal(report.formats, ['akamai', 'cloudfront'])
  assert.is(report.kept, 2)
})

test('a header that misses what a proof needs is refused in words', async () => {
  const without = (name: string): string => `${FIELDS.replace(` ${name}`, '')}\n`
  for (const [name, words] of [
    ['c-ip', "client's address"],
    ['sc-status', 'the status'],
    ['cs-uri-stem', 'the path'],
    ['cs(User-Agent)', 'the user agent'],
    ['time', 'a time of day'],
    ['sc-range-end', 'both ends'],
  ]) {
    assert.match(
      await refusal(run([write(without(name ?? ''))])),
      new RegExp(`^USAGE .*cloudfront.*${words}`),
    )
  }
  const noRange = '#Fields: date time c-ip sc-status cs-uri-stem cs(User-Agent)\n'
  assert.match(await refusal(run([write(noRange)])), /a byte range or a number of bytes/)
  assert.match(await refusal(run([write(`${FIELDS} c-ip\n`)])), /"c-ip" twice/)
})

test('another header in mid-file is refused with its line; the same one again is a comment', async () => {
  const again = await run([
    write(`${FIELDS}\n${line()}#Version: 1.0\n${FIELDS.replaceAll(' ', '\t')}\n${line()}`),
  ])
  assert.equal([again.kept, again.comments], [2, 3])
  const other = FIELDS.replace('date time', 'time date')
  assert.match(
    await refusal(run([write(`${FIELDS}\n${line()}${other}\n${line()}`)])),
    /^DAMAGED .*another with other columns in line 3; split the log/,
  )
})

test('fields missing or added, line ends and marks: counted, never guessed', async () => {
  const text = [
    `\ufeff${FIELDS}\r\n`,
    line().replace('\n', '\r\n'),
    line().replace('\n', '\t\n'),
    line().replace('\n', '\t-\n'),
    line().replace('192.0.2.1\t', ''),
    line({ 'sc-range-start': '9', 'sc-range-end': '3' }),
    line({ 'sc-range-end': '9007199254740992' }),
    line({ 'cs(User-Agent)': 'a%FF' }),
    line({ 'cs(User-Agent)': 'a%00' }),
    line({ 'c-ip': 'a\0' }),
    line({ 'cs-uri-stem': 'x'.repeat(66_000) }),
    `${'#'.repeat(70_000)}\n`,
    '\n',
    line({ 'sc-status': '000' }),
    line({ 'sc-range-start': '-', 'sc-range-end': '-' }),
    line({ 'cs-method': 'HEAD' }),
  ].join('')
  const report = await run([write(text)])
  assert.equal([report.lines, report.comments, report.blank, report.kept], [16, 2, 1, 2])
  assert.equal(report.skipped, { status: 1, method: 1, unproven: 1, inner: 0, duplicate: 0 })
  assert.equal(report.rejected, { LONG_LINE: 1, NUL_BYTE: 2, BAD_FIELDS: 2, BAD_RANGE: 2, BAD_UTF8: 1 })
})

test('JSON that is not one flat truth is rejected', async () => {
  const good = JSON.stringify(AKAMAI)
  const lines = [
    good,
    `${good}x`,
    `${good}${good}`,
    good.replace('"cliIP"', '"cliIP":"192.0.2.9","cliIP"'),
    good.replace('"192.0.2.1"', '["192.0.2.1"]'),
    good.replace('"192.0.2.1"', '{"a":1}'),
    good.replace('"0-9"', '01'),
    good.replace('{', `{"deep":${'['.repeat(100)}${']'.repeat(100)},`),
    good.replace('curl', 'cu\\qrl'),
    good.replace('curl', 'cu\\u00zzrl'),
    good.replace('curl', 'cu\\ud800rl'),
    good.replace('curl', 'cu\\u0000rl'),
    good.replace('"0-9"', 'nul'),
    '[]',
    '{}',
  ]
  const report = await run([write(`${lines.join('\n')}\n`)], { format: 'akamai' })
  assert.is(report.kept, 1)
  assert.equal(report.rejected, { NUL_BYTE: 1, BAD_FIELDS: 11, BAD_STATUS: 1, BAD_UTF8: 1 })
})

test('akamai: what was asked for is not what was sent, and HTTP/2 adds to what was', async () => {
  const rows = async (changed: object): Promise<number> => {
    const large = {
      ...AKAMAI,
      range: '0-99999',
      objSize: '200000',
      bytes: undefined,
      overheadBytes: undefined,
    }
    return (await run([write(json({ ...large, ...changed }))])).rows
  }
  assert.is(await rows({}), 0, 'no count at all')
  assert.is(await rows({ bytes: '-' }), 0)
  assert.is(await rows({ bytes: '100900', overheadBytes: '900' }), 100_000)
  assert.is(await rows({ bytes: '100899', overheadBytes: '900' }), 99_999)
  assert.is(await rows({ bytes: '100000', overheadBytes: '900' }), 99_100)
  assert.is(await rows({ bytes: '100', overheadBytes: '900' }), 0)
  // Frames are never for nothing: a 0 does not tell them.
  for (const untold of [{}, { overheadBytes: '0' }, { proto: 'HTTP/2' }, { proto: 'HTTPS' }]) {
    assert.is(await rows({ bytes: '100000', ...untold }), 100_000 - 12_500 - 2048)
  }
  assert.is(await rows({ bytes: '100000', proto: 'HTTP/1.1' }), 100_000)
  assert.is(await rows({ totalBytes: '100000' }), 100_000 - 12_500 - 2048)
  assert.is(await rows({ totalBytes: '100000', overheadBytes: '900' }), 100_000 - 900 - 2048)
  assert.is(await rows({ totalBytes: '0' }), 0)
  const whole = { statusCode: '200', range: undefined, objSize: undefined }
  assert.is(await rows({ ...whole, bytes: '5000', overheadBytes: '900' }), 4100)
  assert.is(await rows({ ...whole, bytes: '5000' }), 5000 - 625 - 2048)
})

test('akamai: what its servers asked of each other went to nobody', async () => {
  const values = ['1', '2', 1, 2, true, '0', 0, false, '-', null]
  const report = await run([write(values.map((isMidgress) => json({ ...AKAMAI, isMidgress })).join(''))])
  assert.equal([report.skipped['inner'], report.kept], [5, 5])
})

test('cloudflare: what a Worker asked for went to nobody', async () => {
  const request = {
    ClientIP: '192.0.2.1',
    ClientRequestMethod: 'GET',
    ClientRequestURI: '/a',
    ClientRequestUserAgent: 'curl/8',
    EdgeResponseBodyBytes: 10,
    EdgeResponseStatus: 200,
    EdgeStartTimestamp: '2024-05-17T12:00:00Z',
  }
  const sources = ['edgeWorkerFetch', 'unknown', 'eyeballs', 'eyeball', '', null]
  const lines = [
    ...[true, 'true', false, null].map((WorkerSubrequest) => json({ ...request, WorkerSubrequest })),
    ...sources.map((ClientRequestSource) => json({ ...request, ClientRequestSource })),
    json({ ...request, WorkerSubrequest: true, ClientRequestSource: 'eyeball' }),
  ]
  const report = await run([write(lines.join(''))])
  assert.equal([report.skipped['inner'], report.kept], [6, 5])
})

test('keys that differ in a byte stay apart', async () => {
  const agents = ['a', 'a ', 'A', '\u00e9', 'e\u0301', '%41', '%2541']
  const text = agents.map((UA) => json({ ...AKAMAI, UA })).join('')
  const report = await run([write(text)])
  assert.equal(new Set(keysOf(report)).size, agents.length - 1, '%41 is A; nothing else is the same')
})

test('the asset is what was asked for', async () => {
  const input = write(`${FIELDS}\n${line({ 'cs-uri-query': 'x=1' })}${line({ 'x-host-header': '-' })}`)
  const assets = async (asset: FormatRequest['asset']): Promise<string[]> =>
    keysOf(await run([input], { asset })).map((key) => key.split(' ')[0] ?? '')
  assert.equal(await assets('path'), ['/a', '/a'])
  assert.equal(await assets('path+query'), ['/a', '/a?x=1'])
  assert.equal(await assets('host+path'), ['h.example/a'])
  assert.equal(await assets('url'), ['https://h.example/a?x=1'])
  const delivery = write('2024-02-29\t23:59:59\t192.0.2.1\tagent\t/asset\t206\t0-9\n')
  assert.match(await refusal(run([delivery], { asset: 'url' })), /^USAGE .*--asset url; found a delivery log/)
  assert.match(await refusal(run([write(json(AKAMAI))], { asset: 'url' })), /the scheme, for --asset url/)
})

test('the client is the address of the connection, or the first that was forwarded', async () => {
  const forwarded = '198.51.100.7,%20192.0.2.99'
  const input = write(`${FIELDS}\n${line({ 'x-forwarded-for': forwarded })}${line()}`)
  const addresses = async (client: FormatRequest['client']): Promise<string[]> =>
    keysOf(await run([input], { client })).map((key) => key.split(' | ')[1] ?? '')
  assert.equal(await addresses('c-ip'), ['192.0.2.1', '192.0.2.1'])
  assert.equal(await addresses('x-forwarded-for'), ['192.0.2.1', '198.51.100.7'])
})

test('a user agent that was encoded twice is found in either spelling, and only where it was decoded', async () => {
  const log = (agent: string): string => write(`${FIELDS}\n${line({ 'cs(User-Agent)': agent })}`)
  const twice = await run([log('Pod%2520Player%2520(%25C3%25A9)')])
  for (const agent of ['Pod Player (\u00e9)', 'Pod%20Player%20(%C3%A9)', 'Pod%2520Player%2520(%25C3%25A9)']) {
    assert.is(ask([twice], agent).delivered, true, agent)
  }
  const once = await run([log('Pod%20Player')])
  assert.is(ask([once], 'Pod Player').delivered, true)
  assert.is(ask([once], 'Pod%20Player').delivered, true)
  assert.is(ask([once], 'Pod+Player').delivered, false)
  const plain = await run([write('2024-05-17\t12:00:00\t192.0.2.1\tPod%20Player\t/a\t206\t0-9\n')])
  assert.is(ask([plain], 'Pod Player').delivered, false)
  assert.is(ask([plain], 'Pod%20Player').delivered, true)
  assert.is(ask([plain, once], 'Pod Player').requests, 1)
  const mixed = await run([
    log('Pod%2520Player'),
    write('2024-05-17\t12:00:00\t192.0.2.1\tx\t/a\t206\t0-9\n'),
  ])
  assert.is(
    ask([mixed], 'Pod Player').delivered,
    false,
    'where other formats are mixed in, only the text counts',
  )
  assert.is(ask([mixed], 'Pod%20Player').delivered, true)
})

test('members that the first line lacks count all the same', async () => {
  const first = {
    'x-edge-location': 'X',
    date: '2024-05-17',
    time: '12:00:00',
    'c-ip': '192.0.2.1',
    'sc-status': '304',
  }
  const second = {
    ...first,
    'sc-status': '206',
    'cs-uri-stem': '/a',
    'sc-range-start': '0',
    'sc-range-end': '9',
  }
  const report = await run([write(json(first) + json(second))])
  assert.equal([report.formats, report.kept, report.skipped['status']], [['cloudfront'], 1, 1])
})

test('other readers see no more and no less for the section of lengths', async () => {
  const report = await run([join(FORMATS, 'akamai.log')])
  const [file] = report.files
  assert.ok(file)
  assert.equal(await queryDuckdb(`SELECT count(*)::VARCHAR FROM '${file.path}'`), [[String(report.rows)]])
})

test('in a store each day keeps the lengths that it told', async () => {
  const store = join(folder, `store-${randomUUID()}`)
  const text = json({ ...AKAMAI, objSize: '20' }) + json({ ...AKAMAI, reqTimeSec: '1716000000' })
  const { files, formats } = await processIntoStore({
    inputs: [write(text)],
    store,
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
  })
  assert.equal([files.length, formats], [2, ['akamai']])
  const told = files.map(({ path }) => {
    const source = openStore([path])
    const lengths = source.toldOf('/a').loggedLengths.map(({ bytes }) => bytes)
    source.close()
    return lengths
  })
  assert.equal(told, [[20], [10]])
  const other = json({ ...AKAMAI, objSize: '30' })
  await processIntoStore({
    inputs: [write(other)],
    store,
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
  })
  const ndjson = write(json({ ...AKAMAI, UA: 'Pod%2520Player' }))
  await processIntoStore({ inputs: [ndjson], store, threads: 1, maxRejects: { kind: 'count', count: 0 } })
  await processIntoStore({
    inputs: [write('2024-05-17\t12:00:00\t192.0.2.1\tPod%20Player\t/b\t206\t0-9\n')],
    store,
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
  })
  const { compacted } = await compactStore({ store })
  assert.equal(
    compacted.map(({ date, filesBefore }) => [date, filesBefore]),
    [['2024-05-17', 3]],
  )
  const source = openStore(await committedFiles(store))
  assert.equal(
    source.toldOf('/a').loggedLengths.map(({ bytes, requests }) => [bytes, requests]),
    [
      [10, 2],
      [20, 1],
      [30, 1],
    ],
  )
  const find = (asset: string) =>
    source.findEvidence({ asset, ip: '192.0.2.1', userAgent: 'Pod Player' }, { start: 0, end: 10 }).runs
      .length
  assert.equal([find('/a'), find('/b')], [1, 0], 'decoded files and others stay apart')
  source.close()
  const again = await processIntoStore({
    inputs: [write(text)],
    store,
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
  })
  assert.equal([again.store.inputs.map(({ status }) => status), again.lines], [['known'], 0])
})

test.run()
