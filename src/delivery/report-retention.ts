/** The drop-off curve: what share of an asset's listeners hold each hundredth of it. */

import type { AssetLength } from './asset-length.ts'
import { AssetLengths } from './asset-lengths.ts'
import type { Coverage } from './listener-coverage.ts'
import {
  type AssetVisitor,
  column,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  type ReportSource,
  visitMeasuredAssets,
} from './report-model.ts'

const HUNDREDTHS = 100

/** One row an asset, most listeners first. A listener holds a hundredth when it holds every byte of it. */
export function retentionPass(scope: ReportScope): ReportPass {
  return {
    findsRows: false,
    find: (source) => visitMeasuredAssets(source, scope, retentionVisitor),
    finish: (findings, source) => retentionReport(findings, source, scope),
  }
}

/** Place of the column `listeners`. */
const LISTENERS = 3

function retentionReport(findings: Iterable<Finding>, source: ReportSource, scope: ReportScope): Report {
  const rows = [...findings].sort((a, b) => Number(b[LISTENERS]) - Number(a[LISTENERS]))
  return {
    kind: 'retention',
    title: 'Share of the listeners who hold each hundredth of an asset',
    facts: [
      ...new AssetLengths(source, scope).facts(),
      ['held', 'every byte of the hundredth was delivered'],
    ],
    columns: [
      column('asset', 'text'),
      column('length', 'bytes'),
      column('length_from', 'text'),
      column('listeners', 'count'),
      column('curve', 'curve', 'held, from the beginning to the end'),
    ],
    rows,
    chart: { kind: 'curve', label: 'asset', value: 'curve' },
  }
}

function retentionVisitor(asset: string, { bytes: length, from }: AssetLength): AssetVisitor {
  const partCount = Math.max(1, Math.min(HUNDREDTHS, length))
  // Quotient and remainder apart: a product of a length near 2^53 would be rounded.
  const edges = Float64Array.from({ length: partCount + 1 }, (_, part) => {
    return Math.floor(length / partCount) * part + Math.floor(((length % partCount) * part) / partCount)
  })
  /** How many more listeners hold a part than the part before. */
  const steps = new Float64Array(partCount + 1)
  let listenerCount = 0
  return {
    add(_listener, coverage) {
      listenerCount++
      addHeldParts(coverage, edges, steps)
      return undefined
    },
    end() {
      if (listenerCount === 0) return []
      let holders = 0
      const curve = Array.from({ length: partCount }, (_, part) => {
        holders += steps[part] ?? 0
        return holders / listenerCount
      })
      return [[asset, length, from, listenerCount, curve]]
    },
  }
}

function addHeldParts(coverage: Coverage, edges: Float64Array, steps: Float64Array): void {
  for (let i = 0; i < coverage.count; i++) {
    const firstPart = firstEdgeFrom(edges, coverage.starts[i] ?? 0)
    // The last edge that is not beyond the interval's end is where the last part held ends.
    const endPart = firstEdgeFrom(edges, (coverage.ends[i] ?? 0) + 1) - 1
    if (endPart <= firstPart) continue
    steps[firstPart] = (steps[firstPart] ?? 0) + 1
    steps[endPart] = (steps[endPart] ?? 0) - 1
  }
}

/** The first edge at or behind a position; the number of edges when there is none. */
function firstEdgeFrom(edges: Float64Array, position: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] ?? 0) < position) low = middle + 1
    else high = middle
  }
  return low
}
