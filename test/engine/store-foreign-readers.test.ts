/**
 * A store as readers see it that know directories of partitions and Parquet, not Delta: as long as every
 * file counts (before a compaction, and after the vacuum that follows one) they find what the logs say.
 */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compactStore } from '#src/engine/compact-store.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { vacuumStore } from '#src/engine/vacuum-store.js'
import { answerByBytes } from '../../fixtures/byte-oracle.ts'
import type { OracleRequest } from '../../fixtures/log-oracle.ts'
import { FOREIGN_READERS, queryDuckdb, readColumnNames } from '../support/foreign-readers.ts'
import { listStoreRuns, makeStoreQuestions, STORE_DATES, type StoreRun } from '../support/store-logs.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const readers = suite('foreign readers of a store')
const folder = makeTempFolder()
const store = join(folder, 'store')
const DATA_COLUMNS = ['epoch', 'ip', 'user_agent', 'user_agent_md5', 'request', 'byte_num']
const FILES = `read_parquet('${store}/**/*.parquet', hive_partitioning = true)`

const dateOf = ({ epochSeconds }: OracleRequest): string =>
  new Date(epochSeconds * 1000).toISOString().slice(0, 10)

async function take(run: StoreRun): Promise<void> {
  const maxRejects = { kind: 'count', count: 0 } as const
  const report = await processIntoStore({ inputs: run.lay(), store, maxRejects, threads: 1 })
  assert.is(report.kept, run.requests.length, run.name)
}

function dataFiles(): string[] {
  return readdirSync(store, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('date=') && name.endsWith('.parquet'))
    .map((name) => join(store, name))
    .sort()
}

/** `date`, rows, sum and distinct count of `byte_num`, and number of requests' seconds, from ranges alone. */
function expectDates(requests: readonly OracleRequest[]): string[][] {
  return STORE_DATES.map((date) => {
    const ofDate = requests.filter((request) => dateOf(request) === date)
    const positions = new Set<number>()
    let [rows, sum] = [0, 0]
    for (const { first, last } of ofDate) {
      rows += last - first + 1
      for (let position = first; position <= last; position++) {
        positions.add(position)
        sum += position
      }
    }
    return [
      date,
      rows,
      sum,
      positions.size,
      new Set(ofDate.map(({ epochSeconds }) => epochSeconds)).size,
    ].map(String)
  })
}

async function assertDuckdbAgrees(requests: readonly OracleRequest[]): Promise<void> {
  const counts = 'count(*), sum(byte_num), count(DISTINCT byte_num), count(DISTINCT epoch)'
  const dates = await queryDuckdb(`SELECT date::VARCHAR, ${counts} FROM ${FILES} GROUP BY date ORDER BY date`)
  assert.equal(dates, expectDates(requests))
  for (const { name, asset, ip, userAgent, range } of makeStoreQuestions(requests)) {
    const md5 = createHash('md5').update(userAgent).digest('hex')
    const [row] = await queryDuckdb(
      `SELECT count(DISTINCT byte_num) FROM ${FILES} WHERE ip = '${ip}' AND user_agent_md5 = '${md5}'
       AND request = '${asset}' AND byte_num BETWEEN ${range[0]} AND ${range[1]}`,
    )
    const { coveredBytes } = answerByBytes(requests, { asset, ip, userAgent, range })
    assert.equal(row, [String(coveredBytes)], name)
  }
}

/** DuckDB says how many of the files it opened. */
async function assertDuckdbPrunes(): Promise<void> {
  const files = dataFiles()
  for (const date of STORE_DATES) {
    const [row] = await queryDuckdb(`EXPLAIN ANALYZE SELECT count(*), sum(byte_num) FROM ${FILES}
      WHERE date = DATE '${date}'`)
    const [, read, all] = /Scanning Files: (\d+)\/(\d+)/.exec(row?.join('\n') ?? '') ?? []
    const ofDate = files.filter((file) => file.includes(`date=${date}`)).length
    assert.equal([Number(read), Number(all)], [ofDate, files.length], `${date}: ${row?.join('\n')}`)
  }
}

/** The others read single files: together these hold every row once, in six columns. */
async function assertFilesAgree(requests: readonly OracleRequest[]): Promise<void> {
  for (const reader of FOREIGN_READERS) {
    const found = new Map(STORE_DATES.map((date) => [date, { rows: 0, sum: 0n }]))
    for (const path of dataFiles()) {
      const { rowCount, sum } = await reader.readTotals(path)
      const totals = found.get(/date=([^/]+)/.exec(path)?.[1] ?? '')
      assert.ok(totals, path)
      totals.rows += rowCount
      totals.sum += sum
    }
    assert.equal(
      [...found].map(([date, { rows, sum }]) => [date, String(rows), String(sum)]),
      expectDates(requests).map((row) => row.slice(0, 3)),
      reader.name,
    )
  }
  for (const path of dataFiles()) assert.equal(await readColumnNames(path), DATA_COLUMNS, path)
}

async function assertAllAgree(requests: readonly OracleRequest[]): Promise<void> {
  await assertDuckdbAgrees(requests)
  await assertDuckdbPrunes()
  await assertFilesAgree(requests)
}

readers('DuckDB over the directory, and others over its files, read what the logs say', async () => {
  const taken: OracleRequest[] = []
  const runs = listStoreRuns(join(folder, 'logs'))
  for (const run of runs.slice(0, -1)) {
    await take(run)
    taken.push(...run.requests)
  }
  await assertAllAgree(taken)
  const filesBefore = dataFiles().length
  await compactStore({ store })
  const [[count] = []] = await queryDuckdb(`SELECT count(*) FROM ${FILES}`)
  const rows = taken.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  assert.is(
    Number(count),
    2 * rows,
    'the files from before stay until vacuum, and a directory reader sees both',
  )
  await vacuumStore({ store, retentionMs: 0, dryRun: false })
  assert.ok(filesBefore > STORE_DATES.length)
  assert.is(dataFiles().length, STORE_DATES.length)
  await assertAllAgree(taken)
  const last = runs.at(-1)
  assert.ok(last)
  await take(last)
  await assertAllAgree([...taken, ...last.requests])
})

readers.run()
