/** CRC-32 (polynomial 0xEDB88320, as gzip) of page bodies; parquet.thrift, `PageHeader.crc`. */

import { crc32 as nativeCrc32 } from 'node:zlib'

/** From this length on the call into native code costs less than it saves (measured). */
const NATIVE_FROM_BYTE_LENGTH = 128

const TABLE = makeTable()

/** The CRC-32 of `bytes[start..end)` as an unsigned number. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= NATIVE_FROM_BYTE_LENGTH) return nativeCrc32(bytes.subarray(start, end))
  let crc = -1
  let at = start
  // Four bytes a step, each through its own table ("slicing by 4").
  for (; at + 4 <= end; at += 4) {
    crc ^=
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    crc =
      (TABLE[768 + (crc & 255)] ?? 0) ^
      (TABLE[512 + ((crc >>> 8) & 255)] ?? 0) ^
      (TABLE[256 + ((crc >>> 16) & 255)] ?? 0) ^
      (TABLE[crc >>> 24] ?? 0)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0)
  return ~crc >>> 0
}

/** Four tables of 256: entry `256 * k + b` is the CRC of byte `b` followed by `k` zero bytes. */
function makeTable(): Int32Array {
  const table = new Int32Array(1024)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
    table[byte] = crc
  }
  for (let at = 256; at < 1024; at++) {
    const shorter = table[at - 256] ?? 0
    table[at] = (shorter >>> 8) ^ (table[shorter & 255] ?? 0)
  }
  return table
}
