/** The commands that keep a store in order: `compact`, `vacuum` and `forget`. */

import { Failure } from '../base/failure.ts'
import type { CompactReport } from '../engine/compact-store.ts'
import type { ForgetReport } from '../engine/forget-ip.ts'
import type { RewriteSurroundings } from '../engine/rewrite-store.ts'
import type { VacuumReport } from '../engine/vacuum-store.ts'
import { escapeText, toSafeJson } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatSeconds, formatShare } from './format-figures.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { CompactArguments, ForgetArguments, VacuumArguments } from './invocation.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import { openLine } from './progress.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { writeOutput } from './write-output.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** So many files are named; `--json` names all. */
const NAMED_FILES = 20

/** Returns 0; fails as `compactStore` does. */
export async function runCompact(options: CompactArguments, streams: Streams): Promise<ExitCode> {
  const { store = DEFAULT_STORE, date } = options
  if (date !== undefined && !isDate(date)) {
    throw new Failure('USAGE', `--date expects a day like 2024-05-17; found '${date}'`)
  }
  const { compactStore } = await import('../engine/compact-store.ts')
  const report = await watched(options.json, streams, (surroundings) =>
    compactStore({ ...surroundings, store, date }),
  )
  return await print(options.json, streams, report, renderCompact)
}

/** Returns 0; fails as `vacuumStore` does. */
export async function runVacuum(options: VacuumArguments, streams: Streams): Promise<ExitCode> {
  const { store = DEFAULT_STORE, retain, dryRun } = options
  const { vacuumStore, DEFAULT_RETENTION_MS } = await import('../engine/vacuum-store.ts')
  const retentionMs = retain === undefined ? DEFAULT_RETENTION_MS : parseDuration(retain)
  return await print(options.json, streams, await vacuumStore({ store, retentionMs, dryRun }), renderVacuum)
}

/** Returns 0; fails as `forgetIp` does. */
export async function runForget(options: ForgetArguments, streams: Streams): Promise<ExitCode> {
  const { store = DEFAULT_STORE, ip } = options
  if (ip === undefined || ip === '') {
    throw new Failure('USAGE', '--ip is missing: expected the address to forget')
  }
  const { forgetIp } = await import('../engine/forget-ip.ts')
  const report = await watched(options.json, streams, (surroundings) =>
    forgetIp({ ...surroundings, store, ip }),
  )
  if (report.mentions > 0) {
    writeNote(
      streams,
      `${formatNoun(report.mentions, 'user agent or request')} of other listeners contain the address and stay`,
    )
  }
  return await print(options.json, streams, report, renderForget)
}

/** Whether a text is a day of the calendar, like 2024-05-17. */
function isDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** `90s`, `30m`, `36h` or `7d` in milliseconds. */
export function parseDuration(text: string): number {
  const found = /^(\d{1,6})([smhd])$/.exec(text)
  const unit = UNITS_MS[found?.[2] ?? '']
  if (found === null || unit === undefined) {
    throw new Failure('USAGE', `--retain expects a duration like 36h, 7d, 30m or 0s; found '${text}'`)
  }
  return Number(found[1]) * unit
}

/** Runs something long with progress on a terminal, and Ctrl-C. */
async function watched<T>(
  isJson: boolean,
  streams: Streams,
  act: (surroundings: RewriteSurroundings) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stopListening = abortOnInterrupt(controller)
  const line =
    streams.stderr.isTTY === true && !isJson
      ? openLine(streams.stderr, ({ runs, runsTotal }: { runs: number; runsTotal: number }, seconds) => {
          const left = runs === 0 ? '' : `  ${formatSeconds((seconds / runs) * (runsTotal - runs))} left`
          const rate = seconds > 0 ? runs / seconds : 0
          return `${formatShare(runs, runsTotal)}  ${formatCount(runs)} requests  ${formatCount(Math.round(rate))}/s${left}`
        })
      : undefined
  try {
    return await act({
      signal: controller.signal,
      onNote: (note) => writeNote(streams, note),
      ...(line === undefined ? {} : { onProgress: line.update }),
    })
  } finally {
    line?.finish()
    stopListening()
  }
}

async function print<T>(
  isJson: boolean,
  streams: Streams,
  report: T,
  render: (report: T) => readonly string[],
): Promise<ExitCode> {
  const text = isJson ? toSafeJson(report) : render(report).join('\n')
  await writeOutput(streams.stdout, `${text}\n`)
  return 0
}

function renderCompact({ store, compacted, seconds }: CompactReport): readonly string[] {
  const dates = compacted.map(
    ({ date, filesBefore, bytesBefore, rows, bytes }) =>
      `  ${date}  ${formatNoun(filesBefore, 'file')} of ${formatByteLength(bytesBefore)} -> 1 of ` +
      `${formatByteLength(bytes)}, ${formatNoun(rows, 'row')}`,
  )
  if (dates.length === 0) dates.push('  every date was one sorted file already')
  return [
    ...dates,
    `store ${escapeText(store.path)}: version ${store.version}, ${formatSeconds(seconds)}`,
    ...(compacted.length === 0
      ? []
      : ['The files that were replaced stay for readers of older versions until vacuum deletes them.']),
  ]
}

function renderVacuum({ store, dryRun, deleted, bytes, kept }: VacuumReport): readonly string[] {
  const named = deleted.slice(0, NAMED_FILES).map(({ path }) => `  ${escapeText(path)}`)
  if (deleted.length > NAMED_FILES)
    named.push(`  and ${formatNoun(deleted.length - NAMED_FILES, 'more file')}`)
  const done = dryRun ? 'would delete' : 'deleted'
  return [
    ...named,
    `${done} ${formatNoun(deleted.length, 'file')}, ${formatByteLength(bytes)}; ` +
      `${formatNoun(kept, 'unreferenced file')} younger than --retain`,
    `store ${escapeText(store.path)}: ${store.version === null ? 'no version yet' : `version ${store.version}`}`,
  ]
}

function renderForget({
  store,
  requests,
  filesRewritten,
  filesDeleted,
  seconds,
}: ForgetReport): readonly string[] {
  return [
    `forgot ${formatNoun(requests, 'request')}: rewrote ${formatNoun(filesRewritten, 'data file')}, deleted ` +
      `${formatNoun(filesDeleted, 'file')} of older versions`,
    `store ${escapeText(store.path)}: version ${store.version}, ${formatSeconds(seconds)}`,
  ]
}
