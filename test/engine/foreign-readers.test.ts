/** What the engine writes, others read: the same rows, totals and answers, on short and long runs. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { processLogs } from '#src/engine/process-logs.js'
import { answerByBytes } from '../../fixtures/byte-oracle.ts'
import { type OracleRequest, readLogPlainly } from '../../fixtures/log-oracle.ts'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import {
  type ByteTotals,
  countRowGroups,
  type DeliveredRow,
  FOREIGN_READERS,
} from '../support/foreign-readers.ts'
import { ROOT } from '../support/source-tree.ts'

const foreign = suite('foreign readers')
const SAMPLE = join(ROOT, 'fixtures', 'sample.log')
const folder = mkdtempSync(join(tmpdir(), 'byteledger-foreign-'))

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** Writes the Parquet file of a log, in this thread unless shards are cut small. */
async function encode(log: string, name: string, shardByteLength?: number): Promise<string> {
  const out = join(folder, `${name}.parquet`)
  const maxRejects = { kind: 'count', count: 0 } as const
  await processLogs({
    inputs: [log],
    out,
    maxRejects,
    threads: 1,
    ...(shardByteLength === undefined ? {} : { shardByteLength }),
  })
  return out
}

function writeLog(name: string, requests: readonly OracleRequest[]): string {
  const path = join(folder, `${name}.log`)
  const lines = requests.map(({ epochSeconds, ip, userAgent, asset, first, last }) => {
    const [date = '', time = ''] = new Date(epochSeconds * 1000).toISOString().split(/[TZ.]/)
    return `${[date, time, ip, userAgent, asset, 206, `${first}-${last}`].join('\t')}\n`
  })
  writeFileSync(path, lines.join(''))
  return path
}

/** Totals of `byte_num` from ranges alone; distinct positions over all listeners, as SQL counts them. */
function expectTotals(requests: readonly OracleRequest[]): ByteTotals {
  const ranges = requests.map(({ first, last }) => [first, last] as const).sort(([a], [b]) => a - b)
  let sum = 0n
  let rowCount = 0
  let distinctCount = 0
  let reached = -1
  for (const [first, last] of ranges) {
    rowCount += last - first + 1
    sum += (BigInt(first + last) * BigInt(last - first + 1)) / 2n
    distinctCount += Math.max(0, last - Math.max(first - 1, reached))
    reached = Math.max(reached, last)
  }
  return { rowCount, sum, distinctCount, min: ranges[0]?.[0] ?? 0, max: reached }
}

/** Compares as the file is sorted: by the bytes of UTF-8. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Every row of a file with one row group: requests in order, each spelled out byte by byte. */
function expectRows(requests: readonly OracleRequest[]): DeliveredRow[] {
  const sorted = [...requests].sort(
    (a, b) =>
      compareBytes(a.asset, b.asset) ||
      compareBytes(a.ip, b.ip) ||
      compareBytes(a.userAgent, b.userAgent) ||
      a.first - b.first ||
      a.epochSeconds - b.epochSeconds,
  )
  return sorted.flatMap(({ epochSeconds, ip, userAgent, asset, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, at) => ({
      date: new Date(epochSeconds * 1000).toISOString().slice(0, 10),
      epoch: epochSeconds,
      ip,
      userAgent,
      userAgentMd5: md5(userAgent),
      request: asset,
      byteNum: first + at,
    })),
  )
}

/** Requests of a few listeners for a few assets, on both sides of midnight, with overlaps, repeats and gaps. */
function makeRequests(count: number, shortest: number, longest: number, base: number): OracleRequest[] {
  const random = createSeededRandom(count + longest)
  const userAgents = ['AntennaPod/3.4.0', 'Hörbuch/2.1 \u{1f3a7}', '__proto__', '', '\ufffd']
  return Array.from({ length: count }, () => {
    const first = base + random.below(4 * longest)
    return {
      ip: random.pick(['192.0.2.7', '192.0.2.70', '2001:db8::7']),
      userAgent: random.pick(userAgents),
      asset: random.pick(['/a', '/a/b', '/\u00e9', '/z']),
      epochSeconds: Date.UTC(2024, 4, 18) / 1000 + random.between(-50, 50),
      first,
      last: first + random.between(shortest, longest) - 1,
    }
  })
}

async function assertSameTotals(path: string, requests: readonly OracleRequest[]): Promise<void> {
  for (const reader of FOREIGN_READERS) {
    assert.equal(await reader.readTotals(path), expectTotals(requests), reader.name)
  }
}

/** Asks each reader about the ends of some of the requests, and compares with a map of bytes. */
async function assertSameAnswers(
  path: string,
  requests: readonly OracleRequest[],
  asked: { readonly requests: readonly OracleRequest[]; readonly margin: number },
): Promise<void> {
  const { margin } = asked
  for (const request of asked.requests) {
    const first = Math.max(0, request.last - margin)
    const last = request.last + margin
    const { coveredBytes } = answerByBytes(requests, { ...request, range: [first, last] })
    const question = { ...request, userAgentMd5: md5(request.userAgent), request: request.asset, first, last }
    for (const reader of FOREIGN_READERS) {
      assert.is(await reader.countDelivered(path, question), coveredBytes, `${reader.name}, ${first}-${last}`)
    }
  }
}

foreign.after(() => rmSync(folder, { recursive: true }))

foreign('every row of every column is what the log says, in order', async () => {
  const requests = makeRequests(60, 1, 400, 0)
  const path = await encode(writeLog('rows', requests), 'rows')
  const expected = expectRows(requests)
  for (const reader of FOREIGN_READERS) {
    assert.equal(await reader.readRows(path), expected, reader.name)
  }
})

foreign('the sample has the same totals and answers for everybody', async () => {
  const path = await encode(SAMPLE, 'sample')
  const { requests } = readLogPlainly(readFileSync(SAMPLE))
  await assertSameTotals(path, requests)
  const [request] = requests
  assert.ok(request)
  await assertSameAnswers(path, requests, { requests: [request], margin: 100 })
})

foreign('runs around the length of a page are read whole', async () => {
  // 65,536 rows get pages of their own, 2^20 are the most that one page holds.
  const lengths = [
    1,
    127,
    128,
    129,
    65_535,
    65_536,
    65_537,
    131_073,
    2 ** 20 - 1,
    2 ** 20,
    2 ** 20 + 1,
    2_500_000,
  ]
  const requests = lengths.map((byteLength, at) => ({
    ip: '192.0.2.7',
    userAgent: 'AntennaPod/3.4.0',
    asset: `/long-${at % 2}`,
    epochSeconds: 1_715_980_000 + at,
    first: at * 3_000_000,
    last: at * 3_000_000 + byteLength - 1,
  }))
  await assertSameTotals(await encode(writeLog('long', requests), 'long'), requests)
  // Two pages are enough to answer from: some readers turn every row into an object first.
  const two = requests.filter(({ first, last }) => last - first === 2 ** 20)
  assert.is(two.length, 1)
  await assertSameAnswers(await encode(writeLog('two', two), 'two'), two, { requests: two, margin: 300 })
})

foreign('many row groups hold the same rows as one', async () => {
  const requests = makeRequests(1200, 1, 400, 0)
  const log = writeLog('groups', requests)
  const path = await encode(log, 'groups', 10_000)
  assert.ok((await countRowGroups(path)) > 3, 'expected several row groups')
  await assertSameTotals(path, requests)
  await assertSameAnswers(path, requests, { requests: requests.slice(0, 3), margin: 300 })
})

foreign('positions beyond 2^32 are exact', async () => {
  const requests = makeRequests(40, 1, 3000, 2 ** 40 + 5)
  const path = await encode(writeLog('far', requests), 'far')
  await assertSameTotals(path, requests)
  const [request] = requests
  assert.ok(request)
  const end = {
    ...request,
    userAgentMd5: md5(request.userAgent),
    request: request.asset,
    first: request.last,
    last: request.last,
  }
  for (const reader of FOREIGN_READERS) assert.is(await reader.countDelivered(path, end), 1, reader.name)
})

foreign.run()
