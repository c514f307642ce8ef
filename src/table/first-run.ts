/**
 * Data files without a log: left by a first run that died before its commit, or all that remains of a table whose
 * log is lost. A first run marks in the log's directory that it is about to publish files; without that mark they
 * are a table's, and a new one in their place would hide what they say.
 */

import { existsSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { codeOf, listLog, listNames, logDirectoryOf } from './log-listing.ts'
import { DISK_FILES, isFirstRunName, makeDirectory, removeLeftover, writeTemp } from './table-files.ts'

const DATE_NAME = /^date=\d{4}-\d{2}-\d{2}$/
const DATA_NAME = /^[^._].*\.parquet$/
/** How often files and directories may vanish meanwhile, as other runs give up. */
const ATTEMPTS = 100

/** Marks that files are going to be published in a directory that has no table; durable when it resolves. */
export async function markFirstRun(directory: string): Promise<string> {
  const log = logDirectoryOf(directory)
  for (let attempt = 1; ; attempt++) {
    await makeDirectory(DISK_FILES, log, true)
    try {
      const mark = await writeTemp(DISK_FILES, log, 'first-run', new Uint8Array(0))
      await attemptedAsync(log, 'sync', () => DISK_FILES.syncDirectory(log))
      return mark
    } catch (failure) {
      // Another run that gave up may have taken the empty directory away in between.
      const isGone = failure instanceof Failure && codeOf(failure.cause) === 'ENOENT'
      if (!isGone || attempt === ATTEMPTS) throw failure
    }
  }
}

/** Takes a mark away, once its files are gone; and the log's directory when nothing else is in it. */
export async function unmarkFirstRun(directory: string, mark: string): Promise<void> {
  await removeLeftover(DISK_FILES, mark)
  await removeIfEmpty(logDirectoryOf(directory))
}

/** Takes all marks away, once there is a commit: also those of first runs that died, and of such as are under way. */
export async function unmarkFirstRuns(directory: string): Promise<void> {
  const log = logDirectoryOf(directory)
  for (const name of listNames(log))
    if (isFirstRunName(name)) await removeLeftover(DISK_FILES, join(log, name))
}

/** Tells whether it is gone: others may use it. */
async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (_cause) {
    return false
  }
}

/** Whether a first run is under way, or has died. */
export function hasFirstRunMark(directory: string): boolean {
  return listNames(logDirectoryOf(directory)).some(isFirstRunName)
}

/**
 * Fails as DAMAGED when a directory in which no commit was seen holds a table's data files.
 * @returns whether nothing is there; false: look again, somebody has committed meanwhile.
 */
export function checkNoTable(directory: string): boolean {
  for (let attempt = 1; ; attempt++) {
    const file = findDataFile(directory)
    if (file === undefined) return true
    // A mark stands before its files are published, and until they are committed or gone.
    const isMarked = hasFirstRunMark(directory)
    if (listLog(directory).newestVersion >= 0) return false
    if (isMarked) return true
    if (existsSync(file) && attempt > 1) throw new Failure('DAMAGED', describeLostLog(directory, file))
    if (attempt === ATTEMPTS) return true
  }
}

/** What is said about a directory with a table's data files and no log. */
export function describeLostLog(directory: string, file: string): string {
  return (
    `${directory}: expected the log of a store (_delta_log with its commits), found data files without one, like ` +
    `${file}; restore the log, or name another directory. Without it nobody knows which of the files count.`
  )
}

function findDataFile(directory: string): string | undefined {
  for (const name of listNames(directory)) {
    if (!DATE_NAME.test(name)) continue
    const path = join(directory, name)
    const found = listNames(path).find((inner) => DATA_NAME.test(inner))
    if (found !== undefined) return join(path, found)
  }
  return undefined
}
