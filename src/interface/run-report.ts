/** The `report` command: tables about a whole store, in one pass over it. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { attempted, Failure } from '../base/failure.ts'
import type { BotList } from '../delivery/download-rules.ts'
import { checkAsset } from '../delivery/question.ts'
import { parseTimeWindow } from '../delivery/question-time.ts'
import { REPORT_KINDS, type Report, type ReportScope } from '../delivery/report-model.ts'
import { formatCount, formatSeconds, formatShare } from './format-figures.ts'
import { writeWhole } from './held-output.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { ReportArguments } from './invocation.ts'
import { openLedger } from './library.ts'
import { planReport, type ReportSettings } from './make-report.ts'
import { DEFAULT_STORE, parseThreads } from './process-settings.ts'
import { openLine } from './progress.ts'
import { renderReportPage } from './render-report-page.ts'
import { renderReportCsv, renderReportJson, renderReportTable } from './render-report-table.ts'
import type { ExitCode, Streams } from './streams.ts'
import { styleFor } from './terminal.ts'
import { noteUnknownAsset } from './unknown-asset.ts'

const DEFAULT_LIMIT = 50

/**
 * Makes a report on standard output, where it appears whole or not at all; returns 0. Everything is checked before
 * the store is touched.
 */
export async function runReport(options: ReportArguments, streams: Streams): Promise<ExitCode> {
  const kind = REPORT_KINDS.find((name) => name === options.kind)
  if (kind === undefined) {
    throw new Failure('USAGE', `no report '${options.kind}': expected one of ${REPORT_KINDS.join(', ')}`)
  }
  const { store: path = DEFAULT_STORE } = options
  if ([options.json, options.csv, options.html].filter(Boolean).length > 1) {
    throw new Failure('USAGE', 'expected only one of --json, --csv and --html')
  }
  const limit = options.limit === undefined ? DEFAULT_LIMIT : parseWhole(options.limit, '--limit', '100')
  const threadCount = options.threads === undefined ? undefined : parseThreads(options.threads)
  const plan = planReport(kind, readScope(options), readSettings(options))
  const store = await openLedger(path)
  const controller = new AbortController()
  const stopListening = abortOnInterrupt(controller)
  const progress = streams.stderr.isTTY === true ? openLine(streams.stderr, describeReport) : undefined
  try {
    await noteUnknownAsset(store, options.asset, streams)
    const report = await store.makeReport(plan, {
      threadCount,
      signal: controller.signal,
      onProgress: progress && ((...counts) => progress.update(counts)),
    })
    await writeWhole(streams.stdout, piecesOf(report, options, limit, streams), () => {
      // From here on a signal ends the program at once: whoever reads slowly may keep it waiting.
      stopListening()
      progress?.finish()
    })
    return 0
  } finally {
    stopListening()
    progress?.finish()
    store.close()
  }
}

function describeReport([passedCount, count]: readonly [number, number], elapsed: number): string {
  return `${formatShare(passedCount, count)} of ${formatCount(count)} requests, ${formatSeconds(elapsed)}`
}

async function* piecesOf(
  report: Report,
  options: ReportArguments,
  limit: number,
  { stdout, environment }: Streams,
): AsyncGenerator<string, void, void> {
  if (options.html) yield await renderReportPage(report)
  else if (options.json) yield* renderReportJson(report)
  else if (options.csv) yield* renderReportCsv(report)
  else yield* renderReportTable(report, limit, styleFor(stdout, environment))
}

function readScope(options: ReportArguments): ReportScope {
  return {
    asset: options.asset === undefined ? undefined : checkAsset(options.asset, '--asset'),
    window: parseTimeWindow(options.since, options.until),
    givenLength: options.length === undefined ? undefined : parseWhole(options.length, '--length', '1447'),
  }
}

function readSettings({ by, window, bitrate, headerBytes, bots }: ReportArguments): ReportSettings {
  return {
    ...{ by, window },
    bitrate: bitrate === undefined ? undefined : parseBitrate(bitrate),
    headerBytes: headerBytes === undefined ? undefined : parseWhole(headerBytes, '--header-bytes', '40000'),
    bots: bots === undefined ? undefined : readBots(bots),
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
