/** What was not delivered: to each listener, and to anybody. */

import type { AssetLength } from './asset-length.ts'
import { AssetLengths } from './asset-lengths.ts'
import type { Interval } from './evidence.ts'
import { type IntervalSet, mergeIntervals, subtractIntervals } from './intervals.ts'
import type { Coverage } from './listener-coverage.ts'
import {
  type AssetVisitor,
  column,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  type ReportSource,
  visitAssets,
  visitMeasuredAssets,
} from './report-model.ts'

/** One row for every listener who holds less than the whole of an asset, in the order of the keys. */
export function gapsPass(scope: ReportScope): ReportPass {
  return {
    findsRows: true,
    find: (source) => visitMeasuredAssets(source, scope, gapsVisitor),
    finish: (findings, source) => gapsReport(findings, source, scope),
  }
}

function gapsReport(rows: Iterable<Finding>, source: ReportSource, scope: ReportScope): Report {
  return {
    kind: 'gaps',
    title: 'Listeners with gaps',
    facts: new AssetLengths(source, scope).facts(),
    columns: [
      column('asset', 'text'),
      column('ip', 'text'),
      column('user_agent', 'text'),
      column('length', 'bytes'),
      column('length_from', 'text'),
      column('share', 'share', 'held'),
      column('missing_bytes', 'bytes'),
      column('gaps', 'ranges'),
      column('requests', 'count'),
      column('first_at', 'time', 'first'),
      column('last_at', 'time', 'last'),
    ],
    rows,
    chart: { kind: 'gaps', label: 'ip', ranges: 'gaps', length: 'length' },
  }
}

/** Rows are made listener by listener: an asset may have millions with gaps. */
function gapsVisitor(asset: string, { bytes: length, from }: AssetLength): AssetVisitor {
  return {
    add({ ip, userAgent }, coverage) {
      const { coveredBytes, requests, firstEpoch, lastEpoch } = coverage
      if (coveredBytes === length) return undefined
      const gaps = gapsIn(coverage, length).flatMap(({ start, end }) => [start, end - 1])
      const share = coveredBytes / length
      return [
        asset,
        ip,
        userAgent,
        length,
        from,
        share,
        length - coveredBytes,
        gaps,
        requests,
        firstEpoch,
        lastEpoch,
      ]
    },
    end: () => [],
  }
}

function gapsIn(coverage: Coverage, length: number): Interval[] {
  const gaps: Interval[] = []
  let at = 0
  for (let i = 0; i < coverage.count; i++) {
    const start = coverage.starts[i] ?? 0
    if (start > at) gaps.push({ start: at, end: start })
    at = coverage.ends[i] ?? 0
  }
  if (at < length) gaps.push({ start: at, end: length })
  return gaps
}

/** One row for every range of an asset that reached nobody within the time asked about. */
export function neverPass(scope: ReportScope): ReportPass {
  return {
    findsRows: true,
    find: (source) => visitAssets(source, scope, neverVisitor),
    finish: (findings, source) => neverReport(findings, source, scope),
  }
}

function neverReport(rows: Iterable<Finding>, source: ReportSource, scope: ReportScope): Report {
  return {
    kind: 'never',
    title: 'Byte ranges that reached nobody',
    facts: new AssetLengths(source, scope).facts(),
    columns: [
      column('asset', 'text'),
      column('length', 'bytes'),
      column('length_from', 'text'),
      column('first_byte', 'count'),
      column('last_byte', 'count'),
      column('bytes', 'bytes'),
      column('share', 'share', 'of the asset'),
      column('listeners', 'count', 'listeners of the asset'),
    ],
    rows,
    chart: { kind: 'bars', label: 'asset', value: 'bytes' },
  }
}

/** Intervals are merged whenever so many have come together: memory follows what is left, not what was added. */
const MERGE_EVERY = 65_536

function neverVisitor(asset: string): AssetVisitor {
  let covered: IntervalSet = []
  let added: Interval[] = []
  let listenerCount = 0
  const merge = (): void => {
    covered = mergeIntervals([...covered, ...added])
    added = []
  }
  return {
    add(_listener, { count, starts, ends }) {
      listenerCount++
      for (let i = 0; i < count; i++) added.push({ start: starts[i] ?? 0, end: ends[i] ?? 0 })
      if (added.length >= MERGE_EVERY) merge()
      return undefined
    },
    end({ bytes: length, from }) {
      merge()
      const all = length > 0 ? [{ start: 0, end: length }] : []
      return subtractIntervals(all, covered).map(({ start, end }) => {
        return [asset, length, from, start, end - 1, end - start, (end - start) / length, listenerCount]
      })
    },
  }
}
