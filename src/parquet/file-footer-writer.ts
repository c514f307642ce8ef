/**
 * Encodes a file's footer. The file-level fields go through thrift's own protocol; the row groups, a
 * thousand times as many, go into the same stream by straight-line code.
 * Source: parquet.thrift, `FileMetaData`, `SchemaElement`, `ColumnOrder`, `KeyValue`; README of
 * parquet-format, "File format".
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import { FILE_MAGIC } from './file-magic.ts'
import { FooterDirectoryWriter } from './footer-directory.ts'
import type { ColumnSchema, FileMetadata, LogicalType } from './metadata.ts'
import { PHYSICAL_TYPE_CODES } from './metadata-codes.ts'
import { writeRowGroupMetadata } from './row-group-metadata.ts'
import { endWithChecksum } from './thrift-compact.ts'
import { createThriftWriter, THRIFT_TYPES } from './thrift-protocol.ts'

const { BOOL, I8, I32, I64, STRING, STRUCT, LIST } = THRIFT_TYPES

type ThriftWriter = ReturnType<typeof createThriftWriter>

/** `ConvertedType` of each logical type, for readers that know no other. */
const CONVERTED_TYPE_CODES: Readonly<Record<LogicalType, number>> = { STRING: 0, DATE: 6, INTEGER: 18 }
/** The field of the union `LogicalType`. */
const LOGICAL_TYPE_FIELDS: Readonly<Record<LogicalType, number>> = { STRING: 1, DATE: 6, INTEGER: 10 }

/**
 * Encodes all that follows the last page index of a file: the `FileMetaData` with our directory
 * and checksum as its last field, its length in four bytes, and the closing `PAR1`. Fails only when our own data is wrong.
 */
export function encodeFooter(metadata: FileMetadata): Uint8Array {
  const w = new ByteWriter(1024 + metadata.rowGroups.length * metadata.schema.length * 160)
  const thrift = createThriftWriter(w)
  thrift.writeStructBegin('FileMetaData')
  thrift.writeFieldBegin('version', I32, 1)
  // 1 is what every reader takes; it forbids none of the encodings in use.
  thrift.writeI32(1)
  thrift.writeFieldBegin('schema', LIST, 2)
  writeSchema(thrift, metadata.schema)
  thrift.writeFieldBegin('num_rows', I64, 3)
  thrift.writeI64(metadata.rowCount)
  thrift.writeFieldBegin('row_groups', LIST, 4)
  thrift.writeListBegin(STRUCT, metadata.rowGroups.length)
  const directory = new FooterDirectoryWriter()
  metadata.rowGroups.forEach((rowGroup, ordinal) => {
    directory.add(writeRowGroupMetadata(w, rowGroup, metadata.schema, ordinal), rowGroup)
  })
  const listEnd = w.length
  thrift.writeFieldBegin('key_value_metadata', LIST, 5)
  thrift.writeListBegin(STRUCT, metadata.keyValues.size)
  for (const [key, value] of metadata.keyValues) {
    thrift.writeStructBegin('KeyValue')
    thrift.writeFieldBegin('key', STRING, 1)
    thrift.writeString(key)
    thrift.writeFieldBegin('value', STRING, 2)
    thrift.writeString(value)
    thrift.writeFieldStop()
    thrift.writeStructEnd()
  }
  thrift.writeFieldBegin('created_by', STRING, 6)
  thrift.writeString(metadata.createdBy)
  thrift.writeFieldBegin('column_orders', LIST, 7)
  thrift.writeListBegin(STRUCT, metadata.schema.length)
  for (let i = 0; i < metadata.schema.length; i++) {
    writeUnionOfEmptyStruct(thrift, 'ColumnOrder', 1) // TYPE_ORDER
  }
  endWithChecksum(w, directory.end(listEnd))
  const footerByteLength = w.length
  invariant(footerByteLength <= 0x7fff_ffff, 'a footer beyond 2 GiB')
  w.u32(footerByteLength)
  w.append(FILE_MAGIC)
  return w.copy()
}

function writeSchema(thrift: ThriftWriter, schema: readonly ColumnSchema[]): void {
  thrift.writeListBegin(STRUCT, schema.length + 1)
  thrift.writeStructBegin('SchemaElement')
  thrift.writeFieldBegin('name', STRING, 4)
  thrift.writeString('schema')
  thrift.writeFieldBegin('num_children', I32, 5)
  thrift.writeI32(schema.length)
  thrift.writeFieldStop()
  thrift.writeStructEnd()
  for (const column of schema) {
    invariant(/^[!-~]{1,100}$/.test(column.name), `a column named ${column.name}`)
    thrift.writeStructBegin('SchemaElement')
    thrift.writeFieldBegin('type', I32, 1)
    thrift.writeI32(PHYSICAL_TYPE_CODES[column.physicalType])
    thrift.writeFieldBegin('repetition_type', I32, 3)
    thrift.writeI32(0) // REQUIRED
    thrift.writeFieldBegin('name', STRING, 4)
    thrift.writeString(column.name)
    thrift.writeFieldBegin('converted_type', I32, 6)
    thrift.writeI32(CONVERTED_TYPE_CODES[column.logicalType])
    thrift.writeFieldBegin('logicalType', STRUCT, 10)
    writeLogicalType(thrift, column.logicalType)
    thrift.writeFieldStop()
    thrift.writeStructEnd()
  }
}

function writeLogicalType(thrift: ThriftWriter, logicalType: LogicalType): void {
  if (logicalType !== 'INTEGER') {
    writeUnionOfEmptyStruct(thrift, 'LogicalType', LOGICAL_TYPE_FIELDS[logicalType])
    return
  }
  thrift.writeStructBegin('LogicalType')
  thrift.writeFieldBegin('INTEGER', STRUCT, LOGICAL_TYPE_FIELDS[logicalType])
  thrift.writeStructBegin('IntType')
  thrift.writeFieldBegin('bitWidth', I8, 1)
  thrift.writeByte(64)
  thrift.writeFieldBegin('isSigned', BOOL, 2)
  thrift.writeBool(true)
  thrift.writeFieldStop()
  thrift.writeStructEnd()
  thrift.writeFieldStop()
  thrift.writeStructEnd()
}

function writeUnionOfEmptyStruct(thrift: ThriftWriter, name: string, field: number): void {
  thrift.writeStructBegin(name)
  thrift.writeFieldBegin('member', STRUCT, field)
  thrift.writeStructBegin('member')
  thrift.writeFieldStop()
  thrift.writeStructEnd()
  thrift.writeFieldStop()
  thrift.writeStructEnd()
}
