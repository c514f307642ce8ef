/**
 * Thrift's compact protocol as far as Parquet's metadata uses it, specialised for structures that are
 * written by the million (npm thrift makes a Buffer a byte). Thrift stays the oracle in the tests.
 * Source: Apache Thrift, `thrift-compact-protocol.md`.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { damaged } from '../base/failure.ts'
import { crc32 } from './crc32.ts'

/** Type of a bool field that is true, and the value of a true element in a list of bool. */
export const TRUE = 1
/** Type of a bool field that is false, and the value of a false element in a list of bool. */
export const FALSE = 2
/** One signed byte. */
export const I8 = 3
/** A zigzag varint. */
export const I16 = 4
/** A zigzag varint. */
export const I32 = 5
/** A zigzag varint. */
export const I64 = 6
const DOUBLE = 7
/** A length and so many bytes; strings too. */
export const BINARY = 8
/** A list header and its elements. */
export const LIST = 9
const SET = 10
const MAP = 11
/** Fields up to a zero byte. */
export const STRUCT = 12
const UUID = 13

/** Parquet nests its structures less than ten deep. */
const MAX_DEPTH = 24

/**
 * Parquet leaves field 32767 of every structure to extensions, and every reader skips it
 * (parquet-format, `BinaryProtocolExtensions.md`). No checksum of the format covers the footer, the page
 * indexes and the bloom filters; ours stands in that field, which is the last of its structure. These
 * bytes are its header in the long form; its length and value follow, and the value ends with `MARK`
 * and a CRC-32.
 */
const EXTENSION_HEADER: readonly number[] = [BINARY, 0xfe, 0xff, 0x03]
/** `blcr`: whose extension it is. */
const MARK: readonly number[] = [0x62, 0x6c, 0x63, 0x72]
/** Mark, CRC-32 and the stop byte of the structure. */
const SEAL_BYTE_LENGTH = 9

/** Bytes of an extension that holds nothing but a checksum, with the stop byte. */
export const EXTENSION_BYTE_LENGTH: number = EXTENSION_HEADER.length + 1 + SEAL_BYTE_LENGTH

/**
 * Ends the structure that `w` holds from `start` on with an extension: `content`, which may be empty, and
 * the CRC-32 of all bytes up to it.
 */
export function endWithChecksum(w: ByteWriter, content: Uint8Array, start = 0): void {
  writeExtensionHead(w, content)
  w.u32(crc32(w.bytes, start, w.length))
  w.u8(0)
}

/** Ends a structure with an extension of the CRC-32 `checksum`, of whatever bytes. */
export function endWithGivenChecksum(w: ByteWriter, checksum: number): void {
  writeExtensionHead(w, NO_CONTENT)
  w.u32(checksum)
  w.u8(0)
}

const NO_CONTENT = new Uint8Array(0)

function writeExtensionHead(w: ByteWriter, content: Uint8Array): void {
  for (const byte of EXTENSION_HEADER) w.u8(byte)
  w.uleb128(content.length + MARK.length + 4)
  w.append(content)
  for (const byte of MARK) w.u8(byte)
}

/**
 * Fails as DAMAGED unless the structure that fills `bytes` ends with an extension of ours whose checksum
 * holds for all before it. Gives the place at which the extension's content ends.
 */
export function verifyChecksum(bytes: Uint8Array, where: string): number {
  const seal = bytes.length - SEAL_BYTE_LENGTH
  if (!isSealed(bytes)) damaged(where, 'a checksum at its end', 'none')
  const expected = readU32(bytes, seal + MARK.length)
  const found = crc32(bytes, 0, seal + MARK.length)
  if (found !== expected) damaged(where, `bytes of CRC ${expected}`, `CRC ${found}`)
  return seal
}

/** Whether an extension of ours ends the structure that fills `bytes`; its checksum is not computed. */
export function isSealed(bytes: Uint8Array): boolean {
  const seal = bytes.length - SEAL_BYTE_LENGTH
  return (
    seal >= EXTENSION_HEADER.length &&
    bytes[bytes.length - 1] === 0 &&
    MARK.every((byte, i) => bytes[seal + i] === byte)
  )
}

/** Moves behind an extension that holds nothing but a checksum, and gives the checksum. */
export function readGivenChecksum(r: ByteReader): number {
  for (const byte of EXTENSION_HEADER) if (r.u8() !== byte) r.fail('a checksum', 'another field')
  if (r.u8() !== MARK.length + 4) r.fail('a checksum alone', 'more')
  for (const byte of MARK) if (r.u8() !== byte) r.fail('a checksum of ours', 'another mark')
  const checksum = r.u32()
  if (r.u8() !== 0) r.fail('the end of the structure', 'another field')
  return checksum
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  )
}

/** Writes a list's header: the type of its elements and their count. */
export function writeListHeader(w: ByteWriter, elementType: number, count: number): void {
  if (count < 15) {
    w.u8((count << 4) | elementType)
  } else {
    w.u8(0xf0 | elementType)
    w.uleb128(count)
  }
}

/**
 * Reads a field header: `(id << 4) | type`, or 0 at the end of the structure. `previous` is what the
 * header before it gave, 0 at the start.
 */
export function readFieldHeader(r: ByteReader, previous: number): number {
  const byte = r.u8()
  if (byte === 0) return 0
  const delta = byte >>> 4
  const id = delta === 0 ? r.zigzag() : (previous >>> 4) + delta
  if (id <= 0 || id > 32767 || (byte & 15) === 0) r.fail('a field header', `byte ${byte} and id ${id}`)
  return (id << 4) | (byte & 15)
}

/** Reads the header of a list of `elementType`: its count, each element taking a byte or more. */
export function readListHeader(r: ByteReader, elementType: number): number {
  const byte = r.u8()
  // Writers disagree whether a list of bool says 1 or 2; the protocol's document allows both.
  const type = (byte & 15) === FALSE ? TRUE : byte & 15
  const count = byte >>> 4 === 15 ? r.uleb128() : byte >>> 4
  if (type !== elementType) r.fail(`a list of type ${elementType}`, `type ${type}`)
  if (count > r.left) r.fail(`a list within ${r.left} bytes`, `${count} elements`)
  return count
}

/** Moves behind a field's value, whatever it holds. `header` is what `readFieldHeader` gave. */
export function skipField(r: ByteReader, header: number): void {
  const type = header & 15
  // A bool field's value stands in its header; a bool in a list takes a byte.
  if (type !== TRUE && type !== FALSE) skipValue(r, type, 0)
}

function skipValue(r: ByteReader, type: number, depth: number): void {
  if (depth > MAX_DEPTH) r.fail(`at most ${MAX_DEPTH} nested structures`, 'more')
  switch (type) {
    case TRUE:
    case FALSE:
    case I8:
      r.skip(1)
      return
    case I16:
    case I32:
    case I64:
      r.skipVarint()
      return
    case DOUBLE:
      r.skip(8)
      return
    case UUID:
      r.skip(16)
      return
    case BINARY:
      r.skip(r.uleb128())
      return
    case LIST:
    case SET:
      skipList(r, depth + 1)
      return
    case MAP:
      skipMap(r, depth + 1)
      return
    case STRUCT:
      skipStruct(r, depth + 1)
      return
    default:
      r.fail('a thrift type', String(type))
  }
}

function skipStruct(r: ByteReader, depth: number): void {
  for (let header = readFieldHeader(r, 0); header !== 0; header = readFieldHeader(r, header)) {
    const type = header & 15
    if (type !== TRUE && type !== FALSE) skipValue(r, type, depth)
  }
}

function skipList(r: ByteReader, depth: number): void {
  const byte = r.u8()
  const count = byte >>> 4 === 15 ? r.uleb128() : byte >>> 4
  if (count > r.left) r.fail(`a list within ${r.left} bytes`, `${count} elements`)
  for (let i = 0; i < count; i++) skipValue(r, byte & 15, depth)
}

function skipMap(r: ByteReader, depth: number): void {
  const count = r.uleb128()
  if (count === 0) return
  const types = r.u8()
  if (2 * count > r.left) r.fail(`a map within ${r.left} bytes`, `${count} entries`)
  for (let i = 0; i < count; i++) {
    skipValue(r, types >>> 4, depth)
    skipValue(r, types & 15, depth)
  }
}
