/** Deletes what no version that is still wanted refers to: removed data files, and leftovers of runs that died. */

import { lstatSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { attempted, Failure } from '../base/failure.ts'
import type { Snapshot } from '../table/actions.ts'
import { hasFirstRunMark } from '../table/first-run.ts'
import { listLogLeftovers, listNames } from '../table/log-listing.ts'
import { readSnapshot, readTable, refreshSnapshot } from '../table/table.ts'
import { TOMBSTONE_RETENTION_MS } from '../table/write-checkpoint.ts'
import { deleteEmptyDirectory, deleteFile } from './delete-files.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** What is deleted is older than this, unless another retention is given. */
export const DEFAULT_RETENTION_MS: number = DAY_MS

/** What is to be deleted. */
export interface VacuumOptions {
  readonly store: string
  /** Files that were removed, or written and never committed, so long ago. */
  readonly retentionMs: number
  /** Only tells. */
  readonly dryRun?: boolean
}

/** What was deleted, as `vacuum --json` prints it. */
export interface VacuumReport {
  readonly v: 1
  /** The version is null where only a first run that died has left something. */
  readonly store: { readonly path: string; readonly version: number | null }
  readonly dryRun: boolean
  readonly deleted: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
  /** Unreferenced files that are younger than the retention. */
  readonly kept: number
}

/** A file of a store that its newest version does not refer to. */
export interface UnreferencedFile {
  readonly path: string
  /** To the store, as its log has it. */
  readonly relativePath: string
  readonly byteLength: number
  /** Since when: as the log says or, when it was never committed, when it was last written. */
  readonly sinceMs: number
  /** Whether it was part of the store before. */
  readonly wasCommitted: boolean
}

/** Whether a name is that of a file in the making, or of what belongs to it. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name)
}

const DATE_NAME = /^date=\d{4}-\d{2}-\d{2}$/
/** Data files, and those in the making with what belongs to them: parquet-output.ts, merge-files.ts, input-claims.ts. */
const DATA_NAME = /^[^._].*\.parquet$/
const TEMPORARY_NAME =
  /^\.(?:.+\.parquet\.[0-9a-f-]{36}\.tmp(?:\.columns|\.offsets|\.lengths)?|merge-[0-9a-f-]{36}\.parquet|input-[0-9a-f-]{36}\.tmp)$/

/**
 * Deletes unreferenced files past the retention, in the store's own directories and log only; whatever else
 * stands there is left alone. Fails as `readTable` does, as USAGE for a retention that the log cannot tell, and
 * as ENVIRONMENT. Several at once do not hinder each other.
 */
export async function vacuumStore({
  store,
  retentionMs,
  dryRun = false,
}: VacuumOptions): Promise<VacuumReport> {
  if (retentionMs > TOMBSTONE_RETENTION_MS) {
    throw new Failure(
      'USAGE',
      `--retain expects at most ${TOMBSTONE_RETENTION_MS / DAY_MS}d: of what was removed earlier the log does not tell when`,
    )
  }
  const before = Date.now() - retentionMs
  // A first run that died leaves files, a mark and no version.
  const snapshot = hasFirstRunMark(store) ? await readSnapshot(store) : await readTable(store)
  const unreferenced = await listStillUnreferenced(snapshot)
  const old = unreferenced.filter(({ sinceMs }) => sinceMs <= before)
  const deleted: { readonly path: string; readonly bytes: number }[] = []
  for (const { path, byteLength } of old) {
    if (dryRun || (await deleteFile(path))) deleted.push({ path, bytes: byteLength })
  }
  if (!dryRun) await deleteEmptyDirectories(store)
  return {
    v: 1,
    store: { path: store, version: snapshot.version < 0 ? null : snapshot.version },
    dryRun,
    deleted,
    bytes: deleted.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: unreferenced.length - old.length,
  }
}

/** Like `listUnreferenced`; what is committed while the directories are listed is not among them. */
export async function listStillUnreferenced(snapshot: Snapshot): Promise<UnreferencedFile[]> {
  const listed = listUnreferenced(snapshot)
  const { files } = await refreshSnapshot(snapshot)
  return listed.filter(({ relativePath }) => !files.has(relativePath))
}

/** Files of our making in a store's directories and log that its newest version does not need. */
function listUnreferenced(snapshot: Snapshot): UnreferencedFile[] {
  const { directory, files, removed } = snapshot
  const found: UnreferencedFile[] = []
  const look = (path: string): void => {
    const relativePath = relative(directory, path).replaceAll(sep, '/')
    if (files.has(relativePath)) return
    const status = attempted(path, 'look at', () => lstatSync(path, { throwIfNoEntry: false }))
    if (status === undefined || !status.isFile()) return
    const removal = removed.get(relativePath)
    found.push({
      path,
      relativePath,
      byteLength: status.size,
      sinceMs: Math.max(removal?.deletionTimestamp ?? 0, status.mtimeMs),
      wasCommitted: removal !== undefined,
    })
  }
  for (const name of listNames(directory)) {
    if (TEMPORARY_NAME.test(name)) look(join(directory, name))
    if (!DATE_NAME.test(name)) continue
    for (const inner of listNames(join(directory, name)))
      if (DATA_NAME.test(inner) || TEMPORARY_NAME.test(inner)) look(join(directory, name, inner))
  }
  for (const path of listLogLeftovers(directory, Number.POSITIVE_INFINITY)) look(path)
  return found
}

/** A run makes its directory anew when it is gone, so an empty one may go at any time. */
async function deleteEmptyDirectories(store: string): Promise<void> {
  for (const name of listNames(store)) {
    const path = join(store, name)
    if (DATE_NAME.test(name) && isEmptyDirectory(path)) await deleteEmptyDirectory(path)
  }
}

function isEmptyDirectory(path: string): boolean {
  const status = attempted(path, 'look at', () => lstatSync(path, { throwIfNoEntry: false }))
  return status?.isDirectory() === true && listNames(path).length === 0
}
