/** A Delta Lake table in a directory of a local disk: read one version of it, commit the next. */

import { existsSync } from 'node:fs'
import { attemptedAsync, damaged, Failure, invariant, messageOf } from '../base/failure.ts'
import type { Snapshot, TableAction } from './actions.ts'
import { CommitConflict, UncertainCommit } from './commit-failures.ts'
import { applyCommit, type CommitHeader, encodeCommit, LONGEST_COMMIT_BYTES } from './commit-log.ts'
import { codeOf, commitPath, listLog, logDirectoryOf } from './log-listing.ts'
import { findSnapshot } from './read-snapshot.ts'
import { Replay } from './replay.ts'
import { DISK_FILES, makeDirectory, removeLeftover, type TableFiles, writeTemp } from './table-files.ts'
import { makeMetadata } from './table-schema.ts'
import { writeCheckpoint } from './write-checkpoint.ts'

/** A checkpoint is written for every version that this divides, except 0. */
export const CHECKPOINT_INTERVAL = 100
/** So many others may be faster, one after the other, before a commit gives up. */
const MOST_ATTEMPTS = 1000

/**
 * Reads the newest version of the table, or the one that is asked for. A directory that is absent, empty or
 * holds only leftovers of a first run that did not finish gives version -1.
 * Fails as USAGE for a directory that holds other things, a table of another schema or partitioning, one
 * that demands more than reader 1 and writer 2, and a version that does not exist; as DAMAGED when the log is
 * corrupt; as ENVIRONMENT when it cannot be read.
 */
export function readSnapshot(directory: string, version?: number): Promise<Snapshot> {
  return findSnapshot({ directory, version, base: undefined })
}

/** Like `readSnapshot`, for those who only read: where there is no table, it fails as USAGE. */
export async function readTable(directory: string, version?: number): Promise<Snapshot> {
  const snapshot = await readSnapshot(directory, version)
  if (snapshot.version >= 0) return snapshot
  throw new Failure('USAGE', `${directory} is not a store: it has no Delta table log (_delta_log)`)
}

/**
 * The newest version, reading only what was committed since `snapshot`. Fails as `readSnapshot`. A table that
 * was deleted and made anew in the same place since then is not noticed.
 */
export function refreshSnapshot(snapshot: Snapshot): Promise<Snapshot> {
  return findSnapshot({ directory: snapshot.directory, version: undefined, base: snapshot })
}

/** What is to be committed. */
export interface CommitRequest {
  /** The version of the snapshot that the actions were worked out from. */
  readonly readVersion: number
  readonly actions: readonly TableAction[]
  /** Delta's own words: WRITE, OPTIMIZE, DELETE, VACUUM END. */
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  /**
   * Called when others have committed in between, with the version they came to; throws to give up.
   * `commit` itself already refuses (as `CommitConflict`) to remove a file that is gone, to add a path that is
   * there, and to repeat a `txn` (an appId whose version is now at least ours).
   */
  readonly recheck?: (newer: Snapshot) => void | Promise<void>
  /** Told when the commit is done but the checkpoint that was due could not be written. */
  readonly onCheckpointFailure?: (failure: Failure) => void
  /** For tests. */
  readonly files?: TableFiles
}

/**
 * Commits the actions as one new version and returns its number: all are in the table, or none is. Makes the
 * table when there is none. The data files must be whole and on disk (fsync, of their directories too) before.
 * Fails as `CommitConflict` when what others committed in between contradicts, with what `recheck` throws,
 * and as ENVIRONMENT: then nothing was committed, unless it is an `UncertainCommit`, after which the data
 * files must be left alone.
 */
export async function commit(directory: string, request: CommitRequest): Promise<number> {
  const { readVersion, actions, recheck, files = DISK_FILES } = request
  await makeDirectory(files, logDirectoryOf(directory), readVersion < 0)
  let version = readVersion + 1
  let newer: Snapshot | undefined
  for (let attempt = 0; !(await publish(directory, request, version)); attempt++) {
    if (attempt === MOST_ATTEMPTS) {
      throw new CommitConflict(`${directory}: ${MOST_ATTEMPTS} other commits were faster, gave up`)
    }
    newer = newer === undefined ? await readSnapshot(directory) : await refreshSnapshot(newer)
    if (newer.version < version) {
      damaged(commitPath(directory, version), 'a log that goes on from there', `version ${newer.version}`)
    }
    checkConflicts(newer, actions)
    await recheck?.(newer)
    version = newer.version + 1
  }
  if (version > 0 && version % CHECKPOINT_INTERVAL === 0)
    await tryCheckpoint(directory, request, version, newer)
  return version
}

/** Puts the commit under its name; false when the name is taken. */
async function publish(directory: string, request: CommitRequest, version: number): Promise<boolean> {
  const { actions, files = DISK_FILES, operation, operationParameters, readVersion } = request
  checkPredecessor(directory, version)
  const timestampMs = Date.now()
  const newTable = version === 0 ? makeMetadata(timestampMs) : undefined
  const header: CommitHeader = { version, timestampMs, operation, operationParameters, readVersion, newTable }
  const bytes = encodeCommit(header, actions)
  const path = commitPath(directory, version)
  checkReadable(directory, bytes, path, version)
  const log = logDirectoryOf(directory)
  const temp = await writeTemp(files, log, 'commit', bytes)
  try {
    await files.link(temp, path)
  } catch (cause) {
    await removeLeftover(files, temp)
    if (codeOf(cause) === 'EEXIST') return false
    throw new Failure('ENVIRONMENT', `cannot commit ${path}: ${messageOf(cause)}`, { cause })
  }
  try {
    await attemptedAsync(log, 'sync', () => files.syncDirectory(log))
  } catch (cause) {
    throw new UncertainCommit(
      version,
      `${path} was committed, but may not last when the power fails: ${messageOf(cause)}`,
      { cause },
    )
  } finally {
    // The commit has its own name now; a second one that stays is for vacuum.
    await removeLeftover(files, temp)
  }
  return true
}

/** What cannot be read back must not be published: nobody could open the table any more. */
function checkReadable(directory: string, bytes: Uint8Array, path: string, version: number): void {
  if (bytes.length > LONGEST_COMMIT_BYTES) {
    throw new Failure('USAGE', `cannot commit ${bytes.length} bytes of actions at once: split the run`)
  }
  const replay = new Replay(directory)
  try {
    applyCommit(bytes, path, replay)
  } catch (cause) {
    invariant(false, `a commit that cannot be read back: ${messageOf(cause)}`)
  }
  if (version === 0) replay.finish(0, path)
}

/** A commit continues a log; were that gone, the new one would stand alone and the table be damaged. */
function checkPredecessor(directory: string, version: number): void {
  if (version === 0) return
  const predecessor = commitPath(directory, version - 1)
  if (existsSync(predecessor) || listLog(directory).newestVersion >= version - 1) return
  damaged(predecessor, `the commit of version ${version - 1}, which was read`, 'no such file')
}

/** Fails as `CommitConflict` when the actions make no sense on top of what others have committed. */
function checkConflicts(newer: Snapshot, actions: readonly TableAction[]): void {
  const refuse = (what: string): never => {
    throw new CommitConflict(
      `${newer.directory}: version ${newer.version}, committed by another run, ${what}`,
    )
  }
  for (const action of actions) {
    if ('remove' in action && !newer.files.has(action.remove.path)) {
      refuse(`no longer has ${action.remove.path}`)
    }
    if ('add' in action && newer.files.has(action.add.path)) refuse(`already has ${action.add.path}`)
    if (!('txn' in action)) continue
    const { appId, version } = action.txn
    const known = newer.transactions.get(appId)
    if (known !== undefined && known >= version) refuse(`already has ${appId}`)
  }
}

/** The commit is done: whatever happens here must not look as if it were not. */
async function tryCheckpoint(
  directory: string,
  request: CommitRequest,
  version: number,
  base: Snapshot | undefined,
): Promise<void> {
  try {
    await writeCheckpoint(request.files ?? DISK_FILES, await findSnapshot({ directory, version, base }))
  } catch (cause) {
    const failure =
      cause instanceof Failure
        ? cause
        : new Failure('ENVIRONMENT', `cannot write the checkpoint of ${directory}: ${messageOf(cause)}`, {
            cause,
          })
    request.onCheckpointFailure?.(failure)
  }
}
