/** Turns what the bench of the store measured into a page of tables. */
import { cpus } from 'node:os'
import { figure, row } from './report.ts'
import type { AppendResult, AskResult, StoreResult } from './store.ts'

const MEGABYTE = 1_000_000

const milliseconds = (seconds: number): string => figure(seconds * 1000)

const NOTES = [
  'Programs are whole processes on a warm page cache, `fsync` included; rounds are interleaved, figures medians.',
  'The stores hold the same log, appended in so many runs, each of which leaves one file. _Open_ is the time inside',
  'a process from the path to all footers, _ask_ that of one more question to the open store.',
]

function appendRow({ name, logBytes, keptRequests, seconds }: AppendResult, idleSeconds: number): string {
  const rate = logBytes / MEGABYTE / seconds
  return row([name, keptRequests, milliseconds(seconds), milliseconds(seconds - idleSeconds), rate])
}

function askRow({ fileCount, isCompacted, ...ask }: AskResult, idleSeconds: number): string {
  return row([
    isCompacted ? `${fileCount.toLocaleString('en-US')}, compacted to 1` : fileCount.toLocaleString('en-US'),
    milliseconds(ask.coldSeconds),
    milliseconds(ask.coldSeconds - idleSeconds),
    milliseconds(ask.openSeconds),
    milliseconds(ask.askSeconds),
  ])
}

/** How many times as long many small inputs take as one file of the same bytes. */
export function smallInputRatio({ appends }: StoreResult): number {
  const [many, one] = appends.slice(-2)
  return (many?.seconds ?? Number.NaN) / (one?.seconds ?? Number.NaN)
}

/** The page as Markdown. `environment` names what it ran on and how. */
export function renderStoreReport(
  result: StoreResult,
  environment: { readonly command: string; readonly date: string },
): string {
  const processors = cpus()
  const { size, idleSeconds, appends, duckdb, asks, compacts } = result
  const { count, byteLength } = size.small
  return [
    '# Store',
    '',
    `\`${environment.command}\` on ${environment.date}, size ${size.name}, ${size.roundCount} rounds;`,
    `Node ${process.versions.node}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores.`,
    `\`node -e 0\`: ${milliseconds(idleSeconds)} ms.`,
    '',
    ...NOTES,
    '',
    '## Append',
    '',
    row(['inputs of one run', 'kept requests', 'ms', "beyond 'node -e 0'", 'MB/s of log']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...appends.map((append) => appendRow(append, idleSeconds)),
    '',
    `${count.toLocaleString('en-US')} inputs of ${byteLength.toLocaleString('en-US')} bytes take ${figure(smallInputRatio(result))} times as long as one file of the same bytes;`,
    `a row per request of the same inputs takes DuckDB ${figure(duckdb.manySeconds * 1000)} ms and ${figure(duckdb.oneSeconds * 1000)} ms: ${figure(duckdb.manySeconds / duckdb.oneSeconds)} times as long.`,
    '',
    '## Open and query',
    '',
    row(['files', 'process, ms', "beyond 'node -e 0'", 'open, ms', 'ask, ms']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...asks.map((ask) => askRow(ask, idleSeconds)),
    '',
    '## Compact',
    '',
    row(['files', 'requests', 'ms', 'requests/s', 'MB/s of log']),
    row(['---', '---:', '---:', '---:', '---:']),
    ...compacts.map(({ fileCount, requests, logBytes, seconds }) =>
      row([
        fileCount.toLocaleString('en-US'),
        requests,
        milliseconds(seconds),
        requests / seconds,
        logBytes / MEGABYTE / seconds,
      ]),
    ),
    '',
  ].join('\n')
}
