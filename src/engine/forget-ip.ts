/** Takes all that is known of an IP address out of a store, its history included. */

import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { hasRows } from '../delivery/scan.ts'
import { wantedText } from '../delivery/scan-key.ts'
import { COLUMN } from '../delivery/schema.ts'
import { openFile } from '../delivery/store.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
import { CommitConflict } from '../table/commit-failures.ts'
import { truncateLog } from '../table/log-cleanup.ts'
import { readTable } from '../table/table.ts'
import { filesByDate } from './compact-store.ts'
import { throwIfAborted } from './encode-inputs.ts'
import { mergeableGroups } from './mergeable-files.ts'
import { secondsSince } from './process-logs.ts'
import { type RewriteSurroundings, rewriteFiles } from './rewrite-store.ts'
import { listUnreferenced, type UnreferencedFile } from './vacuum-store.ts'

/** What is to be forgotten. */
export interface ForgetOptions extends RewriteSurroundings {
  readonly store: string
  /** As logged. */
  readonly ip: string
}

/** What was done, as `forget --json` prints it. */
export interface ForgetReport {
  readonly v: 1
  readonly store: { readonly path: string; readonly version: number }
  /** Requests of the address that were in the newest version. */
  readonly requests: number
  /** Data files that were written anew or dropped as they held nothing else. */
  readonly filesRewritten: number
  /** Files of older versions and of runs that died, and log files, that are gone. */
  readonly filesDeleted: number
  /** Texts of other listeners (user agents, requests) that contain the address; they stay. */
  readonly mentions: number
  readonly seconds: number
}

/** So many times others may replace files, or add the address again, meanwhile. */
const MOST_ATTEMPTS = 20
/** A file that no version refers to and that is younger may be of a run under way: it must stay. */
const UNDER_WAY_MS = 60 * 60 * 1000

/**
 * Rewrites the files that hold the address, deletes those of older versions, and cuts off the log's history;
 * then no file of the store holds it. Fails as `rewriteFiles` does, and as ENVIRONMENT when files that may
 * belong to a run under way could still hold it.
 */
export async function forgetIp(options: ForgetOptions): Promise<ForgetReport> {
  const startedAt = performance.now()
  const { store, ip } = options
  let requests = 0
  let filesRewritten = 0
  let snapshot = await readTable(store)
  for (let attempt = 1; ; attempt++) {
    const [held] = filesWith(snapshot, ip)
    if (held === undefined) break
    try {
      requests += await rewriteDate(options, snapshot, held)
      filesRewritten += held.files.length
      attempt = 0
    } catch (failure) {
      if (!(failure instanceof CommitConflict) || attempt === MOST_ATTEMPTS) throw failure
    }
    snapshot = await readTable(store)
  }
  const mentions = countMentions(snapshot, ip)
  const filesDeleted = await deleteHistory(snapshot)
  return {
    v: 1,
    store: { path: store, version: snapshot.version },
    requests,
    filesRewritten,
    filesDeleted,
    mentions,
    seconds: secondsSince(startedAt),
  }
}

/** Files of one date that hold the address. */
interface HeldFiles {
  readonly date: string
  readonly files: readonly AddFile[]
}

/** Date after date, each when it is asked for; the rest is not looked at. */
function* filesWith(snapshot: Snapshot, ip: string): Generator<HeldFiles, void, void> {
  const wanted = wantedText(COLUMN.ip, ip)
  if (wanted === undefined) return
  for (const [date, files] of filesByDate(snapshot)) {
    const held = files.filter(({ path }) => {
      const file = openFile(join(snapshot.directory, path))
      try {
        return hasRows(file, [wanted], [wanted])
      } finally {
        file.close()
      }
    })
    for (const group of mergeableGroups(snapshot.directory, held)) yield { date, files: group }
  }
}

/** Returns how many requests were taken out. */
async function rewriteDate(options: ForgetOptions, snapshot: Snapshot, held: HeldFiles): Promise<number> {
  throwIfAborted(options.signal)
  const { removedRuns } = await rewriteFiles({
    ...options,
    ...held,
    snapshot,
    filter: { ip: (text) => text !== options.ip },
  })
  return removedRuns
}

/** Distinct user agents and requests of each row group that contain the address. */
function countMentions({ directory, files }: Snapshot, ip: string): number {
  const sought = Buffer.from(ip)
  const found = new Set<string>()
  for (const { path } of files.values()) {
    const file = openFile(join(directory, path))
    try {
      for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
        for (const column of [COLUMN.userAgent, COLUMN.request]) {
          const values = file.byteStrings(rowGroup, column)
          for (let i = 0; i < values.count; i++) {
            const value = Buffer.from(values.valueAt(i))
            if (value.includes(sought)) found.add(`${column} ${value.toString('latin1')}`)
          }
        }
      }
    } finally {
      file.close()
    }
  }
  return found.size
}

async function deleteHistory(snapshot: Snapshot): Promise<number> {
  const unreferenced = listUnreferenced(snapshot)
  const mayBeUnderWay = ({ wasCommitted, sinceMs }: UnreferencedFile): boolean =>
    !wasCommitted && sinceMs > Date.now() - UNDER_WAY_MS
  const old = unreferenced.filter((file) => !mayBeUnderWay(file))
  for (const { path } of old) await attemptedAsync(path, 'delete', () => unlink(path))
  const logFiles = await truncateLog(snapshot)
  const young = unreferenced.filter(mayBeUnderWay)
  const [first] = young
  if (first !== undefined) {
    throw new Failure(
      'ENVIRONMENT',
      `version ${snapshot.version} has forgotten the address, but ${young.length} uncommitted files of the last hour, ` +
        `like ${first.path}, may still hold it: when no run is under way, do \`vacuum --retain 0s\`, then \`forget\` again`,
    )
  }
  return old.length + logFiles.length
}
