/** The `delivery` log format: where its fields are, by the names in its header. */

import type { LineLayout } from './scanned-runs.ts'

/** What a log without a header has: `date timestamp ip_address user_agent request status byte_range`. */
export const DEFAULT_DELIVERY_LAYOUT: LineLayout = {
  fieldCount: 7,
  date: 0,
  time: 1,
  ip: 2,
  userAgent: 3,
  request: 4,
  status: 5,
  byteRange: 6,
}

type FieldMeaning = Exclude<keyof LineLayout, 'fieldCount'>

const MEANINGS: ReadonlyMap<string, FieldMeaning> = new Map([
  ['date', 'date'],
  ['timestamp', 'time'],
  ['ip_address', 'ip'],
  ['user_agent', 'userAgent'],
  ['request', 'request'],
  ['status', 'status'],
  ['byte_range', 'byteRange'],
])

/** A header that does not say where every field is. */
export type LayoutProblem =
  | { readonly kind: 'not-a-header' }
  | { readonly kind: 'duplicate-name'; readonly name: string }
  | { readonly kind: 'missing-names'; readonly names: readonly string[] }

/** The layout, or why there is none. */
export type LayoutReading =
  | { readonly ok: true; readonly layout: LineLayout }
  | { readonly ok: false; readonly problem: LayoutProblem }

/**
 * Reads a header line, `# date<TAB>timestamp<TAB>...` without line feed: names in any order, with or
 * without spaces after the `#`; other columns are allowed and ignored. Without a header the layout is
 * the default one. Names are compared exactly. A name of ours that stands twice, or is missing, is a problem.
 */
export function readDeliveryLayout(headerLine: Uint8Array | undefined): LayoutReading {
  if (headerLine === undefined) return { ok: true, layout: DEFAULT_DELIVERY_LAYOUT }
  const match = /^# *(.*?)\r?$/s.exec(new TextDecoder().decode(headerLine))
  if (match === null) return { ok: false, problem: { kind: 'not-a-header' } }
  const names = (match[1] ?? '').split('\t')
  const fields = new Map<FieldMeaning, number>()
  for (const [index, name] of names.entries()) {
    const meaning = MEANINGS.get(name)
    if (meaning === undefined) continue
    if (fields.has(meaning)) return { ok: false, problem: { kind: 'duplicate-name', name } }
    fields.set(meaning, index)
  }
  const missing = [...MEANINGS].filter(([, meaning]) => !fields.has(meaning)).map(([name]) => name)
  if (missing.length > 0) return { ok: false, problem: { kind: 'missing-names', names: missing } }
  const at = (meaning: FieldMeaning): number => fields.get(meaning) ?? 0
  return {
    ok: true,
    layout: {
      fieldCount: names.length,
      date: at('date'),
      time: at('time'),
      ip: at('ip'),
      userAgent: at('userAgent'),
      request: at('request'),
      status: at('status'),
      byteRange: at('byteRange'),
    },
  }
}
