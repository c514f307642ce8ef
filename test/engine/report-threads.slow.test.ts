/** Reports on several threads: the same as on one, whatever happens to the threads. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { REPORT_KINDS, type Report, type ReportScope } from '#src/delivery/report-model.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import type { ReportRun } from '#src/engine/report-threads.js'
import { type Ledger, openLedger } from '#src/interface/library.js'
import { planReport } from '#src/interface/make-report.js'
import { logOf, makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { ROOT } from '../support/source-tree.ts'

const test = suite('reports on threads')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const ALL: ReportScope = {
  asset: undefined,
  window: { sinceEpochSeconds: undefined, untilEpochSeconds: undefined },
  givenLength: undefined,
}
const workerUrl = (name: string): string =>
  pathToFileURL(join(ROOT, 'test', 'support', 'workers', `${name}.mjs`)).href

function randomRecords(seed: number, count: number, assetCount: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(500)
    return {
      // Names of which some begin others, and such as UTF-16 and bytes order differently.
      asset: `/${['a', 'a/', 'é', '\u{1f600}', '\uffee', 'z'][random(6)]}${random(assetCount)}`,
      ip: ['192.0.2.1', '2001:db8::1', '2001:db8::2'][random(3)] ?? '',
      userAgent: ['VLC/3', 'Googlebot/2', '', 'atc/1 watchOS/9'][random(4)] ?? '',
      ...{ first, last: first + random(300), epochSeconds: EPOCH + random(5 * 86_400) },
    }
  })
}

/** Everything that a report says. */
async function contentOf(report: Report): Promise<unknown> {
  const rows: unknown[] = []
  for await (const row of report.rows) rows.push(row)
  return { ...report, rows }
}

const make = (ledger: Ledger, kind: Report['kind'], scope: ReportScope, run: ReportRun, by?: string) =>
  ledger.makeReport(planReport(kind, scope, by === undefined ? {} : { by }), run)

type Made = readonly [kind: Report['kind'], scope: ReportScope, threadCount: number, by?: string]

/** Each on one thread and on several. Threads take long to start from source, so none is tried twice. */
async function compareThreads(path: string, reports: readonly Made[]): Promise<void> {
  const ledger = await openLedger(path)
  for (const [kind, scope, threadCount, by] of reports) {
    const alone = await contentOf(await make(ledger, kind, scope, { threadCount: 1 }, by))
    const told: number[] = []
    const run = { threadCount, onProgress: (passed: number) => told.push(passed) }
    const together = await make(ledger, kind, scope, run, by)
    assert.equal(await contentOf(together), alone, `${kind} by ${by}, ${threadCount} threads`)
    assert.equal(
      told,
      told.toSorted((a, b) => a - b),
    )
  }
  ledger.close()
}

const WINDOW = { sinceEpochSeconds: EPOCH + 86_400, untilEpochSeconds: EPOCH + 3 * 86_400 }

test('every report is the same for any number of threads', async () => {
  const records = randomRecords(1, 4000, 8)
  for (const part of [0, 1]) {
    await writeDeliveryFile(
      scratch.path(`some-${part}.parquet`),
      records.filter((_, i) => i % 2 === part),
      20_000,
    )
  }
  await compareThreads(scratch.path('some-*.parquet'), [
    ...REPORT_KINDS.map((kind, i): Made => [kind, ALL, 2 + (i % 2)]),
    ['gaps', { ...ALL, window: WINDOW }, 3],
    ['waste', { ...ALL, window: WINDOW }, 2, 'ip'],
    ['downloads', ALL, 2, 'day'],
  ])
})

test('so it is of a store, whose files are held against its log by each thread', async () => {
  const log = scratch.path('store.log')
  writeFileSync(log, logOf(randomRecords(2, 1500, 3)))
  const store = scratch.path('store')
  const maxRejects = { kind: 'count', count: 0 } as const
  await processIntoStore({ inputs: [log], store, threads: 1, maxRejects })
  await compareThreads(store, [
    ['completion', ALL, 2],
    ['never', ALL, 2],
  ])
})

/** A file of many listeners with gaps: more than a thread may be ahead. */
async function writeManyGaps(name: string): Promise<string> {
  const path = scratch.path(name)
  const records = Array.from({ length: 150_000 }, (_, i): MemoryRecord => {
    const last = i % 5000 === 0 ? 99 : 49
    const asset = `/${i % 2}`
    return {
      asset,
      ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      userAgent: '',
      first: 0,
      last,
      epochSeconds: EPOCH,
    }
  })
  await writeDeliveryFile(path, records, 1 << 22)
  return path
}

test('a thread that is far ahead waits, and ends when nobody wants more', async () => {
  const ledger = await openLedger(await writeManyGaps('many.parquet'))
  const missing: unknown[] = []
  for await (const row of (await make(ledger, 'gaps', ALL, { threadCount: 2 })).rows) missing.push(row[6])
  // Every 5000th listener, all of one asset as the number is even, holds 100 bytes; of the other all hold 50.
  assert.is(missing.length, 75_000 - 30)
  assert.ok(missing.every((bytes) => bytes === 50))
  for await (const row of (await make(ledger, 'gaps', ALL, { threadCount: 2 })).rows) {
    assert.is(row[0], '/0')
    break
  }
  ledger.close()
})

async function failureOf(path: string, run: ReportRun): Promise<Failure> {
  const ledger = await openLedger(path)
  try {
    for (const kind of ['completion', 'gaps'] as const) await contentOf(await make(ledger, kind, ALL, run))
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  } finally {
    ledger.close()
  }
  throw new Error('expected a failure')
}

test('a thread that dies fails the report; none is started for a small store', async () => {
  const path = scratch.path('some-*.parquet')
  const died = await failureOf(path, { threadCount: 2, workerUrl: workerUrl('dying-at-once') })
  assert.is(died.code, 'CRASHED')
  const left = await failureOf(path, { threadCount: 2, workerUrl: workerUrl('leaving-thread') })
  assert.is(left.code, 'CRASHED')
  const ledger = await openLedger(path)
  await contentOf(await make(ledger, 'completion', ALL, { workerUrl: workerUrl('dying-at-once') }))
  ledger.close()
})

test('threads that get stuck, or never start, fail the report at their deadlines; a slow one does not', async () => {
  const path = scratch.path('some-*.parquet')
  const long = { threadCount: 2, deadlineMs: 60_000, startDeadlineMs: 60_000 }
  const stuck = await failureOf(path, { ...long, workerUrl: workerUrl('stuck-thread'), deadlineMs: 300 })
  assert.is(stuck.code, 'TIMEOUT')
  assert.match(stuck.message, /^expected a sign of progress/)
  const unborn = await failureOf(path, {
    ...long,
    workerUrl: workerUrl('unborn-thread'),
    startDeadlineMs: 300,
  })
  assert.is(unborn.code, 'TIMEOUT')
  assert.match(unborn.message, /^expected a thread to start/)
  const stillborn = await failureOf(path, { ...long, workerUrl: workerUrl('stillborn-thread') })
  assert.is(stillborn.code, 'CRASHED')
  const ledger = await openLedger(path)
  for (const kind of ['completion', 'gaps'] as const) {
    const run = { ...long, workerUrl: workerUrl('slow-thread'), deadlineMs: 500 }
    await contentOf(await make(ledger, kind, ALL, run))
  }
  ledger.close()
})

test('damage that a thread meets is damage, never a report', async () => {
  const path = scratch.path('damaged.parquet')
  await writeDeliveryFile(path, randomRecords(3, 2000, 4), 20_000)
  const bytes = readFileSync(path)
  const codeOf = (threadCount: number): Promise<string> =>
    failureOf(path, { threadCount }).then(
      ({ code }) => code,
      (error) => String(error),
    )
  const found: string[] = []
  for (const at of [0.05, 0.3, 0.55, 0.8]) {
    const damaged = Buffer.from(bytes)
    damaged.fill(0xa5, Math.floor(damaged.length * at), Math.floor(damaged.length * at) + 400)
    writeFileSync(path, damaged)
    const alone = await codeOf(1)
    assert.is(await codeOf(2), alone, `at ${at}`)
    found.push(alone)
  }
  // What no report reads, such as bloom filters, may be damaged unseen.
  assert.ok(found.filter((code) => code === 'DAMAGED').length >= 2, found.join())
})

test.run()
