/**
 * Linear memory: blocks whose lengths are powers of two, taken from the end of the memory and kept in
 * one free list a power when given back. The memory grows by what is needed and never shrinks; untouched
 * parts of a block cost no physical memory.
 */

const SMALLEST_POWER: u32 = 12
const LARGEST_POWER: u32 = 31
const PAGE_BITS: u32 = 16

/** Heads of the free lists; a free block holds the address of the next in its first four bytes. */
const freeLists: usize = memory.data(128)

/** First address that was never handed out; 0 before the first block. */
let top: usize = 0
/** No block may end beyond it. */
let limit: u64 = 0xffff0000

/** Set once a block was refused; everything after it is void. */
export let memoryExhausted: bool = false

/** Bounds the whole memory, for tests and for callers with a budget. */
export function limitMemory(byteLength: u64): void {
  limit = byteLength < 0xffff0000 ? byteLength : 0xffff0000
}

function powerFor(byteLength: usize): u32 {
  const power: u32 = byteLength <= 1 ? 0 : 32 - clz<u32>(<u32>byteLength - 1)
  return power < SMALLEST_POWER ? SMALLEST_POWER : power
}

/** A block of at least `byteLength` bytes, or 0 when there is none; then `memoryExhausted` is set. */
export function allocateBlock(byteLength: usize): usize {
  const power = powerFor(byteLength)
  if (power <= LARGEST_POWER) {
    const list = freeLists + ((<usize>power) << 2)
    const free = load<u32>(list)
    if (free != 0) {
      store<u32>(list, load<u32>(free))
      return free
    }
    if (top == 0) top = (__heap_base + 63) & ~63
    const end = <u64>top + ((<u64>1) << power)
    const missing = <i64>end - ((<i64>memory.size()) << PAGE_BITS)
    if (end <= limit && (missing <= 0 || memory.grow(<i32>((missing + 65535) >> PAGE_BITS)) >= 0)) {
      const address = top
      top = <usize>end
      return address
    }
  }
  memoryExhausted = true
  return 0
}

/** Gives back a block that was allocated for `byteLength` bytes. */
export function releaseBlock(address: usize, byteLength: usize): void {
  const list = freeLists + ((<usize>powerFor(byteLength)) << 2)
  store<u32>(address, load<u32>(list))
  store<u32>(list, <u32>address)
}

/** A block that can be made larger. Zero-filled static memory is a valid empty region. */
@unmanaged
export class Region {
  address: usize
  /** Bytes that may be used. */
  byteLength: usize
}

/**
 * Makes sure that `region` has `needed` bytes, keeping its first `used`. False when memory is exhausted.
 * The address changes when it grows.
 */
export function ensureRegion(region: Region, used: usize, needed: u64): bool {
  if (needed <= <u64>region.byteLength) return true
  if (needed > 0x80000000) {
    memoryExhausted = true
    return false
  }
  const byteLength = (<usize>1) << powerFor(<usize>needed)
  const address = allocateBlock(byteLength)
  if (address == 0) return false
  if (region.byteLength != 0) {
    memory.copy(address, region.address, used)
    releaseBlock(region.address, region.byteLength)
  }
  region.address = address
  region.byteLength = byteLength
  return true
}
