/** What stands below an answer when it is asked for: the requests behind it, and what was read to find it. */

import type { DeliveredRun } from '../delivery/evidence.ts'
import { formatInstant } from '../delivery/question-time.ts'
import type { ReadTally } from '../parquet/read-tally.ts'
import { formatByteLength, formatCount, formatNoun } from './format-figures.ts'

/** One request of `--requests`; the range is inclusive and may reach out of the one asked for. */
export interface RequestEntry {
  readonly range: readonly [first: number, last: number]
  readonly at: string
}

/** The requests as programs see them, in the order of their positions. */
export function requestEntries(runs: readonly DeliveredRun[]): readonly RequestEntry[] {
  return runs.map(({ start, end, epochSeconds }) => ({
    range: [start, end - 1],
    at: formatInstant(epochSeconds),
  }))
}

/** The requests for people, one a line; empty for none. */
export function renderRequests(runs: readonly DeliveredRun[]): string {
  const entries = requestEntries(runs)
  const texts = entries.map(({ range: [first, last] }) => `${first}-${last}`)
  const width = texts.reduce((longest, text) => Math.max(longest, text.length), 0)
  return entries
    .map(({ range: [first, last], at }, i) => {
      return `  ${at}  ${(texts[i] ?? '').padEnd(width)}  ${formatByteLength(last - first + 1)}\n`
    })
    .join('')
}

/** What `--explain` says, as programs see it. */
export interface Explanation {
  readonly files: number
  readonly rowGroups: { readonly considered: number; readonly pruned: number; readonly read: number }
  readonly pages: { readonly considered: number; readonly pruned: number; readonly read: number }
  readonly reads: number
  readonly bytesRead: number
}

/** Pages of row groups that were pruned are in none of the figures: nobody looked how many there are. */
export function explain(tally: Readonly<ReadTally>): Explanation {
  const { files, rowGroups, rowGroupsRead, pages, pagesRead, reads, bytesRead } = tally
  return {
    files,
    rowGroups: { considered: rowGroups, pruned: rowGroups - rowGroupsRead, read: rowGroupsRead },
    pages: { considered: pages, pruned: pages - pagesRead, read: pagesRead },
    reads,
    bytesRead,
  }
}

/** The same for people. */
export function renderExplanation(tally: Readonly<ReadTally>): string {
  const { files, rowGroups, pages, reads, bytesRead } = explain(tally)
  const row = (label: string, counts: { considered: number; pruned: number; read: number }): string =>
    `  ${label.padEnd(14)}${formatCount(counts.read)} read, ${formatCount(counts.pruned)} pruned, of ${formatCount(counts.considered)}\n`
  return [
    `  ${'files'.padEnd(14)}${formatCount(files)}\n`,
    row('row groups', rowGroups),
    row('their pages', pages),
    `  ${'bytes read'.padEnd(14)}${formatByteLength(bytesRead)} in ${formatNoun(reads, 'read')}\n`,
  ].join('')
}
