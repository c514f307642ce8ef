/** From the words after `process` to the logs that are meant. */

import { type Dirent, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, Failure } from '../base/failure.ts'
import { isRemote } from '../engine/remote-name.ts'
import { expandGlob, isGlob, statIfAny } from './match-glob.ts'
import { errorCode } from './write-output.ts'

const FORMS =
  'a log, a directory of logs, a glob in quotes like "logs/*.gz", an https:// or s3:// URL, or - for standard input'
/** So many paths are named in a note. */
const NAMED_PATHS = 3

/** The logs of a run, and what is to be said about how they were found. */
export interface ResolvedInputs {
  readonly inputs: readonly string[]
  readonly notes: readonly string[]
}

/** A log, and where it really lies; undefined where only its name can tell logs apart. */
interface FoundLog {
  readonly path: string
  readonly realPath: string | undefined
}

/** Everything that was found, in order. */
class FoundLogs {
  readonly logs: FoundLog[] = []
  readonly directoryLinks: Set<string> = new Set()
  readonly notFiles: Set<string> = new Set()
  readonly stores: Set<string> = new Set()
}

/**
 * The logs that the words name: files as they are, those below directories and those that globs match sorted by
 * path. What exists is never taken for a pattern; names that begin with `.` or `_` are passed over below a directory
 * and matched by no `*`. A file that is named twice, by links too, is taken once. No file is opened.
 * Fails with `USAGE` when a directory or a glob holds no log, with `ENVIRONMENT` when a directory cannot be read.
 */
export function resolveInputs(words: readonly string[]): ResolvedInputs {
  const found = new FoundLogs()
  for (const word of words) attempted(word, 'look for logs in', () => findLogs(word, found))
  const taken = new Set<string>()
  const repeated: string[] = []
  const inputs: string[] = []
  for (const { path, realPath = path } of found.logs) {
    if (taken.has(realPath)) {
      repeated.push(path)
      continue
    }
    taken.add(realPath)
    inputs.push(path)
  }
  const notes: string[] = []
  if (repeated.length > 0) notes.push(`named more than once, taken once: ${listPaths(repeated)}`)
  if (found.directoryLinks.size > 0)
    notes.push(
      `links to directories are not followed: ${listPaths(found.directoryLinks)}; name them to take them`,
    )
  if (found.notFiles.size > 0) notes.push(`passed over, as no regular file: ${listPaths(found.notFiles)}`)
  if (found.stores.size > 0) notes.push(`passed over, as stores: ${listPaths(found.stores)}`)
  return { inputs, notes }
}

function listPaths(paths: Iterable<string>): string {
  const all = [...paths]
  const rest = all.length - NAMED_PATHS
  return `${all.slice(0, NAMED_PATHS).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function findLogs(word: string, found: FoundLogs): void {
  if (word === '') throw new Failure('USAGE', `an input is empty: expected ${FORMS}`)
  if (word === '-' || isRemote(word)) {
    found.logs.push({ path: word, realPath: undefined })
    return
  }
  const stats = statIfAny(word)
  if (stats === undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(word))
    throw new Failure('USAGE', `${word}: expected a URL of http, https or s3; others are not read`)
  if (stats?.isDirectory() === true) {
    const logs = sorted(listDirectory(word, found))
    if (logs.length === 0) throw noLog(`${word} holds no log`)
    for (const log of logs) found.logs.push(log)
  } else if (stats !== undefined || !isGlob(word)) {
    // What is not there is for the engine to say, which tries to open it.
    found.logs.push(stats === undefined ? { path: word, realPath: undefined } : fileAt(word))
  } else {
    const logs = expandGlob(word).flatMap((path) =>
      statIfAny(path)?.isDirectory() === true ? listDirectory(path, found) : [fileAt(path)],
    )
    if (logs.length === 0) throw noLog(`no log matches ${word}`)
    for (const log of sorted(logs)) found.logs.push(log)
  }
}

function noLog(complaint: string): Failure {
  return new Failure(
    'USAGE',
    `${complaint} (names that begin with . or _ are passed over): expected ${FORMS}`,
  )
}

function fileAt(path: string): FoundLog {
  try {
    return { path, realPath: realpathSync.native(path) }
  } catch (error) {
    // A link that leads nowhere has no real path, which opening it will say; nor has a pipe of the shell, `<(…)`.
    if (errorCode(error) !== 'ENOENT') throw error
    return { path, realPath: undefined }
  }
}

function sorted(logs: readonly FoundLog[]): FoundLog[] {
  return logs.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)))
}

/** Real paths come from the directory's own, so that many thousands of files cost no call each. */
function listDirectory(directory: string, found: FoundLogs): FoundLog[] {
  const logs: FoundLog[] = []
  const waiting = [{ path: directory, realPath: realpathSync.native(directory) }]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = readdirSync(at.path, { withFileTypes: true })
    if (at.path !== directory && entries.some(({ name }) => name === '_delta_log')) {
      found.stores.add(at.path)
      continue
    }
    for (const entry of entries) {
      if (/^[._]/.test(entry.name)) continue
      const path = join(at.path, entry.name)
      const realPath = join(at.realPath, entry.name)
      if (entry.isDirectory()) waiting.push({ path, realPath })
      else if (entry.isFile()) logs.push({ path, realPath })
      else if (isFileLink(entry, path, found)) logs.push(fileAt(path))
    }
  }
  return logs
}

function isFileLink(entry: Dirent, path: string, found: FoundLogs): boolean {
  const stats = entry.isSymbolicLink() ? statIfAny(path) : undefined
  if (entry.isSymbolicLink() && (stats === undefined || stats.isFile())) return true
  const passedOver = stats?.isDirectory() === true ? found.directoryLinks : found.notFiles
  passedOver.add(path)
  return false
}
