/**
 * What is in `_delta_log`, by names alone.
 * Source: Delta protocol, "Delta Log Entries" and "Checkpoints".
 */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, damaged, Failure } from '../base/failure.ts'
import { isTempName } from './table-files.ts'

/** All parts of one checkpoint, in order. */
export interface CheckpointFiles {
  readonly version: number
  readonly paths: readonly string[]
}

/** A log as its names tell it. */
export interface LogListing {
  /** -1: none. */
  readonly newestVersion: number
  readonly commitVersions: ReadonlySet<number>
  /** Those of which every part is there, newest first. */
  readonly checkpoints: readonly CheckpointFiles[]
}

/** The directory of a table's log. */
export function logDirectoryOf(directory: string): string {
  return join(directory, '_delta_log')
}

/** Twenty digits, so that names sort as versions do. */
function versionName(version: number): string {
  return String(version).padStart(20, '0')
}

/** Where the commit of a version stands. */
export function commitPath(directory: string, version: number): string {
  return join(logDirectoryOf(directory), `${versionName(version)}.json`)
}

/** Where our checkpoint of a version stands. */
export function checkpointPath(directory: string, version: number): string {
  return join(logDirectoryOf(directory), `${versionName(version)}.checkpoint.parquet`)
}

/** The file that names the newest checkpoint. */
export function hintPath(directory: string): string {
  return join(logDirectoryOf(directory), '_last_checkpoint')
}

const COMMIT_NAME = /^\d{20}\.json$/
const CHECKPOINT_NAME = /^\d{20}\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/

/** One part of a checkpoint, as its name tells it. */
interface CheckpointPart {
  readonly version: number
  readonly part: number
  readonly partCount: number
  readonly name: string
}

/**
 * Lists the log. A directory without one gives version -1 when it is absent or holds nothing but partitions:
 * leftovers of a first run that did not finish. Fails as USAGE when it holds other things.
 */
export function listLog(directory: string): LogListing {
  const names = readLogNames(directory)
  const commitVersions = new Set<number>()
  const parts: CheckpointPart[] = []
  let newestVersion = -1
  for (const name of names) {
    const isCommit = COMMIT_NAME.test(name)
    const part = isCommit ? undefined : parsePart(name)
    if (!isCommit && part === undefined) continue
    const version = Number(name.slice(0, 20))
    if (!Number.isSafeInteger(version))
      damaged(join(logDirectoryOf(directory), name), 'a version below 2^53', name)
    if (isCommit) commitVersions.add(version)
    if (part !== undefined) parts.push(part)
    // A checkpoint of which parts are missing still tells that its version was there.
    if (version > newestVersion) newestVersion = version
  }
  return { newestVersion, commitVersions, checkpoints: completeCheckpoints(directory, parts) }
}

/**
 * The first version of `[first, last]` whose commit is not there, or undefined. A name that a listing does not
 * have is looked up: commits that come while a directory is listed may be seen without those before them.
 */
export function findMissingCommit(
  directory: string,
  listing: LogListing,
  range: { readonly first: number; readonly last: number },
): number | undefined {
  for (let version = range.first; version <= range.last; version++) {
    if (!listing.commitVersions.has(version) && !existsSync(commitPath(directory, version))) return version
  }
  return undefined
}

/** Paths of temporary files in the log that were written before a time: of writers that died. */
export function listLogLeftovers(directory: string, writtenBeforeMs: number): string[] {
  const log = logDirectoryOf(directory)
  return readLogNames(directory)
    .filter(isTempName)
    .map((name) => join(log, name))
    .filter((path) => {
      const status = attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))
      return status !== undefined && status.mtimeMs < writtenBeforeMs
    })
}

function parsePart(name: string): CheckpointPart | undefined {
  const found = CHECKPOINT_NAME.exec(name)
  if (found === null) return undefined
  const part = Number(found[1] ?? 1)
  const partCount = Number(found[2] ?? 1)
  return { version: Number(name.slice(0, 20)), part, partCount, name }
}

/** A version can have several checkpoints, of one part and of many: each stands for itself. */
function completeCheckpoints(directory: string, parts: readonly CheckpointPart[]): CheckpointFiles[] {
  const byKind = new Map<string, CheckpointPart[]>()
  for (const part of parts) {
    const kind = `${part.version}/${part.name.length}/${part.partCount}`
    const found = byKind.get(kind)
    if (found === undefined) byKind.set(kind, [part])
    else found.push(part)
  }
  const log = logDirectoryOf(directory)
  return [...byKind.values()]
    .map((found) => found.sort((a, b) => a.part - b.part))
    .filter((found) => found.every(({ part, partCount }, i) => part === i + 1 && partCount === found.length))
    .map((found) => ({ version: found[0]?.version ?? 0, paths: found.map(({ name }) => join(log, name)) }))
    .sort((a, b) => b.version - a.version)
}

/** The names in the log, or none when there is no log yet. */
function readLogNames(directory: string): string[] {
  const log = logDirectoryOf(directory)
  try {
    return readdirSync(log)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT') {
      checkUnused(directory)
      return []
    }
    if (code === 'ENOTDIR') {
      throw new Failure(
        'USAGE',
        `${directory} is not a Delta table: ${log} is not in a directory, or is none`,
      )
    }
    throw new Failure('ENVIRONMENT', `cannot list ${log}: ${String(cause)}`, { cause })
  }
}

/** Fails as USAGE when a directory without a log holds what a table would not. */
function checkUnused(directory: string): void {
  const status = attempted(directory, 'look at', () => statSync(directory, { throwIfNoEntry: false }))
  if (status === undefined) return
  const stranger = attempted(directory, 'list', () => readdirSync(directory)).find(
    (name) => !/^[._]/.test(name) && !/^date=\d{4}-\d{2}-\d{2}$/.test(name),
  )
  if (stranger === undefined) return
  const shown = JSON.stringify(stranger)
  throw new Failure('USAGE', `${directory} is not a Delta table: it holds ${shown} and has no _delta_log`)
}

/** The names in a directory; none for one that somebody took away, or that is none. */
export function listNames(directory: string): readonly string[] {
  return attempted(directory, 'list', () => {
    try {
      return readdirSync(directory)
    } catch (cause) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(cause) ?? '')) return []
      throw cause
    }
  })
}

/** The `code` of an error that Node threw. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
