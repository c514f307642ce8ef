/** Runs into stores, and what is in a store afterwards, beside what the plain reader of logs says. */

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import * as assert from 'uvu/assert'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile } from '#src/delivery/store.js'
import {
  processIntoStore,
  type StoreRunInput,
  type StoreRunOptions,
  type StoreRunReport,
} from '#src/engine/process-into-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { type OracleRequest, readLogPlainly } from '../../fixtures/log-oracle.ts'
import { type Draw, seededDraw } from './random-runs.ts'
import { makeTempFolder } from './temp-folder.ts'

/** The columns of a delivery log, in the usual order. */
export const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'

/** A line of a delivery log, kept unless it is told otherwise. */
export function logLine(
  asset: string,
  range: string,
  { date = '2024-05-17', time = '10:20:30', ip = '192.0.2.1', userAgent = 'agent', status = '206' } = {},
): string {
  return `${[date, time, ip, userAgent, asset, status, range].join('\t')}\n`
}

/** `count` lines with an asset of their own each, for logs that must be long: 256 KiB are some 4,000 lines. */
export function manyLines(name: string, count: number): string {
  return Array.from({ length: count }, (_, i) => logLine(`/${name}/${i}`, `${i}-${i + 9}`)).join('')
}

/** The path of a store that does not exist yet, in a folder of its own. */
export function newStore(): string {
  return join(makeTempFolder(), 'store')
}

/** Writes a log into a folder of its own; gives its path. */
export function writeLog(content: string | Uint8Array, name = 'access.log'): string {
  const path = join(makeTempFolder(), name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** A named pipe out of which the content comes once. */
export function makePipe(content: string | Uint8Array): string {
  const from = writeLog(content)
  const path = `${from}.fifo`
  execFileSync('bash', ['-c', 'mkfifo "$0"', path])
  spawn('bash', ['-c', 'cat "$0" > "$1"', from, path], { stdio: 'ignore', timeout: 30_000 }).unref()
  return path
}

/** Adds inputs to a store, in this thread; all lines may be rejected. The counts of the report add up. */
export async function addTo(
  store: string,
  inputs: readonly string[],
  options: Partial<StoreRunOptions> = {},
): Promise<StoreRunReport> {
  const report = await processIntoStore({
    inputs,
    store,
    threads: 1,
    maxRejects: { kind: 'share', share: 1 },
    ...options,
  })
  const { lines, comments, blank, kept, skipped, rejected } = report
  const rejectedCount = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  assert.is(lines, comments + blank + kept + skipped.status + rejectedCount, 'every line has one fate')
  assert.is(
    report.rows,
    report.files.reduce((sum, { rows }) => sum + rows, 0),
    'every row is in a file',
  )
  return report
}

/** What became of the only input of a run. */
export function onlyInput(report: StoreRunReport): StoreRunInput {
  const [input] = report.store.inputs
  assert.is(report.store.inputs.length, 1)
  assert.ok(input)
  return input
}

function describe(date: string, request: OracleRequest): string {
  const { epochSeconds, ip, userAgent, asset, first, last } = request
  return JSON.stringify([date, epochSeconds, ip, userAgent, asset, first, last])
}

/** Every request of the newest version of a store with the date of its directory, sorted. */
export async function requestsInStore(store: string): Promise<string[]> {
  const found: string[] = []
  for (const path of await committedFiles(store)) {
    const date = /^date=(\d{4}-\d{2}-\d{2})\/[^/]+\.parquet$/.exec(relative(store, path))?.[1]
    assert.ok(date, path)
    const file = openFile(path)
    try {
      for (const { start, end, ...run } of scanAllRuns(file)) {
        found.push(describe(date, { ...run, first: start, last: end - 1 }))
      }
    } finally {
      file.close()
    }
  }
  return found.sort()
}

/** The same of logs, line by line. */
export function requestsInLogs(...logs: readonly (string | Uint8Array)[]): string[] {
  return logs
    .flatMap((log) => readLogPlainly(Buffer.from(log)).requests)
    .map((request) => describe(new Date(request.epochSeconds * 1000).toISOString().slice(0, 10), request))
    .sort()
}

/** Fails unless a store holds exactly the kept lines of these logs. */
export async function assertHolds(
  store: string,
  logs: readonly (string | Uint8Array)[],
  message?: string,
): Promise<void> {
  assert.equal(await requestsInStore(store), requestsInLogs(...logs), message)
}

/** What a random log is made of. */
export interface RandomLogShape {
  readonly lines: number
  /** Days since 1970-01-01 that requests may have. */
  readonly days: readonly number[]
  readonly longestRange: number
  /** Added to every position. */
  readonly base?: number
}

/** A log of kept, skipped, rejected, blank and comment lines, its days in no order. */
export function randomStoreLog(seed: number, shape: RandomLogShape): string {
  const draw = seededDraw(seed)
  return HEADER + Array.from({ length: shape.lines }, () => randomLine(draw, shape)).join('')
}

/** Of the day: at and about midnight, mostly. */
const SECONDS = [0, 1, 43_200, 86_398, 86_399]
const AGENTS = ['agent', '', '-', 'H\u00f6rbuch/2.1 \u{1f3a7}', '__proto__', 'a'.repeat(600)]

function randomLine(draw: Draw, { days, longestRange, base = 0 }: RandomLogShape): string {
  const kind = draw(40)
  if (kind === 0) return '# a comment\n'
  if (kind === 1) return '\n'
  if (kind === 2) return 'rubbish\n'
  const second = (days[draw(days.length)] ?? 0) * 86_400 + (SECONDS[draw(SECONDS.length)] ?? 0)
  const [date = '', time = ''] = new Date(second * 1000).toISOString().split(/[TZ.]/)
  const first = base + draw(2 * longestRange)
  return logLine(`/asset-${draw(7)}`, `${first}-${first + draw(longestRange)}`, {
    date,
    time,
    ip: `192.0.2.${draw(5)}`,
    userAgent: AGENTS[draw(AGENTS.length)] ?? '',
    status: kind === 3 ? '404' : '206',
  })
}
