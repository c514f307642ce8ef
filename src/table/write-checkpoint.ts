/**
 * A snapshot as one Parquet file, so that a reader need not replay the log from its beginning.
 * Source: Delta protocol, "Checkpoints", "Checkpoint Schema", "Last Checkpoint File".
 */

import { dirname } from 'node:path'
import { invariant } from '../base/failure.ts'
import { VERSION } from '../base/version.ts'
import type { AddFile, RemoveFile, Snapshot } from './actions.ts'
import { sealFile } from './checkpoint-seal.ts'
import { encodeDataPath } from './data-path.ts'
import { encodeStatsOf, metadataMembers } from './encode-action.ts'
import { readHint } from './last-checkpoint.ts'
import { checkpointPath, hintPath, logDirectoryOf } from './log-listing.ts'
import { encodeNestedParquet, type NestedField, type NestedGroup } from './nested-parquet-writer.ts'
import { replaceFile, type TableFiles, writeTemp } from './table-files.ts'

/** Tombstones are kept so long, as Delta does by default (`delta.deletedFileRetentionDuration`). */
export const TOMBSTONE_RETENTION_MS: number = 7 * 24 * 3600 * 1000
/** Records of one row group at most. */
const LARGEST_GROUP = 100_000

const text = (name: string): NestedField => ({ name, type: 'string' })
const long = (name: string): NestedField => ({ name, type: 'long' })
const integer = (name: string): NestedField => ({ name, type: 'integer' })
const flag = (name: string): NestedField => ({ name, type: 'boolean' })
const map = (name: string): NestedField => ({ name, type: 'map' })

/** The fields of the checkpoint schema that we have something to say about; readers take the others as null. */
const FIELDS: readonly NestedField[] = [
  { name: 'txn', type: [text('appId'), long('version')] },
  {
    name: 'add',
    type: [
      text('path'),
      map('partitionValues'),
      long('size'),
      long('modificationTime'),
      flag('dataChange'),
      map('tags'),
      text('stats'),
    ],
  },
  { name: 'remove', type: [text('path'), long('deletionTimestamp'), flag('dataChange')] },
  {
    name: 'metaData',
    type: [
      text('id'),
      { name: 'format', type: [text('provider'), map('options')] },
      text('schemaString'),
      { name: 'partitionColumns', type: 'list' },
      map('configuration'),
      long('createdTime'),
    ],
  },
  { name: 'protocol', type: [integer('minReaderVersion'), integer('minWriterVersion')] },
]

/** A checkpoint that is ready to be written. */
export interface EncodedCheckpoint {
  readonly bytes: Uint8Array
  readonly actionCount: number
}

/** The checkpoint of a snapshot. `nowMs` decides which tombstones are too old to be kept. */
export async function encodeCheckpoint(snapshot: Snapshot, nowMs: number): Promise<EncodedCheckpoint> {
  const groups = collectGroups(snapshot, nowMs)
  const createdBy = `byteledger version ${VERSION}`
  const file = await encodeNestedParquet({ fields: FIELDS, groups, createdBy })
  return {
    bytes: sealFile(file),
    actionCount: groups.reduce((sum, { records }) => sum + records.length, 0),
  }
}

/**
 * Writes the checkpoint of a snapshot and then the file that names it. Each is on disk before the next
 * step, so a run that dies in between leaves at worst a checkpoint that nobody points at. Fails as
 * ENVIRONMENT; the table is what it was.
 */
export async function writeCheckpoint(files: TableFiles, snapshot: Snapshot): Promise<void> {
  const { directory, version } = snapshot
  const log = logDirectoryOf(directory)
  const checkpoint = await encodeCheckpoint(snapshot, Date.now())
  const temp = await writeTemp(files, log, 'checkpoint', checkpoint.bytes)
  await replaceFile(files, temp, checkpointPath(directory, version))
  await writeHint(files, snapshot, checkpoint)
}

async function writeHint(
  files: TableFiles,
  snapshot: Snapshot,
  { bytes, actionCount }: EncodedCheckpoint,
): Promise<void> {
  const { directory, version } = snapshot
  const path = hintPath(directory)
  // Another run may have come further in the meantime.
  if ((readHint(path)?.version ?? -1) > version) return
  const hint = {
    version,
    size: actionCount,
    sizeInBytes: bytes.length,
    numOfAddFiles: snapshot.files.size,
  }
  const temp = await writeTemp(files, dirname(path), 'hint', Buffer.from(JSON.stringify(hint)))
  await replaceFile(files, temp, path)
}

/** Every kind of action has row groups of its own: a reader that wants one kind finds the others all null. */
function collectGroups(snapshot: Snapshot, nowMs: number): NestedGroup[] {
  const { protocol, metadata, files, removed, transactions } = snapshot
  invariant(protocol !== undefined && metadata !== undefined, 'a checkpoint is of a table')
  const { minReaderVersion, minWriterVersion } = protocol
  const kinds: readonly NestedGroup[] = [
    { field: 'protocol', records: [{ minReaderVersion, minWriterVersion }] },
    { field: 'metaData', records: [withLongs(metadataMembers(metadata), ['createdTime'])] },
    {
      field: 'txn',
      records: Array.from(transactions, ([appId, version]) => ({ appId, version: BigInt(version) })),
    },
    {
      field: 'remove',
      records: Array.from(removed.values())
        .filter(({ deletionTimestamp }) => nowMs - deletionTimestamp < TOMBSTONE_RETENTION_MS)
        .map(removeRecord),
    },
    { field: 'add', records: Array.from(files.values(), addRecord) },
  ]
  const groups: NestedGroup[] = []
  for (const { field, records } of kinds) {
    for (let at = 0; at < records.length; at += LARGEST_GROUP) {
      groups.push({ field, records: records.slice(at, at + LARGEST_GROUP) })
    }
  }
  return groups
}

function addRecord(file: AddFile): object {
  const { path, partitionValues, size, modificationTime, tags } = file
  return {
    path: encodeDataPath(path),
    partitionValues,
    size: BigInt(size),
    modificationTime: BigInt(modificationTime),
    dataChange: false,
    tags,
    stats: encodeStatsOf(file),
  }
}

function removeRecord({ path, deletionTimestamp, dataChange }: RemoveFile): object {
  return { path: encodeDataPath(path), deletionTimestamp: BigInt(deletionTimestamp), dataChange }
}

function withLongs(members: Record<string, unknown>, names: readonly string[]): object {
  const longs = names.flatMap((name): [string, bigint][] => {
    const value = members[name]
    return typeof value === 'number' ? [[name, BigInt(value)]] : []
  })
  return { ...members, ...Object.fromEntries(longs) }
}
