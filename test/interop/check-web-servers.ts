/**
 * Real nginx and Apache: what our built command line makes of their logs, against what clients really received.
 * Transfers that end well must be proven to the byte. Of those that break off never more than had left the server:
 * a client that stalls until the server has given up, and then reads on, gets exactly that.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { ROOT } from '../support/source-tree.ts'
import { numberAt, runByteledger } from './byteledger.ts'
import { fetchByCurl, fetchByHttp2, fetchBySocket, type Received, type Request } from './web-clients.ts'
import { provideServerPrograms } from './web-server-programs.ts'
import { prepareFolders, type ServerFolders, startApache, startNginx, type WebServer } from './web-servers.ts'

/** What a log may prove of a request, inclusive; `atMost` of those that were broken off. */
type Claim =
  | { readonly kind: 'exactly'; readonly first: number; readonly last: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'atMost'; readonly first: number; readonly last: number; readonly least: number }

interface Scenario {
  readonly name: string
  readonly request: Request
  readonly received: Received
  readonly claim: Claim
}

type Check = (name: string, isRight: boolean, found?: unknown) => void

const SMALL = 20_000
const BIG = 8_000_000
const HUGE = 60_000_000
/** What the buffers between may hold of a transfer that is reset: on this machine, by the defaults of Linux. */
const BUFFERED = 12_000_000
/** What may be left unproven of a transfer over TLS that Apache broke off; of any other broken one, nothing. */
const leastOf = (byteLength: number): number => byteLength - Math.floor(byteLength / 7) - 40_000
/** The same of a response in chunks: both count their framing, and each may be of one byte. */
const leastInChunks = (name: string, byteLength: number): number =>
  Math.floor((name === 'nginx' ? byteLength : leastOf(byteLength)) / 6) - 3

/** Incompressible, so that compression changes nothing but the framing. */
function writeDocuments(folder: string): ReadonlyMap<string, Buffer> {
  const random = createSeededRandom(98)
  mkdirSync(join(folder, 'packed'))
  const documents = new Map<string, Buffer>()
  for (const [path, byteLength] of [
    ['/small.bin', SMALL],
    ['/big.bin', BIG],
    ['/huge.bin', HUGE],
    ['/packed/big.bin', BIG],
  ] as const) {
    const content = Buffer.alloc(byteLength)
    for (let at = 0; at + 4 <= byteLength; at += 4) content.writeUInt32LE(random.below(2 ** 32), at)
    writeFileSync(join(folder, path), content)
    documents.set(path, content)
  }
  return documents
}

const exactly = (first: number, last: number): Claim => ({ kind: 'exactly', first, last })
const NOTHING: Claim = { kind: 'nothing' }

/** Transfers that end well, by curl. */
function useCurl({ port, name }: WebServer, folder: string): Scenario[] {
  const cases: readonly [string, Readonly<Record<string, string>>, readonly string[], Claim][] = [
    ['whole', {}, [], exactly(0, SMALL - 1)],
    ['a range', { Range: 'bytes=100-4999' }, [], exactly(100, 4999)],
    ['one byte', { Range: 'bytes=7-7' }, [], exactly(7, 7)],
    ['an open range', { Range: 'bytes=150-' }, [], exactly(150, SMALL - 1)],
    ['a suffix', { Range: 'bytes=-500' }, [], exactly(SMALL - 500, SMALL - 1)],
    ['a range beyond the end', { Range: 'bytes=19000-99999' }, [], exactly(19_000, SMALL - 1)],
    ['all as a range', { Range: 'bytes=0-' }, [], exactly(0, SMALL - 1)],
    ['a range answered whole', { Range: 'bytes=5-9', 'If-Range': '"other"' }, [], exactly(0, SMALL - 1)],
    ['ranges', { Range: 'bytes=0-99,300-399' }, [], NOTHING],
    ['ranges of which one is there', { Range: 'bytes=40-49,90000-' }, [], exactly(40, 49)],
    ['no such range', { Range: 'bytes=90000-' }, [], NOTHING],
    // Apache overlooks it, nginx refuses it.
    ['a range of nonsense', { Range: 'bytes=9-3' }, [], name === 'nginx' ? NOTHING : exactly(0, SMALL - 1)],
    ['HEAD', {}, ['-I'], NOTHING],
    ['HTTP/1.0', {}, ['-0'], exactly(0, SMALL - 1)],
    ['not modified', { 'If-None-Match': '*' }, [], NOTHING],
  ]
  return cases.map(([title, headers, options, claim]) => {
    const request = { path: '/small.bin', userAgent: `${name} curl: ${title} "\\`, headers }
    return { name: title, request, received: fetchByCurl(port, request, { folder, options }), claim }
  })
}

/** A transfer that was broken off in the way of the first case whose name it has. */
function claimBroken(first: number, received: Received, slack: number, least: number): Claim {
  return { kind: 'atMost', first, last: first + received.body.length + slack - 1, least }
}

/** Clients that stall until the server gives up: what they have then is what left the server. */
async function stall({ name, port, tlsPort }: WebServer): Promise<Scenario[]> {
  const leaving = { after: 300_000, how: 'stall' } as const
  const range = { Range: 'bytes=1000-' }
  const packed = { 'Accept-Encoding': 'gzip' }
  const cases = [
    { title: 'stalls', path: '/big.bin', headers: {}, first: 0, isTls: false },
    { title: 'stalls in a range', path: '/big.bin', headers: range, first: 1000, isTls: false },
    { title: 'stalls in chunks', path: '/packed/big.bin', headers: packed, first: 0, isTls: false },
    { title: 'stalls over TLS', path: '/big.bin', headers: range, first: 1000, isTls: true },
  ]
  return await Promise.all(
    cases.map(async ({ title, path, headers, first, isTls }) => {
      const request = { path, userAgent: `${name} socket: ${title}`, headers }
      const received = await fetchBySocket(isTls ? tlsPort : port, request, { leaving, isTls })
      const byteLength = received.body.length
      // nginx counts the body to the byte, unless it comes in chunks.
      const isExact = name === 'nginx' && path === '/big.bin' && !isTls
      const least = headers === packed ? leastInChunks(name, byteLength) : leastOf(byteLength)
      const claim = claimBroken(first, received, 0, isExact ? byteLength : least)
      return { name: title, request, received, claim }
    }),
  )
}

/** Clients that go away at once: some of what left the server is lost on the way, and no log knows. */
async function leave({ name, port, http2Port }: WebServer): Promise<Scenario[]> {
  const scenarios: Scenario[] = []
  for (const after of [1, 1_000_000]) {
    const request = { path: '/huge.bin', userAgent: `${name} socket: leaves after ${after}` }
    const received = await fetchBySocket(port, request, { leaving: { after, how: 'reset' } })
    const claim = claimBroken(0, received, BUFFERED, leastOf(received.body.length))
    scenarios.push({ name: `leaves after ${after}`, request, received, claim })
  }
  for (const [after, headers] of [
    [1, {}],
    [2_000_000, {}],
    [1_000_000, { range: 'bytes=1000-7999000' }],
  ] as const) {
    const request = { path: '/huge.bin', userAgent: `${name} HTTP/2: leaves ${after}`, headers }
    const received = await fetchByHttp2(http2Port, request, after)
    const first = 'range' in headers ? 1000 : 0
    const claim = claimBroken(first, received, BUFFERED, leastOf(received.body.length))
    scenarios.push({ name: `leaves HTTP/2 after ${after}`, request, received, claim })
  }
  return scenarios
}

/** Transfers that end well, over other protocols. */
async function finish({ name, http2Port, tlsPort, port }: WebServer): Promise<Scenario[]> {
  const request = (title: string, path: string, headers = {}): Request => {
    return { path, userAgent: `${name} ${title}`, headers }
  }
  const range = { range: 'bytes=4000000-7999998' }
  const whole = request('HTTP/2: whole', '/big.bin')
  const part = request('HTTP/2: a range', '/big.bin', range)
  const secret = request('TLS: whole', '/big.bin')
  const packed = request('chunks: whole', '/packed/big.bin', { 'Accept-Encoding': 'gzip' })
  const inChunks = await fetchBySocket(port, packed)
  return [
    {
      name: 'HTTP/2',
      request: whole,
      received: await fetchByHttp2(http2Port, whole),
      claim: exactly(0, BIG - 1),
    },
    {
      name: 'a range of HTTP/2',
      request: part,
      received: await fetchByHttp2(http2Port, part),
      claim: exactly(4_000_000, 7_999_998),
    },
    {
      name: 'TLS',
      request: secret,
      received: await fetchBySocket(tlsPort, secret, { isTls: true }),
      claim: exactly(0, BIG - 1),
    },
    {
      name: 'chunks',
      request: packed,
      received: inChunks,
      claim: claimBroken(0, inChunks, 0, leastInChunks(name, inChunks.body.length)),
    },
  ]
}

/** Whether the client has what the claim speaks of: else the scenario is not what it means to be. */
function isReceived({ request, received, claim }: Scenario, documents: ReadonlyMap<string, Buffer>): boolean {
  const document = documents.get(request.path) ?? Buffer.alloc(0)
  if (claim.kind === 'nothing') return true
  // Compressed bytes are not those of the document.
  if (request.path.startsWith('/packed/')) return received.body.length > 100_000
  const last = claim.kind === 'exactly' ? claim.last : claim.first + received.body.length - 1
  const isBroken = claim.kind === 'atMost' && last === document.length - 1
  return !isBroken && received.body.equals(document.subarray(claim.first, last + 1))
}

async function untilLogged(log: string, lineCount: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (readFileSync(log, 'latin1').split('\n').length > lineCount) return
    await setTimeout(100)
  }
  throw new Error(`expected ${lineCount} lines in the log, found ${readFileSync(log, 'latin1')}`)
}

interface Answer {
  readonly covered: readonly (readonly [number, number])[]
}

/** What the store proves of each whole document, in order. */
function askAll(
  store: string,
  scenarios: readonly Scenario[],
  documents: ReadonlyMap<string, Buffer>,
): Answer[] {
  const questions = scenarios.map(({ request: { path, userAgent } }) =>
    JSON.stringify({
      asset: path,
      ip: '127.0.0.1',
      userAgent,
      // Compressed, a document may be longer.
      range: [0, (documents.get(path)?.length ?? 0) + 100_000],
    }),
  )
  const args = [join(ROOT, 'dist', 'cli.js'), 'query', '--store', store, '--batch', '-', '--json']
  const { NODE_OPTIONS: _, ...environment } = process.env
  const run = spawnSync(process.execPath, args, {
    env: environment,
    input: questions.join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (run.status !== 0) throw new Error(`questions: ${run.stderr}`)
  const answers: Answer[] = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  if (answers.length !== scenarios.length)
    throw new Error(`expected ${scenarios.length} answers: ${run.stdout}`)
  return answers
}

function isRight(claim: Claim, { covered }: Answer): boolean {
  const [interval, ...more] = covered
  if (claim.kind === 'nothing' || interval === undefined)
    return covered.length === 0 && claim.kind !== 'exactly'
  const [first, last] = interval
  if (more.length > 0 || first !== claim.first) return false
  if (claim.kind === 'exactly') return last === claim.last
  return last <= claim.last && last - first + 1 >= claim.least
}

async function checkServer(
  server: WebServer,
  folders: ServerFolders,
  documents: ReadonlyMap<string, Buffer>,
  check: Check,
): Promise<void> {
  const scenarios: Scenario[] = []
  try {
    scenarios.push(...useCurl(server, folders.folder))
    scenarios.push(...(await finish(server)), ...(await leave(server)), ...(await stall(server)))
    await untilLogged(server.log, scenarios.length)
  } finally {
    await server.stop()
  }
  const { name, log, logFormat } = server
  const outputs = [['--format', name, '--log-format', logFormat], []].map((options, i) => {
    const out = join(folders.folder, `${name}-${i}.parquet`)
    const report = runByteledger(['process', log, ...options, '--out', out, '--json', '--quiet'])
    check(`${name}: every line is read`, numberAt(report, 'lines') === scenarios.length, report)
    check(`${name}: no line is rejected`, JSON.stringify(report['rejected']) === '{}', report)
    return out
  })
  const [out = '', automatic = ''] = outputs
  check(`${name}: the README's format is found out`, readFileSync(out).equals(readFileSync(automatic)))
  const answers = askAll(out, scenarios, documents)
  for (const [i, scenario] of scenarios.entries()) {
    const { claim, received } = scenario
    const answer = answers[i] ?? { covered: [] }
    const found = { received: received.body.length, claim, answer: answer.covered, head: received.head }
    check(
      `${name}: ${scenario.name}: the client has what it asked for`,
      isReceived(scenario, documents),
      found,
    )
    check(`${name}: ${scenario.name}: proven is what left the server`, isRight(claim, answer), found)
  }
}

/** Checks, and counts them. */
export async function checkWebServers(): Promise<{ passed: number; failed: number }> {
  const programs = provideServerPrograms()
  const counts = { passed: 0, failed: 0 }
  const check: Check = (name, isRight, found = '') => {
    if (isRight) counts.passed++
    else {
      counts.failed++
      console.log(`FAIL ${name}: ${JSON.stringify(found)}`)
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'byteledger-servers-'))
  try {
    const folders = prepareFolders(folder)
    const documents = writeDocuments(folders.documents)
    for (const [name, program, start] of [
      ['nginx', programs.nginx, startNginx],
      ['Apache', programs.apache, startApache],
    ] as const) {
      if (program === undefined) console.log(`${name}: SKIPPED, it is not here, nor is apt-get to install it`)
      else await checkServer(await start(program, folders), folders, documents, check)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(`web servers: ${counts.passed} passed, ${counts.failed} failed`)
  return counts
}
