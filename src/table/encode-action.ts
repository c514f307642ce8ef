/** Actions as the log has them: the members of the protocol, paths encoded, statistics as a JSON text. */

import type { AddFile, Protocol, RemoveFile, TableAction, TableMetadata } from './actions.ts'
import { encodeDataPath } from './data-path.ts'
import { LoggedFile } from './logged-file.ts'

/** One line of a commit, without its line end. */
export function encodeAction(action: TableAction): string {
  if ('add' in action) return JSON.stringify({ add: addMembers(action.add) })
  if ('remove' in action) return JSON.stringify({ remove: removeMembers(action.remove) })
  return JSON.stringify({ txn: action.txn })
}

/** The first lines of a new table. */
export function encodeNewTable(protocol: Protocol, metadata: TableMetadata): string[] {
  return [JSON.stringify({ protocol }), JSON.stringify({ metaData: metadataMembers(metadata) })]
}

/** `metaData` with the names and the empty members that the protocol demands. */
export function metadataMembers(metadata: TableMetadata): Record<string, unknown> {
  const { id, schemaString, partitionColumns, configuration, createdTimeMs } = metadata
  return {
    id,
    format: { provider: 'parquet', options: {} },
    schemaString,
    partitionColumns,
    configuration,
    ...(createdTimeMs === undefined ? {} : { createdTime: createdTimeMs }),
  }
}

/** Statistics as the text that `add` carries; those that came from a log as they were there. */
export function encodeStatsOf(file: AddFile): string | undefined {
  if (file instanceof LoggedFile) return file.statsText
  if (file.stats === undefined) return undefined
  const { numRecords, minValues, maxValues, nullCount } = file.stats
  return JSON.stringify({ numRecords, minValues, maxValues, nullCount })
}

function addMembers(file: AddFile): object {
  const { path, partitionValues, size, modificationTime, dataChange, tags } = file
  // JSON leaves out what is undefined.
  return {
    path: encodeDataPath(path),
    partitionValues,
    size,
    modificationTime,
    dataChange,
    stats: encodeStatsOf(file),
    tags,
  }
}

function removeMembers({ path, deletionTimestamp, dataChange, partitionValues, size }: RemoveFile): object {
  return {
    path: encodeDataPath(path),
    deletionTimestamp,
    dataChange,
    // Says that partitionValues and size are there, as the protocol has it.
    ...(partitionValues === undefined || size === undefined
      ? {}
      : { extendedFileMetadata: true, partitionValues, size }),
  }
}
