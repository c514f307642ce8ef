/** What all reports have in common: a table with named columns, facts about it, and how it is best drawn. */

import type { AssetLength } from './asset-length.ts'
import { AssetLengths, type LengthSource } from './asset-lengths.ts'
import { HeldListeners } from './held-listeners.ts'
import { Coverage } from './listener-coverage.ts'
import type { TimeWindow } from './question-time.ts'
import type { ListenerRuns } from './scan-listeners.ts'
import type { DeliveryStore } from './store.ts'

/** How the cells of a column are written; `share` is 0 to 1, `time` epoch seconds, `curve` a list of shares. */
export type ColumnKind = 'text' | 'count' | 'bytes' | 'share' | 'time' | 'ranges' | 'curve'

/** A column; `key` is its name in JSON and CSV. */
export interface ReportColumn {
  readonly key: string
  readonly label: string
  readonly kind: ColumnKind
}

/** A value; null where there is none. A list is a `curve`, or `ranges`: first and last positions in turns. */
export type ReportCell = string | number | null | readonly number[]

/** How a page draws the rows; names are keys of columns. */
export type ReportChart =
  | { readonly kind: 'bars'; readonly label: string; readonly value: string }
  | { readonly kind: 'stack'; readonly label: string; readonly parts: readonly string[] }
  | { readonly kind: 'curve'; readonly label: string; readonly value: string }
  | { readonly kind: 'gaps'; readonly label: string; readonly ranges: string; readonly length: string }

/** Rows from this thread, or from others. */
export type ReportRows = Iterable<readonly ReportCell[]> | AsyncIterable<readonly ReportCell[]>

/** A report. Rows are made while they are read, once. */
export interface Report {
  readonly kind: ReportKind
  readonly title: string
  /** What the figures rest on: rules, settings, versions, totals that are known beforehand. */
  readonly facts: readonly (readonly [label: string, value: string | number])[]
  readonly columns: readonly ReportColumn[]
  readonly rows: ReportRows
  readonly chart: ReportChart
}

/** The names of the reports. */
export const REPORT_KINDS = [
  'completion',
  'retention',
  'gaps',
  'never',
  'waste',
  'downloads',
  'summary',
] as const

/** See `REPORT_KINDS`. */
export type ReportKind = (typeof REPORT_KINDS)[number]

/** What waste is added up by. */
export const WASTE_GROUPS = ['asset', 'user-agent', 'ip'] as const

/** See `WASTE_GROUPS`. */
export type WasteGroup = (typeof WASTE_GROUPS)[number]

/** What downloads are added up by. */
export const DOWNLOAD_GROUPS = ['asset', 'day'] as const

/** See `DOWNLOAD_GROUPS`. */
export type DownloadGroup = (typeof DOWNLOAD_GROUPS)[number]

/** What a report is about. */
export interface ReportScope {
  /** One asset, or all. */
  readonly asset: string | undefined
  readonly window: TimeWindow
  /** The length of the assets, where it is known better than by the farthest request. */
  readonly givenLength: number | undefined
}

/** A store, or some assets of one, as far as reports need it. */
export type ReportSource = LengthSource & Pick<DeliveryStore, 'listeners' | 'observedLength'>

/** What a pass finds: cells, so that it can come from another thread. What they mean is the report's own. */
export type Finding = readonly ReportCell[]

/**
 * A report in two steps. Findings about spans of assets that follow each other are, one after the other, as good
 * as findings about all of them.
 */
export interface ReportPass {
  /** Whether findings are the rows, given while they are found: there may be millions. */
  readonly findsRows: boolean
  find(source: ReportSource): Iterable<Finding>
  finish(findings: Iterable<Finding>, source: ReportSource): Report
}

/** Both steps, in this thread. */
export function runPass(pass: ReportPass, source: ReportSource): Report {
  return pass.finish(pass.find(source), source)
}

/** Makes a column. */
export function column(
  key: string,
  kind: ColumnKind,
  label: string = key.replaceAll('_', ' '),
): ReportColumn {
  return { key, label, kind }
}

/** Hears every listener of one asset; gives a row for each, or rows for all at the end. */
export interface AssetVisitor {
  /** `coverage` is valid for this call only. */
  add(listener: ListenerRuns, coverage: Coverage): Finding | undefined
  end(length: AssetLength): Iterable<Finding>
}

/**
 * Passes over the scope, asset after asset; yields what the visitors give. Listeners without a request in
 * the window are left out, but reach counts for the length. Coverage is clipped to a given length.
 */
export function* visitAssets(
  source: ReportSource,
  scope: ReportScope,
  makeVisitor: (asset: string) => AssetVisitor,
): Generator<Finding, void, void> {
  const { asset: only, window, givenLength } = scope
  const lengths = new AssetLengths(source, scope)
  const coverage = new Coverage()
  let asset = ''
  let visitor: AssetVisitor | undefined
  let length = 0
  for (const listener of source.listeners(only === undefined ? {} : { assets: new Set([only]) })) {
    if (visitor === undefined || listener.asset !== asset) {
      if (visitor !== undefined) yield* visitor.end(lengths.of(asset, length))
      asset = listener.asset
      visitor = makeVisitor(asset)
      length = 0
    }
    coverage.measure(listener.runs, window, givenLength)
    length = Math.max(length, coverage.observedLength)
    if (coverage.requests === 0) continue
    const row = visitor.add(listener, coverage)
    if (row !== undefined) yield row
  }
  if (visitor !== undefined) yield* visitor.end(lengths.of(asset, length))
}

/**
 * The same for visitors who must know the length beforehand. The listeners of an asset are held until all have
 * come; only of an asset with very many is the length looked up, which takes reading part of it twice.
 */
export function* visitMeasuredAssets(
  source: ReportSource,
  scope: ReportScope,
  makeVisitor: (asset: string, length: AssetLength) => AssetVisitor,
): Generator<Finding, void, void> {
  const { asset: only, window, givenLength } = scope
  const lengths = new AssetLengths(source, scope)
  const held = new HeldListeners()
  const coverage = new Coverage()
  let asset: string | undefined
  let length: AssetLength | undefined
  let visitor: AssetVisitor | undefined
  const hear = (to: AssetVisitor, listener: ListenerRuns): Finding | undefined => {
    coverage.measure(listener.runs, window, givenLength)
    return coverage.requests === 0 ? undefined : to.add(listener, coverage)
  }
  function* measureAsset(name: string, observedLength: number): Generator<Finding, AssetVisitor, void> {
    length = lengths.of(name, observedLength)
    const made = makeVisitor(name, length)
    for (const listener of held.release(name)) {
      const row = hear(made, listener)
      if (row !== undefined) yield row
    }
    return made
  }
  function* endAsset(): Generator<Finding, void, void> {
    if (asset === undefined) return
    visitor ??= yield* measureAsset(asset, held.observedLength)
    if (length !== undefined) yield* visitor.end(length)
    visitor = undefined
  }
  for (const listener of source.listeners(only === undefined ? {} : { assets: new Set([only]) })) {
    if (listener.asset !== asset) {
      yield* endAsset()
      asset = listener.asset
    }
    if (visitor === undefined && held.isFull) {
      visitor = yield* measureAsset(asset, source.observedLength(asset) ?? 0)
    }
    if (visitor === undefined) held.hold(listener)
    else {
      const row = hear(visitor, listener)
      if (row !== undefined) yield row
    }
  }
  yield* endAsset()
}
