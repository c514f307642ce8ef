/** CRC-32 (polynomial 0xEDB88320), eight bytes a step ("slicing by 8"). */

import { crcTables } from './memory'

/** Fills the tables: entry `256 * k + b` is the CRC of byte `b` followed by `k` zero bytes. */
export function makeCrcTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0)
    store<u32>(crcTables + ((<usize>byte) << 2), crc)
  }
  for (let at: usize = 256; at < 2048; at++) {
    const shorter = load<u32>(crcTables + ((at - 256) << 2))
    store<u32>(crcTables + (at << 2), (shorter >> 8) ^ load<u32>(crcTables + ((<usize>(shorter & 255)) << 2)))
  }
}

function entry(table: usize, byte: u32): u32 {
  return load<u32>(crcTables + (table << 10) + ((<usize>(byte & 255)) << 2))
}

/** The CRC-32 of `byteLength` bytes. */
export function crc32(address: usize, byteLength: usize): u32 {
  let crc: u32 = 0xffffffff
  let at = address
  const end = address + byteLength
  for (; at + 8 <= end; at += 8) {
    const low = load<u32>(at) ^ crc
    const high = load<u32>(at, 4)
    crc =
      entry(7, low) ^
      entry(6, low >> 8) ^
      entry(5, low >> 16) ^
      entry(4, low >> 24) ^
      entry(3, high) ^
      entry(2, high >> 8) ^
      entry(1, high >> 16) ^
      entry(0, high >> 24)
  }
  for (; at < end; at++) crc = (crc >> 8) ^ entry(0, crc ^ load<u8>(at))
  return ~crc
}
