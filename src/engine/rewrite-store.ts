/** Replaces data files of a store by others that say the same, or the same but for what is to be forgotten. */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { damaged, Failure } from '../base/failure.ts'
import { openCommittedFile } from '../delivery/committed-file.ts'
import type { KeyFilter } from '../delivery/key-cursor.ts'
import { PARTITION_SCHEMA, runCountOf } from '../delivery/schema.ts'
import type { AddFile, Snapshot, TableAction } from '../table/actions.ts'
import { CommitConflict, UncertainCommit } from '../table/commit-failures.ts'
import { codeOf } from '../table/log-listing.ts'
import { commit, readTable } from '../table/table.ts'
import { fileStats } from './file-stats.ts'
import { type MergedFile, type MergeTask, mergeFiles } from './merge-files.ts'

/** How a rewrite is watched and ended. */
export interface RewriteSurroundings {
  readonly signal?: AbortSignal | undefined
  /** How many requests were written of how many. */
  readonly onProgress?: (progress: { readonly runs: number; readonly runsTotal: number }) => void
  /** Told what did not go well and does not matter. */
  readonly onNote?: (note: string) => void
  /** For tests: see `MergeTask`. */
  readonly limits?: MergeTask['limits']
}

/** Files of one date that become one. */
export interface Rewrite extends RewriteSurroundings {
  readonly snapshot: Snapshot
  readonly date: string
  /** Of `snapshot`. */
  readonly files: readonly AddFile[]
  /** Which keys stay; by default all, and then it is checked that nothing was lost. */
  readonly filter?: KeyFilter
}

/** What a rewrite did. */
export interface RewriteResult {
  readonly version: number
  /** Undefined when nothing stayed. */
  readonly added: AddFile | undefined
  readonly removedRuns: number
}

/** What files hold, by their footers. */
export interface FileTotals {
  readonly runs: number
  readonly rows: number
}

/** Adds up what the footers of files say. Fails as DAMAGED when one does not say it, or is not the one in the log. */
export function totalsOf(directory: string, files: readonly AddFile[]): FileTotals {
  let runs = 0
  let rows = 0
  for (const logged of files) {
    const file = openCommittedFile(directory, logged)
    try {
      const count = runCountOf(file.footer.keyValues)
      runs += count ?? damaged(file.path, 'a number of requests in its metadata', 'none')
      rows += file.footer.rowCount
    } finally {
      file.close()
    }
  }
  return { runs, rows }
}

/**
 * Merges files into one and commits the change. Fails as `mergeFiles` and `commit` do, as `CommitConflict`
 * when another run has replaced one of the files: then the store is as it was, unless the failure is an
 * `UncertainCommit`.
 */
export async function rewriteFiles(rewrite: Rewrite): Promise<RewriteResult> {
  const { snapshot, date, files, filter } = rewrite
  const { directory } = snapshot
  const before = totalsOf(directory, files)
  const path = `date=${date}/part-${randomUUID()}.parquet`
  let runs = 0
  const merged = await mergeFiles({
    paths: files.map((file) => join(directory, file.path)),
    date,
    into: join(directory, path),
    signal: rewrite.signal,
    limits: rewrite.limits,
    ...(filter === undefined ? {} : { filter }),
    onRuns(count) {
      runs += count
      rewrite.onProgress?.({ runs: Math.round(runs), runsTotal: before.runs })
    },
  })
  let mustStay = false
  try {
    const after = { runs: merged?.runCount ?? 0, rows: merged?.output.rowCount ?? 0 }
    if (filter === undefined && (after.runs !== before.runs || after.rows !== before.rows)) {
      damaged(
        files.map((file) => join(directory, file.path)).join(', '),
        `${before.runs} requests of ${before.rows} bytes, as their metadata say`,
        `${after.runs} of ${after.rows}`,
      )
    }
    const added = merged === undefined ? undefined : addedFile(path, date, merged, filter !== undefined)
    const version = await commitRewrite(rewrite, added)
    mustStay = true
    return { version, added, removedRuns: before.runs - after.runs }
  } catch (failure) {
    mustStay = failure instanceof UncertainCommit
    throw failure
  } finally {
    if (!mustStay) await merged?.output.withdraw()
  }
}

/**
 * Whether something failed because others have replaced files of the snapshot meanwhile, and maybe deleted them:
 * then it is to be tried again with the newest.
 */
export async function isOutdated(failure: unknown, snapshot: Snapshot): Promise<boolean> {
  if (failure instanceof CommitConflict) return true
  if (!(failure instanceof Failure) || codeOf(failure.cause) !== 'ENOENT') return false
  const { files } = await readTable(snapshot.directory)
  return [...snapshot.files.keys()].some((path) => !files.has(path))
}

function addedFile(path: string, date: string, { output }: MergedFile, dataChange: boolean): AddFile {
  return {
    path,
    partitionValues: { date },
    size: output.byteLength,
    modificationTime: Date.now(),
    dataChange,
    stats: fileStats(output.rowGroups, PARTITION_SCHEMA, output.rowCount),
  }
}

async function commitRewrite(
  { snapshot, date, files, filter, onNote }: Rewrite,
  added: AddFile | undefined,
): Promise<number> {
  const dataChange = filter !== undefined
  const deletionTimestamp = Date.now()
  const actions: TableAction[] = files.map(({ path, size, partitionValues }) => ({
    remove: { path, deletionTimestamp, dataChange, partitionValues, size },
  }))
  if (added !== undefined) actions.push({ add: added })
  return await commit(snapshot.directory, {
    readVersion: snapshot.version,
    actions,
    operation: dataChange ? 'DELETE' : 'OPTIMIZE',
    operationParameters: { predicate: JSON.stringify([dataChange ? 'ip' : `date = '${date}'`]) },
    onCheckpointFailure: ({ message }) => onNote?.(`the change is committed, but: ${message}`),
  })
}
