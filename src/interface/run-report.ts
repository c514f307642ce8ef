/** The `report` command: tables about a whole store, in one pass over it. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { attempted, Failure } from '../base/failure.ts'
import { type BotList, BUNDLED_BOTS, type DownloadRules, WINDOW_KINDS } from '../delivery/download-rules.ts'
import { parseTimeWindow } from '../delivery/question-time.ts'
import { REPORT_KINDS, type Report, type ReportKind, type ReportScope } from '../delivery/report-model.ts'
import { type DeliveryStore, openStore } from '../delivery/store.ts'
import type { ReportArguments } from './arguments.ts'
import { renderReportPage } from './render-report-page.ts'
import { renderReportCsv, renderReportJson, renderReportTable } from './render-report-table.ts'
import { resolveStore } from './resolve-store.ts'
import type { ExitCode, Streams } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

const DEFAULT_LIMIT = 50
/** Pieces of text are written when they come to so many characters: a system call a row would be slow. */
const PIECE_LENGTH = 64 * 1024

/** Makes a report on standard output; returns 0. Everything is checked before the store is touched. */
export async function runReport(options: ReportArguments, streams: Streams): Promise<ExitCode> {
  const kind = REPORT_KINDS.find((name) => name === options.kind)
  if (kind === undefined) {
    throw new Failure('USAGE', `no report '${options.kind}': expected one of ${REPORT_KINDS.join(', ')}`)
  }
  const { store: path } = options
  if (path === undefined)
    throw new Failure('USAGE', '--store is missing: expected a .parquet file or a directory')
  if ([options.json, options.csv, options.html].filter(Boolean).length > 1) {
    throw new Failure('USAGE', 'expected only one of --json, --csv and --html')
  }
  const limit = options.limit === undefined ? DEFAULT_LIMIT : parseWhole(options.limit, '--limit', '100')
  const make = await readSettings(kind, options)
  const store = openStore(resolveStore(path))
  try {
    const report = make(store)
    if (options.html) await writeOutput(streams.stdout, renderReportPage(report))
    else if (options.json) await writePieces(renderReportJson(report), streams)
    else if (options.csv) await writePieces(renderReportCsv(report), streams)
    else {
      const style = styleFor(streams.stdout, streams.environment)
      await writePieces(renderReportTable(report, limit, style), streams)
    }
    return 0
  } finally {
    store.close()
  }
}

async function writePieces(pieces: Iterable<string>, { stdout }: Streams): Promise<void> {
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < PIECE_LENGTH) continue
    if ((await writeOutput(stdout, text)) === 'closed') return
    text = ''
  }
  await writeOutput(stdout, text)
}

async function readSettings(
  kind: ReportKind,
  options: ReportArguments,
): Promise<(store: DeliveryStore) => Report> {
  const scope: ReportScope = {
    asset: options.asset,
    window: parseTimeWindow(options.since, options.until),
    givenLength: options.length === undefined ? undefined : parseWhole(options.length, '--length', '1447'),
  }
  if (scope.givenLength !== undefined && scope.asset === undefined) {
    throw new Failure('USAGE', '--length is of one asset: expected --asset with it')
  }
  refuseOptions(kind, options)
  switch (kind) {
    case 'completion': {
      const { reportCompletion } = await import('../delivery/report-completion.ts')
      return (store) => reportCompletion(store, scope)
    }
    case 'retention': {
      const { reportRetention } = await import('../delivery/report-retention.ts')
      return (store) => reportRetention(store, scope)
    }
    case 'gaps':
    case 'never': {
      const { reportGaps, reportNever } = await import('../delivery/report-gaps.ts')
      return (store) => (kind === 'gaps' ? reportGaps(store, scope) : reportNever(store, scope))
    }
    case 'waste': {
      const { reportWaste, WASTE_GROUPS } = await import('../delivery/report-waste.ts')
      const by = oneOf(options.by ?? 'asset', WASTE_GROUPS, '--by')
      return (store) => reportWaste(store, scope, by)
    }
    case 'downloads': {
      const { DOWNLOAD_GROUPS, reportDownloads } = await import('../delivery/report-downloads.ts')
      const by = oneOf(options.by ?? 'asset', DOWNLOAD_GROUPS, '--by')
      const rules = readRules(options)
      return (store) => reportDownloads(store, scope, rules, by)
    }
    case 'summary': {
      const { reportSummary } = await import('../delivery/report-summary.ts')
      return (store) => reportSummary(store, scope)
    }
  }
}

/** An option that means nothing here would be taken for one that was heeded. */
function refuseOptions(kind: ReportKind, options: ReportArguments): void {
  const refuse = (value: unknown, name: string, owners: readonly ReportKind[]): void => {
    if (value !== undefined && !owners.includes(kind)) {
      throw new Failure('USAGE', `${name} goes with report ${owners.join(' and ')}, not with ${kind}`)
    }
  }
  refuse(options.by, '--by', ['waste', 'downloads'])
  refuse(options.window, '--window', ['downloads'])
  refuse(options.bitrate, '--bitrate', ['downloads'])
  refuse(options.headerBytes, '--header-bytes', ['downloads'])
  refuse(options.bots, '--bots', ['downloads'])
  refuse(options.length, '--length', ['completion', 'retention', 'gaps', 'never', 'downloads'])
}

function readRules(options: ReportArguments): DownloadRules {
  const { bitrate, headerBytes, bots } = options
  if (headerBytes !== undefined && bitrate === undefined) {
    throw new Failure('USAGE', '--header-bytes goes with --bitrate, like --bitrate 128k --header-bytes 40000')
  }
  return {
    windowKind: oneOf(options.window ?? 'calendar', WINDOW_KINDS, '--window'),
    bitsPerSecond: bitrate === undefined ? undefined : parseBitrate(bitrate),
    headerByteLength: headerBytes === undefined ? 0 : parseWhole(headerBytes, '--header-bytes', '40000'),
    bots: bots === undefined ? BUNDLED_BOTS : readBots(bots),
  }
}

function parseBitrate(text: string): number {
  const [, digits, unit] = /^(\d+)(k?)$/.exec(text) ?? []
  const bitsPerSecond = Number(digits) * (unit === 'k' ? 1000 : 1)
  if (digits === undefined || !(bitsPerSecond > 0 && bitsPerSecond <= 1e12)) {
    throw new Failure('USAGE', `--bitrate expects bits a second, like 128k or 128000; found '${text}'`)
  }
  return bitsPerSecond
}

/** A part of a user agent a line; `#` begins a comment. The version is the content's hash, so that it can be told. */
function readBots(path: string): BotList {
  const text = attempted(path, 'read the list of bots from', () => readFileSync(path, 'utf8'))
  const lines = text.split('\n').map((line) => line.trim().toLowerCase())
  const parts = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const version = `sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  return { name: path, version, parts }
}

function parseWhole(text: string, option: string, example: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new Failure('USAGE', `${option} expects a whole number, like ${example}; found '${text}'`)
  }
  return value
}

function oneOf<T extends string>(text: string, choices: readonly T[], option: string): T {
  const choice = choices.find((name) => name === text)
  if (choice !== undefined) return choice
  throw new Failure('USAGE', `${option} expects one of ${choices.join(', ')}; found '${text}'`)
}
