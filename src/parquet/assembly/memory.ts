/**
 * Linear memory: what has a fixed length at fixed addresses, then the regions of one call, laid out anew
 * for every call from `callMemory` on. The memory grows by what is needed and never shrinks.
 */

/** A block of a zstd frame inflates to at most so much, see the plain twin (zstd-frame.ts). */
export const MAX_BLOCK_BYTE_LENGTH: i32 = 131072 - 64
/** Shorter matches cannot be written. */
export const MIN_MATCH_LENGTH: i32 = 3
/** So many sequences fit a block at most. */
const MAX_SEQUENCES: usize = <usize>(MAX_BLOCK_BYTE_LENGTH / MIN_MATCH_LENGTH + 2)
/** Bytes of a sequence: literal length, match length and offset value. */
export const SEQUENCE_BYTE_LENGTH: usize = 12
/** Entries of all tables of sequence coding, which the host writes; the order is that of `SEQUENCE_TABLES`. */
const SEQUENCE_TABLE_ENTRIES: usize = 3 * 4096 + 64 + 131 + 2 * 36 + 2 * 53
/** Writes may touch so many bytes behind what they mean to write. */
const SLACK: usize = 64

function after(address: usize, byteLength: usize): usize {
  return (address + byteLength + SLACK + 15) & ~15
}

/** Eight tables of 256 for CRC-32. */
export const crcTables: usize = (__heap_base + 63) & ~63
/** See `SEQUENCE_TABLE_ENTRIES`. */
export const sequenceTables: usize = after(crcTables, 8 * 1024)
/** Literals of the block in the making; a block of deltas may go over the limit before it is noticed. */
export const literals: usize = after(sequenceTables, SEQUENCE_TABLE_ENTRIES * 4)
/** Sequences of the block in the making. */
export const sequences: usize = after(literals, <usize>MAX_BLOCK_BYTE_LENGTH + 2048)
/** Body of a short page. */
export const shortBody: usize = after(sequences, MAX_SEQUENCES * SEQUENCE_BYTE_LENGTH)
/** The regions of a call begin here. */
const callMemory: usize = after(shortBody, 128)

let top: usize = callMemory
let limit: u64 = 0xffff0000

/** Bounds the whole memory, for tests. */
export function limitMemory(byteLength: u64): void {
  limit = byteLength < 0xffff0000 ? byteLength : 0xffff0000
}

/** Gives back the regions of the call before. */
export function releaseRegions(): void {
  top = callMemory
}

/** A region for this call, or 0 when memory is exhausted. */
export function allocateRegion(byteLength: u64): usize {
  const address = top
  const end = <u64>address + byteLength + 2 * SLACK
  if (end > limit) return 0
  const missing = <i64>end - ((<i64>memory.size()) << 16)
  if (missing > 0 && memory.grow(<i32>((missing + 65535) >> 16)) < 0) return 0
  top = after(address, <usize>byteLength)
  return address
}

/** Makes sure of the fixed part. False when there is no memory for it. */
export function reserveFixedMemory(): bool {
  top = callMemory
  return allocateRegion(0) != 0
}
