/** What formats tell beside ranges, and what a run makes of it: lengths, repeated lines, limits, trust. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AKAMAI,
  ask,
  FIELDS,
  FORMATS,
  json,
  line,
  outputOf,
  refusal,
  run,
  write,
} from '../support/format-runs.ts'
import { runBuilt } from '../support/run-built.ts'

const test = suite('what formats tell')

test('the length that a log tells answers for the whole, and disagreement is reported', async () => {
  const one = await run([write(json({ ...AKAMAI, objSize: '20' }))])
  const answer = ask([one], 'curl/8')
  assert.equal([answer.length, answer.verdict], [{ bytes: 20, from: 'logged' }, 'partial'])
  assert.is(answer.lengths, undefined)
  const later = { ...AKAMAI, reqTimeSec: '1715990000' }
  const two = await run([write(json(later) + json({ ...AKAMAI, objSize: '20' }) + json(AKAMAI))])
  const told = ask([one, two], 'curl/8')
  assert.equal(told.length, { bytes: 20, from: 'logged' })
  assert.equal(told.lengths, [
    { bytes: 20, requests: 2, firstAt: '2024-05-17T12:00:00Z', lastAt: '2024-05-17T12:00:00Z' },
    { bytes: 10, requests: 2, firstAt: '2024-05-17T12:00:00Z', lastAt: '2024-05-17T23:53:20Z' },
  ])
  const delivery = await run([write('2024-05-17\t12:00:00\t192.0.2.1\tcurl/8\t/a\t206\t0-29\n')])
  const beyond = ask([one, delivery], 'curl/8')
  assert.equal([beyond.length, beyond.lengths?.length], [{ bytes: 30, from: 'observed' }, 1])
})

test('a response of more bytes than its range is another one, and proves nothing', async () => {
  const part = (range: string, contentLength: string, contentRange?: string): string =>
    json({
      EdgeStartTimestamp: '2024-05-17T12:00:00Z',
      ClientIP: '192.0.2.1',
      ClientRequestURI: '/a',
      ClientRequestMethod: 'GET',
      ClientRequestUserAgent: 'curl/8',
      EdgeResponseStatus: 206,
      EdgeResponseBodyBytes: Number(contentLength),
      RequestHeaders: { range },
      ResponseHeaders: { 'content-length': contentLength, 'content-range': contentRange },
    })
  const unproven = async (...args: Parameters<typeof part>): Promise<number> =>
    (await run([write(part(...args))], { format: 'cloudflare' })).skipped.unproven
  assert.is(await unproven('bytes=0-9', '10'), 0)
  assert.is(await unproven('bytes=0-9', '500'), 1)
  assert.is(await unproven('bytes=0-9', '500', 'bytes 0-9/*'), 1)
  // The end of an asset may come before that of a range.
  assert.is(await unproven('bytes=0-999', '500'), 0)
  // Of what was sent in another way the asset may have more than the bytes that others have.
  const both = await run([write(part('bytes=0-9', '10') + part('bytes=0-9', '500'))], {
    format: 'cloudflare',
  })
  const answer = ask([both], 'curl/8')
  assert.equal([answer.verdict, answer.length], ['partial', { bytes: 500, from: 'observed', sentBytes: 10 }])
})

test('a line that tells two lengths tells both, and the longer one counts', async () => {
  const whole = { ...AKAMAI, statusCode: '200', range: undefined, overheadBytes: '100' }
  const { range: _, ...members } = whole
  const ask200 = async (changed: object) =>
    ask([await run([write(json({ ...members, ...changed }))])], 'curl/8')
  const same = await ask200({ bytes: '1100', objSize: '1000', rspContentLen: '1000' })
  assert.equal(
    [same.verdict, same.length, same.lengths],
    ['complete', { bytes: 1000, from: 'logged' }, undefined],
  )
  // Compressed on its way, or an object that was not sent as a whole: the log does not say which.
  const shorter = await ask200({ bytes: '500', objSize: '1000', rspContentLen: '400' })
  assert.equal([shorter.verdict, shorter.missing], ['partial', [[400, 999]]])
  assert.equal(shorter.length, { bytes: 1000, from: 'logged' })
  assert.equal(
    shorter.lengths?.map(({ bytes, requests }) => [bytes, requests]),
    [
      [400, 1],
      [1000, 1],
    ],
  )
  const longer = await ask200({ bytes: '1100', objSize: '400', rspContentLen: '1000' })
  assert.equal([longer.verdict, longer.length], ['complete', { bytes: 1000, from: 'logged' }])
  assert.equal(longer.lengths?.length, 2)
  const empty = await ask200({ bytes: '500', objSize: '1000', rspContentLen: '0' })
  assert.equal([empty.verdict, empty.length], ['unknown', { bytes: 1000, from: 'logged' }])
})

test('an empty asset is never delivered, and it is said that it may be one', async () => {
  const fields = 'time=t,ip=i,ua=u,url=p,status=s,method=m,content_length=l,bytes=b,length=n,completed=c'
  const request = { t: '2024-05-17T12:00:00Z', i: '192.0.2.1', u: 'curl/8', p: '/empty', s: '200', c: 'true' }
  const empty: readonly object[] = [
    { l: '0', b: '0' },
    { b: '0' },
    { l: '0' },
    { n: '0' },
    { n: '0', b: '0' },
    { m: 'HEAD', l: '0' },
    { s: '304', n: '0' },
  ]
  const kept = { ...request, p: '/a', l: '10', b: '10' }
  const log = write([kept, ...empty.map((more) => ({ ...request, ...more }))].map(json).join(''))
  const report = await run([log], { format: 'json', fields })
  assert.equal([report.kept, report.skipped['unproven'], report.rejected], [1, 5, {}])
  const answer = ask([report], 'curl/8', '/empty')
  assert.equal([answer.delivered, answer.verdict, answer.range, answer.length], [false, 'none', null, null])
  const [file] = report.files
  const words = ['--asset', '/empty', '--ip', '192.0.2.1', '--user-agent', 'curl/8', '--whole']
  const { exitCode, stderr } = await runBuilt(['query', '--store', file?.path ?? '', ...words])
  assert.is(exitCode, 1)
  assert.match(
    stderr,
    /no log tells one above 0; .*of an asset of no byte there is none that could be proven/,
  )
  // One that was empty for a while is as long as it was longest.
  const both = [
    { ...request, l: '0', b: '0' },
    { ...request, l: '10', b: '4', c: 'false' },
  ]
  const changed = ask(
    [await run([write(both.map(json).join(''))], { format: 'json', fields })],
    'curl/8',
    '/empty',
  )
  assert.equal(
    [changed.verdict, changed.missing, changed.length],
    ['partial', [[4, 9]], { bytes: 10, from: 'logged' }],
  )
})

test('a response proves no more than its content length', async () => {
  const fields = 'time=t,ip=i,ua=u,url=p,status=s,range=r,content_length=l,bytes=b'
  const request = { t: '2024-05-17T12:00:00Z', i: '192.0.2.1', u: 'curl/8', p: '/a', s: '206' }
  for (const count of [undefined, '100', '50']) {
    const log = write(json({ ...request, r: 'bytes=0-99', l: '50', b: count }))
    const report = await run([log], { format: 'json', fields })
    const unmeasured = count === undefined ? 1 : 0
    assert.equal(
      [report.rows, report.clipped, report.unmeasured],
      [50, { requests: 1, bytes: 50 }, unmeasured],
    )
  }
})

test('a repeated line counts once, in whichever input it stands again', async () => {
  const first = line({ 'x-edge-request-id': 'one' })
  const inputs = [
    write(`${FIELDS}\n${first}${first}${line({ 'x-edge-request-id': 'two' })}`),
    write(`${FIELDS}\n${first}${line()}${line()}${line({ 'x-edge-request-id': 'three' })}`),
  ]
  const report = await run(inputs)
  assert.equal([report.kept, report.skipped['duplicate'], report.rows], [5, 2, 50])
  assert.is(report.lines, 2 + 7)
  assert.is(ask([report], 'curl/8').requests, 5)
})

test('lines of one identifier that differ in a byte all count', async () => {
  const same = { 'x-edge-request-id': 'one' }
  const lines = [
    line(same),
    line({ ...same, 'c-ip': '192.0.2.2' }),
    line({ ...same, 'cs-uri-stem': '/b' }),
    line({ ...same, 'sc-range-end': '8' }),
    line({ ...same, time: '12:00:01' }),
    line({ ...same, 'cs(User-Agent)': 'curl/9' }),
    line({ ...same, 'x-host-header': 'other.example' }),
  ]
  const again = lines.map((text) => text.replace('\n', '\r\n'))
  const report = await run([write(`${FIELDS}\n${lines.join('')}`), write(`${FIELDS}\n${again.join('')}`)])
  assert.equal([report.kept, report.skipped['duplicate']], [7, 7], 'a line end is not part of a line')
  assert.is(ask([report], 'curl/8', '/a', '192.0.2.2').delivered, true)
})

test('the output is the same bytes for any number of threads', async () => {
  for (const name of ['cloudfront', 'akamai', 'cloudflare', 'nginx']) {
    const input = join(FORMATS, `${name}.log`)
    const inputs = [input, write(gzipSync(readFileSync(input)), 'gz')]
    const alone = await run(inputs, {}, { shardByteLength: 6000 })
    assert.ok(alone.kept > 100)
    for (const threads of [2, 3]) {
      const options = { shardByteLength: 6000, threads, threadsFromByteLength: 0 }
      const together = await run(inputs, {}, options)
      assert.ok(outputOf(together).equals(outputOf(alone)), `${name}, ${threads} threads`)
      const { files: _, seconds: __, ...counts } = together
      const { files: ___, seconds: ____, ...wanted } = alone
      assert.equal(counts, wanted)
    }
  }
})

test('so it is when threads are late to end: shards of lines with identifiers wait for those before', async () => {
  const { href: workerUrl } = new URL('../support/workers/lingering-thread.mjs', import.meta.url)
  const inputs = Array.from({ length: 2 }, () => join(FORMATS, 'akamai.log'))
  const alone = await run(inputs, {}, { shardByteLength: 3000 })
  for (const threads of [2, 3]) {
    const options = {
      shardByteLength: 3000,
      threads,
      threadsFromByteLength: 0,
      workerUrl,
      deadlineMs: 20_000,
    }
    assert.ok(outputOf(await run(inputs, {}, options)).equals(outputOf(alone)), `${threads} threads`)
  }
})

test('a compressed input may not grow beyond its limit, and nothing is left of it', async () => {
  const bomb = write(gzipSync(Buffer.alloc(5_000_000, 0x0a)), 'gz')
  assert.match(
    await refusal(run([bomb], {}, { maxInflateByteLength: 1_000_000 })),
    /^REJECTED .*expected at most 1000000 bytes when inflated, found more; allow them with --max-inflate/,
  )
  assert.is((await run([bomb])).blank, 5_000_000)
})

test('what was requested counts as sent only when it is trusted', async () => {
  const aborted = json({ ...AKAMAI, bytes: '104' })
  const clipped = await run([write(aborted)])
  assert.equal([clipped.rows, clipped.clipped], [4, { requests: 1, bytes: 6 }])
  const trusted = await run([write(aborted)], { trustRequested: true })
  assert.equal([trusted.rows, trusted.clipped], [10, { requests: 0, bytes: 0 }])
})

test.run()
