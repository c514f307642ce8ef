/** The layout of a store: what its log says, what its files are, and what else lies in its directory. */

import { readdirSync, type Stats, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { attempted, Failure, messageOf } from '../base/failure.ts'
import { inOneGo } from '../base/steps.ts'
import type { FileLayout } from '../parquet/file-layout.ts'
import { type Layout, LayoutTally } from '../parquet/layout-tally.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
import { listLog, logDirectoryOf } from '../table/log-listing.ts'
import { readTable } from '../table/table.ts'
import { readCheckedLayout } from './checked-layout.ts'
import { NAME_KEY } from './schema.ts'

/** Something that is wrong with a file, while the rest can be shown. */
export interface FileProblem {
  readonly path: string
  readonly message: string
}

/** One data file. */
export interface FileSummary {
  /** As in the store's log, or as it was found. */
  readonly path: string
  readonly date: string | undefined
  readonly rowCount: number | undefined
  readonly byteLength: number
  readonly rowGroupCount: number | undefined
}

/** Counts and bytes of some files. */
export interface FileTotals {
  readonly fileCount: number
  readonly byteLength: number
}

/** The files of one date partition. */
export interface DateSummary extends FileTotals {
  readonly date: string
  /** Undefined when neither the log nor a file says it. */
  readonly rowCount: number | undefined
}

/** What can be said of any number of files. */
export interface FilesLayout {
  readonly layout: Layout
  readonly files: readonly FileSummary[]
  readonly problems: readonly FileProblem[]
  /** Undefined when pages were not read. */
  readonly verification:
    | { readonly pageCount: number; readonly byteLength: number; readonly uncheckedPageCount: number }
    | undefined
}

/** A store as its log and its directory tell it. */
export interface StoreLayout extends FilesLayout {
  readonly snapshot: Snapshot
  readonly commitCount: number
  /** Version of the newest checkpoint. */
  readonly checkpointVersion: number | undefined
  readonly logByteLength: number
  readonly dates: readonly DateSummary[]
  /** Data files that an earlier version had: `vacuum` deletes them. */
  readonly removedFiles: FileTotals
  /** Files that no version speaks of: of runs that go on, or that did not finish. */
  readonly strangeFiles: FileTotals
  /** Those of them that no run under way has written: one died before its commit, or the log has lost commits. */
  readonly orphanedFiles: FileTotals
}

/** How published data files are called; those in the making have other names. */
const PUBLISHED_NAME = /^date=\d{4}-\d{2}-\d{2}\/part-[0-9a-f-]{36}\.parquet$/
/** A run publishes its files when all are whole, right before its commit. */
const ORPHANED_AFTER_MS = 60 * 60 * 1000

/** Reads the layout of files. A file that cannot be shown is a problem, and the others are shown. */
export function readFilesLayout(
  files: readonly { readonly path: string; readonly shownPath: string; readonly logged?: AddFile }[],
  options: { readonly verifiesPages: boolean },
): FilesLayout {
  const tally = new LayoutTally()
  const problems: FileProblem[] = []
  const sums = { pageCount: 0, byteLength: 0, uncheckedPageCount: 0 }
  const summaries = files.map(({ path, shownPath, logged }): FileSummary => {
    const read = tryRead(shownPath, problems, () => inOneGo(readCheckedLayout(path, tally, options)))
    const loggedRows = tryRead(shownPath, problems, () => logged?.stats?.numRecords)
    for (const message of read?.verification?.failures ?? []) problems.push({ path: shownPath, message })
    sums.pageCount += read?.verification?.pageCount ?? 0
    sums.byteLength += read?.verification?.byteLength ?? 0
    sums.uncheckedPageCount += read?.verification?.uncheckedPageCount ?? 0
    if (read !== undefined) compareWithLog(read, shownPath, logged, loggedRows, problems)
    return {
      path: shownPath,
      date: logged?.partitionValues.date,
      rowCount: read?.footer.rowCount ?? loggedRows,
      byteLength: logged?.size ?? read?.byteLength ?? 0,
      rowGroupCount: read?.footer.rowGroupCount,
    }
  })
  const verification = options.verifiesPages ? sums : undefined
  return { layout: tally.layout(), files: summaries, problems, verification }
}

/**
 * Reads the layout of the store in a directory, at its newest version. Fails as `readTable` does when its log
 * cannot be read; data files that are missing or damaged are problems.
 */
export async function readStoreLayout(
  directory: string,
  options: { readonly verifiesPages: boolean },
): Promise<StoreLayout> {
  // Listed before the log is read: what is committed in between is no leftover.
  const found = listDataFiles(directory)
  const snapshot = await readTable(directory)
  const listing = listLog(directory)
  const logged = [...snapshot.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const files = readFilesLayout(
    logged.map((file) => ({ path: join(directory, file.path), shownPath: file.path, logged: file })),
    options,
  )
  const others = [...found].filter(([path]) => !snapshot.files.has(path))
  const strange = others.filter(([path]) => !snapshot.removed.has(path))
  const orphanedBefore = Date.now() - ORPHANED_AFTER_MS
  const log = logDirectoryOf(directory)
  const logFiles = attempted(log, 'list', () => readdirSync(log)).map(
    (name) => statsOf(join(log, name))?.size ?? 0,
  )
  return {
    ...files,
    snapshot,
    commitCount: listing.commitVersions.size,
    checkpointVersion: listing.checkpoints[0]?.version,
    logByteLength: logFiles.reduce((sum, byteLength) => sum + byteLength, 0),
    dates: summarizeDates(files.files),
    removedFiles: totalsOf(others.filter(([path]) => snapshot.removed.has(path))),
    strangeFiles: totalsOf(strange),
    orphanedFiles: totalsOf(
      strange.filter(([path, { mtimeMs }]) => PUBLISHED_NAME.test(path) && mtimeMs < orphanedBefore),
    ),
  }
}

function tryRead<T>(path: string, problems: FileProblem[], read: () => T): T | undefined {
  try {
    return read()
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    problems.push({ path, message: messageOf(failure) })
    return undefined
  }
}

function compareWithLog(
  { byteLength, footer }: FileLayout,
  path: string,
  logged: AddFile | undefined,
  loggedRows: number | undefined,
  problems: FileProblem[],
): void {
  if (logged === undefined) return
  const name = footer.keyValues.get(NAME_KEY)
  if (name !== undefined && name !== basename(logged.path)) {
    problems.push({
      path,
      message: `${path}: expected the data file of that name, found one that was ${name}`,
    })
  }
  if (logged.size !== byteLength) {
    problems.push({
      path,
      message: `${path}: expected ${logged.size} bytes, as the log says, found ${byteLength}`,
    })
  }
  if (loggedRows !== undefined && loggedRows !== footer.rowCount) {
    problems.push({
      path,
      message: `${path}: expected ${loggedRows} rows, as the log says, found ${footer.rowCount}`,
    })
  }
}

function summarizeDates(files: readonly FileSummary[]): DateSummary[] {
  const dates = new Map<string, DateSummary>()
  for (const { date = '', rowCount, byteLength } of files) {
    const known = dates.get(date) ?? { date, fileCount: 0, byteLength: 0, rowCount: 0 }
    dates.set(date, {
      date,
      fileCount: known.fileCount + 1,
      byteLength: known.byteLength + byteLength,
      rowCount:
        known.rowCount === undefined || rowCount === undefined ? undefined : known.rowCount + rowCount,
    })
  }
  return [...dates.values()].sort((a, b) => (a.date < b.date ? -1 : 1))
}

function totalsOf(files: readonly (readonly [string, Stats])[]): FileTotals {
  return { fileCount: files.length, byteLength: files.reduce((sum, [, { size }]) => sum + size, 0) }
}

/** Every file below the directory but the log's, hidden ones too. */
function listDataFiles(directory: string): Map<string, Stats> {
  const found = new Map<string, Stats>()
  const visit = (relative: string): void => {
    const path = join(directory, relative)
    for (const entry of attempted(path, 'list', () => readdirSync(path, { withFileTypes: true }))) {
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (entry.isDirectory()) {
        if (name !== '_delta_log') visit(name)
        continue
      }
      // What is gone by now was a temporary file.
      const stats = statsOf(join(directory, name))
      if (stats !== undefined) found.set(name, stats)
    }
  }
  visit('')
  return found
}

function statsOf(path: string): Stats | undefined {
  return attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))
}
