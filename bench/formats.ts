/**
 * How fast each log format is read: byteledger writing its file, next to DuckDB reading the same log into the
 * same columns - time, address, user agent, path, first and last byte - and writing a row per request. Rounds are
 * interleaved; each figure is the median of its rounds.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
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
/** CloudFront delivers archives; so do most. */
const ARCHIVED = 'cloudfront'
const ARCHIVE_COUNT = 8
const LINE_FEED = 0x0a

const NOTES = [
  'Whole processes on a warm page cache, two threads each; MB are 10^6 bytes of log, medians of interleaved rounds.',
  'byteledger writes its file, a row per byte; DuckDB reads the same log into the same columns (time, address, user',
  'agent, path, first and last byte) and writes a row per request. Both found the same requests. `gzip`: the log of the',
  `line before as ${ARCHIVE_COUNT} archives; MB are those of the text.`,
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

/** The same log in archives, each with the header. */
function provideArchives(folder: string, writer: FormatWriter, byteLength: number): string[] {
  const directory = join(folder, `format-${writer.name}-g${GENERATION}-${byteLength}-gzip`)
  const paths = Array.from({ length: ARCHIVE_COUNT }, (_, index) => join(directory, `${index}.gz`))
  if (existsSync(directory)) return paths
  const log = readFileSync(provideLog(folder, writer, byteLength)).subarray(writer.header.length)
  const unfinished = `${directory}.${process.pid}.tmp`
  mkdirSync(unfinished)
  let at = 0
  for (let index = 0; index < ARCHIVE_COUNT; index++) {
    const end = log.indexOf(LINE_FEED, Math.floor((log.length * (index + 1)) / ARCHIVE_COUNT) - 1) + 1
    const content = Buffer.concat([Buffer.from(writer.header), log.subarray(at, end)])
    writeFileSync(join(unfinished, `${index}.gz`), gzipSync(content))
    at = end
  }
  renameSync(unfinished, directory)
  return paths
}

function byteledgerCommand(writer: FormatWriter, logs: readonly string[], out: string): Command {
  const options = Object.entries({ format: formatOf(writer), ...writer.options })
  const words = options.flatMap(([name, value]) => [`--${name}`, value])
  const rest = ['--out', out, '--threads', '2', '--quiet', '--json']
  return { program: process.execPath, args: ['dist/cli.js', 'process', ...logs, ...words, ...rest] }
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

/** One log, as one file or as archives. */
interface MeasuredLog {
  readonly name: string
  readonly writer: FormatWriter
  /** The files of the log, and how DuckDB is told of them. */
  readonly paths: readonly string[]
  readonly pattern: string
  readonly byteLength: number
}

async function measureLog(log: MeasuredLog, folder: string, roundCount: number): Promise<FormatResult> {
  const { name, writer, paths, pattern, byteLength } = log
  const ours = join(folder, `format-${process.pid}-ours.parquet`)
  const theirs = join(folder, `format-${process.pid}-theirs.parquet`)
  const ourSeconds: number[] = []
  const theirSeconds: number[] = []
  let requestCount = 0
  for (let round = 0; round < roundCount; round++) {
    const run = await runMeasured(byteledgerCommand(writer, paths, ours))
    ourSeconds.push(run.seconds)
    requestCount = readRequestCount(run.stdout)
    const peer = await runMeasured(duckdbRequestsOfCommand(requestsSqlOf(writer.name, pattern), theirs))
    theirSeconds.push(peer.seconds)
  }
  const [count] = readDuckdbRow((await runMeasured(duckdbByteTotalsCommand(theirs))).stdout)
  for (const path of [ours, theirs]) rmSync(path)
  if (count !== requestCount) {
    throw new Error(`${name}: expected the same requests of both, found ${requestCount} and ${count}`)
  }
  return {
    name,
    logBytes: byteLength,
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
    const { name } = writer
    onFormat(name)
    const path = provideLog(folder, writer, size.byteLength)
    const log = { name, writer, paths: [path], pattern: path, byteLength: statSync(path).size }
    results.push(await measureLog(log, folder, size.roundCount))
    if (name !== ARCHIVED) continue
    const paths = provideArchives(folder, writer, size.byteLength)
    const archives = { ...log, name: `${name}, gzip`, paths, pattern: join(paths[0] ?? '', '..', '*.gz') }
    results.push(await measureLog(archives, folder, size.roundCount))
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
