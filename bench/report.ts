/** Turns what the bench measured into a page of tables, with the targets and whether they were met. */
import { cpus } from 'node:os'
import type { ContenderResult, LogResult, ThroughputResult } from './throughput.ts'

/** One figure that was promised. */
export interface Target {
  readonly name: string
  readonly found: number
  readonly limit: number
  readonly kind: 'at least' | 'at most'
  readonly unit: string
}

const MEBIBYTE = 2 ** 20
const MEGABYTE = 1_000_000

/** Whether a promise was kept; a figure that could not be measured (NaN) is a miss. */
export function isMet(target: Target): boolean {
  return target.kind === 'at least' ? target.found >= target.limit : target.found <= target.limit
}

function ratioTo(peer: ContenderResult, log: LogResult): number {
  return peer.seconds / log.byteledger.seconds
}

/** How many times faster rows come out here than in DuckDB, which loops over them. */
function byteRowRatio(log: LogResult): number {
  if (log.duckdbBytes === undefined) return Number.NaN
  return log.delivery.rows / log.byteledger.seconds / (log.duckdbBytes.rows / log.duckdbBytes.seconds)
}

function bytesPerRequest(result: ContenderResult, log: LogResult): number {
  return result.outputBytes / log.delivery.keptRequests
}

function atLeast(name: string, found: number, limit: number): Target {
  return { name, found, limit, kind: 'at least', unit: 'x' }
}

function atMost(name: string, found: number, limit: number, unit: string): Target {
  return { name, found, limit, kind: 'at most', unit }
}

function peerTargets(
  log: LogResult,
  limits: { readonly copy: number; readonly requestBytes: number },
): Target[] {
  const { shape } = log.recipe
  return [
    atLeast(
      `${shape}: speed against DuckDB's row per request`,
      ratioTo(log.duckdbRequests, log),
      limits.copy,
    ),
    atLeast(`${shape}: speed against the same sorted`, ratioTo(log.duckdbSorted, log), 4),
    atMost(
      `${shape}: output a kept request`,
      bytesPerRequest(log.byteledger, log),
      limits.requestBytes,
      'bytes',
    ),
    atMost(`${shape}: peak memory`, log.byteledger.peakBytes / MEGABYTE, 400, 'MB'),
  ]
}

function targetsOf(log: LogResult): Target[] {
  const { byteledger } = log
  switch (log.recipe.shape) {
    case 'short':
      return [
        ...peerTargets(log, { copy: 2.5, requestBytes: 25 }),
        atMost("short: time against 'wc -l'", byteledger.seconds / log.lineCount.seconds, 4, 'x'),
      ]
    case 'podcast':
      return [
        ...peerTargets(log, { copy: 2, requestBytes: 150 }),
        atLeast("podcast: rows a second against DuckDB's row per byte", byteRowRatio(log), 10_000),
      ]
    case 'huge':
      return [
        atMost('huge: time', byteledger.seconds, 4, 's'),
        atMost('huge: peak memory', byteledger.peakBytes / MEGABYTE, 400, 'MB'),
        atMost('huge: output', byteledger.outputBytes / MEGABYTE, 150, 'MB'),
      ]
  }
}

/** Every promised figure with what was found. */
export function listTargets(result: ThroughputResult): Target[] {
  const { idleSeconds, sampleSeconds } = result.startUp
  return [
    ...result.logs.flatMap(targetsOf),
    atMost("10,000 lines: time beyond 'node -e 0'", (sampleSeconds - idleSeconds) * 1000, 150, 'ms'),
  ]
}

/** Three significant digits, without an exponent for the numbers that people read. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value >= 1e9) return value.toExponential(2).replace('e+', 'e')
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

/** A row of a table. */
export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => (typeof cell === 'number' ? figure(cell) : cell)).join(' | ')} |`
}

function contenderRow(name: string, result: ContenderResult, log: LogResult): string {
  const { seconds, peakBytes, outputBytes } = result
  const isWriter = outputBytes > 0
  return row([
    name,
    seconds,
    log.logBytes / MEGABYTE / seconds,
    log.logLines / seconds,
    isWriter ? log.delivery.rows / seconds : '-',
    peakBytes > 0 ? peakBytes / MEBIBYTE : '-',
    isWriter ? outputBytes / MEGABYTE : '-',
    isWriter ? bytesPerRequest(result, log) : '-',
    isWriter || name === 'wc -l' ? ratioTo(result, log) : '-',
  ])
}

function logSection(log: LogResult): string[] {
  const { recipe, delivery } = log
  const counts = `${figure(log.logBytes / MEGABYTE)} MB, ${log.logLines.toLocaleString('en-US')} lines`
  const kept = `${delivery.keptRequests.toLocaleString('en-US')} kept requests`
  const section = [
    `## ${recipe.shape}`,
    '',
    `${counts}, ${kept}, ${delivery.rows.toLocaleString('en-US')} delivered bytes; seed ${recipe.seed}.`,
    '',
    row([
      'program',
      'seconds',
      'MB/s of log',
      'lines/s',
      'rows/s',
      'peak MiB',
      'output MB',
      'bytes a request',
      'its time : ours',
    ]),
    row(['---', '---:', '---:', '---:', '---:', '---:', '---:', '---:', '---:']),
    contenderRow('wc -l', log.lineCount, log),
    contenderRow('**byteledger**, a row per byte', log.byteledger, log),
    contenderRow('DuckDB, a row per request', log.duckdbRequests, log),
    contenderRow('DuckDB, the same sorted', log.duckdbSorted, log),
    '',
  ]
  if (log.duckdbBytes === undefined) return section
  const { rows, seconds } = log.duckdbBytes
  const whole = delivery.rows / (rows / seconds)
  return [
    ...section,
    `DuckDB, a row per byte: ${rows.toLocaleString('en-US')} rows in ${figure(seconds)} s, ${figure(rows / seconds)} rows/s;`,
    `the whole log would take it ${figure(whole)} s. byteledger delivers rows ${figure(byteRowRatio(log))} times as fast.`,
    '',
  ]
}

/** For DuckDB, `rows/s` counts the delivered bytes that its requests stand for. */
const NOTES = [
  'Whole processes on a warm page cache, two threads each, rounds interleaved, medians; peak memory is the largest',
  'resident set of any round. byteledger sorts, hashes every user agent (MD5), writes a row per byte with statistics,',
  'page index and bloom filters, and calls fsync; DuckDB is asked for none of these. In `rows/s` a row is a delivered',
  'byte, also where DuckDB writes a row per request. Kept requests and delivered bytes of both sides were compared',
  'and are equal. MB are 10^6 bytes, MiB 2^20. Only ratios of one run hold from machine to machine.',
]

/** The page as Markdown. `environment` names what it ran on and how. */
export function renderReport(
  result: ThroughputResult,
  environment: { readonly command: string; readonly date: string; readonly duckdbVersion: string },
): string {
  const processors = cpus()
  const targets = listTargets(result)
  const { idleSeconds, sampleSeconds } = result.startUp
  return [
    '# Throughput',
    '',
    `\`${environment.command}\` on ${environment.date}, size ${result.size.name}, ${result.size.roundCount} rounds;`,
    `Node ${process.versions.node}, DuckDB ${environment.duckdbVersion}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores.`,
    '',
    ...NOTES,
    '',
    '## Targets',
    '',
    row(['figure', 'target', 'found', '']),
    row(['---', '---:', '---:', '---']),
    ...targets.map((target) =>
      row([
        target.name,
        `${target.kind} ${target.limit.toLocaleString('en-US')} ${target.unit}`,
        `${figure(target.found)} ${target.unit}`,
        // Small logs are all start-up: only the full size is held to the targets.
        result.size.name !== 'full' ? 'not judged' : isMet(target) ? 'pass' : '**miss**',
      ]),
    ),
    '',
    ...result.logs.flatMap(logSection),
    '## Start-up',
    '',
    `\`node -e 0\`: ${figure(idleSeconds * 1000)} ms. The bundled sample (10,001 lines): ${figure(sampleSeconds * 1000)} ms.`,
    '',
  ].join('\n')
}
