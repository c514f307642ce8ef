/** Bytes that were sent again to a listener who had them. */

import {
  column,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  type ReportSource,
  visitAssets,
  type WasteGroup,
} from './report-model.ts'

interface Waste {
  sentBytes: number
  neededBytes: number
  requests: number
  listeners: number
}

/** One row a group, most waste first. Needed are the distinct bytes of each listener and asset; the rest is waste. */
export function wastePass(scope: ReportScope, by: WasteGroup): ReportPass {
  return {
    findsRows: false,
    find: (source) => findWaste(source, scope, by),
    finish: (findings) => wasteReport(findings, by),
  }
}

/** A finding a group: its name, then its sums. */
function* findWaste(
  source: ReportSource,
  scope: ReportScope,
  by: WasteGroup,
): Generator<Finding, void, void> {
  const groups = new Map<string, Waste>()
  const passed = visitAssets(source, { ...scope, givenLength: undefined }, () => ({
    add(listener, { sentBytes, coveredBytes, requests }) {
      const name = by === 'asset' ? listener.asset : by === 'ip' ? listener.ip : listener.userAgent
      addWaste(groups, name, { sentBytes, neededBytes: coveredBytes, requests, listeners: 1 })
      return undefined
    },
    end: () => [],
  }))
  // The rows are sums over everything: the pass itself gives none.
  for (const _ of passed);
  for (const [name, { sentBytes, neededBytes, requests, listeners }] of groups) {
    yield [name, sentBytes, neededBytes, requests, listeners]
  }
}

function addWaste(groups: Map<string, Waste>, name: string, added: Readonly<Waste>): void {
  let group = groups.get(name)
  if (group === undefined) {
    group = { sentBytes: 0, neededBytes: 0, requests: 0, listeners: 0 }
    groups.set(name, group)
  }
  group.sentBytes += added.sentBytes
  group.neededBytes += added.neededBytes
  group.requests += added.requests
  group.listeners += added.listeners
}

function wasteReport(findings: Iterable<Finding>, by: WasteGroup): Report {
  const groups = new Map<string, Waste>()
  for (const [name, sentBytes, neededBytes, requests, listeners] of findings) {
    addWaste(groups, String(name), {
      sentBytes: Number(sentBytes),
      neededBytes: Number(neededBytes),
      requests: Number(requests),
      listeners: Number(listeners),
    })
  }
  const rows = [...groups].map(([name, group]): Finding => {
    const { sentBytes, neededBytes, requests, listeners } = group
    const wasted = sentBytes - neededBytes
    return [name, wasted, wasted / sentBytes, sentBytes, neededBytes, requests, listeners]
  })
  rows.sort((a, b) => Number(b[1]) - Number(a[1]))
  const total = (place: number): number => rows.reduce((sum, row) => sum + Number(row[place]), 0)
  return {
    kind: 'waste',
    title: `Bytes sent more than once, by ${by.replace('-', ' ')}`,
    facts: [
      ['needed', 'distinct bytes of each listener and asset'],
      ['bytes sent', total(3)],
      ['bytes sent more than once', total(1)],
      ...(by === 'asset' ? [] : ([['listeners', 'counted for each asset']] as const)),
    ],
    columns: [
      column(by.replace('-', '_'), 'text'),
      column('wasted_bytes', 'bytes', 'sent again'),
      column('wasted_share', 'share', 'share'),
      column('sent_bytes', 'bytes', 'sent'),
      column('needed_bytes', 'bytes', 'needed'),
      column('requests', 'count'),
      column('listeners', 'count'),
    ],
    rows,
    chart: { kind: 'bars', label: by.replace('-', '_'), value: 'wasted_bytes' },
  }
}
