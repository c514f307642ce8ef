/** Podcast downloads, counted by rules that are printed with the figures. */

import { isIP } from 'node:net'
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
import { lengthFact } from './report-completion.ts'
import {
  type AssetVisitor,
  column,
  lengthOf,
  type Report,
  type ReportCell,
  type ReportScope,
  visitAssets,
} from './report-model.ts'
import { RunBuffer } from './run-buffer.ts'
import type { ListenerRuns } from './scan-listeners.ts'
import type { DeliveryStore } from './store.ts'

/** What downloads are added up by. */
export const DOWNLOAD_GROUPS = ['asset', 'day'] as const

/** See `DOWNLOAD_GROUPS`. */
export type DownloadGroup = (typeof DOWNLOAD_GROUPS)[number]

interface AssetDownloads {
  readonly asset: string
  readonly length: number
  readonly threshold: number
  /** Days since 1970 of the windows that count, by how often. */
  readonly days: ReadonlyMap<number, number>
  readonly downloads: number
  /** Listeners who downloaded it once or more. */
  readonly listeners: number
  /** Windows with too few bytes. */
  readonly incomplete: number
  readonly requests: number
  readonly excluded: { readonly bots: number; readonly watches: number; readonly probes: number }
}

const SECONDS_PER_DAY = 86_400
const ALWAYS: TimeWindow = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }

/** One row an asset, most downloads first; or one a day, on which the window of the download began. */
export function reportDownloads(
  store: DeliveryStore,
  scope: ReportScope,
  rules: DownloadRules,
  by: DownloadGroup,
): Report {
  const assets = [
    ...visitAssets(
      store,
      scope,
      (asset) => new DownloadVisitor({ asset, length: lengthOf(store, asset, scope) }, rules, scope.window),
    ),
  ].sort((a, b) => b.downloads - a.downloads)
  return {
    kind: 'downloads',
    title: `Podcast downloads, by ${by}`,
    facts: [
      ...ruleFacts(rules, scope),
      ['downloads', assets.reduce((sum, { downloads }) => sum + downloads, 0)],
    ],
    ...(by === 'asset' ? assetTable(assets) : dayTable(assets)),
  }
}

function ruleFacts(
  { windowKind, bitsPerSecond, headerByteLength, bots }: DownloadRules,
  scope: ReportScope,
): readonly (readonly [string, string | number])[] {
  const threshold =
    bitsPerSecond === undefined
      ? 'the whole asset, as its bitrate is not given (--bitrate)'
      : `60 s at ${bitsPerSecond} bits a second and ${headerByteLength} bytes before; the whole asset where it is shorter`
  return [
    ['rules', 'IAB Tech Lab podcast measurement guidelines 2.x, as far as a log of requests can follow them'],
    ['a download needs', threshold],
    ['length', lengthFact(scope)],
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

function assetTable(assets: readonly AssetDownloads[]): Pick<Report, 'columns' | 'rows' | 'chart'> {
  return {
    columns: [
      column('asset', 'text'),
      column('downloads', 'count'),
      column('listeners', 'count'),
      column('length', 'bytes'),
      column('threshold', 'bytes'),
      column('incomplete', 'count', 'below threshold'),
      column('requests', 'count'),
      column('bot_requests', 'count', 'by bots'),
      column('watch_requests', 'count', 'by watches'),
      column('probes', 'count'),
    ],
    rows: assets.map((found): readonly ReportCell[] => {
      const { asset, downloads, listeners, length, threshold, incomplete, requests, excluded } = found
      const { bots, watches, probes } = excluded
      return [asset, downloads, listeners, length, threshold, incomplete, requests, bots, watches, probes]
    }),
    chart: { kind: 'bars', label: 'asset', value: 'downloads' },
  }
}

function dayTable(assets: readonly AssetDownloads[]): Pick<Report, 'columns' | 'rows' | 'chart'> {
  const days = new Map<number, { downloads: number; assets: number }>()
  for (const { days: assetDays } of assets) {
    for (const [day, count] of assetDays) {
      const known = days.get(day)
      if (known === undefined) days.set(day, { downloads: count, assets: 1 })
      else {
        known.downloads += count
        known.assets++
      }
    }
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
class DownloadVisitor implements AssetVisitor<AssetDownloads> {
  private readonly asset: string
  private readonly length: number
  private readonly threshold: number
  private readonly rules: DownloadRules
  private readonly window: TimeWindow
  /** By address as counted and user agent. */
  private readonly waiting = new Map<string, RunBuffer>()
  private readonly current = new RunBuffer()
  private readonly inWindow = new RunBuffer()
  private readonly coverage = new Coverage()
  private readonly days = new Map<number, number>()
  private readonly counts = { downloads: 0, listeners: 0, incomplete: 0, requests: 0 }
  private readonly excluded = { bots: 0, watches: 0, probes: 0 }

  constructor(
    place: { readonly asset: string; readonly length: number },
    rules: DownloadRules,
    window: TimeWindow,
  ) {
    this.asset = place.asset
    this.length = place.length
    this.threshold = downloadThreshold(rules, place.length)
    this.rules = rules
    this.window = window
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

  end(): readonly AssetDownloads[] {
    for (const runs of this.waiting.values()) this.count(runs)
    if (this.counts.requests === 0) return []
    const { asset, length, threshold, days, counts, excluded } = this
    return [{ asset, length, threshold, days, ...counts, excluded }]
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
      coverage.measure(inWindow, ALWAYS, this.length)
      yield { day: Math.floor((epochs[from] ?? 0) / SECONDS_PER_DAY), coveredBytes: coverage.coveredBytes }
    }
  }
}
