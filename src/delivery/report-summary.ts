/** What a store holds: days, requests, assets, listeners, rows, and hours from which no request is known. */

import { formatInstant, isInWindow } from './question-time.ts'
import {
  column,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  type ReportSource,
} from './report-model.ts'

const SECONDS_PER_HOUR = 3600
const HOURS_PER_DAY = 24

interface Hour {
  requests: number
  bytes: number
}

/** One row a day from the first request to the last, days without any included. */
export function summaryPass(scope: ReportScope): ReportPass {
  return { findsRows: false, find: (source) => findSummary(source, scope), finish: summaryReport }
}

/** Findings: `hour`, its number since 1970, requests and bytes; `listener` and its name; `assets` and two counts. */
function* findSummary(source: ReportSource, scope: ReportScope): Generator<Finding, void, void> {
  const hours = new Map<number, Hour>()
  const listeners = new Set<string>()
  const totals = { assets: 0, listenerAssets: 0 }
  let lastAsset: string | undefined
  const only = scope.asset === undefined ? {} : { assets: new Set([scope.asset]) }
  for (const { asset, ip, userAgent, runs } of source.listeners(only)) {
    let isCounted = false
    for (let i = 0; i < runs.count; i++) {
      const epoch = runs.epochs[i] ?? 0
      if (!isInWindow(scope.window, epoch)) continue
      isCounted = true
      const bytes = (runs.ends[i] ?? 0) - (runs.starts[i] ?? 0)
      addTo(hours, Math.floor(epoch / SECONDS_PER_HOUR), 1, bytes)
    }
    if (!isCounted) continue
    totals.listenerAssets++
    // No log has a NUL in a field, so two listeners never share a name.
    listeners.add(`${ip}\0${userAgent}`)
    if (asset !== lastAsset) totals.assets++
    lastAsset = asset
  }
  for (const [hour, { requests, bytes }] of hours) yield ['hour', hour, requests, bytes]
  for (const name of listeners) yield ['listener', name]
  yield ['assets', totals.assets, totals.listenerAssets]
}

function summaryReport(findings: Iterable<Finding>): Report {
  const hours = new Map<number, Hour>()
  const listeners = new Set<string>()
  const totals = { requests: 0, bytes: 0, assets: 0, listenerAssets: 0 }
  for (const [what, first, second, third] of findings) {
    if (what === 'listener') listeners.add(String(first))
    else if (what === 'hour') {
      addTo(hours, Number(first), Number(second), Number(third))
      totals.requests += Number(second)
      totals.bytes += Number(third)
    } else {
      totals.assets += Number(first)
      totals.listenerAssets += Number(second)
    }
  }
  const { rows, silentHours } = dayRows(hours)
  return {
    kind: 'summary',
    title: 'What the store holds',
    facts: [
      ['requests', totals.requests],
      ['rows, one for each byte sent', totals.bytes],
      ['assets', totals.assets],
      ['listeners (address and user agent)', listeners.size],
      ['listeners, counted for each asset', totals.listenerAssets],
      ['days', rows.length],
      ['hours without logs between the first and the last', silentHours],
      ['rejected lines', 'not stored: see the report of process'],
    ],
    columns: [
      column('day', 'text'),
      column('requests', 'count'),
      column('bytes', 'bytes'),
      column('hours_with_logs', 'count'),
      column('silent_hours', 'text', 'hours without logs (UTC)'),
    ],
    rows,
    chart: { kind: 'bars', label: 'day', value: 'requests' },
  }
}

function addTo(hours: Map<number, Hour>, hour: number, requests: number, bytes: number): void {
  const known = hours.get(hour)
  if (known === undefined) {
    hours.set(hour, { requests, bytes })
    return
  }
  known.requests += requests
  known.bytes += bytes
}

/** A log that spans more days than this was put together from times that are wrong. */
const MAX_LISTED_DAYS = 100_000

function dayRows(hours: ReadonlyMap<number, Hour>): {
  readonly rows: readonly Finding[]
  readonly silentHours: number
} {
  const known = [...hours.keys()].sort((a, b) => a - b)
  const [first] = known
  const last = known.at(-1)
  if (first === undefined || last === undefined) return { rows: [], silentHours: 0 }
  const rows: Finding[] = []
  const firstDay = Math.floor(first / HOURS_PER_DAY)
  const dayCount = Math.min(MAX_LISTED_DAYS, Math.floor(last / HOURS_PER_DAY) - firstDay + 1)
  for (let day = firstDay; day < firstDay + dayCount; day++) {
    let [requests, bytes, hourCount] = [0, 0, 0]
    const silent: number[] = []
    for (let hour = day * HOURS_PER_DAY; hour < (day + 1) * HOURS_PER_DAY; hour++) {
      const found = hours.get(hour)
      if (found === undefined) {
        // Before the first request and behind the last nothing is missing.
        if (hour > first && hour < last) silent.push(hour % HOURS_PER_DAY)
        continue
      }
      hourCount++
      requests += found.requests
      bytes += found.bytes
    }
    const date = formatInstant(day * HOURS_PER_DAY * SECONDS_PER_HOUR).slice(0, -'T00:00:00Z'.length)
    rows.push([date, requests, bytes, hourCount, silent.length === 0 ? null : joinHours(silent)])
  }
  return { rows, silentHours: last - first + 1 - known.length }
}

/** `3-5 9` for 3, 4, 5 and 9. */
function joinHours(hours: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const hour of hours) {
    const open = ranges.at(-1)
    if (open !== undefined && open[1] === hour - 1) open[1] = hour
    else ranges.push([hour, hour])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' ')
}
