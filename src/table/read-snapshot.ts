/** Finds the state of a table in its log: the newest checkpoint that can be read, and the commits since. */

import { damaged, Failure, messageOf } from '../base/failure.ts'
import type { Snapshot } from './actions.ts'
import { applyCommitFile } from './commit-log.ts'
import { checkNoTable } from './first-run.ts'
import { type CheckpointHint, readHint } from './last-checkpoint.ts'
import {
  type CheckpointFiles,
  codeOf,
  commitPath,
  findMissingCommit,
  hintPath,
  type LogListing,
  listLog,
} from './log-listing.ts'
import { applyCheckpoint } from './read-checkpoint.ts'
import { Replay } from './replay.ts'

/** How often a log is listed anew because a file of it was cleaned up while it was read. */
const ATTEMPTS = 4

/** What is to be read. */
export interface SnapshotRequest {
  readonly directory: string
  /** Undefined: the newest. */
  readonly version: number | undefined
  /** Where to go on from, when the commits since then are all there. */
  readonly base: Snapshot | undefined
}

/** Reads a version of a table; see `readSnapshot` of table.ts for the failures. */
export async function findSnapshot(request: SnapshotRequest): Promise<Snapshot> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(request)
    } catch (failure) {
      // Others may remove old commits and checkpoints; a newer checkpoint is there then.
      if (attempt === ATTEMPTS || !isVanished(failure)) throw failure
    }
  }
}

function isVanished(failure: unknown): boolean {
  return failure instanceof Failure && codeOf(failure.cause) === 'ENOENT'
}

async function readOnce({ directory, version, base }: SnapshotRequest): Promise<Snapshot> {
  // The hint first: what it names was there before, so the listing must have it.
  const hint = readHint(hintPath(directory))
  const hinted = hint?.version ?? -1
  const listing = listLog(directory)
  const newest = listing.newestVersion
  if (hinted > newest)
    damaged(hintPath(directory), `a log that reaches version ${hinted}`, `version ${newest}`)
  if (version !== undefined && (version > newest || version < 0)) {
    const found = newest < 0 ? 'there is no table' : `the newest is ${newest}`
    throw new Failure('USAGE', `${directory} has no version ${version}: ${found}`)
  }
  if (newest < 0)
    return checkNoTable(directory) ? emptySnapshot(directory) : readOnce({ directory, version, base })
  const target = version ?? newest
  if (base !== undefined && base.version >= 0 && base.version <= target) {
    const range = { first: base.version + 1, last: target }
    const missing = findMissingCommit(directory, listing, range)
    if (missing === undefined) return finish(new Replay(directory, base), directory, range)
  }
  return await readFromCheckpoint(directory, listing, target, hint)
}

/** Tries the checkpoints from the newest on, then the log from its beginning. */
async function readFromCheckpoint(
  directory: string,
  listing: LogListing,
  target: number,
  hint: CheckpointHint | undefined,
): Promise<Snapshot> {
  const usable = listing.checkpoints.filter((checkpoint) => checkpoint.version <= target)
  const problems: string[] = []
  for (const checkpoint of [...usable, undefined]) {
    const range = { first: (checkpoint?.version ?? -1) + 1, last: target }
    const missing = findMissingCommit(directory, listing, range)
    if (missing !== undefined) failForMissing({ directory, listing, target, missing, problems })
    const replay = new Replay(directory)
    const problem = checkpoint === undefined ? undefined : await tryCheckpoint(checkpoint, replay, hint)
    if (problem === undefined) return finish(replay, directory, range)
    problems.push(problem)
  }
  throw new Failure('DAMAGED', problems.join('; '))
}

/** Undefined when it was applied, otherwise how it is damaged. */
async function tryCheckpoint(
  { version, paths }: CheckpointFiles,
  replay: Replay,
  hint: CheckpointHint | undefined,
): Promise<string | undefined> {
  const where = paths.join(', ')
  try {
    await applyCheckpoint(paths, replay)
    // A checkpoint without protocol and metaData is none, however well it reads.
    const { files } = replay.finish(version, where)
    const expected = hint?.version === version ? hint.fileCount : undefined
    if (expected !== undefined && expected !== files.size)
      damaged(where, `${expected} files`, `${files.size}`)
    return undefined
  } catch (failure) {
    if (failure instanceof Failure && failure.code === 'DAMAGED') return messageOf(failure)
    throw failure
  }
}

function finish(
  replay: Replay,
  directory: string,
  range: { readonly first: number; readonly last: number },
): Snapshot {
  for (let version = range.first; version <= range.last; version++) {
    applyCommitFile(commitPath(directory, version), replay)
  }
  return replay.finish(range.last, commitPath(directory, range.last))
}

/** Some commits that are needed are not there: the log is damaged, or was cleaned up up to a later checkpoint. */
function failForMissing(gap: {
  readonly directory: string
  readonly listing: LogListing
  readonly target: number
  readonly missing: number
  readonly problems: readonly string[]
}): never {
  const { directory, listing, target, missing, problems } = gap
  const oldest = listing.checkpoints.at(-1)?.version
  if (problems.length === 0 && oldest !== undefined && oldest > target) {
    throw new Failure(
      'USAGE',
      `${directory} no longer has version ${target}: its log begins with the checkpoint of version ${oldest}`,
    )
  }
  const because = problems.length === 0 ? '' : ` (needed, as ${problems.join('; ')})`
  return damaged(commitPath(directory, missing), `the commit of version ${missing}`, `no such file${because}`)
}

function emptySnapshot(directory: string): Snapshot {
  return {
    directory,
    version: -1,
    protocol: undefined,
    metadata: undefined,
    files: new Map(),
    transactions: new Map(),
    removed: new Map(),
  }
}
