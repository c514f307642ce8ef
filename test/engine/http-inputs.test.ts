import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { type ProcessOptions, processLogs } from '#src/engine/process-logs.js'
import { readZstdFixture } from '../../fixtures/zstd-fixtures.ts'
import { type Fault, startLogServer } from '../support/log-server.ts'
import { endOf, startBuilt } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const test = suite('inputs behind http')
const SAMPLE = readFileSync(join(ROOT, 'fixtures', 'sample.log'))
const QUICK = { rangeByteLength: 100_000, idleMs: 2000, backoffMs: 5 }
const OPTIONS = { threads: 1, maxRejects: { kind: 'count', count: 1 }, remote: QUICK } as const

async function outputOf(input: string, changes: Partial<ProcessOptions> = {}): Promise<Buffer> {
  const out = join(makeTempFolder(), 'out.parquet')
  const report = await processLogs({ ...OPTIONS, inputs: [input], out, ...changes })
  assert.ok(report.bytesRead > 0)
  return readFileSync(out)
}

const plain = await outputOf(join(ROOT, 'fixtures', 'sample.log'))

/** Runs against a server of the sample; gives the output, and what the server saw. */
async function readFrom(faultOf: (index: number) => Fault | undefined, content: Uint8Array = SAMPLE) {
  const server = await startLogServer(content, faultOf)
  try {
    return { output: await outputOf(server.url), requests: server.requests, most: server.mostAtOnce() }
  } finally {
    await server.close()
  }
}

/** Likewise for a run that fails: into a file and into a store, and nothing may be written. */
async function failureOf(
  faultOf: (index: number) => Fault | undefined,
  { path = '', content = SAMPLE }: { readonly path?: string; readonly content?: Uint8Array } = {},
): Promise<Failure> {
  let found: unknown
  for (const kind of ['file', 'store']) {
    const server = await startLogServer(content, faultOf)
    const folder = makeTempFolder()
    const inputs = [new URL(path, server.url).href]
    try {
      if (kind === 'file') await processLogs({ ...OPTIONS, inputs, out: join(folder, 'out.parquet') })
      else await processIntoStore({ ...OPTIONS, inputs, store: join(folder, 'store') })
    } catch (failure) {
      found = failure
      if (kind === 'file') assert.equal(namesIn(folder), [])
      else assert.not.ok(namesIn(folder).some((name) => namesIn(join(folder, name)).includes('_delta_log')))
      continue
    } finally {
      await server.close()
    }
    throw new Error('expected a failure')
  }
  if (found instanceof Failure) return found
  throw found
}

test('ranges come in order, a few at once, and pinned to one version', async () => {
  const { output, requests, most } = await readFrom(() => ({ delayMs: 20 }))
  assert.ok(output.equals(plain))
  const ranges = requests.map(({ range }) => range)
  assert.is(ranges[0], 'bytes=0-0')
  const count = Math.ceil(SAMPLE.length / QUICK.rangeByteLength)
  assert.is(ranges.length, 1 + count)
  const expected = Array.from({ length: count }, (_, i) => {
    return `bytes=${i * 100_000}-${Math.min(SAMPLE.length, (i + 1) * 100_000) - 1}`
  })
  assert.equal([...ranges.slice(1)].sort(), [...expected].sort())
  assert.ok(requests.slice(1).every(({ headers }) => headers['if-match'] === '"v1"'))
  assert.ok(most >= 2 && most <= 4, `${most} at once`)
})

test('what the server sends is told by content: gzip, zstd, with and without an encoding', async () => {
  assert.ok((await readFrom(() => undefined, gzipSync(SAMPLE))).output.equals(plain))
  const encoded = await readFrom(() => ({ headers: { 'Content-Encoding': 'gzip' } }), gzipSync(SAMPLE))
  assert.ok(encoded.output.equals(plain))
  const server = await startLogServer(readZstdFixture('fast'))
  const local = join(ROOT, 'fixtures', 'zstd', 'fast.zst')
  assert.ok((await outputOf(server.url)).equals(await outputOf(local)))
  await server.close()
  assert.match(
    (await failureOf(() => ({ headers: { 'Content-Encoding': 'br' } }))).message,
    /found br; fetch it/,
  )
})

test('a connection that drops goes on where it broke, an overloaded server is asked again', async () => {
  const dropped = await readFrom((i) => (i > 0 && i % 3 === 0 ? { dropAfter: 30_000 } : undefined))
  assert.ok(dropped.output.equals(plain))
  assert.ok(dropped.requests.some(({ range }) => /^bytes=\d*30000-/.test(range ?? '')))
  const busy = (i: number): Fault | undefined =>
    i % 2 === 0 ? { status: i % 4 === 0 ? 503 : 429, headers: { 'Retry-After': '0' } } : undefined
  assert.ok((await readFrom(busy)).output.equals(plain))
  const silent = await readFrom((i) =>
    i === 2 ? { dropAfter: 0 } : i === 5 ? { stallAfter: 10 } : undefined,
  )
  assert.ok(silent.output.equals(plain))
  const shorter = await readFrom((i) => (i === 3 ? { contentLength: 5000 } : undefined))
  assert.ok(shorter.output.equals(plain))
})

test('a server that stays down, silent or wrong is a failure that says what to do', async () => {
  const down = await failureOf((i) => (i > 2 ? { status: 503 } : undefined))
  assert.match(
    down.message,
    /^cannot read http:.*day\.log: expected the log, found 503 Service Unavailable \(6 attempts\)/,
  )
  const cases: [Fault, RegExp][] = [
    [{ status: 404 }, /found 404 Not Found; check the URL/],
    [{ status: 403 }, /found 403 Forbidden; check user name and password, or whether a signed URL/],
    [{ status: 418 }, /found 418 .*; fetch it by other means/],
    [{ status: 416 }, /found 416 /],
  ]
  for (const [fault, message] of cases) {
    const failure = await failureOf(() => fault)
    assert.is(failure.code, 'ENVIRONMENT')
    assert.match(failure.message, message)
    assert.match((await failureOf((i) => (i > 3 ? fault : undefined))).message, /day\.log/)
  }
  const wrong = await failureOf((i) => (i > 1 ? { contentRange: `bytes 7-9/${SAMPLE.length}` } : undefined))
  assert.match(wrong.message, /found bytes 7-9\/\d+; the server gets ranges wrong/)
})

test('an object that changes while it is read is a failure, whatever the server makes of If-Match', async () => {
  const longer = Buffer.concat([SAMPLE, SAMPLE])
  const changes: Fault[] = [
    { etag: '"v2"' },
    { etag: '"v2"', content: longer },
    { etag: null, content: longer },
    { etag: '"v1"', content: longer },
    { etag: '"v1"', content: SAMPLE.subarray(0, 250_000) },
    { noRanges: true },
  ]
  for (const fault of changes) {
    const failure = await failureOf((i) => (i > 3 ? fault : undefined))
    assert.match(
      failure.message,
      /day\.log has changed since the run began: expected .*; nothing was written/,
    )
  }
})

test('servers without ranges, without a strong ETag or without a length are read as one stream', async () => {
  const faults: Fault[] = [
    { noRanges: true },
    { noRanges: true, etag: null },
    { noRanges: true, etag: null, contentLength: null },
    { etag: null },
    { etag: 'W/"v1"' },
  ]
  for (const fault of faults) {
    const { output, requests } = await readFrom((i) => (i === 1 ? { status: 503 } : fault))
    assert.ok(output.equals(plain), JSON.stringify(fault))
    assert.equal(
      requests.map(({ range }) => range),
      ['bytes=0-0', undefined, undefined],
    )
    const cut = await failureOf((i) => (i > 0 ? { ...fault, dropAfter: 300_000 } : fault))
    assert.match(cut.message, /after 300000 bytes; the server gives no ranges of a fixed version/)
  }
  const short = await failureOf(() => ({ noRanges: true, contentLength: SAMPLE.length + 10 }))
  assert.is(short.code, 'ENVIRONMENT')
})

test('an empty object has no lines', async () => {
  const server = await startLogServer(new Uint8Array(0))
  const report = await processLogs({
    ...OPTIONS,
    inputs: [server.url],
    out: join(makeTempFolder(), 'o.parquet'),
  })
  await server.close()
  assert.equal([report.lines, report.rows], [0, 0])
})

test('redirects are followed, five at most, and credentials go to no other server', async () => {
  const other = await startLogServer(SAMPLE)
  const first = await startLogServer(SAMPLE, () => ({
    status: 302,
    headers: { Location: `${other.url}?signed=1` },
  }))
  const url = new URL(first.url)
  url.username = 'me'
  url.password = 'p%40ss'
  const out = join(makeTempFolder(), 'out.parquet')
  const report = await processLogs({ ...OPTIONS, inputs: [url.href], out })
  assert.ok(readFileSync(out).equals(plain))
  const sent = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
  assert.ok(first.requests.every(({ headers }) => headers.authorization === sent))
  assert.ok(other.requests.every(({ headers }) => headers.authorization === undefined))
  assert.equal(report.inputs, [first.url])
  await Promise.all([first.close(), other.close()])
  const circle = await failureOf(() => ({ status: 307, headers: { Location: '/again' } }))
  assert.match(circle.message, /expected at most 5 redirects, found more/)
  const file = await failureOf(() => ({ status: 301, headers: { Location: 'file:///etc/passwd' } }))
  assert.match(file.message, /a redirect to an http or https URL, found another/)
})

test('no message, report or list shows what is secret in a URL', async () => {
  const failure = await failureOf(() => ({ status: 403 }), {
    path: '?X-Amz-Signature=s3cret&token=s3cret#s3cret',
  })
  assert.match(failure.message, /day\.log\?X-Amz-Signature=…&token=…: expected/)
  assert.not.match(failure.message, /s3cret/)
  const server = await startLogServer(Buffer.from('no\nlog\n'))
  const folder = makeTempFolder()
  const rejectsPath = join(folder, 'rejects')
  const url = server.url.replace('http://', 'http://user:s3cret@')
  const run = { inputs: [`${url}?key=s3cret`], store: join(folder, 'store'), rejectsPath }
  const report = await processIntoStore({ ...OPTIONS, ...run, maxRejects: { kind: 'count', count: 2 } })
  await server.close()
  assert.not.match(JSON.stringify(report) + readFileSync(rejectsPath, 'utf8'), /s3cret/)
  assert.match(readFileSync(rejectsPath, 'utf8'), /day\.log\?key=…/)
})

test('a store knows a remote log again, and takes what a longer one has more', async () => {
  const store = join(makeTempFolder(), 'store')
  const part = SAMPLE.subarray(0, SAMPLE.lastIndexOf('\n', 500_000) + 1)
  const rows: number[] = []
  for (const [content, fault, status] of [
    [part, {}, 'new'],
    [part, {}, 'known'],
    [gzipSync(part), { etag: null }, 'known'],
    [SAMPLE, {}, 'grown'],
    [SAMPLE, { etag: null }, 'known'],
    [gzipSync(SAMPLE), {}, 'known'],
  ] as const) {
    const server = await startLogServer(content, () => fault)
    const report = await processIntoStore({ ...OPTIONS, inputs: [server.url], store })
    await server.close()
    assert.is(report.store.inputs[0]?.status, status)
    rows.push(report.rows)
  }
  const whole = await processLogs({
    ...OPTIONS,
    inputs: [join(ROOT, 'fixtures', 'sample.log')],
    out: join(makeTempFolder(), 'o.parquet'),
  })
  assert.is(
    rows.reduce((sum, count) => sum + count, 0),
    whole.rows,
  )
  assert.not.ok(namesIn(store).some((name) => name.startsWith('.input')))
})

test('Ctrl-C ends a run that waits for a server, and nothing is left', async () => {
  const server = await startLogServer(SAMPLE, (i) => (i > 0 ? { stallAfter: 10 } : undefined))
  const folder = makeTempFolder()
  const child = startBuilt(['process', server.url, '--out', join(folder, 'out.parquet')])
  const end = endOf(child)
  while (server.requests.length < 2) await setTimeout(5)
  await setTimeout(50)
  child.kill('SIGINT')
  const { exitCode, stderr } = await end
  await server.close()
  assert.is(exitCode, 130, stderr)
  assert.equal(namesIn(folder), [])
})

test.run()
