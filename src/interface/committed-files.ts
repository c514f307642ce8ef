/** From `--store PATH` to the files that are asked: of a store, those of one committed version. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, damaged, Failure } from '../base/failure.ts'
import { COLUMN } from '../delivery/schema.ts'
import { type DeliveryStore, openStore } from '../delivery/store.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
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
export async function openCommitted(path: string): Promise<DeliveryStore> {
  const files = await findFiles(path)
  return openStore([...files.keys()], (file) => checkIdentity(file, files.get(file.path)))
}

/** By path; with what the log says of each, if there is a log. */
async function findFiles(path: string): Promise<ReadonlyMap<string, AddFile | undefined>> {
  if (!isStore(path)) {
    const paths = resolveStore(path)
    // A file that is named may be read for itself; a listing would take in what is not committed.
    if (paths[0] !== path) refuseInsideStore(path, paths)
    return new Map(paths.map((file) => [file, undefined]))
  }
  const { readTable } = await import('../table/table.ts')
  for (let attempt = 1; ; attempt++) {
    const snapshot = await readTable(path)
    const problem = findProblem(snapshot)
    if (problem === undefined)
      return new Map([...snapshot.files.values()].map((file) => [join(path, file.path), file]))
    const newer = await readTable(path)
    if (newer.version === snapshot.version || attempt === MOST_ATTEMPTS)
      return damaged(problem.path, problem.expected, problem.found)
  }
}

/** Rows, and times and positions of the first row group, as a file that was exchanged would hardly have them. */
function checkIdentity(file: ParquetFile, logged: AddFile | undefined): void {
  const stats = logged?.stats
  if (stats === undefined) return
  const { footer, path } = file
  if (footer.rowCount !== stats.numRecords) {
    damaged(path, `${stats.numRecords} rows, as the store's log has it`, `${footer.rowCount}`)
  }
  if (file.rowGroupCount === 0) return
  for (const column of [COLUMN.epoch, COLUMN.byteNum]) {
    const [from, to] = [stats.minValues[column], stats.maxValues[column]]
    const chunk = file.columnChunk(0, column)
    const [min, max] = [int64(chunk.min), int64(chunk.max)]
    if ((typeof from === 'number' && min < from) || (typeof to === 'number' && max > to)) {
      damaged(path, `${column} from ${from} to ${to}, as the store's log has it`, `${min} to ${max}`)
    }
  }
}

function int64(bytes: Uint8Array): bigint {
  return Buffer.from(bytes).readBigInt64LE(0)
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
    const directory = enclosingStore(file)
    if (directory === undefined) continue
    throw new Failure(
      'USAGE',
      `${path} leads into the store ${directory}: give --store ${directory}, for only its log tells which files count`,
    )
  }
}
