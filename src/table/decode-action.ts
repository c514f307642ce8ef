/**
 * Lines of the log, untrusted, as actions: every member that matters is checked, the others are dropped.
 * Source: Delta protocol, "Actions".
 */

import type { Protocol, RemoveFile, TableMetadata, Transaction } from './actions.ts'
import { dateOfPath, decodeDataPath, isDate } from './data-path.ts'
import { LoggedFile } from './logged-file.ts'
import {
  booleanAt,
  countAt,
  damagedAt,
  describe,
  integerAt,
  isMissing,
  isRecord,
  type Members,
  type Place,
  recordAt,
  textAt,
  textsAt,
} from './members.ts'

/** `protocol`. */
export function decodeProtocol(members: unknown, place: Place): Protocol {
  const record = recordAt(members, 'protocol', place)
  return {
    minReaderVersion: countAt(record, 'minReaderVersion', place),
    minWriterVersion: countAt(record, 'minWriterVersion', place),
  }
}

/** `metaData`. Whether it is a table of ours is another question. */
export function decodeMetadata(members: unknown, place: Place): TableMetadata {
  const record = recordAt(members, 'metaData', place)
  const format = recordAt(record['format'], 'metaData.format', place)
  if (format['provider'] !== 'parquet') damagedAt(place, "the format provider 'parquet'", format['provider'])
  const partitionColumns = record['partitionColumns']
  if (!Array.isArray(partitionColumns)) damagedAt(place, 'a list partitionColumns', partitionColumns)
  const createdTime = record['createdTime']
  return {
    id: textAt(record, 'id', place),
    schemaString: textAt(record, 'schemaString', place),
    partitionColumns: partitionColumns.map((name: unknown) =>
      typeof name === 'string' ? name : damagedAt(place, 'a name of a partition column', name),
    ),
    configuration: textsAt(record['configuration'] ?? {}, 'configuration', place),
    createdTimeMs: isMissing(createdTime) ? undefined : countAt(record, 'createdTime', place),
  }
}

/** `add`. Its statistics are decoded when they are asked for, and fail as DAMAGED then. */
export function decodeAdd(members: unknown, place: Place): LoggedFile {
  const record = recordAt(members, 'add', place)
  const deletionVector = record['deletionVector']
  // Rows that it deletes would be answered as delivered.
  if (!isMissing(deletionVector)) damagedAt(place, 'no deletion vector under reader 1', deletionVector)
  const path = pathAt(record, place)
  const { stats, tags } = record
  return new LoggedFile({
    path,
    partitionValues: { date: dateAt(record['partitionValues'], path, place) },
    size: countAt(record, 'size', place),
    modificationTime: integerAt(record, 'modificationTime', place),
    dataChange: booleanAt(record, 'dataChange', place),
    tags: isMissing(tags) ? undefined : textsAt(tags, 'tags', place),
    // Some writers have an empty text for nothing.
    statsText: isMissing(stats) || stats === '' ? undefined : textAt(record, 'stats', place),
    place,
  })
}

/** `remove`. */
export function decodeRemove(members: unknown, place: Place): RemoveFile {
  const record = recordAt(members, 'remove', place)
  const path = pathAt(record, place)
  const { partitionValues, size, deletionTimestamp } = record
  return {
    path,
    deletionTimestamp: isMissing(deletionTimestamp) ? 0 : integerAt(record, 'deletionTimestamp', place),
    dataChange: booleanAt(record, 'dataChange', place),
    ...(isMissing(partitionValues)
      ? {}
      : { partitionValues: { date: dateAt(partitionValues, path, place) } }),
    ...(isMissing(size) ? {} : { size: countAt(record, 'size', place) }),
  }
}

/** `txn`. */
export function decodeTransaction(members: unknown, place: Place): Transaction {
  const record = recordAt(members, 'txn', place)
  return {
    appId: textAt(record, 'appId', place),
    version: integerAt(record, 'version', place),
    ...(isMissing(record['lastUpdated']) ? {} : { lastUpdated: integerAt(record, 'lastUpdated', place) }),
  }
}

function pathAt(record: Members, place: Place): string {
  const decoded = decodeDataPath(textAt(record, 'path', place))
  if ('path' in decoded) return decoded.path
  return damagedAt(
    place,
    'a relative path inside the table',
    `${decoded.problem}: ${describe(record['path'])}`,
  )
}

/** The date of the partition; a Hive-style path must say the same, as readers of the plain directory trust it. */
function dateAt(partitionValues: unknown, path: string, place: Place): string {
  const date = isRecord(partitionValues) ? partitionValues['date'] : undefined
  if (typeof date !== 'string' || !isDate(date))
    return damagedAt(place, 'a date as partition', partitionValues)
  const named = dateOfPath(path)
  if (named !== undefined && named !== date) damagedAt(place, `a path below date=${date}`, path)
  return date
}
