/** What all reports have in common: a table with named columns, facts about it, and how it is best drawn. */

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

/** A report. Rows are made while they are read, once. */
export interface Report {
  readonly kind: ReportKind
  readonly title: string
  /** What the figures rest on: rules, settings, versions, totals that are known beforehand. */
  readonly facts: readonly (readonly [label: string, value: string | number])[]
  readonly columns: readonly ReportColumn[]
  readonly rows: Iterable<readonly ReportCell[]>
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

/** What a report is about. */
export interface ReportScope {
  /** One asset, or all. */
  readonly asset: string | undefined
  readonly window: TimeWindow
  /** The length of the assets, where it is known better than by the farthest request. */
  readonly givenLength: number | undefined
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
export interface AssetVisitor<Row> {
  /** `coverage` is valid for this call only. */
  add(listener: ListenerRuns, coverage: Coverage): Row | undefined
  /** `length` is the given one, or one past the farthest position that any request reached. */
  end(length: number): Iterable<Row>
}

/**
 * Passes over the scope, asset after asset; yields what the visitors give. Listeners without a request in
 * the window are left out, but reach counts for the length. Coverage is clipped to the given length.
 */
export function* visitAssets<Row>(
  store: DeliveryStore,
  { asset: only, window, givenLength }: ReportScope,
  makeVisitor: (asset: string) => AssetVisitor<Row>,
): Generator<Row, void, void> {
  const coverage = new Coverage()
  let asset: string | undefined
  let visitor: AssetVisitor<Row> | undefined
  let length = 0
  for (const listener of store.listeners(only === undefined ? {} : { assets: new Set([only]) })) {
    if (visitor === undefined || listener.asset !== asset) {
      if (visitor !== undefined) yield* visitor.end(givenLength ?? length)
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
  if (visitor !== undefined) yield* visitor.end(givenLength ?? length)
}

/** The length to measure against before the asset was passed over. */
export function lengthOf(store: DeliveryStore, asset: string, { givenLength }: ReportScope): number {
  return givenLength ?? store.observedLength(asset) ?? 0
}
