/** From `--store PATH` to the files that are asked: of a store, those of one committed version. */

import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempted, damaged, Failure } from '../base/failure.ts'
import type { Snapshot } from '../table/actions.ts'
import { resolveStore } from './resolve-store.ts'

/** How often a newer version is read because a file of the one that was read is gone: compacted and vacuumed. */
const MOST_ATTEMPTS = 5

/**
 * The files behind a path: of a store (a directory with a `_delta_log`) exactly those of its newest version,
 * all of them there and of the size that the log says; otherwise those that `resolveStore` finds. Fails as
 * that does, as `readTable` does, and as DAMAGED when a file of the store is missing or of another size.
 */
export async function committedFiles(path: string): Promise<readonly string[]> {
  if (!isStore(path)) {
    const paths = resolveStore(path)
    // A file that is named may be read for itself; a listing would take in what is not committed.
    if (paths[0] !== path) refuseInsideStore(path, paths)
    return paths
  }
  const { readTable } = await import('../table/table.ts')
  for (let attempt = 1; ; attempt++) {
    const snapshot = await readTable(path)
    const problem = findProblem(snapshot)
    if (problem === undefined) return [...snapshot.files.keys()].map((file) => join(path, file))
    const newer = await readTable(path)
    if (newer.version === snapshot.version || attempt === MOST_ATTEMPTS)
      return damaged(problem.path, problem.expected, problem.found)
  }
}

/** Whether a path is a store's directory. */
export function isStore(path: string): boolean {
  return path !== '' && existsSync(join(path, '_delta_log'))
}

interface Problem {
  readonly path: string
  readonly expected: string
  readonly found: string
}

function findProblem({ directory, version, files }: Snapshot): Problem | undefined {
  for (const file of files.values()) {
    const path = join(directory, file.path)
    const status = attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))
    if (status?.size === file.size) continue
    const found = status === undefined ? 'no such file' : `one of ${status.size}`
    return {
      path,
      expected: `a data file of ${file.size} bytes, as version ${version} of the store has it`,
      found,
    }
  }
  return undefined
}

function refuseInsideStore(path: string, files: readonly string[]): void {
  for (const file of files) {
    for (let directory = dirname(file); ; directory = dirname(directory)) {
      if (isStore(directory)) {
        throw new Failure(
          'USAGE',
          `${path} leads into the store ${directory}: give --store ${directory}, for only its log tells which files count`,
        )
      }
      if (dirname(directory) === directory) break
    }
  }
}
