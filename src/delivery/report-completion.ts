/** How much of each asset its listeners hold. */

import { AssetLengths } from './asset-lengths.ts'
import {
  type AssetVisitor,
  column,
  type Finding,
  type Report,
  type ReportPass,
  type ReportScope,
  type ReportSource,
  visitAssets,
} from './report-model.ts'

/** Numbers in memory that grows. */
class NumberList {
  private values = new Float64Array(64)
  count = 0

  add(value: number): void {
    if (this.count === this.values.length) {
      const values = new Float64Array(2 * this.count)
      values.set(this.values)
      this.values = values
    }
    this.values[this.count++] = value
  }

  at(index: number): number {
    return this.values[index] ?? 0
  }
}

/** One row an asset, those with most listeners first: listeners with every byte, with 90 %, 50 %, and with less. */
export function completionPass(scope: ReportScope): ReportPass {
  return {
    findsRows: false,
    find: (source) => visitAssets(source, scope, completionVisitor),
    finish: (findings, source) => completionReport(findings, source, scope),
  }
}

function completionReport(findings: Iterable<Finding>, source: ReportSource, scope: ReportScope): Report {
  const columns = [
    column('asset', 'text'),
    column('length', 'bytes'),
    column('length_from', 'text'),
    column('listeners', 'count'),
    column('complete', 'count', '100 %'),
    column('from_90', 'count', '>= 90 %'),
    column('from_50', 'count', '>= 50 %'),
    column('below_50', 'count', 'below'),
    column('requests', 'count'),
  ]
  const rows = [...findings].sort((a, b) => Number(b[LISTENERS]) - Number(a[LISTENERS]))
  return {
    kind: 'completion',
    title: 'Listeners by how much of each asset they hold',
    facts: [
      ...new AssetLengths(source, scope).facts(),
      ['assets', rows.length],
      ['listeners of all assets', rows.reduce((sum, row) => sum + Number(row[LISTENERS]), 0)],
    ],
    columns,
    rows,
    chart: { kind: 'stack', label: 'asset', parts: ['complete', 'from_90', 'from_50', 'below_50'] },
  }
}

/** Place of the column `listeners`. */
const LISTENERS = 3

function completionVisitor(asset: string): AssetVisitor {
  const covered = new NumberList()
  let requests = 0
  return {
    add(_listener, coverage) {
      covered.add(coverage.coveredBytes)
      requests += coverage.requests
      return undefined
    },
    end({ bytes: length, from }) {
      if (covered.count === 0) return []
      let [complete, from90, from50] = [0, 0, 0]
      for (let i = 0; i < covered.count; i++) {
        const bytes = covered.at(i)
        if (bytes === length && length > 0) complete++
        else if (bytes >= length * 0.9) from90++
        else if (bytes >= length * 0.5) from50++
      }
      const below50 = covered.count - complete - from90 - from50
      return [[asset, length, from, covered.count, complete, from90, from50, below50, requests]]
    },
  }
}
