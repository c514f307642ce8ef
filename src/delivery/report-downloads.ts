/** Podcast downloads, counted by rules that are printed with the figures. */

import { isIP } from 'node:net'
import type { AssetLength } from './asset-length.ts'
import { AssetLengths } from './asset-lengths.ts'
import {
  countedAddress,
  type DownloadRules,
  downloadThreshold,
  isAppleWatch,
  isBot,
  isProbe,
  splitIntoWindows,
} from './download-rules.ts'
import { Coverage } from './listener-coverage.ts'
import { formatInstant, isInWindow, type TimeWindow } from './question-time.ts'
import {
  type AssetVisitor,
  column,
  type DownloadGroup,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  visitMeasuredAssets,
} from './report-model.ts'
import { RunBuffer } from './run-buffer.ts'
import type { ListenerRuns } from './scan-listeners.ts'

const SECONDS_PER_DAY = 86_400
const ALWAYS: TimeWindow = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }

/** One row an asset, most downloads first; or one a day, on which the window of the download began. */
export function downloadsPass(scope: ReportScope, rules: DownloadRules, by: DownloadGroup): ReportPass {
  return {
    findsRows: false,
    find: (source) =>
      visitMeasuredAssets(
        source,
        scope,
        (asset, length) => new DownloadVisitor({ asset, length }, { rules, window: scope.window, by }),
      ),
    finish: (findings, source) => {
      const lengthFacts = new AssetLengths(source, scope).facts()
      return downloadsReport(findings, [...ruleFacts(rules), ...lengthFacts], by)
    },
  }
}

function downloadsReport(findings: Iterable<Finding>, facts: Report['facts'], by: DownloadGroup): Report {
  const title = `Podcast downloads, by ${by}`
  const table = by === 'asset' ? assetTable(findings) : dayTable(findings)
  const downloads = table.rows.reduce((sum, row) => sum + Number(row[DOWNLOADS]), 0)
  return { kind: 'downloads', title, facts: [...facts, ['downloads', downloads]], ...table }
}

/** Place of the column `downloads`, in both tables. */
const DOWNLOADS = 1

type Table = Pick<Report, 'columns' | 'chart'> & { readonly rows: readonly Finding[] }

function ruleFacts({
  windowKind,
  bitsPerSecond,
  headerByteLength,
  bots,
}: DownloadRules): readonly (readonly [string, string | number])[] {
  const threshold =
    bitsPerSecond === undefined
      ? 'the whole asset, as its bitrate is not given (--bitrate)'
      : `60 s at ${bitsPerSecond} bits a second and ${headerByteLength} bytes before; the whole asset where it is shorter`
  return [
    ['rules', 'IAB Tech Lab podcast measurement guidelines 2.x, as far as a log of requests can follow them'],
    ['a download needs', threshold],
    ['bytes', 'distinct bytes of all requests of the listener within the window, united'],
    ['window', `24 hours, ${windowKind}${windowKind === 'calendar' ? ' (UTC days)' : ''}`],
    ['listener', 'address and user agent; IPv6 addresses cut to /64'],
    ['left out: bots', `${bots.name} ${bots.version}, ${bots.parts.length} entries`],
    [
      'left out: Apple Watch',
      'user agents that begin with atc/ and name watchOS, or with (null)/(null) watchOS',
    ],
    ['left out: probes', 'requests for bytes 0-1'],
    ['methods', 'the log names none: every request with status 200 or 206 is taken for a GET'],
  ]
}

function assetTable(findings: Iterable<Finding>): Table {
  return {
    columns: [
      column('asset', 'text'),
      column('downloads', 'count'),
      column('listeners', 'count'),
      column('length', 'bytes'),
      column('length_from', 'text'),
      column('threshold', 'bytes'),
      column('incomplete', 'count', 'below threshold'),
      column('requests', 'count'),
      column('bot_requests', 'count', 'by bots'),
      column('watch_requests', 'count', 'by watches'),
      column('probes', 'count'),
    ],
    rows: [...findings].sort((a, b) => Number(b[DOWNLOADS]) - Number(a[DOWNLOADS])),
    chart: { kind: 'bars', label: 'asset', value: 'downloads' },
  }
}

/** Findings are days since 1970 and downloads of one asset on them. */
function dayTable(findings: Iterable<Finding>): Table {
  const days = new Map<number, { downloads: number; assets: number }>()
  for (const [day, count] of findings) {
    const known = days.get(Number(day)) ?? { downloads: 0, assets: 0 }
    days.set(Number(day), { downloads: known.downloads + Number(count), assets: known.assets + 1 })
  }
  return {
    columns: [column('day', 'text'), column('downloads', 'count'), column('assets', 'count')],
    rows: [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, { downloads, assets: assetCount }]) => {
        return [formatInstant(day * SECONDS_PER_DAY).slice(0, -'T00:00:00Z'.length), downloads, assetCount]
      }),
    chart: { kind: 'bars', label: 'day', value: 'downloads' },
  }
}

/** Counts one asset. Only requests from IPv6 addresses wait for its end: others of the same /64 may follow. */
class DownloadVisitor implements AssetVisitor {
  private readonly asset: string
  private readonly length: AssetLength
  private readonly threshold: number
  private readonly rules: DownloadRules
  private readonly window: TimeWindow
  private readonly by: DownloadGroup
  /** By address as counted and user agent. */
  private readonly waiting = new Map<string, RunBuffer>()
  private readonly current = new RunBuffer()
  private readonly inWindow = new RunBuffer()
  private readonly coverage = new Coverage()
  /** Days since 1970 of the windows that count, by how often. */
  private readonly days = new Map<number, number>()
  /** Of listeners those who downloaded it once or more; incomplete are windows with too few bytes. */
  private readonly counts = { downloads: 0, listeners: 0, incomplete: 0, requests: 0 }
  private readonly excluded = { bots: 0, watches: 0, probes: 0 }

  constructor(
    place: { readonly asset: string; readonly length: AssetLength },
    how: { readonly rules: DownloadRules; readonly window: TimeWindow; readonly by: DownloadGroup },
  ) {
    this.asset = place.asset
    this.length = place.length
    this.threshold = downloadThreshold(how.rules, place.length.bytes)
    this.rules = how.rules
    this.window = how.window
    this.by = how.by
  }

  add({ ip, userAgent, runs }: ListenerRuns, { requests }: Coverage): undefined {
    this.counts.requests += requests
    if (isBot(this.rules.bots, userAgent)) {
      this.excluded.bots += requests
      return
    }
    if (isAppleWatch(userAgent)) {
      this.excluded.watches += requests
      return
    }
    const address = countedAddress(ip)
    if (isIP(ip) !== 6) {
      this.current.clear()
      this.takeRuns(runs, this.current)
      this.count(this.current)
      return
    }
    const name = `${address}\0${userAgent}`
    let own = this.waiting.get(name)
    if (own === undefined) {
      own = new RunBuffer(runs.count)
      this.waiting.set(name, own)
    }
    this.takeRuns(runs, own)
  }

  private takeRuns(from: RunBuffer, into: RunBuffer): void {
    for (let i = 0; i < from.count; i++) {
      const start = from.starts[i] ?? 0
      const end = from.ends[i] ?? 0
      const epoch = from.epochs[i] ?? 0
      if (!isInWindow(this.window, epoch)) continue
      if (isProbe(start, end)) this.excluded.probes++
      else into.add(start, end, epoch)
    }
  }

  private count(runs: RunBuffer): void {
    const { counts, days } = this
    const before = counts.downloads
    for (const { day, coveredBytes } of this.windowsOf(runs)) {
      if (coveredBytes < this.threshold) {
        counts.incomplete++
        continue
      }
      counts.downloads++
      days.set(day, (days.get(day) ?? 0) + 1)
    }
    if (counts.downloads > before) counts.listeners++
  }

  /** The row of the asset, or what it adds to each day. */
  end(): readonly Finding[] {
    for (const runs of this.waiting.values()) this.count(runs)
    const { asset, length, threshold, days } = this
    const { downloads, listeners, incomplete, requests } = this.counts
    if (this.by === 'day') return [...days]
    if (requests === 0) return []
    const { bots, watches, probes } = this.excluded
    const counted: Finding = [asset, downloads, listeners, length.bytes, length.from, threshold]
    return [[...counted, incomplete, requests, bots, watches, probes]]
  }

  /** The windows of one listener: the day on which each began, and its distinct bytes. */
  private *windowsOf(
    runs: RunBuffer,
  ): Generator<{ readonly day: number; readonly coveredBytes: number }, void, void> {
    const { inWindow, coverage } = this
    const order = Uint32Array.from({ length: runs.count }, (_, i) => i).sort(
      (a, b) => (runs.epochs[a] ?? 0) - (runs.epochs[b] ?? 0),
    )
    const epochs = Float64Array.from(order, (place) => runs.epochs[place] ?? 0)
    const cuts = splitIntoWindows(epochs, this.rules.windowKind)
    for (let cut = 0; cut < cuts.length; cut++) {
      const from = cuts[cut] ?? 0
      inWindow.clear()
      for (let i = from; i < (cuts[cut + 1] ?? epochs.length); i++) {
        const place = order[i] ?? 0
        inWindow.add(runs.starts[place] ?? 0, runs.ends[place] ?? 0, runs.epochs[place] ?? 0)
      }
      inWindow.sort()
      coverage.measure(inWindow, ALWAYS, this.length.bytes)
      yield { day: Math.floor((epochs[from] ?? 0) / SECONDS_PER_DAY), coveredBytes: coverage.coveredBytes }
    }
  }
}
