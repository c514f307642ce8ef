/** Writes nested Parquet files, as Delta's checkpoints are: the one file that knows hyparquet-writer. */

import type { SchemaElement } from 'hyparquet-writer'

/** A field of a record; all are optional. */
export interface NestedField {
  readonly name: string
  readonly type: 'string' | 'long' | 'integer' | 'boolean' | 'map' | 'list' | readonly NestedField[]
}

/** Records of one kind: their members go into one of the fields at the top, and all others are null. */
export interface NestedGroup {
  readonly field: string
  /** Members by field name; long values are bigint, a map is an object. */
  readonly records: readonly object[]
}

/** What is to be written. */
export interface NestedTable {
  /** The fields at the top; each is a group of others. */
  readonly fields: readonly NestedField[]
  /** Each becomes one row group. */
  readonly groups: readonly NestedGroup[]
  readonly createdBy: string
}

/** The bytes of a Parquet file, snappy-compressed. The statistics of chunks that are all null say so. */
export async function encodeNestedParquet(table: NestedTable): Promise<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  const writer = new ByteWriter()
  const schema: SchemaElement[] = [
    { name: 'spark_schema', num_children: table.fields.length },
    ...table.fields.flatMap(schemaOf),
  ]
  const file = new ParquetWriter({ writer, schema, codec: 'SNAPPY', createdBy: table.createdBy })
  for (const { field, records } of table.groups) {
    const nothing = new Array<null>(records.length).fill(null)
    const columnData = table.fields.map(({ name }) => {
      const isPresent = name === field
      return {
        name,
        data: isPresent ? [...records] : nothing,
        // Nobody looks for single values of a checkpoint, and looking for repetitions finds none that matter.
        statistics: !isPresent,
        offsetIndex: false,
        encoding: 'PLAIN' as const,
      }
    })
    file.write({ columnData, rowGroupSize: records.length })
  }
  file.finish()
  return writer.getBytes()
}

function schemaOf({ name, type }: NestedField): SchemaElement[] {
  if (typeof type === 'object') {
    return [{ name, repetition_type: 'OPTIONAL', num_children: type.length }, ...type.flatMap(schemaOf)]
  }
  switch (type) {
    case 'string':
      return [textElement(name, 'OPTIONAL')]
    case 'long':
      return [{ name, repetition_type: 'OPTIONAL', type: 'INT64' }]
    case 'integer':
      return [{ name, repetition_type: 'OPTIONAL', type: 'INT32' }]
    case 'boolean':
      return [{ name, repetition_type: 'OPTIONAL', type: 'BOOLEAN' }]
    case 'map':
      return [
        {
          name,
          repetition_type: 'OPTIONAL',
          num_children: 1,
          converted_type: 'MAP',
          logical_type: { type: 'MAP' },
        },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        textElement('key', 'REQUIRED'),
        textElement('value', 'OPTIONAL'),
      ]
    case 'list':
      return [
        {
          name,
          repetition_type: 'OPTIONAL',
          num_children: 1,
          converted_type: 'LIST',
          logical_type: { type: 'LIST' },
        },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        textElement('element', 'OPTIONAL'),
      ]
  }
}

function textElement(name: string, repetition: 'OPTIONAL' | 'REQUIRED'): SchemaElement {
  return {
    name,
    repetition_type: repetition,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  }
}
