/** From `--store PATH` to the files that are asked: of a store, those of one committed version. */

import { join, relative } from 'node:path'
import { Failure } from '../base/failure.ts'
import { findMissing, type LoggedFiles, openLoggedFiles } from '../delivery/committed-file.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import { enclosingStore, isStore } from './enclosing-store.ts'
import { isGlob, statIfAny } from './match-glob.ts'
import { resolveStore } from './resolve-store.ts'

/** How often a newer version is read because a file of the one that was read is gone: compacted and vacuumed. */
const MOST_ATTEMPTS = 5

/**
 * The files behind a path: of a store (a directory with a `_delta_log`) exactly those of its newest version,
 * all of them there and of the size that the log says; otherwise those that `resolveStore` finds. Fails as
 * that does, as `readTable` does, and as DAMAGED when a file of the store is missing or of another size.
 */
export async function committedFiles(path: string): Promise<readonly string[]> {
  return [...(await findFiles(path)).keys()]
}

/**
 * Opens the files behind a path. Fails as `committedFiles` does; one that is not the file that the store's log
 * means, though of its size, is DAMAGED when it is opened.
 */
export async function openCommitted(
  path: string,
): Promise<{ readonly store: DeliveryStore; readonly files: LoggedFiles }> {
  const files = await findFiles(path)
  return { store: openLoggedFiles(files), files }
}

/** The same by path, with what the log says of each, if there is a log. */
export async function findFiles(path: string): Promise<LoggedFiles> {
  if (!isStore(path)) {
    const paths = resolveStore(path)
    // A file that is named may be read for itself; a listing would take in what is not committed.
    if (paths[0] !== path) refuseInsideStore(path, paths)
    if (!isGlob(path) || statIfAny(path) !== undefined) await refuseLostLog(path, paths)
    return new Map(paths.map((file) => [file, undefined]))
  }
  const { readTable } = await import('../table/table.ts')
  for (let attempt = 1; ; attempt++) {
    const snapshot = await readTable(path)
    const problem = findMissing(snapshot)
    if (problem === undefined)
      return new Map([...snapshot.files.values()].map((file) => [join(path, file.path), file]))
    const newer = await readTable(path)
    if (newer.version === snapshot.version || attempt === MOST_ATTEMPTS) throw new Failure('DAMAGED', problem)
  }
}

/** How the data files of a store are called. */
const PART_NAME = /^date=\d{4}-\d{2}-\d{2}[/\\]part-[0-9a-f-]{36}\.parquet$/

/** Files that are named, or matched by a pattern, may be read without a log; a store that has lost its own may not. */
async function refuseLostLog(path: string, files: readonly string[]): Promise<void> {
  const part = files.find((file) => PART_NAME.test(relative(path, file)))
  if (part === undefined) return
  const { describeLostLog } = await import('../table/first-run.ts')
  throw new Failure('DAMAGED', describeLostLog(path, part))
}

function refuseInsideStore(path: string, files: readonly string[]): void {
  for (const file of files) {
    const directory = enclosingStore(file)
    if (directory === undefined) continue
    throw new Failure(
      'USAGE',
      `${path} leads into the store ${directory}: give --store ${directory}, for only its log tells which files count`,
    )
  }
}
