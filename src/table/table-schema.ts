/**
 * What a table must be for this program: our columns, partitioned by date, readable and writable by a
 * program that knows reader version 1 and writer version 2.
 * Source: Delta protocol, "Change Metadata", "Protocol Evolution", "Schema Serialization Format".
 */

import { randomUUID } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import type { Protocol, TableMetadata } from './actions.ts'
import { isRecord, parseJson } from './members.ts'

/** What we know of Delta, and demand of others. */
export const PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

/** The one partition column. */
export const PARTITION_COLUMN = 'date'

/** The columns in order, with the names that Spark's JSON has for their types. */
export const TABLE_COLUMNS: readonly { readonly name: string; readonly type: string }[] = [
  { name: PARTITION_COLUMN, type: 'date' },
  { name: 'epoch', type: 'long' },
  { name: 'ip', type: 'string' },
  { name: 'user_agent', type: 'string' },
  { name: 'user_agent_md5', type: 'string' },
  { name: 'request', type: 'string' },
  { name: 'byte_num', type: 'long' },
]

/** Spark's StructType of the columns; none of them is ever null. */
const SCHEMA_STRING = JSON.stringify({
  type: 'struct',
  fields: TABLE_COLUMNS.map(({ name, type }) => ({ name, type, nullable: false, metadata: {} })),
})

/** The `metaData` of a new table. */
export function makeMetadata(createdTimeMs: number): TableMetadata {
  return {
    id: randomUUID(),
    schemaString: SCHEMA_STRING,
    partitionColumns: [PARTITION_COLUMN],
    configuration: {},
    createdTimeMs,
  }
}

/** Fails as USAGE when the table at `directory` demands more than we know. */
export function checkProtocol(directory: string, { minReaderVersion, minWriterVersion }: Protocol): void {
  if (minReaderVersion <= PROTOCOL.minReaderVersion && minWriterVersion <= PROTOCOL.minWriterVersion) return
  throw new Failure(
    'USAGE',
    `the Delta table ${directory} demands reader ${minReaderVersion} and writer ${minWriterVersion}: ` +
      `byteledger knows reader ${PROTOCOL.minReaderVersion} and writer ${PROTOCOL.minWriterVersion}`,
  )
}

/** Fails as USAGE when the table at `directory` has other columns or partitions than ours. */
export function checkMetadata(directory: string, metadata: TableMetadata): void {
  const refuse = (expected: string, found: string): never => {
    throw new Failure(
      'USAGE',
      `the Delta table ${directory} is not a byteledger store: expected ${expected}, found ${found}`,
    )
  }
  const columns = describeColumns(metadata.schemaString)
  const expected = TABLE_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')
  if (columns !== expected) refuse(`the columns ${expected}`, columns ?? 'an unknown schema')
  const partitions = metadata.partitionColumns.join(', ')
  if (partitions !== PARTITION_COLUMN) {
    refuse(`the partition column ${PARTITION_COLUMN}`, partitions === '' ? 'none' : partitions)
  }
  const mapping = metadata.configuration['delta.columnMapping.mode'] ?? 'none'
  if (mapping !== 'none') refuse('columns that are found by name', `column mapping ${mapping}`)
  // A writer of version 2 must respect it, and compact and forget could not.
  if (metadata.configuration['delta.appendOnly'] === 'true')
    refuse('files that may be removed', 'delta.appendOnly')
}

/** `name type, …` of a schema, or undefined when it is none. Constraints of a column are part of its type. */
function describeColumns(schemaString: string): string | undefined {
  const schema = parseJson(schemaString)
  if (!isRecord(schema) || !Array.isArray(schema['fields'])) return undefined
  const columns: string[] = []
  for (const field of schema['fields']) {
    if (!isRecord(field) || typeof field['name'] !== 'string') return undefined
    const type = typeof field['type'] === 'string' ? field['type'] : 'nested'
    const constraints = isRecord(field['metadata'])
      ? Object.keys(field['metadata']).filter((key) => key.startsWith('delta.'))
      : []
    columns.push([field['name'], type, ...constraints].join(' '))
  }
  return columns.join(', ')
}
