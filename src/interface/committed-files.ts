/** From `--store PATH` to the files that are asked: of a store, those of one committed version. */

import { dirname, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'
import { findMissing, type LoggedFiles, openLoggedFiles } from '../delivery/committed-file.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import { enclosingStore, isStore } from './enclosing-store.ts'
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
  label = '--store',
): Promise<{ readonly store: DeliveryStore; readonly files: LoggedFiles }> {
  const files = await findFiles(path, label)
  return { store: openLoggedFiles(files), files }
}

/** The same by path, with what the log says of each, if there is a log. Messages call the path `label`. */
export async function findFiles(path: string, label = '--store'): Promise<LoggedFiles> {
  if (!isStore(path)) {
    const paths = resolveStore(path, label)
    await refuseDataFiles(path, paths, label)
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
const PART_NAME = /[/\\]date=\d{4}-\d{2}-\d{2}[/\\]part-[0-9a-f-]{36}\.parquet$/

/** Files inside a store, or of one that has lost its log: only a log tells which of them count. */
async function refuseDataFiles(path: string, files: readonly string[], label: string): Promise<void> {
  for (const file of files) {
    const store = enclosingStore(file)
    if (store !== undefined) {
      throw new Failure(
        'USAGE',
        `${path} leads into the store ${store}: give ${label} ${store}, for only its log tells which files count`,
      )
    }
    if (!PART_NAME.test(resolve(file))) continue
    const { describeLostLog } = await import('../table/first-run.ts')
    throw new Failure('DAMAGED', describeLostLog(dirname(dirname(file)), file))
  }
}
