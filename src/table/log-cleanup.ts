/** Takes out of the log what nobody needs any more. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, attemptedAsync } from '../base/failure.ts'
import type { Snapshot } from './actions.ts'
import { checkpointPath, codeOf, logDirectoryOf } from './log-listing.ts'
import { applyCheckpoint } from './read-checkpoint.ts'
import { Replay } from './replay.ts'
import { DISK_FILES, type TableFiles } from './table-files.ts'
import { writeCheckpoint } from './write-checkpoint.ts'

/**
 * Forgets how a version came about: writes its checkpoint, reads it back, and deletes the commits and
 * checkpoints before it. Returns the paths of what was deleted. Afterwards older versions cannot be read; the
 * commit of the version itself stays. What is in the table does not change, and when it fails (ENVIRONMENT)
 * or is killed, the version can still be read.
 */
export async function truncateLog(snapshot: Snapshot, files: TableFiles = DISK_FILES): Promise<string[]> {
  const { directory, version } = snapshot
  await writeCheckpoint(files, snapshot)
  const path = checkpointPath(directory, version)
  const replay = new Replay(directory)
  await applyCheckpoint([path], replay)
  replay.finish(version, path)
  const log = logDirectoryOf(directory)
  const old = attempted(log, 'list', () => readdirSync(log))
    .filter((name) => /^\d{20}\./.test(name) && Number(name.slice(0, 20)) < version)
    .map((name) => join(log, name))
  return removeAll(files, log, old)
}

async function removeAll(files: TableFiles, log: string, paths: readonly string[]): Promise<string[]> {
  for (const path of paths) await attemptedAsync(path, 'delete', () => unlinkIfThere(files, path))
  if (paths.length > 0) await attemptedAsync(log, 'sync', () => files.syncDirectory(log))
  return [...paths]
}

/** Others may clean up at the same time. */
async function unlinkIfThere(files: TableFiles, path: string): Promise<void> {
  try {
    await files.unlink(path)
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause
  }
}
