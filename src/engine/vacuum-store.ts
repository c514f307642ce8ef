/** Deletes what no version that is still wanted refers to: removed data files, and leftovers of runs that died. */

import { readdirSync, statSync } from 'node:fs'
import { rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { attempted, attemptedAsync } from '../base/failure.ts'
import type { Snapshot } from '../table/actions.ts'
import { removeLogLeftovers } from '../table/log-cleanup.ts'
import { readTable } from '../table/table.ts'

/** What is deleted is older than this, unless another retention is given. */
export const DEFAULT_RETENTION_MS: number = 24 * 60 * 60 * 1000

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
  readonly store: { readonly path: string; readonly version: number }
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

const DATE_NAME = /^date=\d{4}-\d{2}-\d{2}$/
/** Data files, and those in the making with what belongs to them: parquet-output.ts, merge-files.ts, input-claims.ts. */
const DATA_NAME = /^[^._].*\.parquet$/
const TEMPORARY_NAME =
  /^\.(?:.+\.parquet(?:\.[0-9a-f-]{36}\.tmp(?:\.columns|\.offsets|\.lengths)?)?|input-[0-9a-f-]{36}\.tmp)$/

/**
 * Deletes unreferenced files past the retention, in the store's own directories and log only; whatever else
 * stands there is left alone. Fails as `readTable` does, and as ENVIRONMENT.
 */
export async function vacuumStore({
  store,
  retentionMs,
  dryRun = false,
}: VacuumOptions): Promise<VacuumReport> {
  const before = Date.now() - retentionMs
  const listed = listUnreferenced(await readTable(store))
  // What was committed while the directories were listed counts.
  const snapshot = await readTable(store)
  const unreferenced = listed.filter(({ relativePath }) => !snapshot.files.has(relativePath))
  const old = unreferenced.filter(({ sinceMs }) => sinceMs <= before)
  const deleted = old.map(({ path, byteLength }) => ({ path, bytes: byteLength }))
  if (!dryRun) {
    for (const { path } of old) await attemptedAsync(path, 'delete', () => unlink(path))
    await removeEmptyDirectories(store, before)
    for (const path of await removeLogLeftovers(store, before)) deleted.push({ path, bytes: 0 })
  }
  return {
    v: 1,
    store: { path: store, version: snapshot.version },
    dryRun,
    deleted,
    bytes: deleted.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: unreferenced.length - old.length,
  }
}

/** Files in a store's directories that its newest version does not refer to, as far as they are of our making. */
export function listUnreferenced(snapshot: Snapshot): UnreferencedFile[] {
  const { directory, files, removed } = snapshot
  const found: UnreferencedFile[] = []
  const look = (relative: string, name: string): void => {
    if (files.has(relative)) return
    const isData = DATA_NAME.test(name) && relative !== name
    if (!isData && !TEMPORARY_NAME.test(name)) return
    const path = join(directory, relative)
    const status = attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))
    if (status === undefined || !status.isFile()) return
    const removal = removed.get(relative)
    found.push({
      path,
      relativePath: relative,
      byteLength: status.size,
      sinceMs: removal === undefined ? status.mtimeMs : Math.max(removal.deletionTimestamp, status.mtimeMs),
      wasCommitted: removal !== undefined,
    })
  }
  for (const entry of attempted(directory, 'list', () => readdirSync(directory, { withFileTypes: true }))) {
    if (entry.isFile()) look(entry.name, entry.name)
    if (!entry.isDirectory() || !DATE_NAME.test(entry.name)) continue
    const inner = join(directory, entry.name)
    for (const name of attempted(inner, 'list', () => readdirSync(inner))) look(`${entry.name}/${name}`, name)
  }
  return found
}

/** A run makes its directory anew when it is gone, so an empty one may go at any time. */
async function removeEmptyDirectories(store: string, before: number): Promise<void> {
  for (const name of attempted(store, 'list', () => readdirSync(store))) {
    if (!DATE_NAME.test(name)) continue
    const path = join(store, name)
    const isEmpty = attempted(path, 'list', () => readdirSync(path).length === 0)
    if (isEmpty && attempted(path, 'look at', () => statSync(path).mtimeMs) <= before) {
      await attemptedAsync(path, 'delete', () => rmdir(path))
    }
  }
}
