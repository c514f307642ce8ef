/** Thrift's own compact protocol over the project's byte writer: the one file that imports `thrift`. */

import TCompactProtocol from 'thrift/lib/nodejs/lib/thrift/compact_protocol.js'
import type { ByteWriter } from '../base/byte-writer.ts'

/** Thrift's numbers of types, as its methods take them. */
export const THRIFT_TYPES = {
  BOOL: 2,
  I8: 3,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  LIST: 15,
} as const

/** A protocol that appends to `w`; other code may append to `w` between two of its calls. */
export function createThriftWriter(w: ByteWriter): TCompactProtocol {
  return new TCompactProtocol({ write: (bytes) => w.append(bytes) })
}

/**
 * A protocol that reads `bytes` from the start. Only for bytes of our own making, as in the tests: it
 * does not bound what they claim.
 */
export function createThriftReader(bytes: Uint8Array): TCompactProtocol {
  let at = 0
  const read = (byteLength: number): Buffer => {
    at += byteLength
    return Buffer.from(bytes.subarray(at - byteLength, at))
  }
  return new TCompactProtocol({
    read,
    readByte: () => read(1).readInt8(),
    readString: (byteLength) => read(byteLength).toString('utf8'),
  })
}
