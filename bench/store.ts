/**
 * Measures a store: appends of few and many inputs, and questions to the same rows in one file and in
 * many, before and after compact. Programs are whole processes; rounds are interleaved, figures medians.
 */
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openStore } from '#src/delivery/store.js'
import { processIntoStore } from '#src/engine/process-into-store.js'
import { committedFiles } from '#src/interface/committed-files.js'
import { type OracleRequest, readLogPlainly } from '../fixtures/log-oracle.ts'
import {
  duckdbByteTotalsCommand,
  duckdbRequestsCommand,
  idleNodeCommand,
  numberAt,
  readDuckdbRow,
} from './contenders.ts'
import { provideLog } from './generate-logs.ts'
import { type Command, median, runMeasured } from './measure.ts'
import type { Progress } from './throughput.ts'

/** How much is measured. */
export interface StoreSize {
  readonly name: string
  /** Appends of so many inputs of `inputByteLength` each. */
  readonly inputCounts: readonly number[]
  readonly inputByteLength: number
  /** One append of so many small inputs, against one file of the same bytes. */
  readonly small: { readonly count: number; readonly byteLength: number }
  /** The same log appended in so many runs, each of which leaves one file. */
  readonly fileCounts: readonly number[]
  readonly storeLogByteLength: number
  readonly roundCount: number
}

/** One append to a new store. */
export interface AppendResult {
  readonly name: string
  readonly inputCount: number
  readonly logBytes: number
  readonly keptRequests: number
  readonly seconds: number
}

/** Questions to a store. */
export interface AskResult {
  readonly fileCount: number
  readonly isCompacted: boolean
  /** A process that asks one question. */
  readonly coldSeconds: number
  /** Inside a process: from the path to all footers. */
  readonly openSeconds: number
  /** One more question to the open store. */
  readonly askSeconds: number
}

/** Making one file of many. */
export interface CompactResult {
  readonly fileCount: number
  readonly requests: number
  readonly logBytes: number
  readonly seconds: number
}

/** A whole run of the bench. */
export interface StoreResult {
  readonly size: StoreSize
  readonly idleSeconds: number
  readonly appends: readonly AppendResult[]
  /** DuckDB writing a row per request: of the many small inputs of the last appends, and of the one file. */
  readonly duckdb: { readonly manySeconds: number; readonly oneSeconds: number }
  readonly asks: readonly AskResult[]
  readonly compacts: readonly CompactResult[]
}

const MEGABYTE = 1_000_000
const WARM_QUESTION_COUNT = 20
const APPENDED = { shape: 'short', lineCount: Number.POSITIVE_INFINITY, seed: 6 } as const

/** `full` takes about a quarter of an hour, `small` about a minute; `tiny` serves the tests. */
export const STORE_SIZES: ReadonlyMap<string, StoreSize> = new Map(
  [
    {
      name: 'full',
      inputCounts: [1, 10, 100],
      inputByteLength: MEGABYTE,
      small: { count: 5000, byteLength: 10_000 },
      fileCounts: [1, 100, 2000],
      storeLogByteLength: 80 * MEGABYTE,
      roundCount: 5,
    },
    {
      name: 'small',
      inputCounts: [1, 10, 100],
      inputByteLength: 50_000,
      small: { count: 500, byteLength: 10_000 },
      fileCounts: [1, 20, 100],
      storeLogByteLength: 4 * MEGABYTE,
      roundCount: 2,
    },
    {
      name: 'tiny',
      inputCounts: [1, 3],
      inputByteLength: 10_000,
      small: { count: 10, byteLength: 2000 },
      fileCounts: [1, 4],
      storeLogByteLength: 40_000,
      roundCount: 1,
    },
  ].map((size) => [size.name, size]),
)

const cli = (...words: readonly string[]): Command => ({
  program: process.execPath,
  args: ['dist/cli.js', ...words],
})

/** Cuts a log into so many files of about equal length, at line ends; returns their paths. */
export function cutLog(log: string, folder: string, count: number): string[] {
  mkdirSync(folder, { recursive: true })
  const bytes = readFileSync(log)
  const paths: string[] = []
  let start = 0
  for (let piece = 1; piece <= count; piece++) {
    const wanted = Math.floor((bytes.length * piece) / count)
    const end = piece === count ? bytes.length : bytes.indexOf(0x0a, Math.max(start, wanted - 1)) + 1
    const path = join(folder, `piece-${String(piece).padStart(5, '0')}.log`)
    writeFileSync(path, bytes.subarray(start, end))
    paths.push(path)
    start = end
  }
  return paths
}

interface Append {
  readonly name: string
  readonly inputs: readonly string[]
  readonly logBytes: number
}

interface AppendRuns {
  readonly seconds: number[]
  readonly kept: Set<number>
}

/** Seconds of every round. */
interface AskRuns {
  readonly cold: number[]
  readonly open: number[]
  readonly ask: number[]
}

/** The appends to measure, with their logs laid in `folder`. */
function listAppends(size: StoreSize, folder: string): Append[] {
  const short = (byteLength: number): string => provideLog(folder, { ...APPENDED, byteLength })
  const appends = size.inputCounts.map((count): Append => {
    const logBytes = count * size.inputByteLength
    const inputs = cutLog(short(logBytes), join(folder, `inputs-${count}`), count)
    return { name: `${count} of ${size.inputByteLength / 1000} kB`, inputs, logBytes }
  })
  const { count, byteLength } = size.small
  const logBytes = count * byteLength
  const whole = short(logBytes)
  const pieces = cutLog(whole, join(folder, 'inputs-small'), count)
  return [
    ...appends,
    { name: `${count.toLocaleString('en-US')} of ${byteLength / 1000} kB`, inputs: pieces, logBytes },
    { name: `1 of ${logBytes / MEGABYTE} MB (the same bytes)`, inputs: [whole], logBytes },
  ]
}

async function measureAppends(size: StoreSize, folder: string, progress: Progress): Promise<AppendResult[]> {
  const store = join(folder, 'append-store')
  const appends = listAppends(size, folder)
  const runs = appends.map((): AppendRuns => ({ seconds: [], kept: new Set() }))
  for (let round = 0; round < size.roundCount; round++) {
    for (const [at, { name, inputs }] of appends.entries()) {
      rmSync(store, { recursive: true, force: true })
      const run = await runMeasured(cli('process', ...inputs, '--store', store, '--quiet', '--json'))
      runs[at]?.seconds.push(run.seconds)
      runs[at]?.kept.add(numberAt(JSON.parse(run.stdout), 'kept'))
      progress(`  round ${round + 1}: append ${name} ${run.seconds.toFixed(3)} s`)
    }
  }
  rmSync(store, { recursive: true, force: true })
  const results = appends.map(({ name, inputs, logBytes }, at): AppendResult => {
    const [keptRequests = 0, ...others] = runs[at]?.kept ?? []
    if (others.length > 0) throw new Error(`${name}: rounds kept ${keptRequests} and ${others} requests`)
    const seconds = median(runs[at]?.seconds ?? [])
    return { name, inputCount: inputs.length, logBytes, keptRequests, seconds }
  })
  const [many, one] = results.slice(-2)
  if (many?.keptRequests !== one?.keptRequests) throw new Error('many inputs kept not what one of them kept')
  return results
}

/** What a peer takes for many small inputs and for one file of the same bytes; both must hold the same requests. */
async function measureDuckdb(
  { small, roundCount }: StoreSize,
  folder: string,
  progress: Progress,
): Promise<StoreResult['duckdb']> {
  const logBytes = small.count * small.byteLength
  const one = provideLog(folder, { ...APPENDED, byteLength: logBytes })
  const out = join(folder, 'small-requests.parquet')
  const logs = [join(folder, 'inputs-small', '*.log'), one]
  const seconds: [number[], number[]] = [[], []]
  const counts = new Set<string | number | undefined>()
  for (let round = 0; round < roundCount; round++) {
    for (const [at, log] of logs.entries()) {
      const run = await runMeasured(duckdbRequestsCommand(log, out))
      seconds[at]?.push(run.seconds)
      progress(`  round ${round + 1}: DuckDB ${at === 0 ? 'many inputs' : 'one'} ${run.seconds.toFixed(3)} s`)
      if (round > 0) continue
      const [count] = readDuckdbRow((await runMeasured(duckdbByteTotalsCommand(out))).stdout)
      counts.add(count)
    }
  }
  rmSync(out)
  if (counts.size !== 1)
    throw new Error(`DuckDB found ${[...counts].join(' and ')} requests in the same bytes`)
  return { manySeconds: median(seconds[0]), oneSeconds: median(seconds[1]) }
}

interface BuiltStore {
  readonly path: string
  readonly fileCount: number
  readonly isCompacted: boolean
}

/** Appends the log in so many runs, in this process: their speed is not what is measured here. */
async function buildStore(log: string, folder: string, fileCount: number): Promise<BuiltStore> {
  const path = join(folder, `store-${fileCount}`)
  const pieces = join(folder, 'store-pieces')
  rmSync(path, { recursive: true, force: true })
  for (const input of cutLog(log, pieces, fileCount)) {
    await processIntoStore({
      inputs: [input],
      store: path,
      maxRejects: { kind: 'count', count: 0 },
      threads: 1,
    })
  }
  rmSync(pieces, { recursive: true })
  const found = (await committedFiles(path)).length
  if (found !== fileCount) throw new Error(`${path}: expected ${fileCount} files, found ${found}`)
  return { path, fileCount, isCompacted: false }
}

/** Compacts copies of a store, and keeps the last one. */
async function measureCompact(
  { path, fileCount }: BuiltStore,
  size: StoreSize,
  progress: Progress,
): Promise<{ readonly result: CompactResult; readonly store: BuiltStore }> {
  const copy = `${path}-compacted`
  const seconds: number[] = []
  for (let round = 0; round < size.roundCount; round++) {
    rmSync(copy, { recursive: true, force: true })
    cpSync(path, copy, { recursive: true })
    const run = await runMeasured(cli('compact', '--store', copy, '--json'))
    seconds.push(run.seconds)
    progress(`  round ${round + 1}: compact ${fileCount} files ${run.seconds.toFixed(3)} s`)
  }
  const files = await committedFiles(copy)
  if (files.length !== 1) throw new Error(`${copy}: expected one file, found ${files.length}`)
  const opened = openStore(files)
  const requests = opened.requestCount
  opened.close()
  return {
    result: { fileCount, requests, logBytes: size.storeLogByteLength, seconds: median(seconds) },
    store: { path: copy, fileCount, isCompacted: true },
  }
}

function questionWords({ asset, ip, userAgent, first, last }: OracleRequest): string[] {
  return ['--asset', asset, '--ip', ip, '--user-agent', userAgent, '--range', `${first}-${last}`]
}

/** In this process: opening with all footers, and questions after that. */
async function askInside(
  path: string,
  requests: readonly OracleRequest[],
): Promise<{ readonly openSeconds: number; readonly askSeconds: number }> {
  const startedAt = performance.now()
  const store = openStore(await committedFiles(path))
  if (store.requestCount === 0) throw new Error(`${path}: expected requests`)
  const openSeconds = (performance.now() - startedAt) / 1000
  const times = requests.slice(0, WARM_QUESTION_COUNT).map((request) => {
    const { asset, ip, userAgent, first, last } = request
    const askedAt = performance.now()
    const { runs } = store.findEvidence({ asset, ip, userAgent }, { start: first, end: last + 1 })
    if (runs.length === 0) throw new Error(`${path}: expected the evidence of ${JSON.stringify(request)}`)
    return (performance.now() - askedAt) / 1000
  })
  store.close()
  return { openSeconds, askSeconds: median(times) }
}

async function measureAsks(
  stores: readonly BuiltStore[],
  requests: readonly OracleRequest[],
  context: { readonly size: StoreSize; readonly progress: Progress },
): Promise<{ readonly asks: AskResult[]; readonly idleSeconds: number }> {
  const { size, progress } = context
  const idle: number[] = []
  const figures = stores.map((): AskRuns => ({ cold: [], open: [], ask: [] }))
  for (let round = 0; round < size.roundCount * 2; round++) {
    idle.push((await runMeasured(idleNodeCommand)).seconds)
    const request = requests[round % requests.length]
    if (request === undefined) throw new Error('expected requests to ask about')
    for (const [at, { path, fileCount, isCompacted }] of stores.entries()) {
      const cold = await runMeasured(cli('query', '--store', path, ...questionWords(request), '--json'))
      const { openSeconds, askSeconds } = await askInside(path, requests)
      figures[at]?.cold.push(cold.seconds)
      figures[at]?.open.push(openSeconds)
      figures[at]?.ask.push(askSeconds)
      const state = isCompacted ? ' compacted' : ''
      progress(`  round ${round + 1}: query ${fileCount} files${state} ${cold.seconds.toFixed(3)} s`)
    }
  }
  const asks = stores.map(({ fileCount, isCompacted }, at): AskResult => {
    const { cold = [], open = [], ask = [] } = figures[at] ?? {}
    return {
      fileCount,
      isCompacted,
      coldSeconds: median(cold),
      openSeconds: median(open),
      askSeconds: median(ask),
    }
  })
  return { asks, idleSeconds: median(idle) }
}

/** Kept requests of the log's first lines, spread over it by their listeners. */
function listQuestions(log: string): readonly OracleRequest[] {
  const head = Buffer.alloc(256 * 1024)
  const file = openSync(log, 'r')
  const length = readSync(file, head, 0, head.length, 0)
  closeSync(file)
  const lines = head.subarray(0, head.lastIndexOf(0x0a, length - 1) + 1)
  const { requests } = readLogPlainly(lines)
  const step = Math.max(1, Math.floor(requests.length / WARM_QUESTION_COUNT))
  return requests.filter((_, at) => at % step === 0)
}

/** Runs the bench of one size in `folder`, where logs of an earlier run are used again. Fails when counts differ. */
export async function measureStore(
  size: StoreSize,
  folder: string,
  progress: Progress,
): Promise<StoreResult> {
  progress('appends')
  const appends = await measureAppends(size, folder, progress)
  const duckdb = await measureDuckdb(size, folder, progress)
  const log = provideLog(folder, {
    shape: 'short',
    byteLength: size.storeLogByteLength,
    lineCount: Number.POSITIVE_INFINITY,
    seed: 7,
  })
  const stores: BuiltStore[] = []
  const compacts: CompactResult[] = []
  for (const fileCount of size.fileCounts) {
    progress(`a store of ${fileCount} files`)
    const built = await buildStore(log, folder, fileCount)
    stores.push(built)
    if (fileCount === 1) continue
    const { result, store } = await measureCompact(built, size, progress)
    compacts.push(result)
    stores.push(store)
  }
  const { asks, idleSeconds } = await measureAsks(stores, listQuestions(log), { size, progress })
  for (const { path } of stores) rmSync(path, { recursive: true })
  return { size, idleSeconds, appends, duckdb, asks, compacts }
}
