/** Stores of random requests, for tests of what rewrites them, and the slow way to say what they must hold. */

import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import { formatInstant } from '#src/delivery/question-time.js'
import type { ListenerRuns, ListenerScan } from '#src/delivery/scan-listeners.js'
import { openStore } from '#src/delivery/store.js'
import { processIntoStore, type StoreRunReport } from '#src/engine/process-into-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { askOracle } from './byte-oracle.ts'
import { logOf } from './delivery-file.ts'
import { queryDuckdb } from './foreign-readers.ts'
import type { MemoryRecord } from './memory-source.ts'
import type { CliResult } from './run-built.ts'
import { endOf } from './run-built.ts'
import { seededRandom } from './seeded-random.ts'
import { ROOT } from './source-tree.ts'
import { makeTempFolder } from './temp-folder.ts'

const DAY = 86_400
/** 2024-05-16T23:59:50Z: so that requests of one second or another are of another day. */
const EPOCH = Date.UTC(2024, 4, 16, 23, 59, 50) / 1000
const AGENTS = ['', 'curl/8', 'Hörbuch ☂', '__proto__', '\u{10ffff}', '\uffff', 'x'.repeat(300)]

/** What random requests look like. */
export interface RandomStore {
  readonly seed: number
  readonly count: number
  /** Rows of a request at most. */
  readonly longest: number
  readonly assetCount?: number
  readonly dayCount?: number
}

/** Random requests; about one in eight is there several times. */
export function randomRecords({
  seed,
  count,
  longest,
  assetCount = 4,
  dayCount = 3,
}: RandomStore): MemoryRecord[] {
  const random = seededRandom(seed)
  const records: MemoryRecord[] = []
  while (records.length < count) {
    const first = random(100)
    const record = {
      asset: `/asset/${random(assetCount)}`,
      ip: random(5) === 0 ? `2001:db8::${random(3)}` : `10.0.0.${100 + random(6)}`,
      userAgent: AGENTS[random(AGENTS.length)] ?? '',
      first,
      last: first + random(longest),
      epochSeconds: EPOCH + random(20) + DAY * random(dayCount),
    }
    for (let copies = random(8) === 0 ? 1 + random(3) : 1; copies > 0; copies--) records.push(record)
  }
  return records
}

let logCount = 0

/** Appends a log of the records to a store, as one version; each shard becomes a stretch of its own. */
export function appendRecords(
  store: string,
  records: readonly MemoryRecord[],
  shardByteLength = 1000,
): Promise<StoreRunReport> {
  return appendLog(store, logOf(records), shardByteLength)
}

/** Likewise, of a log as it stands. */
export function appendLog(store: string, text: string, shardByteLength = 1 << 20): Promise<StoreRunReport> {
  const log = join(makeTempFolder(), `${logCount++}.log`)
  writeFileSync(log, text)
  return processIntoStore({
    inputs: [log],
    store,
    threads: 1,
    shardByteLength,
    maxRejects: { kind: 'count', count: 0 },
  })
}

/** A store of the records, appended in `runCount` parts. */
export async function makeStore(
  records: readonly MemoryRecord[],
  runCount = 3,
  shardByteLength = 1000,
): Promise<string> {
  const store = join(makeTempFolder(), 'store')
  for (let run = 0; run < runCount; run++) {
    const part = records.filter((_, i) => i % runCount === run)
    // A log that the store has already would not be added, so each has a line of its own.
    await appendLog(store, `#run ${run}\n${logOf(part)}`, shardByteLength)
  }
  return store
}

/** Every listener of the records with its requests in order, a line each. */
export function expectedLines(records: readonly MemoryRecord[]): string[] {
  const groups = new Map<string, MemoryRecord[]>()
  for (const record of records) {
    const key = [record.asset, record.ip, record.userAgent].join('\0')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return [...groups]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, group]) => {
      const runs = group
        .sort((a, b) => a.first - b.first || a.epochSeconds - b.epochSeconds || a.last - b.last)
        .map((r) => `${r.first}-${r.last}@${r.epochSeconds}`)
      return [...key.split('\0'), ...runs].join(' ')
    })
}

/** The same of a store's newest version. */
export async function linesOf(store: string): Promise<string[]> {
  return linesOfFiles(await filesOf(store))
}

/** The same of files. */
export function linesOfFiles(paths: readonly string[], scan: ListenerScan = {}): string[] {
  const source = openStore(paths)
  const lines: string[] = []
  for (const listener of source.listeners(scan)) lines.push(lineOfListener(listener))
  source.close()
  return lines
}

/** The same of one listener. */
export function lineOfListener({ asset, ip, userAgent, runs }: ListenerRuns): string {
  const texts = Array.from(
    { length: runs.count },
    (_, i) => `${runs.starts[i]}-${(runs.ends[i] ?? 0) - 1}@${runs.epochs[i]}`,
  )
  return [asset, ip, userAgent, ...texts].join(' ')
}

/** The data files of the newest version. */
export async function filesOf(store: string): Promise<readonly string[]> {
  return (await committedFiles(store)).toSorted()
}

/** What DuckDB reads: totals, then a line each of what every key has on every day. */
export async function duckdbRows(store: string): Promise<string[][]> {
  const files = await filesOf(store)
  if (files.length === 0) return []
  const from = `FROM read_parquet([${files.map((path) => `'${path}'`).join(', ')}], hive_partitioning = true)`
  const sums =
    'count(*), sum(byte_num), count(DISTINCT byte_num), min(epoch), max(epoch), sum(epoch), count(DISTINCT epoch)'
  const keys = 'date::VARCHAR, request, ip, user_agent, user_agent_md5'
  return [
    ...(await queryDuckdb(`SELECT ${sums} ${from}`)),
    ...(await queryDuckdb(`SELECT ${keys}, ${sums} ${from} GROUP BY ALL ORDER BY ALL`)),
  ]
}

/** Fails unless random questions to the store are answered as the byte-by-byte oracle says. */
export async function assertAnswers(
  store: string,
  records: readonly MemoryRecord[],
  questions: { readonly seed: number; readonly count: number; readonly span: number },
): Promise<void> {
  const random = seededRandom(questions.seed)
  const source = openStore(await filesOf(store))
  for (let i = 0; i < questions.count; i++) {
    const key = records[random(records.length)]
    if (key === undefined) break
    const { asset, ip, userAgent } = key
    const first = random(questions.span)
    const last = first + random(40)
    const own = records.filter((r) => r.asset === asset && r.ip === ip && r.userAgent === userAgent)
    const expected = askOracle({ first, last }, own)
    const { answer } = askSource(source, {
      key: { asset, ip, userAgent },
      window: { sinceEpochSeconds: undefined, untilEpochSeconds: undefined },
      target: { kind: 'range', range: { start: first, end: last + 1 } },
    })
    const time = (at: number | undefined): string | null => (at === undefined ? null : formatInstant(at))
    assert.equal(
      [answer.covered, answer.missing, answer.requests, answer.firstAt, answer.lastAt, answer.completeAt],
      [
        expected.covered,
        expected.missing,
        expected.requests,
        time(expected.firstAt),
        time(expected.lastAt),
        time(expected.completeAt),
      ],
      `question ${i} of seed ${questions.seed}: ${JSON.stringify([key, first, last])}`,
    )
  }
  source.close()
}

/** Every file below a directory, relative to it, hidden ones too. */
export function listTree(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

/** Writes a file below a directory, with those above it. */
export function putFile(path: string, content = 'x'): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** The actions of one kind in a commit of a store. */
export function actionsOf(
  store: string,
  version: number,
  kind: 'add' | 'remove' | 'commitInfo' | 'txn',
): Record<string, unknown>[] {
  const name = `${String(version).padStart(20, '0')}.json`
  return readFileSync(join(store, '_delta_log', name), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`{"${kind}"`))
    .map((line) => JSON.parse(line)[kind])
}

const SAY_PEAK = `process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  process.stderr.write('peak ' + maxRSS + ' cpu ' + (userCPUTime + systemCPUTime))
})`

/** The built program in a process of its own. */
export interface Child {
  readonly end: Promise<CliResult>
  readonly isRunning: () => boolean
  readonly kill: (signal: NodeJS.Signals) => void
}

/** Starts the built program; with `measure` it says `peak KiB cpu MICROSECONDS` at its end. */
export function startBuilt(words: readonly string[], measure = false): Child {
  const flags = measure ? ['--import', `data:text/javascript,${encodeURIComponent(SAY_PEAK)}`] : []
  const child = spawn(process.execPath, [...flags, join(ROOT, 'dist', 'cli.js'), ...words], {
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  return {
    end: endOf(child),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => child.kill(signal),
  }
}
