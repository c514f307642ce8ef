/** Any thrift structure through npm thrift's own protocol, as the oracle of our straight-line code. */
import { ByteWriter } from '#src/base/byte-writer.js'
import { createThriftReader, createThriftWriter, THRIFT_TYPES } from '#src/parquet/thrift-protocol.js'

const { BOOL, I8, I16, I32, I64, STRING, STRUCT, LIST } = THRIFT_TYPES

type Protocol = ReturnType<typeof createThriftReader>

/** A value with the type it has on the wire. */
export interface ThriftValue {
  readonly type: number
  readonly value: boolean | number | Uint8Array | ThriftList | ThriftStruct
}
/** A list: elements of one type. */
export interface ThriftList {
  readonly elementType: number
  readonly elements: readonly ThriftValue[]
}
/** A structure: its fields by id, in the order of the wire. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>

/** Reads one structure from the start of `bytes`. */
export function thriftDecode(bytes: Uint8Array): ThriftStruct {
  return readStruct(createThriftReader(bytes))
}

/** Writes one structure, its stop byte included. */
export function thriftEncode(struct: ThriftStruct): Uint8Array {
  const w = new ByteWriter()
  writeStruct(createThriftWriter(w), struct)
  return w.copy()
}

/** A structure as plain data: `{ '1': …, '2': … }`, strings as text, lists as arrays. */
export function plain(value: ThriftStruct): Record<string, unknown> {
  return Object.fromEntries([...value].map(([id, field]) => [String(id), plainValue(field.value)]))
}

/** Bytes as text, so that a difference is shown and a Buffer equals a Uint8Array. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Shorthands to build structures by hand. */
export const thrift = {
  bool: (value: boolean): ThriftValue => ({ type: BOOL, value }),
  i8: (value: number): ThriftValue => ({ type: I8, value }),
  i16: (value: number): ThriftValue => ({ type: I16, value }),
  i32: (value: number): ThriftValue => ({ type: I32, value }),
  i64: (value: number): ThriftValue => ({ type: I64, value }),
  text: (value: string): ThriftValue => ({ type: STRING, value: Buffer.from(value) }),
  binary: (value: Uint8Array): ThriftValue => ({ type: STRING, value }),
  list: (elementType: number, elements: readonly ThriftValue[]): ThriftValue => ({
    type: LIST,
    value: { elementType, elements },
  }),
  struct: (fields: Readonly<Record<number, ThriftValue>>): ThriftValue => ({
    type: STRUCT,
    value: structOf(fields),
  }),
}

/** A structure of fields by id. */
export function structOf(fields: Readonly<Record<number, ThriftValue>>): ThriftStruct {
  return new Map(Object.entries(fields).map(([id, value]) => [Number(id), value]))
}

function plainValue(value: ThriftValue['value']): unknown {
  if (value instanceof Map) return plain(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (typeof value === 'object' && 'elements' in value) {
    return value.elements.map((element) => plainValue(element.value))
  }
  return value
}

function readStruct(protocol: Protocol): ThriftStruct {
  const fields = new Map<number, ThriftValue>()
  protocol.readStructBegin()
  for (;;) {
    const { ftype, fid } = protocol.readFieldBegin()
    if (ftype === 0) break
    fields.set(fid, readValue(protocol, ftype))
  }
  protocol.readStructEnd()
  return fields
}

function readValue(protocol: Protocol, type: number): ThriftValue {
  switch (type) {
    case BOOL:
      return { type, value: protocol.readBool() }
    case I8:
      return { type, value: protocol.readByte() }
    case I16:
      return { type, value: protocol.readI16() }
    case I32:
      return { type, value: protocol.readI32() }
    case I64:
      return { type, value: protocol.readI64().toNumber() }
    case STRING:
      return { type, value: protocol.readBinary() }
    case STRUCT:
      return { type, value: readStruct(protocol) }
    case LIST: {
      const { etype, size } = protocol.readListBegin()
      const elements = Array.from({ length: size }, () => readValue(protocol, etype))
      return { type, value: { elementType: etype, elements } }
    }
    default:
      throw new Error(`type ${type} is in no Parquet structure of ours`)
  }
}

function writeStruct(protocol: Protocol, struct: ThriftStruct): void {
  protocol.writeStructBegin('struct')
  for (const [id, field] of struct) {
    protocol.writeFieldBegin('field', field.type, id)
    writeValue(protocol, field)
  }
  protocol.writeFieldStop()
  protocol.writeStructEnd()
}

function writeValue(protocol: Protocol, { type, value }: ThriftValue): void {
  if (typeof value === 'boolean') protocol.writeBool(value)
  else if (typeof value === 'number') {
    if (type === I64) protocol.writeI64(value)
    else if (type === I8) protocol.writeByte(value)
    else protocol.writeI32(value)
  } else if (value instanceof Uint8Array) protocol.writeBinary(Buffer.from(value))
  else if (value instanceof Map) writeStruct(protocol, value)
  else if ('elements' in value) {
    protocol.writeListBegin(value.elementType, value.elements.length)
    for (const element of value.elements) writeValue(protocol, element)
  }
}
