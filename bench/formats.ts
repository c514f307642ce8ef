/**
 * How fast each log format is read: byteledger writing its file, next to DuckDB reading the same log into the
 * same columns - time, address, user agent, path, first and last byte - and writing a row per request. Rounds are
 * interleaved; each figure is the median of its rounds.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { FORMAT_WRITERS, type FormatWriter } from '../fixtures/format-writers.ts'
import { playServer } from '../fixtures/play-server.ts'
import { createSeededRandom } from '../fixtures/seeded-random.ts'
import { duckdbByteTotalsCommand, duckdbRequestsOfCommand, readDuckdbRow } from './contenders.ts'
import { requestsSqlOf } from './format-sql.ts'
import { type Command, median, runMeasured } from './measure.ts'

/** Raise it whenever the bytes of the logs change. */
const GENERATION = 1
const SEED = 20240519
const LISTENER_COUNT = 20_000
const MEGABYTE = 1_000_000
const FLUSH_LENGTH = 1 << 20

const NOTES = [
  'Whole processes on a warm page cache, two threads each; MB are 10^6 bytes of log, medians of interleaved rounds.',
  'byteledger writes its file, a row per byte; DuckDB reads the same log into the same columns (time, address, user',
  'agent, path, first and last byte) and writes a row per request. Both found the same requests.',
]

/** How much is measured. */
export interface FormatsSize {
  readonly byteLength: number
  readonly roundCount: number
}

/** By name. */
export const FORMATS_SIZES: ReadonlyMap<string, FormatsSize> = new Map([
  ['full', { byteLength: 128 * MEGABYTE, roundCount: 3 }],
  ['small', { byteLength: 16 * MEGABYTE, roundCount: 3 }],
  ['tiny', { byteLength: MEGABYTE / 4, roundCount: 1 }],
])

/** One format. */
export interface FormatResult {
  readonly name: string
  readonly logBytes: number
  /** Good requests with GET: both sides must have found as many. */
  readonly requestCount: number
  readonly byteledgerSeconds: number
  readonly duckdbSeconds: number
}

/** Makes the log of a format, or finds it from an earlier run. */
function provideLog(folder: string, writer: FormatWriter, byteLength: number): string {
  const path = join(folder, `format-${writer.name}-g${GENERATION}-${byteLength}.log`)
  if (existsSync(path) && statSync(path).size > 0) return path
  const unfinished = `${path}.${process.pid}.tmp`
  const file = openSync(unfinished, 'w')
  try {
    let written = 0
    let text = writer.header
    const options = { listenerCount: LISTENER_COUNT, repeats: false }
    for (const request of playServer(createSeededRandom(SEED), Number.POSITIVE_INFINITY, options)) {
      text += `${writer.write(request)}\n`
      if (text.length < FLUSH_LENGTH && written + text.length < byteLength) continue
      written += writeSync(file, text)
      text = ''
      if (written >= byteLength) break
    }
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  return path
}

function byteledgerCommand(writer: FormatWriter, log: string, out: string): Command {
  const options = Object.entries({ format: formatOf(writer), ...writer.options })
  const words = options.flatMap(([name, value]) => [`--${name}`, value])
  const rest = ['--out', out, '--threads', '2', '--quiet', '--json']
  return { program: process.execPath, args: ['dist/cli.js', 'process', log, ...words, ...rest] }
}

/** The second version of a format has the name of the first. */
function formatOf({ name }: FormatWriter): string {
  return name.replace(/-v\d$/, '')
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Good requests with GET, as `process --json` counts them. */
function readRequestCount(stdout: string): number {
  const report: unknown = JSON.parse(stdout)
  if (!isRecord(report) || !isRecord(report['skipped'])) throw new Error(`expected a report, found ${stdout}`)
  const { status, method } = report['skipped']
  return Number(report['lines']) - Number(report['comments']) - Number(status) - Number(method)
}

async function measureFormat(
  writer: FormatWriter,
  folder: string,
  { byteLength, roundCount }: FormatsSize,
): Promise<FormatResult> {
  const log = provideLog(folder, writer, byteLength)
  const ours = join(folder, `format-${process.pid}-ours.parquet`)
  const theirs = join(folder, `format-${process.pid}-theirs.parquet`)
  const ourSeconds: number[] = []
  const theirSeconds: number[] = []
  let requestCount = 0
  for (let round = 0; round < roundCount; round++) {
    const run = await runMeasured(byteledgerCommand(writer, log, ours))
    ourSeconds.push(run.seconds)
    requestCount = readRequestCount(run.stdout)
    const peer = await runMeasured(duckdbRequestsOfCommand(requestsSqlOf(writer.name, log), theirs))
    theirSeconds.push(peer.seconds)
  }
  const [count] = readDuckdbRow((await runMeasured(duckdbByteTotalsCommand(theirs))).stdout)
  for (const path of [ours, theirs]) rmSync(path)
  if (count !== requestCount) {
    throw new Error(`${writer.name}: expected the same requests of both, found ${requestCount} and ${count}`)
  }
  return {
    name: writer.name,
    logBytes: statSync(log).size,
    requestCount,
    byteledgerSeconds: median(ourSeconds),
    duckdbSeconds: median(theirSeconds),
  }
}

/** Measures every format; the logs stay in `folder`. */
export async function measureFormats(
  size: FormatsSize,
  folder: string,
  onFormat: (name: string) => void,
): Promise<FormatResult[]> {
  const results: FormatResult[] = []
  for (const writer of FORMAT_WRITERS) {
    onFormat(writer.name)
    results.push(await measureFormat(writer, folder, size))
  }
  return results
}

/** The page as Markdown. `environment` names what it ran on and how. */
export function renderFormats(
  results: readonly FormatResult[],
  environment: { readonly command: string; readonly date: string; readonly duckdbVersion: string },
): string {
  const rate = (bytes: number, seconds: number): string => (bytes / seconds / MEGABYTE).toFixed(0)
  const rows = results.map(({ name, logBytes, requestCount, byteledgerSeconds, duckdbSeconds }) => {
    const ratio = (duckdbSeconds / byteledgerSeconds).toFixed(2)
    const size = (logBytes / MEGABYTE).toFixed(1)
    const count = requestCount.toLocaleString('en-US')
    return `| ${name} | ${size} | ${count} | ${rate(logBytes, byteledgerSeconds)} | ${rate(logBytes, duckdbSeconds)} | ${ratio} |`
  })
  const processors = cpus()
  return [
    '# Formats',
    '',
    `\`${environment.command}\` on ${environment.date};`,
    `Node ${process.versions.node}, DuckDB ${environment.duckdbVersion}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores.`,
    '',
    ...NOTES,
    '',
    '| format | log, MB | requests | byteledger, MB/s | DuckDB, MB/s | times DuckDB |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n')
}
