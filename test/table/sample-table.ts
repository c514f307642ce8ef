/** Small tables for tests, made with the product's own commit but without waiting for the disk. */

import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, type FailureCode } from '#src/base/failure.js'
import type { AddFile, RemoveFile, Snapshot, TableAction } from '#src/table/actions.js'
import { listLogLeftovers } from '#src/table/log-listing.js'
import { commit } from '#src/table/table.js'
import { DISK_FILES, type TableFiles } from '#src/table/table-files.js'

/** The real disk, except that nothing waits for it: enough where no power fails. */
export const QUICK_FILES: TableFiles = {
  ...DISK_FILES,
  async createTemp(path) {
    const file = await DISK_FILES.createTemp(path)
    return { ...file, sync: () => Promise.resolve() }
  },
  syncDirectory: () => Promise.resolve(),
}

export function addFile(name: string, date = '2024-05-17'): AddFile {
  return {
    path: `date=${date}/${name}.parquet`,
    partitionValues: { date },
    size: 1000 + name.length,
    modificationTime: 1_715_900_000_000,
    dataChange: true,
    stats: {
      numRecords: 7,
      minValues: { epoch: 1_715_900_000, ip: '192.0.2.1', byte_num: 0 },
      maxValues: { epoch: 1_715_900_009, ip: '192.0.2.9', byte_num: 6 },
      nullCount: { ip: 0 },
    },
  }
}

export function removeFile(name: string, deletionTimestamp = Date.now()): RemoveFile {
  const { path, partitionValues, size } = addFile(name)
  return { path, deletionTimestamp, dataChange: true, partitionValues, size }
}

/** One input and its file. */
export function append(name: string): TableAction[] {
  return [{ txn: { appId: `sha256:${name}`, version: 1 } }, { add: addFile(name) }]
}

/** Commits one version, and returns its number. */
export function commitQuickly(
  directory: string,
  readVersion: number,
  actions: readonly TableAction[],
): Promise<number> {
  return commit(directory, {
    readVersion,
    actions,
    operation: 'WRITE',
    operationParameters: { mode: 'Append' },
    files: QUICK_FILES,
  })
}

/** Commits versions `0 … count - 1`, each with one input and one file of the name `f<version>`. */
export async function makeTable(directory: string, count: number): Promise<void> {
  for (let version = 0; version < count; version++) {
    await commitQuickly(directory, version - 1, append(`f${version}`))
  }
}

/** All that a snapshot says, as plain data in a fixed order. */
export function plainSnapshot(snapshot: Snapshot): object {
  return {
    version: snapshot.version,
    protocol: snapshot.protocol,
    metadata: snapshot.metadata,
    files: [...snapshot.files.values()]
      .map(({ path, partitionValues, size, modificationTime, stats, tags }) => {
        return { path, partitionValues, size, modificationTime, stats, tags }
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    transactions: [...snapshot.transactions].sort(),
    removed: [...snapshot.removed.values()].map(({ path, deletionTimestamp }) => ({
      path,
      deletionTimestamp,
    })),
  }
}

export function logPath(directory: string, name: string): string {
  return join(directory, '_delta_log', name)
}

/** Name of the commit of a version. */
export function commitName(version: number): string {
  return `${String(version).padStart(20, '0')}.json`
}

export function checkpointName(version: number): string {
  return `${String(version).padStart(20, '0')}.checkpoint.parquet`
}

export function namesOfLog(directory: string): string[] {
  const log = join(directory, '_delta_log')
  return existsSync(log) ? readdirSync(log).sort() : []
}

/** Replaces a file by what `change` makes of its bytes. */
export function changeFile(path: string, change: (bytes: Buffer) => Uint8Array | string): void {
  writeFileSync(path, change(readFileSync(path)))
}

/** The lines of a commit as it stands, without the `commitInfo` that guards them: as others would write it. */
export function unguarded(bytes: Buffer): string {
  return bytes
    .toString()
    .split('\n')
    .filter((line) => !line.includes('"commitInfo"'))
    .join('\n')
}

/** The failure of a promise that must fail. */
export async function failureOf(code: FailureCode, promise: Promise<unknown>): Promise<string> {
  let failure: unknown
  try {
    await promise
  } catch (cause) {
    failure = cause
  }
  if (!(failure instanceof Failure)) throw new Error(`expected a failure ${code}, found ${String(failure)}`)
  if (failure.code !== code) throw new Error(`expected ${code}, found ${failure.code}: ${failure.message}`)
  return failure.message
}

/** Deletes what `listLogLeftovers` lists, as vacuum does, and tells the paths. */
export function removeLogLeftovers(directory: string, writtenBeforeMs: number): string[] {
  const paths = listLogLeftovers(directory, writtenBeforeMs)
  for (const path of paths) unlinkSync(path)
  return paths
}
