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

/** How many there were, and which part of them was looked into; the rest was pruned. */
export interface Pruning {
  readonly considered: number
  readonly pruned: number
  readonly read: number
}

/** What `--explain` says, as programs see it. */
export interface Explanation {
  /** Those that were opened. */
  readonly files: number
  /** Those of the store: of one that was pruned no row group was read. */
  readonly storeFiles: Pruning
  readonly rowGroups: Pruning
  readonly pages: Pruning
  readonly reads: number
  readonly bytesRead: number
}

/** What was read, and of how many files. */
export interface Explained {
  readonly tally: Readonly<ReadTally>
  readonly fileCount: number
}

/** Pages of row groups that were pruned are in none of the figures: nobody looked how many there are. */
export function explain({ tally, fileCount }: Explained): Explanation {
  const { files, filesRead, rowGroups, rowGroupsRead, pages, pagesRead, reads, bytesRead } = tally
  return {
    files,
    storeFiles: pruning(fileCount, filesRead),
    rowGroups: pruning(rowGroups, rowGroupsRead),
    pages: pruning(pages, pagesRead),
    reads,
    bytesRead,
  }
}

function pruning(considered: number, read: number): Pruning {
  return { considered, pruned: considered - read, read }
}

/** The same for people. */
export function renderExplanation(explained: Explained): string {
  const { storeFiles, rowGroups, pages, reads, bytesRead } = explain(explained)
  const row = (label: string, { considered, pruned, read }: Pruning): string =>
    `  ${label.padEnd(14)}${formatCount(read)} read, ${formatCount(pruned)} pruned, of ${formatCount(considered)}\n`
  return [
    row('files', storeFiles),
    row('row groups', rowGroups),
    row('their pages', pages),
    `  ${'bytes read'.padEnd(14)}${formatByteLength(bytesRead)} in ${formatNoun(reads, 'read')}\n`,
  ].join('')
}
