/** One sorted file a date: what is in it stays, whatever happens meanwhile. */

import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { runCountOf } from '#src/delivery/schema.js'
import { sortedStretches } from '#src/delivery/sorted-stretches.js'
import { openFile } from '#src/delivery/store.js'
import { type CompactReport, compactStore } from '#src/engine/compact-store.js'
import { vacuumStore } from '#src/engine/vacuum-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { readTable } from '#src/table/table.js'
import { logOf } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  actionsOf,
  appendLog,
  assertAnswers,
  duckdbRows,
  expectedLines,
  filesOf,
  linesOf,
  linesOfFiles,
  listTree,
  makeStore,
  randomRecords,
  startBuilt,
} from '../support/store-samples.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('compacting a store')

/** The sorted stretches, requests, rows and row groups of each file. */
function shapesOf(paths: readonly string[]) {
  return paths.map((path) => {
    const file = openFile(path)
    const rowGroups = Array.from({ length: file.rowGroupCount }, (_, i) => i)
    const shape = {
      stretches: sortedStretches(file, rowGroups).length,
      requests: runCountOf(file.footer.keyValues),
      rows: file.footer.rowCount,
      rowGroups: rowGroups.length,
    }
    file.close()
    return shape
  })
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce((total: number, value) => total + (value ?? 0), 0)

/** Fails unless the store is one sorted file a date with exactly these records. */
async function assertCompact(store: string, records: readonly MemoryRecord[], what: string): Promise<void> {
  const files = await filesOf(store)
  const dates = files.map((path) => /date=([\d-]+)/.exec(path)?.[1])
  assert.is(new Set(dates).size, files.length, `${what}: one file a date, found ${dates}`)
  const shapes = shapesOf(files)
  assert.equal(new Set(shapes.map(({ stretches }) => stretches)), new Set([1]), what)
  assert.is(sum(shapes.map(({ requests }) => requests)), records.length, `${what}: requests`)
  assert.is(sum(shapes.map(({ rows }) => rows)), sum(records.map((r) => r.last - r.first + 1)), what)
  assert.equal(await linesOf(store), expectedLines(records), what)
  for (const path of files) {
    const date = /date=([\d-]+)/.exec(path)?.[1]
    const ofDate = records.filter((r) => new Date(r.epochSeconds * 1000).toISOString().startsWith(`${date}`))
    assert.equal(linesOfFiles([path]), expectedLines(ofDate), `${what}: ${date}`)
  }
}

test('random stores: the rows and answers stay, and each date is one sorted file', async () => {
  for (const limits of [undefined, { fanIn: 2, batchRuns: 7 }, { fanIn: 3, batchRuns: 64 }]) {
    const seed = 1 + (limits?.fanIn ?? 0)
    const records = randomRecords({ seed, count: limits === undefined ? 250 : 110, longest: 60 })
    const store = await makeStore(records)
    const before = await duckdbRows(store)
    const shapes = shapesOf(await filesOf(store))
    assert.ok(sum(shapes.map(({ stretches }) => stretches)) > 20, 'there is something to merge')
    await assertAnswers(store, records, { seed, count: 60, span: 150 })
    const report = await compactStore({ store, limits })
    assert.equal(
      report.compacted.map(({ date }) => date),
      ['2024-05-16', '2024-05-17', '2024-05-18', '2024-05-19'],
    )
    assert.is(sum(report.compacted.map(({ rows }) => rows)), sum(shapes.map(({ rows }) => rows)))
    await assertCompact(store, records, `seed ${seed}`)
    assert.equal(await duckdbRows(store), before, `seed ${seed}: DuckDB reads the same`)
    await assertAnswers(store, records, { seed: seed + 50, count: 60, span: 150 })
    assert.not.ok(isAtWork(store), 'no temporary file stays')
  }
})

test('requests of billions of rows, split over row groups, stay one request each', async () => {
  const long = randomRecords({ seed: 9, count: 24, longest: 2 ** 31, assetCount: 2, dayCount: 1 })
  const short = randomRecords({ seed: 10, count: 40, longest: 50, assetCount: 2, dayCount: 1 })
  const records = [...long, ...short].map((r, i) => (i % 9 === 0 ? { ...r, last: r.first + 2 ** 32 } : r))
  const store = await makeStore(records, 3, 500)
  await compactStore({ store, limits: { fanIn: 3, batchRuns: 5 } })
  await assertCompact(store, records, 'long requests')
  assert.ok(sum(shapesOf(await filesOf(store)).map(({ rowGroups }) => rowGroups)) > 20)
})

test('a listener with more requests than a batch and than a row group is merged in order', async () => {
  const random = seededRandom(4)
  const records = Array.from({ length: 70_000 }, (): MemoryRecord => {
    const first = random(1e9)
    return {
      asset: '/one',
      ip: '10.0.0.1',
      userAgent: 'x',
      first,
      last: first + 5,
      epochSeconds: 1_715_900_000,
    }
  })
  const store = await makeStore(records, 2, 1 << 20)
  await compactStore({ store, limits: { fanIn: 4, batchRuns: 9000 } })
  await assertCompact(store, records, 'one listener')
})

test('long texts are taken a few at a time: every one comes out as it went in', async () => {
  const records = Array.from({ length: 600 }, (_, i): MemoryRecord => {
    const userAgent = `${i % 450}`.padEnd(5000, 'ü')
    return { asset: '/a', ip: `10.0.0.${i % 7}`, userAgent, first: i, last: i, epochSeconds: 1_715_900_000 }
  })
  const store = await makeStore(records, 2, 1 << 22)
  await compactStore({ store, limits: { fanIn: 9, batchRuns: 9000, batchTextLength: 200_000 } })
  await assertCompact(store, records, 'long texts')
  const [shape] = shapesOf(await filesOf(store))
  assert.ok((shape?.rowGroups ?? 0) >= (600 * 5000) / 210_000, `${shape?.rowGroups} row groups`)
})

test('a date that is one sorted file is left alone, and only the date asked for is touched', async () => {
  const records = randomRecords({ seed: 5, count: 120, longest: 9 })
  const store = await makeStore(records)
  const before = await filesOf(store)
  const { store: first } = await compactStore({ store, date: '2024-05-17' })
  assert.is(first.version, 3)
  const others = (paths: readonly string[]): string[] => paths.filter((path) => !path.includes('05-17'))
  const after = await filesOf(store)
  assert.equal(others(after), others(before))
  assert.is(after.length - others(after).length, 1)
  await compactStore({ store })
  const compact = [await filesOf(store), listTree(store)]
  const { compacted, store: again } = await compactStore({ store })
  assert.equal([compacted, again.version], [[], 6])
  assert.equal([await filesOf(store), listTree(store)], compact, 'nothing is written')
  assert.is(await codeOf(compactStore({ store, date: '2024-05-30' })), 'USAGE')
})

test('the log says that no data changed: a remove for each old file, one add, statistics that bound', async () => {
  const records = randomRecords({ seed: 6, count: 90, longest: 9, dayCount: 1 })
  const store = await makeStore(records)
  const before = (await filesOf(store)).map((path) => path.slice(store.length + 1))
  await compactStore({ store, date: '2024-05-17' })
  const removes = actionsOf(store, 3, 'remove')
  assert.equal(
    removes.map((remove) => remove['path']).sort(),
    before.filter((path) => path.includes('05-17')),
  )
  assert.equal(new Set(removes.map((remove) => remove['dataChange'])), new Set([false]))
  const [add, ...more] = actionsOf(store, 3, 'add')
  assert.equal([add?.['dataChange'], more.length], [false, 0])
  assert.is(actionsOf(store, 3, 'commitInfo')[0]?.['operation'], 'OPTIMIZE')
  const stats = JSON.parse(String(add?.['stats']))
  const day = records.filter((r) => r.epochSeconds >= Date.UTC(2024, 4, 17) / 1000)
  assert.is(stats.numRecords, sum(day.map((r) => r.last - r.first + 1)))
  const ips = day.map((r) => r.ip).sort()
  assert.equal([stats.minValues.ip, stats.maxValues.ip], [ips[0], ips.at(-1)])
})

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'done'
  } catch (failure) {
    return failure instanceof Failure ? failure.code : String(failure)
  }
}

const LARGE = randomRecords({ seed: 7, count: 14_000, longest: 90, assetCount: 40, dayCount: 2 })
let largeStore: Promise<string> | undefined

/** A store whose compaction takes a second or so. */
async function makeLargeStore(): Promise<string> {
  largeStore ??= makeStore(LARGE, 3, 20_000)
  const store = join(makeTempFolder(), 'store')
  cpSync(await largeStore, store, { recursive: true, preserveTimestamps: true })
  return store
}

/** Whether there are temporary files. */
const isAtWork = (store: string): boolean => listTree(store).some((name) => /(^|\/)\./.test(name))

const hash = (lines: readonly string[]): string => createHash('md5').update(lines.join('\n')).digest('hex')

test('who asks while another process compacts, appends and compacts gets one answer, and all of it lands', async () => {
  const store = await makeLargeStore()
  const assets = new Set(['/asset/3', '/asset/17'])
  const expected = expectedLines(LARGE.filter(({ asset }) => assets.has(asset)))
  const compactions = [
    startBuilt(['compact', '--store', store, '--json']),
    startBuilt(['compact', '--store', store, '--json']),
  ]
  const extra: MemoryRecord = {
    asset: '/zzz',
    ip: '192.0.2.9',
    userAgent: 'late',
    first: 0,
    last: 9,
    epochSeconds: 1_715_900_000,
  }
  const process = startBuilt(['process', writeLog([extra]), '--store', store])
  let asked = 0
  do {
    assert.is(
      hash(linesOfFiles(await committedFiles(store), { assets })),
      hash(expected),
      `question ${asked}`,
    )
    asked++
    await setTimeout(5)
  } while (compactions.some(({ isRunning }) => isRunning()))
  for (const { end } of compactions) assert.is((await end).exitCode, 0, (await end).stderr)
  assert.is((await process.end).exitCode, 0, (await process.end).stderr)
  assert.ok(asked > 3, `${asked} questions`)
  assert.equal(await linesOf(store), expectedLines([...LARGE, extra]))
  const reports = await Promise.all(
    compactions.map(async ({ end }): Promise<CompactReport> => JSON.parse((await end).stdout)),
  )
  assert.ok(sum(reports.map(({ compacted }) => compacted.length)) >= 3, 'every date was compacted')
  await compactStore({ store })
  await assertCompact(store, [...LARGE, extra], 'after all')
})

function writeLog(records: readonly MemoryRecord[]): string {
  const path = join(makeTempFolder(), 'extra.log')
  writeFileSync(path, logOf(records))
  return path
}

test('killed at any moment the store is at a version before or after, and vacuum takes the rest away', async () => {
  const store = await makeLargeStore()
  const expected = hash(expectedLines(LARGE))
  const random = seededRandom(11)
  let unfinished = 0
  for (let i = 0; i < 6; i++) {
    const child = startBuilt(['compact', '--store', store])
    // Every other one surely at work, the rest whenever it happens to be.
    while (i % 2 === 0 && child.isRunning() && !isAtWork(store)) await setTimeout(2)
    await setTimeout(random(i % 2 === 0 ? 40 : 700))
    child.kill('SIGKILL')
    const { exitCode } = await child.end
    const files = await committedFiles(store)
    assert.is(hash(linesOfFiles(files)), expected, `kill ${i}`)
    if (isAtWork(store)) unfinished++
    await vacuumStore({ store, retentionMs: 0 })
    assert.equal(
      listTree(store).filter((name) => !name.startsWith('_delta_log/')),
      files.map((path) => path.slice(store.length + 1)).sort(),
      'nothing but what is committed stays',
    )
    assert.equal(
      listTree(store).filter((name) => name.startsWith('_delta_log/.')),
      [],
    )
    if (exitCode === 0) break
  }
  assert.ok(unfinished > 0, 'some were killed at work')
  await compactStore({ store })
  await assertCompact(store, LARGE, 'after kills')
})

test('interrupted it ends with 130, leaves nothing, and the store is as it was', async () => {
  const store = await makeLargeStore()
  const before = listTree(store)
  const child = startBuilt(['compact', '--store', store, '--date', '2024-05-17'])
  while (!isAtWork(store)) await setTimeout(2)
  child.kill('SIGINT')
  const { exitCode, stdout, stderr } = await child.end
  assert.equal([exitCode, stdout], [130, ''], stderr)
  assert.match(stderr, /interrupted/)
  assert.equal(listTree(store), before)
  assert.is(hash(await linesOf(store)), hash(expectedLines(LARGE)))
})

/** What can be told from checked bytes elsewhere: hashes from texts, and a page of one request from its index. */
const DERIVED = ['user_agent_md5', 'byte_num']

test('a damaged page is told, nothing is committed or left, and the old version still answers', async () => {
  const records = randomRecords({ seed: 8, count: 200, longest: 40, dayCount: 1 })
  const store = await makeStore(records, 2)
  const [relative = ''] = actionsOf(store, 0, 'add').map(({ path }) => decodeURIComponent(`${path}`))
  const path = join(store, relative)
  const whole = readFileSync(path)
  const date = /date=([\d-]+)/.exec(path)?.[1]
  const before = listTree(store)
  const { row_groups: rowGroups } = await parquetMetadataAsync(await asyncBufferFromFile(path))
  for (const rowGroup of [0, rowGroups.length - 1]) {
    for (const { meta_data: chunk } of rowGroups[rowGroup]?.columns ?? []) {
      assert.ok(chunk)
      const from = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
      for (const at of [from + 2, from + Number(chunk.total_compressed_size) - 1]) {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ 16
        writeFileSync(path, bytes)
        const what = `row group ${rowGroup}, ${chunk.path_in_schema}, byte ${at}`
        if (DERIVED.includes(chunk.path_in_schema.join())) {
          const copy = join(makeTempFolder(), 'copy')
          cpSync(store, copy, { recursive: true })
          const isMended = (await codeOf(compactStore({ store: copy }))) === 'done'
          if (isMended) await assertCompact(copy, records, what)
          else assert.equal(listTree(copy), before, what)
          continue
        }
        for (const limits of [undefined, { fanIn: 2, batchRuns: 16 }]) {
          assert.is(await codeOf(compactStore({ store, limits, date })), 'DAMAGED', what)
          assert.equal(listTree(store), before, what)
        }
      }
    }
  }
  const bytes = Buffer.from(whole)
  bytes[5] = (bytes[5] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const cli = await startBuilt(['compact', '--store', store]).end
  assert.equal([cli.exitCode, cli.stdout], [2, ''])
  assert.match(cli.stderr, path)
  writeFileSync(path, whole)
  assert.equal(await linesOf(store), expectedLines(records))
})

test('a file that compaction and vacuum of others took away is no failure', async () => {
  const records = randomRecords({ seed: 12, count: 3000, longest: 40, dayCount: 1 })
  const store = await makeStore(records, 3, 5000)
  const runs = [0, 1].map(() => compactStore({ store, limits: { fanIn: 2, batchRuns: 100 } }))
  const vacuums = (async () => {
    for (let i = 0; i < 20; i++) {
      await vacuumCommitted(store)
      await setTimeout(10)
    }
  })()
  await Promise.all([...runs, vacuums])
  await assertCompact(store, records, 'two at once')
})

/** Deletes removed files at once, and leaves those of runs under way, which a vacuum of 0s would take. */
async function vacuumCommitted(store: string): Promise<void> {
  const { removed } = await readTable(store)
  for (const path of removed.keys()) rmSync(join(store, path), { force: true })
}

test('memory is bounded and time follows requests, not bytes', async () => {
  const measured: { peak: number; cpu: number }[] = []
  for (const longer of [1, 1000]) {
    const lines = largeLog(longer)
    const store = join(makeTempFolder(), 'store')
    for (let run = 0; run < 4; run++)
      await appendLog(store, lines.filter((_, i) => i % 4 === run).join(''), 1 << 20)
    const { exitCode, stderr } = await startBuilt(['compact', '--store', store], true).end
    assert.is(exitCode, 0, stderr)
    const [, peak, cpu] = /peak (\d+) cpu (\d+)/.exec(stderr) ?? []
    measured.push({ peak: Number(peak) / 1024, cpu: Number(cpu) / 1e6 })
  }
  const [short, long] = measured
  for (const { peak } of measured) assert.ok(peak > 20 && peak < 500, `${peak} MiB`)
  assert.ok((long?.cpu ?? 99) < 2.5 * (short?.cpu ?? 0) + 1, JSON.stringify(measured))
})

/** 50,000 lines, of requests that are so many times as long as 5,000 bytes. */
function largeLog(longer: number): string[] {
  const random = seededRandom(3)
  return Array.from({ length: 50_000 }, () => {
    const first = random(1e6) * longer
    const time = `12:${String(random(60)).padStart(2, '0')}:00`
    return `2024-05-17\t${time}\t10.0.${random(50)}.${random(200)}\tagent ${random(300)}\t/asset/${random(500)}\t206\t${first}-${first + 5000 * longer}\n`
  })
}

test.run()
