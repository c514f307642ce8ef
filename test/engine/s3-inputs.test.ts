import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { type ProcessOptions, type ProcessReport, processLogs } from '#src/engine/process-logs.js'
import { openS3 } from '#src/engine/s3-client.js'
import { answerError, createFakeObjectServer, type FakeObjectServer } from '../support/fake-object-server.ts'
import { runBuilt } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

const test = suite('inputs in buckets')
const SAMPLE = readFileSync(join(ROOT, 'fixtures', 'sample.log'))
const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'
const OPTIONS = {
  threads: 1,
  maxRejects: { kind: 'count', count: 0 },
  remote: { rangeByteLength: 100_000, idleMs: 300, backoffMs: 2, attemptCount: 4 },
} as const

const line = (i: number): Buffer =>
  Buffer.from(`${HEADER}2024-05-17\t00:00:01\t192.0.2.1\tagent\t/asset\t206\t${i}-${i}\n`)

/** A bucket with logs, and with what is no log. */
function makeBucket(): FakeObjectServer {
  const server = createFakeObjectServer()
  const keys = [
    'logs/b.log',
    'logs/a.log',
    'logs/deep/c.log',
    'logs/d e?#.log.gz',
    'logs/',
    'logs/_tmp/x',
    'logs/.y',
  ]
  for (const [i, key] of [...keys, 'logs-old/z.log', 'top.log'].entries())
    server.objects.set(
      `bucket/${key}`,
      key.endsWith('.gz') ? gzipSync(line(i)) : key === 'logs/' ? Buffer.alloc(0) : line(i),
    )
  return server
}

function run(
  server: FakeObjectServer,
  inputs: readonly string[],
  changes: Partial<ProcessOptions> = {},
): Promise<ProcessReport> {
  const openObjectServer = (): Promise<FakeObjectServer> => Promise.resolve(server)
  const out = join(makeTempFolder(), 'out.parquet')
  return processLogs({ ...OPTIONS, inputs, out, openObjectServer, ...changes })
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work
  } catch (failure) {
    if (failure instanceof Failure) return failure
    throw failure
  }
  throw new Error('expected a failure')
}

test('a key, a prefix and a glob name objects; lists are read to their end, sorted, without hidden names', async () => {
  const names = (...keys: string[]): string[] => keys.map((key) => `s3://bucket/${key}`)
  const cases: [string, string[]][] = [
    ['s3://bucket/top.log', names('top.log')],
    ['s3://bucket/logs/d e?#.log.gz', names('logs/d e?#.log.gz')],
    ['s3://bucket/logs/', names('logs/a.log', 'logs/b.log', 'logs/d e?#.log.gz', 'logs/deep/c.log')],
    ['s3://bucket/logs/*.log', names('logs/a.log', 'logs/b.log')],
    ['s3://bucket/logs/?.log', names('logs/a.log', 'logs/b.log')],
    ['s3://bucket/*.log', names('top.log')],
    [
      'S3://bucket',
      names('logs-old/z.log', 'logs/a.log', 'logs/b.log', 'logs/d e?#.log.gz', 'logs/deep/c.log', 'top.log'),
    ],
  ]
  for (const [input, expected] of cases) {
    const report = await run(makeBucket(), [input])
    assert.equal(report.inputs, expected, input)
    assert.is(report.kept, expected.length, input)
  }
  const server = makeBucket()
  await run(server, ['s3://bucket/logs/*.log'])
  assert.equal(
    server.requests.filter((request) => request.startsWith('list')),
    Array.from({ length: 4 }, () => 'list logs/'),
  )
  assert.not.ok(
    server.requests.some((request) => request.startsWith('look')),
    'a list says size and version',
  )
})

test('an object that several names mean is taken once, and that is said', async () => {
  const notes: string[] = []
  const names = ['s3://bucket/logs/b.log', 's3://bucket/logs/', 's3://bucket/logs/a.log']
  const report = await run(makeBucket(), names, { onNote: (note) => notes.push(note) })
  const keys = ['b.log', 'a.log', 'd e?#.log.gz', 'deep/c.log']
  assert.equal(
    report.inputs,
    keys.map((key) => `s3://bucket/logs/${key}`),
  )
  assert.is(report.rows, 4)
  assert.equal(notes, [
    's3://bucket/logs/: 1 named before, taken once',
    's3://bucket/logs/a.log: 1 named before, taken once',
  ])
})

test('what names nothing is wrong use', async () => {
  for (const [name, message] of [
    ['s3://', /names no bucket: expected s3:\/\/bucket\/key, /],
    ['s3://bucket/nothing/', /no object matches s3:\/\/bucket\/nothing\/ .*: expected s3/],
    ['s3://bucket/logs/*.zst', /no object matches/],
    ['s3://bucket/l*/a.log', /only the last part may be a pattern/],
  ] as const) {
    const failure = await failureOf(run(makeBucket(), [name]))
    assert.is(failure.code, 'USAGE')
    assert.match(failure.message, message)
  }
})

test('ranges come in order and pinned; what fails in passing is repeated', async () => {
  const server = createFakeObjectServer()
  server.objects.set('bucket/sample.log', SAMPLE)
  const local = join(makeTempFolder(), 'local.parquet')
  await processLogs({ ...OPTIONS, inputs: [join(ROOT, 'fixtures', 'sample.log')], out: local })
  const faults = [
    { error: answerError(503, 'SlowDown') },
    { error: answerError(undefined, 'TimeoutError') },
    { error: new Error('socket hang up') },
    { dropAfter: 33_000 },
    { stall: true },
  ] as const
  server.faultOf = (_, index) => (index % 3 === 0 ? faults[(index / 3) % faults.length] : undefined)
  const out = join(makeTempFolder(), 'out.parquet')
  const report = await run(server, ['s3://bucket/sample.log'], { out })
  assert.is(report.bytesRead, SAMPLE.length)
  assert.ok(readFileSync(out).equals(readFileSync(local)))
  assert.ok(server.requests.includes('read sample.log 1400000-1466201'))
  assert.ok(
    server.requests.some((request) => /read sample\.log \d+33000-/.test(request)),
    'goes on where it broke',
  )
})

test('an object that changes, and one that cannot be read, are failures that say what to do', async () => {
  const cases: [Error, RegExp][] = [
    [
      answerError(404, 'NoSuchKey'),
      /cannot read s3:\/\/bucket\/sample\.log: .*\(404 NoSuchKey\); check bucket and key/,
    ],
    [answerError(403, 'AccessDenied'), /\(403 AccessDenied\); check that the credentials allow s3:GetObject/],
    [answerError(301, 'PermanentRedirect'), /; check AWS_REGION and --s3-endpoint/],
    [answerError(undefined, 'CredentialsProviderError'), /; give credentials, by AWS_ACCESS_KEY_ID/],
    [answerError(500, 'InternalError'), /InternalError happened \(4 attempts\); nothing was written/],
    [answerError(412, 'PreconditionFailed'), /sample\.log has changed since the run began/],
    [answerError(416, 'InvalidRange'), /sample\.log has changed since the run began: .*416/],
  ]
  for (const [error, message] of cases) {
    for (const firstBad of [0, 4]) {
      const server = createFakeObjectServer()
      server.objects.set('bucket/sample.log', SAMPLE)
      server.faultOf = (_, index) => (index >= firstBad ? { error } : undefined)
      const folder = makeTempFolder()
      const out = join(folder, 'out.parquet')
      const failure = await failureOf(run(server, ['s3://bucket/sample.log'], { out }))
      assert.match(failure.message, message)
      assert.equal(namesIn(folder), [])
    }
  }
  const server = createFakeObjectServer()
  server.objects.set('bucket/sample.log', SAMPLE)
  server.faultOf = (_, index) => {
    if (index === 5) server.objects.set('bucket/sample.log', Buffer.concat([SAMPLE, SAMPLE]))
    return undefined
  }
  assert.match(
    (await failureOf(run(server, ['s3://bucket/sample.log']))).message,
    /has changed since the run/,
  )
})

test('a store knows objects again, wherever the same log lies', async () => {
  const server = makeBucket()
  const store = join(makeTempFolder(), 'store')
  const local = join(makeTempFolder(), 'a.log')
  writeFileSync(local, server.objects.get('bucket/logs/a.log') ?? '')
  const statuses: string[] = []
  for (const inputs of [['s3://bucket/logs/*.log'], ['s3://bucket/logs/'], [local]]) {
    const report = await processIntoStore({
      ...OPTIONS,
      inputs,
      store,
      openObjectServer: () => Promise.resolve(server),
    })
    statuses.push(report.store.inputs.map(({ status }) => status).join(' '))
  }
  assert.equal(statuses, ['new new', 'known known new new', 'known'])
})

test('an interrupted run ends while it waits for an object', async () => {
  const server = createFakeObjectServer()
  server.objects.set('bucket/sample.log', SAMPLE)
  server.faultOf = (_, index) => (index > 0 ? { stall: true } : undefined)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 50)
  const failure = await failureOf(run(server, ['s3://bucket/sample.log'], { signal: controller.signal }))
  assert.is(failure.code, 'INTERRUPTED')
})

/** An SDK whose client gives these answers, one after the other. */
function pretendSdk(answers: readonly object[]): { load: () => Promise<Sdk>; settings: object[] } {
  const settings: object[] = []
  let at = 0
  class Client {
    readonly config = { region: (): Promise<string> => Promise.reject(new Error('Region is missing')) }
    constructor(given: object) {
      settings.push(given)
    }
    send(): Promise<object> {
      return Promise.resolve(answers[at++] ?? {})
    }
  }
  class Command {}
  const sdk: Sdk = Object.assign(Object.create(null), {
    S3Client: Client,
    ListObjectsV2Command: Command,
    HeadObjectCommand: Command,
    GetObjectCommand: Command,
  })
  return { load: () => Promise.resolve(sdk), settings }
}

test('a list that lacks something is a failure, never a shorter list; tags are in quotes, weak ones are none', async () => {
  const { signal } = new AbortController()
  const place = { bucket: 'b', prefix: '', from: undefined }
  const list = async (...answers: object[]): Promise<unknown> =>
    (await openS3('http://127.0.0.1:9', pretendSdk(answers).load)).list(place, signal)
  for (const answer of [
    { IsTruncated: true, Contents: [] },
    { Contents: [{ Key: 'a' }] },
    { Contents: [{ Size: 1 }] },
  ]) {
    const found = await list(answer).then(
      () => 'a list',
      (failure: unknown) => String(failure),
    )
    assert.match(found, /found a list/)
  }
  const tags = ['"t"', 't', 'W/"t"', undefined].map((ETag) => ({ Key: 'k', Size: 1, ETag }))
  assert.equal(await list({ Contents: tags, IsTruncated: true, NextContinuationToken: 'n' }), {
    objects: ['"t"', '"t"', undefined, undefined].map((version) => ({ key: 'k', byteLength: 1, version })),
    next: 'n',
  })
})

test('an endpoint comes from the option or the environment, and with it paths that name the bucket', async () => {
  const kept = { ...process.env }
  const names = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']
  const cases: [Record<string, string>, string | undefined, string | undefined][] = [
    [{}, undefined, undefined],
    [{ AWS_ENDPOINT_URL_S3: '', AWS_ENDPOINT_URL: '' }, undefined, undefined],
    [{ AWS_ENDPOINT_URL: 'http://a' }, undefined, 'http://a'],
    [{ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_S3: 'http://b' }, undefined, 'http://b'],
    [{ AWS_ENDPOINT_URL: 'http://a', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined, undefined],
    [{ AWS_ENDPOINT_URL: 'http://a' }, 'http://c', 'http://c'],
  ]
  try {
    for (const [environment, given, expected] of cases) {
      for (const name of names) delete process.env[name]
      Object.assign(process.env, environment)
      const sdk = pretendSdk([])
      await openS3(given, sdk.load)
      const settings: Record<string, unknown> = { ...sdk.settings.at(-1) }
      assert.is(settings['endpoint'], expected)
      assert.is(settings['forcePathStyle'], expected !== undefined)
      assert.is(settings['region'], 'us-east-1', 'servers of others need none, and Amazon says which')
    }
  } finally {
    for (const name of names) delete process.env[name]
    Object.assign(process.env, kept)
  }
})

test('a list that fails goes on from its page, and one that hangs is given up', async () => {
  const server = makeBucket()
  server.faultOf = (request, index) =>
    request.startsWith('list') && index % 2 === 0 ? { error: answerError(503, 'SlowDown') } : undefined
  const report = await run(server, ['s3://bucket/'])
  assert.is(report.kept, 6)
  const lists = server.requests.filter((request) => request.startsWith('list'))
  assert.is(lists.length, 10, 'five pages, each asked for twice')
  for (const which of ['list', 'look'] as const) {
    const hanging = makeBucket()
    hanging[which] = (_: unknown, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const failure = await failureOf(run(hanging, [which === 'list' ? 's3://bucket/' : 's3://bucket/top.log']))
    assert.match(failure.message, /nothing came for 0.3 s \(4 attempts\)/)
  }
})

test('without the SDK the message says how to install it, and exit code 2', async () => {
  const missing = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }))
  const failure = await failureOf(openS3(undefined, missing))
  assert.match(failure.message, /npm install --save-prod @aws-sdk\/client-s3 beside byteledger/)
  const broken = openS3(undefined, () => Promise.reject(new Error('syntax')))
  await broken.then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /syntax/),
  )
  // Were the SDK there, the server at this address would not be.
  const out = join(makeTempFolder(), 'o.parquet')
  const endpoint = ['--s3-endpoint', 'http://127.0.0.1:1']
  const { exitCode, stdout, stderr } = await runBuilt([
    'process',
    's3://bucket/a.log',
    '--out',
    out,
    ...endpoint,
  ])
  assert.equal([exitCode, stdout], [2, ''])
  assert.match(stderr, /AWS SDK, which is not installed|cannot read s3:\/\/bucket\/a\.log/)
})

test.run()
