/** What byteledger uses of thrift's compact protocol, whose package has no types for the file itself. */
declare module 'thrift/lib/nodejs/lib/thrift/compact_protocol.js' {
  /** Where the protocol writes to and reads from. */
  interface Transport {
    write?(bytes: Uint8Array): void
    read?(byteLength: number): Uint8Array
    readByte?(): number
    readString?(byteLength: number): string
  }

  /** An integer of 64 bits as the protocol reads it. */
  interface Int64 {
    toNumber(): number
  }

  export default class TCompactProtocol {
    constructor(transport: Transport)
    writeStructBegin(name: string): void
    writeStructEnd(): void
    /** `name` must not be null, or a bool field loses its header. */
    writeFieldBegin(name: string, type: number, id: number): void
    writeFieldEnd(): void
    writeFieldStop(): void
    writeListBegin(elementType: number, count: number): void
    writeListEnd(): void
    writeBool(value: boolean): void
    writeByte(value: number): void
    writeI32(value: number): void
    writeI64(value: number): void
    writeString(value: string): void
    writeBinary(value: Uint8Array): void
    readStructBegin(): void
    readStructEnd(): void
    readFieldBegin(): { readonly ftype: number; readonly fid: number }
    readFieldEnd(): void
    readListBegin(): { readonly etype: number; readonly size: number }
    readListEnd(): void
    readBool(): boolean
    readByte(): number
    readI16(): number
    readI32(): number
    readI64(): Int64
    readBinary(): Uint8Array
    readString(): string
    skip(type: number): void
  }
}
