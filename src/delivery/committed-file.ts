/** Data files of a store, held against what its log says of them: an exchanged or missing one is no evidence. */

import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { attempted, damaged, Failure } from '../base/failure.ts'
import { kindOf } from '../base/regular-file.ts'
import type { FileCaches, ParquetFile } from '../parquet/parquet-file.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
import { COLUMN, NAME_KEY } from './schema.ts'
import { type DeliveryStore, openFile, openStore } from './store.ts'

/** Opens a data file. Fails as `openFile` and `checkCommitted` do, and as DAMAGED when it is missing. */
export function openCommittedFile(directory: string, logged: AddFile, caches?: FileCaches): ParquetFile {
  const path = join(directory, logged.path)
  const missing = findDifference(path, logged)
  // Where others may have replaced the file meanwhile, the code tells so.
  if (missing !== undefined) throw new Failure('DAMAGED', missing.message, { cause: missing })
  const file = openFile(path, caches)
  try {
    checkCommitted(file, logged)
  } catch (failure) {
    file.close()
    throw failure
  }
  return file
}

/** Files by path, with what the log of their store says of each, if there is a log. */
export type LoggedFiles = ReadonlyMap<string, AddFile | undefined>

/** Opens files as one store, each held against what the log says of it. Fails as `openStore` does. */
export function openLoggedFiles(files: LoggedFiles): DeliveryStore {
  return openStore([...files.keys()], (file) => {
    const logged = files.get(file.path)
    if (logged !== undefined) checkCommitted(file, logged)
  })
}

/**
 * Fails as DAMAGED unless the file is the one that was written under its name, with the size and number of rows that
 * the log says, and times and positions of its first row group within its bounds.
 */
export function checkCommitted(file: ParquetFile, logged: AddFile): void {
  const { footer, path, byteLength } = file
  if (byteLength !== logged.size) damaged(path, describeSize(logged), `one of ${byteLength}`)
  const name = footer.keyValues.get(NAME_KEY)
  if (name !== basename(logged.path))
    damaged(
      path,
      "the data file of that name, as the store's log has it",
      `one that was ${name ?? 'no part of a store'}`,
    )
  const { stats } = logged
  if (stats === undefined) return
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

/** The first data file of a version that is missing or of another size, as a message; undefined when there is none. */
export function findMissing({ directory, files }: Snapshot): string | undefined {
  for (const logged of files.values()) {
    const difference = findDifference(join(directory, logged.path), logged)
    if (difference !== undefined) return difference.message
  }
  return undefined
}

function findDifference(path: string, logged: AddFile): (Error & { readonly code?: string }) | undefined {
  const status = attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))
  if (status?.isFile() === true && status.size === logged.size) return undefined
  const found =
    status === undefined ? 'no such file' : status.isFile() ? `one of ${status.size}` : kindOf(status)
  const message = `${path}: expected ${describeSize(logged)}, found ${found}`
  return Object.assign(new Error(message), status === undefined ? { code: 'ENOENT' } : {})
}

function describeSize({ size }: AddFile): string {
  return `a data file of ${size} bytes, as the store's log has it`
}

function int64(bytes: Uint8Array): bigint {
  return Buffer.from(bytes).readBigInt64LE(0)
}
