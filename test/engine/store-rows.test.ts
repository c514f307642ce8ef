/**
 * Law: a store holds the same rows as one file of the same logs, each in the directory of its day, and what
 * the commit says of a file is true. DuckDB reads the directory without the log; the oracle looks at each byte.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import { parseQuery } from '#src/delivery/question.js'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile, openStore } from '#src/delivery/store.js'
import type { StoreRunOptions } from '#src/engine/process-into-store.js'
import { processLogs } from '#src/engine/process-logs.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { readTable } from '#src/table/table.js'
import { answerByBytes } from '../../fixtures/byte-oracle.ts'
import { type OracleRequest, readLogPlainly } from '../../fixtures/log-oracle.ts'
import { queryDuckdb } from '../support/foreign-readers.ts'
import {
  addTo,
  assertHolds,
  logLine,
  newStore,
  type RandomLogShape,
  randomStoreLog,
  requestsInLogs,
  requestsInStore,
  writeLog,
} from '../support/store-runs.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const rows = suite('rows of a store')
const FAR = 2 ** 40
/** 1970-01-01, a leap day, the last day there is, and neighbours. */
const DAYS = [0, 1, 18_321, 19_860, 19_861, 19_862, 2_932_896]
const SHAPES: readonly RandomLogShape[] = [
  { lines: 400, days: DAYS, longestRange: 300 },
  { lines: 300, days: [19_861, 19_860], longestRange: 700, base: FAR },
  { lines: 200, days: [19_860], longestRange: 5 },
]
const inStore = (store: string): string => `read_parquet('${store}/**/*.parquet', hive_partitioning = true)`
const dayOf = (epochSeconds: number): string => new Date(epochSeconds * 1000).toISOString().slice(0, 10)

/** Every row of the oracle, one by one, summed up by date and key as SQL does it. */
function expectSums(requests: readonly OracleRequest[]): string[] {
  const groups = new Map<string, { count: number; sum: bigint; distinct: Set<number> }>()
  for (const { epochSeconds, asset, ip, userAgent, first, last } of requests) {
    const key = JSON.stringify([
      dayOf(epochSeconds),
      asset,
      ip,
      createHash('md5').update(userAgent).digest('hex'),
    ])
    const group = groups.get(key) ?? { count: 0, sum: 0n, distinct: new Set() }
    groups.set(key, group)
    for (let byte = first; byte <= last; byte++) {
      group.count++
      group.sum += BigInt(byte)
      group.distinct.add(byte)
    }
  }
  return [...groups]
    .map(([key, { count, sum, distinct }]) => `${key} ${count} ${sum} ${distinct.size}`)
    .sort()
}

for (const [seed, shape] of SHAPES.entries()) {
  rows(`log ${seed}: the store has what one file has, for any threads and shards`, async () => {
    const log = randomStoreLog(seed, shape)
    const input = writeLog(log)
    const out = join(makeTempFolder(), 'out.parquet')
    await processLogs({ inputs: [input], out, threads: 1, maxRejects: { kind: 'share', share: 1 } })
    const file = openFile(out)
    const inFile = [...scanAllRuns(file)]
      .map(({ asset, ip, userAgent, epochSeconds, start, end }) => {
        return JSON.stringify([dayOf(epochSeconds), epochSeconds, ip, userAgent, asset, start, end - 1])
      })
      .sort()
    file.close()
    assert.equal(inFile, requestsInLogs(log))
    const bytesByDate = new Map<string, string>()
    for (const options of [
      { shardByteLength: 1500 },
      // Threads take long to start, so not for each log.
      ...(seed === 0 ? [{ shardByteLength: 1500, threads: 3, threadsFromByteLength: 0 }] : []),
      ...(seed === 2 ? [{ shardByteLength: 97 }] : []),
      {},
    ] satisfies Partial<StoreRunOptions>[]) {
      const store = newStore()
      await addTo(store, [input], options)
      const what = JSON.stringify(options)
      assert.equal(await requestsInStore(store), inFile, what)
      // The same shards give the same bytes; the footer has the name of the file.
      for (const path of await committedFiles(store)) {
        const key = `${/date=([^/]+)/.exec(path)?.[1]} ${options.shardByteLength}`
        const content = readFileSync(path)
        const end = content.length - 8 - content.readUInt32LE(content.length - 8)
        const bytes = createHash('md5').update(content.subarray(0, end)).digest('hex')
        assert.is(bytes, bytesByDate.get(key) ?? bytes, what)
        bytesByDate.set(key, bytes)
      }
    }
  })

  rows(`log ${seed}: DuckDB over the directory sums up what the log says, by date and key`, async () => {
    const { requests } = readLogPlainly(Buffer.from(randomStoreLog(seed, shape)))
    const store = newStore()
    // In three runs, so that a day has several files.
    const lines = randomStoreLog(seed, shape).split('\n')
    const third = Math.ceil(lines.length / 3)
    for (let at = 0; at < lines.length; at += third) {
      const part = lines.slice(at, at + third)
      await addTo(store, [writeLog(`${part.join('\n')}${at + third < lines.length ? '\n' : ''}`)], {
        shardByteLength: 3000,
      })
    }
    const found = await queryDuckdb(
      `SELECT date::DATE::VARCHAR, request, ip, user_agent_md5, count(*), sum(byte_num), count(DISTINCT byte_num)
       FROM ${inStore(store)} GROUP BY ALL`,
    )
    const sums = found.map(
      ([date, asset, ip, md5, ...figures]) =>
        `${JSON.stringify([date, asset, ip, md5])} ${figures.join(' ')}`,
    )
    assert.equal(sums.sort(), expectSums(requests))
    const [strangers] = await queryDuckdb(
      `SELECT count(*) FROM ${inStore(store)} WHERE date::DATE <> make_timestamp(epoch * 1000000)::DATE`,
    )
    assert.equal(strangers, ['0'], 'a file holds rows of its day alone')
    await assertAnswers(store, requests)
  })

  rows(`log ${seed}: rows and bounds in the commit are those that DuckDB finds in the files`, async () => {
    const store = newStore()
    await addTo(store, [writeLog(randomStoreLog(seed, shape))], { shardByteLength: 2000 })
    const columns = ['epoch', 'ip', 'user_agent', 'user_agent_md5', 'request', 'byte_num']
    const bounds = columns.map((name) => `min(${name})::VARCHAR, max(${name})::VARCHAR`)
    for (const [path, { partitionValues, size, stats }] of (await readTable(store)).files) {
      assert.ok(path.startsWith(`date=${partitionValues.date}/`))
      assert.is(size, readFileSync(join(store, path)).length)
      const [found = []] = await queryDuckdb(
        `SELECT count(*), ${bounds} FROM read_parquet('${store}/${path}', hive_partitioning = false)`,
      )
      assert.is(String(stats?.numRecords), found[0])
      for (const [i, name] of columns.entries()) {
        const [min = '', max = ''] = found.slice(1 + 2 * i)
        // A bound that is too long to be told is not told, shortened neither.
        const isTold = Buffer.byteLength(min) <= 512 && Buffer.byteLength(max) <= 512
        assert.equal(
          [stats?.minValues[name], stats?.maxValues[name]].map((bound) =>
            bound === undefined ? undefined : String(bound),
          ),
          isTold ? [min, max] : [undefined, undefined],
          `${path} ${name}`,
        )
        assert.is(stats?.nullCount[name], 0)
      }
    }
  })
}

/** Asks the store about some ranges, within and across days, and the oracle as well. */
async function assertAnswers(store: string, requests: readonly OracleRequest[]): Promise<void> {
  const source = openStore(await committedFiles(store))
  try {
    for (const { asset, ip, userAgent, first, last } of requests.slice(0, 25)) {
      const range = [Math.max(0, first - 20), last + 20] as const
      // The map of the oracle begins at 0, so what is far is moved there.
      const moved = Math.min(...requests.map((request) => request.first)) >= FAR ? FAR - 50 : 0
      const near = requests.map((request) => ({
        ...request,
        first: request.first - moved,
        last: request.last - moved,
      }))
      const expected = answerByBytes(near, {
        asset,
        ip,
        userAgent,
        range: [range[0] - moved, range[1] - moved],
      })
      const question = { asset, ip, userAgent, range: `${range[0]}-${range[1]}` }
      const { answer } = askSource(
        source,
        parseQuery({ ...question, whole: false }, { since: undefined, until: undefined }),
      )
      assert.equal(
        [
          answer.verdict,
          answer.coveredBytes,
          answer.requests,
          answer.firstAt,
          answer.lastAt,
          answer.completeAt,
        ],
        [
          expected.verdict,
          expected.coveredBytes,
          expected.requests,
          expected.firstAt,
          expected.lastAt,
          expected.completeAt,
        ],
      )
      assert.equal(
        answer.missing,
        expected.missing.map(([from, to]) => [from + moved, to + moved]),
      )
    }
  } finally {
    source.close()
  }
}

rows('a file has nothing of another day, not even in its dictionaries', async () => {
  const token = (name: string, day: number): string =>
    createHash('sha256').update(`${name}${day}`).digest('hex').slice(0, 24)
  const days = [19_860, 19_861, 19_862]
  const log = days.map((day) => {
    const at = { date: dayOf(day * 86_400), ip: token('ip', day), userAgent: token('agent', day) }
    return logLine(`/${token('asset', day)}`, '0-99', at)
  })
  const store = newStore()
  await addTo(store, [writeLog(log.join(''))])
  for (const path of await committedFiles(store)) {
    const bytes = readFileSync(path, 'latin1')
    for (const day of days) {
      for (const name of ['ip', 'agent', 'asset']) {
        assert.is(
          bytes.includes(token(name, day)),
          path.includes(dayOf(day * 86_400)),
          `${name} of ${day} in ${path}`,
        )
      }
    }
  }
})

rows('requests of more than 2^27 rows are whole, in a file of their day', async () => {
  const size = 2 ** 28 + 12_345
  const log = [
    logLine('/long', `7-${size + 6}`, { date: '2024-05-18' }),
    logLine('/long', `${size}-${2 ** 32 + 99}`, { date: '2024-05-17' }),
    logLine('/long', `0-6`, { date: '2024-05-17' }),
  ]
  const store = newStore()
  await addTo(store, [writeLog(log.join(''))])
  await assertHolds(store, log)
  const counts = await queryDuckdb(
    `SELECT num_rows FROM parquet_file_metadata('${store}/**/*.parquet') ORDER BY 1`,
  )
  assert.equal(counts, [[String(size)], [String(7 + 2 ** 32 + 100 - size)]])
  const sums = await queryDuckdb(
    `SELECT min(byte_num), max(byte_num), sum(byte_num) FROM ${inStore(store)} WHERE date = '2024-05-18'`,
  )
  assert.equal(sums, [['7', String(size + 6), String((BigInt(size + 13) * BigInt(size)) / 2n)]])
  const source = openStore(await committedFiles(store))
  const query = { asset: '/long', ip: '192.0.2.1', userAgent: 'agent', whole: true }
  const { answer } = askSource(source, parseQuery(query, { since: undefined, until: undefined }))
  source.close()
  assert.equal([answer.verdict, answer.coveredBytes, answer.requests], ['complete', 2 ** 32 + 100, 3])
})

rows('more days than files may be open come back to each of their files', async () => {
  const days = Array.from({ length: 150 }, (_, i) => 19_000 + i)
  const log = Array.from({ length: 3 }, (_, turn) =>
    days.map((day) => logLine(`/${turn}`, `${day}-${day + turn}`, { date: dayOf(day * 86_400) })).join(''),
  )
  const store = newStore()
  const report = await addTo(store, [writeLog(log.join(''))], { shardByteLength: 2000 })
  assert.equal([report.files.length, report.store.version], [150, 0])
  await assertHolds(store, log)
})

rows.run()
