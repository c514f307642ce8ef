/** How long an asset is of which no log tells it: never as short as the last byte of a transfer that was cut off. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import { answerListeners } from '#src/delivery/answer-listeners.js'
import { answerMany } from '#src/delivery/answer-many.js'
import { parseIpSelector, parseUserAgentSelector } from '#src/delivery/listener-selector.js'
import { parseQuery } from '#src/delivery/question.js'
import { completionPass } from '#src/delivery/report-completion.js'
import { type DeliveryStore, openStore } from '#src/delivery/store.js'
import { compactStore } from '#src/engine/compact-store.js'
import { forgetIp } from '#src/engine/forget-ip.js'
import { AUTOMATIC } from '#src/engine/input-format.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { answerNotes } from '#src/interface/render-answer.js'
import { ASKED_FIELDS, type AskedLine, lengthByLines, makeAskedLines } from '../support/asked-lines.ts'
import { askOracle } from '../support/byte-oracle.ts'
import { queryDuckdb } from '../support/foreign-readers.ts'
import { ask, FIELDS, folder, json, line, run, write } from '../support/format-runs.ts'

import { reportOf } from '../support/report-rows.ts'

const test = suite('lengths that no log tells')

const WINDOW = { since: undefined, until: undefined }
const FORMAT = { ...AUTOMATIC, format: 'json', fields: ASKED_FIELDS }

/** One request as `json` has it. */
const request = (members: object): string =>
  json({ t: '1715947200', ip: '192.0.2.1', ua: 'curl/8', p: '/a', m: 'GET', ...members })

/** The answer about the whole, after these requests. */
async function askAfter(...requests: readonly object[]) {
  const report = await run([write(requests.map(request).join(''))], FORMAT)
  return ask([report], 'curl/8')
}

test('a transfer that was cut off does not make the asset shorter', async () => {
  const answer = await askAfter({ s: '206', r: 'bytes=0-999', b: '500', ok: 'false' })
  assert.equal(
    [answer.verdict, answer.delivered, answer.range, answer.missing, answer.length],
    ['partial', false, [0, 999], [[500, 999]], { bytes: 1000, from: 'observed', sentBytes: 500 }],
  )
  assert.is(answer.lengths, undefined, 'nothing is in conflict')
})

/** Requests, and the length and verdict that follow. */
type AskedCase = readonly [requests: readonly object[], length: object | null, verdict: string]

async function checkCases(cases: readonly AskedCase[]): Promise<void> {
  for (const [requests, length, verdict] of cases) {
    const answer = await askAfter(...requests)
    assert.equal([answer.length, answer.verdict], [length, verdict], JSON.stringify(requests))
  }
}

test('whatever a request asks for, what was not sent of it counts', async () => {
  const cases: readonly AskedCase[] = [
    [
      [{ s: '206', cr: 'bytes 0-999/*', b: '500', ok: 'false' }],
      { bytes: 1000, from: 'observed', sentBytes: 500 },
      'partial',
    ],
    [
      [{ s: '206', cr: 'bytes 0-999/2000', b: '500', ok: 'false' }],
      { bytes: 2000, from: 'logged' },
      'partial',
    ],
    [[{ s: '200', b: '500', ok: 'false' }], { bytes: 501, from: 'observed', sentBytes: 500 }, 'partial'],
    [[{ s: '200', b: '500', ok: 'false', cl: '900' }], { bytes: 900, from: 'logged' }, 'partial'],
    [[{ s: '200', b: '500', ok: 'true' }], { bytes: 500, from: 'observed' }, 'complete'],
    [[{ s: '206', r: 'bytes=0-499', b: '500', ok: 'true' }], { bytes: 500, from: 'observed' }, 'complete'],
    // It is not known where these end, but that they were answered.
    [
      [
        { s: '206', r: 'bytes=0-499', b: '500', ok: 'true' },
        { s: '206', r: 'bytes=5000-', ok: 'false' },
      ],
      { bytes: 5001, from: 'observed', sentBytes: 500 },
      'partial',
    ],
    [
      [
        { s: '206', r: 'bytes=0-499', b: '500', ok: 'true' },
        { s: '206', r: 'bytes=-700', b: '600', ok: 'false' },
      ],
      { bytes: 700, from: 'observed', sentBytes: 500 },
      'partial',
    ],
  ]
  await checkCases(cases)
})

test('what a response says of its size is believed before what was asked of it', async () => {
  const part = { s: '206', r: 'bytes=0-99', b: '100', ok: 'true' }
  const cases: readonly AskedCase[] = [
    [
      [part, { s: '206', r: 'bytes=100-', b: '0', cl: '9000', ok: 'false' }],
      { bytes: 9100, from: 'observed', sentBytes: 100 },
      'partial',
    ],
    [
      [part, { s: '206', r: 'bytes=-5000', b: '60', cl: '5000', ok: 'false' }],
      { bytes: 5000, from: 'observed', sentBytes: 100 },
      'partial',
    ],
    [
      [part, { s: '206', r: 'bytes=0-', b: '100', ok: 'false' }],
      { bytes: 101, from: 'observed', sentBytes: 100 },
      'partial',
    ],
    [
      [part, { s: '206', r: 'bytes=0-99,5000-5099', b: '300', cl: '300', ok: 'true' }],
      { bytes: 5100, from: 'observed', sentBytes: 100 },
      'partial',
    ],
    [
      [part, { s: '206', b: '60', cl: '300', ok: 'false' }],
      { bytes: 300, from: 'observed', sentBytes: 100 },
      'partial',
    ],
    // It ends where the response does, whatever was asked for.
    ...[{ cl: '300' }, { b: '300', ok: 'true' }].map(
      (size) =>
        [
          [
            { s: '206', r: 'bytes=0-299', b: '300', ok: 'true' },
            { s: '206', r: 'bytes=0-9007199254740989', b: '300', ok: 'false', ...size },
          ],
          { bytes: 300, from: 'observed' },
          'complete',
        ] as const,
    ),
    // A response beyond the length that a log tells.
    ...[
      { cr: 'bytes 0-999/*', cl: '1000' },
      { r: 'bytes=0-', cl: '1000' },
      { r: 'bytes=400-', b: '600' },
      { r: 'bytes=-1000', cl: '1000' },
    ].map(
      (response) =>
        [
          [
            { s: '206', cr: 'bytes 0-99/*', b: '100', ok: 'true' },
            { s: '200', m: 'HEAD', cl: '100' },
            { s: '206', b: '50', ok: 'false', ...response },
          ],
          { bytes: 1000 + Number('b' in response && response.b === '600'), from: 'observed', sentBytes: 100 },
          'partial',
        ] as const,
    ),
    // What was only asked for is no more than the log tells.
    [
      [
        { s: '206', cr: 'bytes 0-99/*', b: '100', ok: 'true' },
        { s: '200', m: 'HEAD', cl: '100' },
        { s: '206', r: 'bytes=0-999', b: '50', ok: 'false' },
      ],
      { bytes: 100, from: 'logged' },
      'complete',
    ],
    // Of the second nothing was sent: no row, but a doubt.
    [
      [
        { s: '200', b: '500', ok: 'true' },
        { s: '206', r: 'bytes=0-999', b: '0', ok: 'false', t: '1715847200' },
      ],
      { bytes: 1000, from: 'observed', sentBytes: 500 },
      'partial',
    ],
    // Others got it all.
    [
      [
        { s: '206', r: 'bytes=0-999', b: '500', ok: 'false' },
        { s: '206', r: 'bytes=0-999', b: '1000', ok: 'true' },
      ],
      { bytes: 1000, from: 'observed' },
      'complete',
    ],
  ]
  await checkCases(cases)
})

test('lines that are skipped tell the length all the same', async () => {
  const cut = { s: '206', r: 'bytes=0-999', b: '500', ok: 'false' }
  const cases: readonly object[] = [
    { s: '416', r: 'bytes=9999-', cr: 'bytes */500' },
    { s: '200', m: 'HEAD', cl: '500' },
    { s: '206', m: 'HEAD', cr: 'bytes 0-9/500' },
    { s: '206', cr: 'bytes 0-9/500', b: '0', ok: 'false' },
    { s: '416', cr: 'bytes */500', t: '1711111111' },
    { s: '416', cr: 'bytes */500', m: 'HEAD' },
    { s: '000', size: '500' },
    { s: '304', size: '500', m: 'HEAD' },
    { s: '499', size: '500' },
  ]
  const format = { ...FORMAT, fields: `${ASKED_FIELDS},length=size` }
  for (const skipped of cases) {
    const report = await run([write(request(cut) + request(skipped))], format)
    assert.equal([report.kept, report.lines], [1, 2])
    const answer = ask([report], 'curl/8')
    assert.equal(
      [answer.length, answer.delivered],
      [{ bytes: 500, from: 'logged' }, true],
      JSON.stringify(skipped),
    )
  }
  for (const silent of [
    { s: '416', r: 'bytes=9999-', cr: 'bytes */0' },
    { s: '416', m: 'PUT', cr: 'bytes */500' },
    { s: '404', cr: 'bytes */500' },
    { s: '404', m: 'HEAD', cl: '500' },
    { s: '404', size: '500' },
    { s: '304', cl: '500' },
    { s: '499', size: '500', m: 'POST' },
    { s: '200', m: 'POST', cl: '500' },
    { s: '416', cr: 'bytes */500', p: '/b' },
    { s: '416', cr: 'bytes */500', t: 'x' },
  ]) {
    const report = await run([write(request(cut) + request(silent))], format)
    assert.is(ask([report], 'curl/8').length?.from, 'observed', JSON.stringify(silent))
  }
})

test('CloudFront: an aborted range does not end the asset', async () => {
  const lengths = FIELDS.replace('x-forwarded-for', 'sc-bytes')
  const aborted = line({ 'x-edge-result-type': 'Error', 'sc-range-end': '9999', 'x-forwarded-for': '3000' })
  const answer = ask([await run([write(`${lengths}\n${aborted}`)])], 'curl/8')
  assert.equal([answer.verdict, answer.length?.bytes], ['partial', 10_000])
})

test('people are told what is in doubt and what to do', async () => {
  const report = await run([write(request({ s: '206', r: 'bytes=0-999', b: '500', ok: 'false' }))], FORMAT)
  const store = openStore(report.files.map(({ path }) => path))
  const asked = (length?: number) => {
    const question = {
      asset: '/a',
      ip: '192.0.2.1',
      userAgent: 'curl/8',
      whole: true,
      length: length?.toString(),
    }
    const query = parseQuery(question, WINDOW)
    const { answer, facts } = askSource(store, query)
    return { answer, notes: answerNotes(answer, query, facts).join('\n') }
  }
  assert.match(
    asked().notes,
    /bytes up to 999, of which none beyond byte 499 .* give its length with --length N/,
  )
  assert.equal([asked(500).answer.delivered, asked(500).notes], [true, ''])
  store.close()
})

/** The report of completion has the same lengths. */
function checkReport(source: DeliveryStore, lines: readonly AskedLine[], what: string): void {
  const window = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }
  const { rows } = reportOf(completionPass({ asset: undefined, window, givenLength: undefined }), source)
  assert.ok(rows.length > 0)
  for (const [asset, bytes, from] of rows) {
    const { sentBytes: _, ...length } = lengthByLines(lines, String(asset)) ?? {}
    assert.equal({ bytes, from }, length, `${what}: ${asset} reported`)
  }
}

/** Answers about all assets and listeners, each in every way there is, against what the lines prove. */
async function checkStore(
  store: string,
  tellers: readonly AskedLine[],
  senders: readonly AskedLine[],
  what: string,
) {
  const lines = tellers.map((each): AskedLine => {
    const { run: _, ...unsent } = each
    return senders.includes(each) ? each : unsent
  })
  const source = openStore(await committedFiles(store))
  const assets = [...new Set(lines.map(({ asset }) => asset))].sort()
  const queries = assets.flatMap((asset) =>
    [0, 1, 2, 3].map((i) =>
      parseQuery({ asset, ip: `192.0.2.${i}`, userAgent: 'curl/8', whole: true }, WINDOW),
    ),
  )
  const many = await answerMany(source, queries)
  let doubtCount = 0
  queries.forEach((query, i) => {
    const { asset, ip } = query.key
    const message = `${what}: ${asset} ${ip}`
    const length = lengthByLines(lines, asset)
    const { answer } = askSource(source, query)
    assert.equal(answer.length, length, message)
    assert.equal(many[i], answer, `${message}, in one pass`)
    const [found] = [
      ...answerListeners(source, {
        asset,
        ips: [parseIpSelector(`${ip}/32`)],
        userAgents: [parseUserAgentSelector('curl/*')],
        target: query.target,
        window: query.window,
      }),
    ]
    if (found !== undefined) assert.equal(found.answer, answer, `${message}, selected`)
    if (answer.length === null) return
    const requests = lines.flatMap((each) =>
      each.run === undefined || each.asset !== asset || each.ip !== ip
        ? []
        : [{ first: each.run[0], last: each.run[1], epochSeconds: each.epochSeconds }],
    )
    const oracle = askOracle({ first: 0, last: answer.length.bytes - 1 }, requests)
    assert.equal([answer.covered, answer.missing], [oracle.covered, oracle.missing], message)
    assert.is(answer.delivered, oracle.missing.length === 0, message)
    if (answer.length.sentBytes === undefined) return
    doubtCount++
    assert.is(answer.delivered, false, message)
  })
  checkReport(source, lines, what)
  source.close()
  return doubtCount
}

test('in a store, compacted or not, and after one is forgotten, all ways to ask agree with what the lines prove', async () => {
  let doubtCount = 0
  for (let seed = 1; seed <= 10; seed++) {
    const lines = makeAskedLines(seed, 60)
    const store = join(folder, `asked-${randomUUID()}`)
    for (let from = 0; from < lines.length; from += 20) {
      const text = lines.slice(from, from + 20).map((each) => each.text)
      await processIntoStore({
        inputs: [write(text.join(''))],
        store,
        threads: 1,
        shardByteLength: 700,
        formatRequest: FORMAT,
        maxRejects: { kind: 'count', count: 0 },
      })
    }
    doubtCount += await checkStore(store, lines, lines, `seed ${seed}`)
    await compactStore({ store })
    doubtCount += await checkStore(store, lines, lines, `seed ${seed}, compacted`)
    await forgetIp({ store, ip: '192.0.2.3' })
    await checkStore(
      store,
      lines,
      lines.filter(({ ip }) => ip !== '192.0.2.3'),
      `seed ${seed}, one forgotten`,
    )
  }
  assert.ok(doubtCount > 50, `${doubtCount} answers in doubt`)
})

test('what is told of a length outlives the only listener of a day, in a file that others read as empty', async () => {
  const store = join(folder, `asked-${randomUUID()}`)
  const cut = { s: '206', r: 'bytes=0-999', b: '500', ok: 'false', ip: '192.0.2.9' }
  const part = { s: '206', r: 'bytes=0-499', b: '500', ok: 'true' }
  const texts = [request(cut), request({ ...part, t: '1716033600' })]
  for (const text of texts)
    await processIntoStore({
      inputs: [write(text)],
      store,
      threads: 1,
      formatRequest: FORMAT,
      maxRejects: { kind: 'count', count: 0 },
    })
  assert.is((await forgetIp({ store, ip: '192.0.2.9' })).requests, 1)
  await compactStore({ store })
  const files = await committedFiles(store)
  const source = openStore(files)
  const question = { asset: '/a', ip: '192.0.2.1', userAgent: 'curl/8', whole: true }
  const { answer } = askSource(source, parseQuery(question, WINDOW))
  assert.equal([answer.verdict, answer.missing], ['partial', [[500, 999]]])
  source.close()
  assert.equal(await queryDuckdb(`SELECT count(*)::VARCHAR FROM '${store}/date=*/*.parquet'`), [['500']])
  assert.equal(await queryDuckdb(`SELECT count(*)::VARCHAR FROM '${[...files].sort()[0]}'`), [['0']])
})

test('lengths of a run that keeps no request are stored, whatever runs they came with', async () => {
  const store = join(folder, `asked-${randomUUID()}`)
  const whole = { s: '206', r: 'bytes=0-99', b: '100', ok: 'true' }
  const head = { s: '200', m: 'HEAD', cl: '7000', b: '0', ok: 'true' }
  const answers: unknown[] = []
  for (const text of [request(whole), request(head), request({ ...head, t: '1716033600', cl: '7000' })]) {
    const report = await processIntoStore({
      inputs: [write(text)],
      store,
      threads: 1,
      formatRequest: FORMAT,
      maxRejects: { kind: 'count', count: 0 },
    })
    const source = openStore(await committedFiles(store))
    const question = { asset: '/a', ip: '192.0.2.1', userAgent: 'curl/8', whole: true }
    const { answer } = askSource(source, parseQuery(question, WINDOW))
    answers.push([report.kept, answer.verdict, answer.length])
    source.close()
  }
  const logged = { bytes: 7000, from: 'logged' }
  assert.equal(answers, [
    [1, 'complete', { bytes: 100, from: 'observed' }],
    [0, 'partial', logged],
    [0, 'partial', logged],
  ])
  assert.equal(await queryDuckdb(`SELECT count(*)::VARCHAR FROM '${store}/date=*/*.parquet'`), [['100']])
  await compactStore({ store })
  const compacted = openStore(await committedFiles(store))
  assert.equal(
    compacted.toldOf('/a').loggedLengths.map(({ bytes }) => bytes),
    [7000],
  )
  compacted.close()
})

test.run()
