/** Makes one globally sorted file of the files of a date that may be one: then a key stands in one place. */

import { Failure } from '../base/failure.ts'
import { openCommittedFile } from '../delivery/committed-file.ts'
import { sortedStretches } from '../delivery/sorted-stretches.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
import { readTable } from '../table/table.ts'
import { throwIfAborted } from './encode-inputs.ts'
import { mergeableGroups } from './mergeable-files.ts'
import { secondsSince } from './process-logs.ts'
import { isOutdated, type RewriteSurroundings, rewriteFiles } from './rewrite-store.ts'

/** What is to be compacted. */
export interface CompactOptions extends RewriteSurroundings {
  readonly store: string
  /** Only this date, `YYYY-MM-DD`. */
  readonly date?: string | undefined
}

/** One date that was compacted. */
export interface CompactedDate {
  readonly date: string
  readonly filesBefore: number
  readonly bytesBefore: number
  readonly rows: number
  readonly bytes: number
}

/** What was done, as `compact --json` prints it. */
export interface CompactReport {
  readonly v: 1
  readonly store: { readonly path: string; readonly version: number }
  /** Those that were one sorted file already are not among them. */
  readonly compacted: readonly CompactedDate[]
  readonly seconds: number
}

/** So many times others may replace the files of a date meanwhile. */
const MOST_ATTEMPTS = 10

/**
 * Compacts date after date, each as one commit; answers are the same before, during and after. What others
 * add meanwhile stays beside. Fails as `rewriteFiles` and `readTable` do; dates that were committed before stay
 * compacted.
 */
export async function compactStore(options: CompactOptions): Promise<CompactReport> {
  const startedAt = performance.now()
  const { store, date } = options
  let snapshot = await readTable(store)
  const dates = [...filesByDate(snapshot).keys()].sort()
  if (date !== undefined && !dates.includes(date)) {
    throw new Failure('USAGE', `${store} has no files of ${date}: expected one of ${describeDates(dates)}`)
  }
  const compacted: CompactedDate[] = []
  let { version } = snapshot
  for (const each of date === undefined ? dates : [date]) {
    // Files that must stay apart make a result each.
    for (;;) {
      const result = await compactDate(options, snapshot, each).catch((failure: unknown) => {
        throw explained(failure, compacted.length)
      })
      if (result === undefined) break
      compacted.push(result.compacted)
      version = result.version
      snapshot = await readTable(store)
    }
  }
  return { v: 1, store: { path: store, version }, compacted, seconds: secondsSince(startedAt) }
}

/** An interrupted run keeps the dates that it has done. */
function explained(failure: unknown, dateCount: number): unknown {
  if (!(failure instanceof Failure) || failure.code !== 'INTERRUPTED' || dateCount === 0) return failure
  return new Failure(
    'INTERRUPTED',
    `interrupted; dates that are compacted: ${dateCount}, the others are as before`,
  )
}

async function compactDate(
  options: CompactOptions,
  newest: Snapshot,
  date: string,
): Promise<{ readonly compacted: CompactedDate; readonly version: number } | undefined> {
  let snapshot = newest
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(options.signal)
    try {
      const groups = mergeableGroups(options.store, filesByDate(snapshot).get(date) ?? [])
      const files = groups.find((group) => !isCompact(options.store, group))
      if (files === undefined) return undefined
      const { added, version } = await rewriteFiles({ ...options, snapshot, date, files })
      const compacted = {
        date,
        filesBefore: files.length,
        bytesBefore: files.reduce((sum, { size }) => sum + size, 0),
        rows: added?.stats?.numRecords ?? 0,
        bytes: added?.size ?? 0,
      }
      return { compacted, version }
    } catch (failure) {
      if (attempt === MOST_ATTEMPTS || !(await isOutdated(failure, snapshot))) throw failure
      snapshot = await readTable(options.store)
    }
  }
}

/** The files of each date, in the order of their paths. */
export function filesByDate({ files }: Snapshot): Map<string, AddFile[]> {
  const byDate = new Map<string, AddFile[]>()
  for (const file of [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { date } = file.partitionValues
    const found = byDate.get(date)
    if (found === undefined) byDate.set(date, [file])
    else found.push(file)
  }
  return byDate
}

/** Whether a date is one sorted file already. */
function isCompact(directory: string, files: readonly AddFile[]): boolean {
  const [only] = files
  if (only === undefined) return true
  if (files.length > 1) return false
  const file = openCommittedFile(directory, only)
  try {
    const rowGroups = Array.from({ length: file.rowGroupCount }, (_, i) => i)
    return sortedStretches(file, rowGroups).length <= 1
  } finally {
    file.close()
  }
}

function describeDates(dates: readonly string[]): string {
  if (dates.length === 0) return 'none, the store is empty'
  return dates.length === 1 ? `${dates[0]}` : `${dates[0]} to ${dates.at(-1)}`
}
