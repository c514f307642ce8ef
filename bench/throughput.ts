/**
 * Measures whole processes against each other on generated logs: `wc -l`, byteledger, and DuckDB
 * writing a row per request, the same sorted, and a row per byte. Rounds are interleaved, so that a
 * slow moment of the machine hits everybody; each figure is the median of its rounds.
 */
import { closeSync, copyFileSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  byteledgerCommand,
  type Delivery,
  duckdbBytesCommand,
  duckdbByteTotalsCommand,
  duckdbRequestsCommand,
  duckdbRequestTotalsCommand,
  duckdbSortedCommand,
  idleNodeCommand,
  lineCountCommand,
  readByteledgerDelivery,
  readDuckdbRow,
} from './contenders.ts'
import { type LogRecipe, provideLog } from './generate-logs.ts'
import { type Command, median, type Run, runMeasured } from './measure.ts'

/** How much is measured. */
export interface BenchSize {
  readonly name: string
  readonly recipes: readonly LogRecipe[]
  readonly roundCount: number
  /** About how long DuckDB may write rows of bytes. */
  readonly byteRowSeconds: number
}

/** One program on one log, the median of its rounds. */
export interface ContenderResult {
  readonly seconds: number
  readonly peakBytes: number
  readonly outputBytes: number
}

/** DuckDB writing a row for each byte, on the part of a log that it can finish. */
export interface ByteRowResult {
  readonly rows: number
  readonly seconds: number
}

/** Everything measured on one log; peers are left out where they have no chance (`huge`). */
export interface LogResult {
  readonly recipe: LogRecipe
  readonly logBytes: number
  readonly logLines: number
  readonly delivery: Delivery
  readonly lineCount: ContenderResult
  readonly byteledger: ContenderResult
  readonly duckdbRequests: ContenderResult
  readonly duckdbSorted: ContenderResult
  readonly duckdbBytes: ByteRowResult | undefined
}

/** Starting up: the bundled sample against a Node that does nothing. */
export interface StartUpResult {
  readonly idleSeconds: number
  readonly sampleSeconds: number
}

/** A whole run of the bench. */
export interface ThroughputResult {
  readonly size: BenchSize
  readonly logs: readonly LogResult[]
  readonly startUp: StartUpResult
}

const MEGABYTE = 1_000_000
const NO_LIMIT = Number.POSITIVE_INFINITY

function makeSize(
  name: string,
  scale: number,
  hugeLines: number,
  roundCount: number,
  byteRowSeconds: number,
): BenchSize {
  return {
    name,
    recipes: [
      { shape: 'short', byteLength: 1000 * MEGABYTE * scale, lineCount: NO_LIMIT, seed: 1 },
      { shape: 'podcast', byteLength: 500 * MEGABYTE * scale, lineCount: NO_LIMIT, seed: 2 },
      { shape: 'huge', byteLength: NO_LIMIT, lineCount: hugeLines, seed: 3 },
    ],
    roundCount,
    byteRowSeconds,
  }
}

/** `full` is what RESULTS.md holds; `small` takes half a minute; `tiny` serves the tests. */
export const SIZES: ReadonlyMap<string, BenchSize> = new Map(
  [
    makeSize('full', 1, 400, 3, 10),
    makeSize('small', 0.02, 40, 1, 1),
    makeSize('tiny', 0.0008, 4, 1, 0.1),
  ].map((size) => [size.name, size]),
)

/** Tells the person who waits what is going on. */
export type Progress = (message: string) => void

interface Contender {
  readonly name: string
  readonly command: Command
  readonly out: string | undefined
}

/** Runs contenders in turns; what each wrote in its last round stays for the checks that follow. */
async function runInTurns(
  contenders: readonly Contender[],
  roundCount: number,
  progress: Progress,
): Promise<Run[][]> {
  const runs: Run[][] = contenders.map(() => [])
  for (let round = 0; round < roundCount; round++) {
    for (const [at, { name, command, out }] of contenders.entries()) {
      if (out !== undefined) rmSync(out, { force: true })
      const run = await runMeasured(command)
      runs[at]?.push(run)
      progress(`  round ${round + 1}: ${name} ${run.seconds.toFixed(3)} s`)
    }
  }
  return runs
}

function summarize(runs: readonly Run[], out: string | undefined): ContenderResult {
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    peakBytes: Math.max(0, ...runs.map(({ peakBytes }) => peakBytes ?? 0)),
    outputBytes: out === undefined ? 0 : statSync(out).size,
  }
}

function requireEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`)
}

/** Both sides must have delivered the same: requests, and the sum of their lengths. */
async function checkDelivery(delivery: Delivery, ours: string, theirs: readonly string[]): Promise<void> {
  for (const path of theirs) {
    const [requests, bytes] = readDuckdbRow((await runMeasured(duckdbRequestTotalsCommand(path))).stdout)
    requireEqual('kept requests', delivery.keptRequests, requests)
    requireEqual('rows', delivery.rows, bytes)
  }
  const [rows] = readDuckdbRow((await runMeasured(duckdbByteTotalsCommand(ours))).stdout)
  requireEqual('rows that DuckDB counts in our file', rows, delivery.rows)
}

/** Copies the first lines of a log, at least one after the header, up to about `rowLimit` delivered bytes. */
function copyHead(log: string, head: string, rowLimit: number): void {
  const block = Buffer.alloc(1 << 26)
  const file = openSync(log, 'r')
  const text = block.toString('latin1', 0, readSync(file, block, 0, block.length, 0))
  closeSync(file)
  let rows = 0
  let end = text.indexOf('\n') + 1
  while (rows < rowLimit) {
    const next = text.indexOf('\n', end) + 1
    if (next === 0) break
    const [, first, last] = /\t20[06]\t(\d+)-(\d+)\n$/.exec(text.slice(end, next)) ?? []
    if (first !== undefined) rows += Number(last) - Number(first) + 1
    end = next
  }
  writeFileSync(head, text.slice(0, end), 'latin1')
}

/** Finds by a first short run how many rows fit into the time, then measures those. */
async function measureByteRows(
  log: string,
  folder: string,
  seconds: number,
  progress: Progress,
): Promise<ByteRowResult> {
  const head = join(folder, 'head.log')
  const out = join(folder, 'bytes.parquet')
  const measureRows = async (rowLimit: number): Promise<ByteRowResult> => {
    copyHead(log, head, rowLimit)
    const run = await runMeasured(duckdbBytesCommand(head, out))
    const [rows] = readDuckdbRow((await runMeasured(duckdbByteTotalsCommand(out))).stdout)
    return { rows: Number(rows), seconds: run.seconds }
  }
  const trial = await measureRows(3_000_000 * Math.min(1, seconds))
  const result = await measureRows((trial.rows / trial.seconds) * seconds)
  progress(`  DuckDB, a row per byte: ${result.rows} rows in ${result.seconds.toFixed(1)} s`)
  rmSync(head)
  rmSync(out)
  return result
}

async function measureLog(
  recipe: LogRecipe,
  size: BenchSize,
  folder: string,
  progress: Progress,
): Promise<LogResult> {
  progress(`${recipe.shape}: making the log`)
  const log = provideLog(folder, recipe)
  const ours = join(folder, 'byteledger.parquet')
  const requests = join(folder, 'requests.parquet')
  const sorted = join(folder, 'sorted.parquet')
  const contenders: readonly Contender[] = [
    { name: 'wc -l', command: lineCountCommand(log), out: undefined },
    { name: 'byteledger', command: byteledgerCommand(log, ours), out: ours },
    { name: 'DuckDB, a row per request', command: duckdbRequestsCommand(log, requests), out: requests },
    { name: 'DuckDB, the same sorted', command: duckdbSortedCommand(log, sorted), out: sorted },
  ]
  await runMeasured(lineCountCommand(log))
  const [lineCounts = [], byteledger = [], requestRuns = [], sortedRuns = []] = await runInTurns(
    contenders,
    size.roundCount,
    progress,
  )
  const delivery = readByteledgerDelivery(byteledger[0]?.stdout ?? '')
  await checkDelivery(delivery, ours, [requests, sorted])
  const result = {
    recipe,
    logBytes: statSync(log).size,
    logLines: Number.parseInt(lineCounts[0]?.stdout ?? '', 10),
    delivery,
    lineCount: summarize(lineCounts, undefined),
    byteledger: summarize(byteledger, ours),
    duckdbRequests: summarize(requestRuns, requests),
    duckdbSorted: summarize(sortedRuns, sorted),
  }
  for (const path of [ours, requests, sorted]) rmSync(path)
  const hasPeer = recipe.shape !== 'huge'
  return {
    ...result,
    duckdbBytes: hasPeer ? await measureByteRows(log, folder, size.byteRowSeconds, progress) : undefined,
  }
}

async function measureStartUp(size: BenchSize, folder: string, progress: Progress): Promise<StartUpResult> {
  progress('start-up: the bundled sample')
  const log = join(folder, 'sample.log')
  const out = join(folder, 'sample.parquet')
  copyFileSync(new URL('../fixtures/sample.log', import.meta.url), log)
  const [idle = [], sample = []] = await runInTurns(
    [
      { name: 'node -e 0', command: idleNodeCommand, out: undefined },
      { name: 'byteledger', command: byteledgerCommand(log, out), out },
    ],
    size.roundCount * 3,
    progress,
  )
  rmSync(log)
  rmSync(out)
  return {
    idleSeconds: summarize(idle, undefined).seconds,
    sampleSeconds: summarize(sample, undefined).seconds,
  }
}

/** Runs the bench of one size in `folder`, where logs of an earlier run are used again. Fails when counts differ. */
export async function measureThroughput(
  size: BenchSize,
  folder: string,
  progress: Progress,
): Promise<ThroughputResult> {
  const logs: LogResult[] = []
  for (const recipe of size.recipes) logs.push(await measureLog(recipe, size, folder, progress))
  return { size, logs, startUp: await measureStartUp(size, folder, progress) }
}
