/**
 * Logs in buckets: our built command line with the real AWS SDK against moto's server. The SDK is installed under
 * .cache/, and a copy of the program with links to its packages and to ours is run, as somebody has it who installed
 * both.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { processLogs } from '#src/engine/process-logs.js'
import { openS3 } from '#src/engine/s3-client.js'
import { readLogPlainly } from '../../fixtures/log-oracle.ts'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { readZstdFixture } from '../../fixtures/zstd-fixtures.ts'
import { ROOT } from '../support/source-tree.ts'
import { freePort } from './free-port.ts'
import { providePython } from './python-environment.ts'

const SDK = '@aws-sdk/client-s3@3.1173.0'
const SAMPLE = readFileSync(join(ROOT, 'fixtures', 'sample.log'))
const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'
/** More than a list has on one page. */
const SMALL_COUNT = 1050
const RUN_DEADLINE_MS = 5 * 60_000

const SECRET = 'bEtWeEnUsAlOnE'
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET }

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

type Run = (args: readonly string[], environment?: NodeJS.ProcessEnv) => Outcome

/** Checks, and counts them. */
export async function checkBuckets(folder: string): Promise<{ passed: number; failed: number }> {
  const sdk = provideSdk()
  const app = installApp(join(folder, 'app'), sdk)
  const python = providePython('requirements-moto.txt')
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  })
  try {
    await untilItAnswers(endpoint, server)
    await fillBuckets(endpoint)
    const counts = { passed: 0, failed: 0 }
    const check = (name: string, isRight: boolean, found: unknown = ''): void => {
      if (isRight) counts.passed++
      else {
        counts.failed++
        console.log(`FAIL buckets: ${name}: ${typeof found === 'string' ? found : JSON.stringify(found)}`)
      }
    }
    const run: Run = (args, environment = {}) =>
      withoutSecrets(runApp(app, args, { AWS_ENDPOINT_URL_S3: endpoint, ...environment }), check)
    checkOutputs(run, folder, check)
    checkLists(run, folder, check)
    checkStore(run, folder, check)
    checkFailures(run, { folder, endpoint }, check)
    await checkChange({ sdk, folder, endpoint }, check)
    checkLack(folder, check)
    console.log(`buckets: ${counts.passed} passed, ${counts.failed} failed`)
    return counts
  } finally {
    server.kill('SIGKILL')
  }
}

type Check = (name: string, isRight: boolean, found?: unknown) => void

/** Installs the SDK once for each version; returns the folder of its packages. */
function provideSdk(): string {
  const folder = join(ROOT, '.cache', SDK.replaceAll(/[@/]/g, '-'))
  const finished = join(folder, 'finished')
  if (!existsSync(finished)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    console.log(`installing ${SDK} ...`)
    const args = [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      SDK,
    ]
    execFileSync('npm', args, { stdio: 'inherit', timeout: RUN_DEADLINE_MS })
    writeFileSync(finished, '')
  }
  return join(folder, 'node_modules')
}

/** A folder with the program, its packages and the SDK. */
function installApp(folder: string, sdk: string): string {
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  for (const packages of [join(ROOT, 'node_modules'), sdk]) {
    for (const name of readdirSync(packages)) linkPackage(packages, name, join(folder, 'node_modules'))
  }
  return folder
}

function linkPackage(from: string, name: string, to: string): void {
  if (name.startsWith('.')) return
  if (name.startsWith('@')) {
    for (const inner of readdirSync(join(from, name))) linkPackage(join(from, name), inner, join(to, name))
    return
  }
  mkdirSync(to, { recursive: true })
  // Of a package that both have, ours is there already; the SDK finds its own by where it really lies.
  if (!readdirSync(to).includes(name)) symlinkSync(join(from, name), join(to, name))
}

function runApp(app: string, args: readonly string[], environment: NodeJS.ProcessEnv): Outcome {
  const { NODE_OPTIONS: _, ...own } = process.env
  return spawnSync(process.execPath, [join(app, 'dist', 'cli.js'), ...args], {
    env: { ...own, HOME: app, AWS_EC2_METADATA_DISABLED: 'true', ...CREDENTIALS, ...environment },
    encoding: 'utf8',
    timeout: RUN_DEADLINE_MS,
    maxBuffer: 1 << 26,
  })
}

function withoutSecrets(outcome: Outcome, check: Check): Outcome {
  const isTold = `${outcome.stdout}${outcome.stderr}`.includes(SECRET)
  if (isTold) check('no credentials are told', false, outcome)
  return outcome
}

async function untilItAnswers(endpoint: string, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 600 && server.exitCode === null; i++) {
    const isThere = await fetch(endpoint).then(
      () => true,
      () => false,
    )
    if (isThere) return
    await setTimeout(100)
  }
  throw new Error('moto did not start')
}

async function put(url: string, body?: Uint8Array): Promise<void> {
  // Without that, whoever is not signed in may make an object but not change it.
  const headers = { 'x-amz-acl': 'public-read-write' }
  const { status } = await fetch(url, { method: 'PUT', headers, ...(body === undefined ? {} : { body }) })
  if (status !== 200) throw new Error(`PUT ${url}: ${status}`)
}

const smallLog = (i: number): Buffer =>
  Buffer.from(`${HEADER}2024-05-17\t00:00:01\t192.0.2.1\tagent\t/asset\t206\t${i}-${i}\n`)

async function fillBuckets(endpoint: string): Promise<void> {
  const bucket = `${endpoint}/logs`
  await put(bucket)
  await put(`${bucket}/day/sample.log`, SAMPLE)
  await put(`${bucket}/day/${encodeURIComponent('a name?#+ü.log.gz')}`, gzipSync(SAMPLE))
  await put(`${bucket}/day/fast.zst`, readZstdFixture('fast'))
  await put(`${bucket}/day/empty.log`, new Uint8Array(0))
  // Larger than the ranges that are asked for at once.
  await put(`${bucket}/long.log`, longLog())
  for (let i = 0; i < SMALL_COUNT; i++) await put(`${bucket}/many/${i % 7}/${i}.log`, smallLog(i))
  await put(`${bucket}/many/_SUCCESS`, smallLog(0))
}

function longLog(): Buffer {
  return Buffer.concat(Array.from({ length: 30 }, () => SAMPLE))
}

function checkOutputs(run: Run, folder: string, check: Check): void {
  const fast = join(folder, 'fast.zst')
  writeFileSync(fast, readZstdFixture('fast'))
  const long = join(folder, 'long.log')
  writeFileSync(long, longLog())
  for (const [key, local] of [
    ['day/sample.log', join(ROOT, 'fixtures', 'sample.log')],
    ['day/a name?#+ü.log.gz', join(ROOT, 'fixtures', 'sample.log')],
    ['day/fast.zst', fast],
    ['long.log', long],
  ] as const) {
    const outputs = [`s3://logs/${key}`, local].map((input, i) => {
      const out = join(folder, `bucket-${i}.parquet`)
      const { status, stderr } = run(['process', input, '--out', out, '--quiet', '--max-rejects', '1'])
      check(`${input} is read`, status === 0, stderr)
      return status === 0 ? readFileSync(out) : Buffer.alloc(i)
    })
    check(`${key} gives the file that it gives on disk`, Buffer.compare(...pair(outputs)) === 0)
  }
}

function pair(outputs: readonly Buffer[]): [Buffer, Buffer] {
  const [one, other] = outputs
  if (one === undefined || other === undefined) throw new Error('expected two outputs')
  return [one, other]
}

function checkLists(run: Run, folder: string, check: Check): void {
  const out = join(folder, 'lists.parquet')
  for (const [input, kept] of [
    ['s3://logs/many/', SMALL_COUNT],
    ['s3://logs/many/3/', SMALL_COUNT / 7],
    ['s3://logs/many/3/10?.log', 2],
    ['s3://logs/many/3/*.log', SMALL_COUNT / 7],
    ['s3://logs/day/empty.log', 0],
  ] as const) {
    const { status, stdout, stderr } = run(['process', input, '--out', out, '--json', '--quiet'])
    check(`${input} is read`, status === 0, stderr)
    const report: unknown = status === 0 ? JSON.parse(stdout) : {}
    check(`${input} has ${kept} requests`, JSON.stringify(report).includes(`"kept":${kept},`), report)
  }
}

/** The same log twice from the bucket, then from the disk: its rows are there once, as those of a store from the disk. */
function checkStore(run: Run, folder: string, check: Check): void {
  const local = join(ROOT, 'fixtures', 'sample.log')
  const [store, localStore] = [join(folder, 'bucket-store'), join(folder, 'disk-store')]
  const expected = run(['process', local, '--store', localStore, '--quiet']).status
  check('a store is made from the disk', expected === 0)
  for (const [input, status] of [
    ['s3://logs/day/sam*.log', 'new'],
    ['s3://logs/day/sam*.log', 'known'],
    [local, 'known'],
  ] as const) {
    const { stdout, stderr } = run(['process', input, '--store', store, '--json', '--quiet'])
    check(`the store finds ${input} ${status}`, stdout.includes(`"status":"${status}"`), stdout + stderr)
    const [rows, localRows] = [store, localStore].map((path) => rowsOf(run, path))
    check(`the store has its rows once after ${input}, ${status}`, rows === localRows && rows !== '', rows)
  }
  const { requests } = readLogPlainly(SAMPLE)
  const random = createSeededRandom(31)
  for (let i = 0; i < 6; i++) {
    const { asset, ip, userAgent, first, last } = random.pick(requests)
    const range = `${Math.max(0, first - random.below(500))}-${last + random.below(500)}`
    const key = ['--asset', asset, '--ip', ip, '--user-agent', userAgent, '--range', range]
    const answers = [store, localStore].map(
      (path) => run(['query', '--store', path, ...key, '--json']).stdout,
    )
    check(
      `${asset} ${range} is answered as from the disk`,
      answers[0] !== '' && answers[0] === answers[1],
      answers,
    )
  }
}

/** All that a store knows of each asset. */
function rowsOf(run: Run, store: string): string {
  return run(['report', 'summary', '--store', store, '--csv']).stdout
}

/** Without the SDK: the program as it is built, where only its own packages are found. */
function checkLack(folder: string, check: Check): void {
  const out = join(folder, 'lack.parquet')
  const { status, stderr } = runApp(ROOT, ['process', 's3://logs/day/sample.log', '--out', out], {})
  check(
    'without the SDK the message names the package',
    status === 2 && /npm install --save-prod @aws-sdk\/client-s3/.test(stderr) && !existsSync(out),
    stderr,
  )
}

function checkFailures(
  run: Run,
  { folder, endpoint }: { readonly folder: string; readonly endpoint: string },
  check: Check,
): void {
  const out = join(folder, 'failed.parquet')
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }
  for (const [input, message, environment] of [
    ['s3://logs/day/none.log', /404.*; check bucket and key/, {}],
    ['s3://no-such-bucket/', /404 NoSuchBucket\); check bucket and key/, {}],
    ['s3://logs/nothing/', /no object matches/, {}],
    ['s3://logs/day/sample.log', /give credentials, by AWS_ACCESS_KEY_ID/, none],
    [
      's3://logs/day/sample.log',
      /cannot read s3:\/\/logs\/day\/sample\.log: .*attempts/,
      { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
    ],
  ] as const) {
    const { status, stderr } = run(['process', input, '--out', out], environment)
    check(`${input} fails`, status === 2 && message.test(stderr), stderr)
  }
  const elsewhere = { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1', AWS_REGION: 'eu-central-1' }
  const args = ['process', 's3://logs/day/sample.log', '--out', out, '--quiet', '--s3-endpoint', endpoint]
  const { status, stderr } = run(args, elsewhere)
  check('--s3-endpoint wins over the environment', status === 0, stderr)
}

/** In this process, with small ranges, so that the object can be changed between two of them. */
async function checkChange(
  { sdk, folder, endpoint }: { readonly sdk: string; readonly folder: string; readonly endpoint: string },
  check: Check,
): Promise<void> {
  Object.assign(process.env, CREDENTIALS)
  const entry = pathToFileURL(join(sdk, '@aws-sdk', 'client-s3', 'dist-cjs', 'index.js'))
  const real = await openS3(endpoint, () => import(entry.href))
  let readCount = 0
  let isChanged = false
  const options = {
    inputs: ['s3://logs/day/sample.log'],
    out: join(folder, 'changed.parquet'),
    threads: 1,
    maxRejects: { kind: 'count', count: 0 },
    remote: { rangeByteLength: 100_000, requestCount: 1 },
    openObjectServer: () =>
      Promise.resolve({
        ...real,
        read: async (...asked: Parameters<typeof real.read>) => {
          if (readCount++ === 3) {
            await put(`${endpoint}/logs/day/sample.log`, Buffer.from(SAMPLE).fill('x', SAMPLE.length - 9))
            isChanged = true
          }
          return real.read(...asked)
        },
      }),
  } as const
  const found = await processLogs(options).then(
    () => 'no failure',
    (failure: unknown) => String(failure),
  )
  check(
    'a change between two ranges is found',
    isChanged && /sample\.log has changed since the run began/.test(found),
    found,
  )
}
