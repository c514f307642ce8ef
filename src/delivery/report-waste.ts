/** Bytes that were sent again to a listener who had them. */

import { column, type Report, type ReportCell, type ReportScope, visitAssets } from './report-model.ts'
import type { DeliveryStore } from './store.ts'

/** What waste is added up by. */
export const WASTE_GROUPS = ['asset', 'user-agent', 'ip'] as const

/** See `WASTE_GROUPS`. */
export type WasteGroup = (typeof WASTE_GROUPS)[number]

interface Waste {
  sentBytes: number
  neededBytes: number
  requests: number
  listeners: number
}

/** One row a group, most waste first. Needed are the distinct bytes of each listener and asset; the rest is waste. */
export function reportWaste(store: DeliveryStore, scope: ReportScope, by: WasteGroup): Report {
  const groups = new Map<string, Waste>()
  const passed = visitAssets<never>(store, { ...scope, givenLength: undefined }, () => ({
    add(listener, { sentBytes, coveredBytes, requests }) {
      const name = by === 'asset' ? listener.asset : by === 'ip' ? listener.ip : listener.userAgent
      let group = groups.get(name)
      if (group === undefined) {
        group = { sentBytes: 0, neededBytes: 0, requests: 0, listeners: 0 }
        groups.set(name, group)
      }
      group.sentBytes += sentBytes
      group.neededBytes += coveredBytes
      group.requests += requests
      group.listeners++
      return undefined
    },
    end: () => [],
  }))
  // The rows are sums over everything: the pass itself gives none.
  for (const _ of passed);
  const rows = [...groups].map(([name, group]): readonly ReportCell[] => {
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
    ],
    columns: [
      column(by.replace('-', '_'), 'text'),
      column('wasted_bytes', 'bytes', 'sent again'),
      column('wasted_share', 'share', 'share'),
      column('sent_bytes', 'bytes', 'sent'),
      column('needed_bytes', 'bytes', 'needed'),
      column('requests', 'count'),
      // A listener is counted once for each asset.
      column('listeners', 'count'),
    ],
    rows,
    chart: { kind: 'bars', label: by.replace('-', '_'), value: 'wasted_bytes' },
  }
}
