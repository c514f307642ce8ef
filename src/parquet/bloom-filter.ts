/**
 * Split-block bloom filters: whether a column chunk can hold a value, for a dozen bits a value.
 * Source: parquet-format, `BloomFilter.md`; parquet.thrift, `BloomFilterHeader`.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import { crc32 } from './crc32.ts'
import { EXTENSION_BYTE_LENGTH, endWithGivenChecksum, readGivenChecksum } from './thrift-compact.ts'

/** A block is eight words of 32 bits; a value sets one bit in each. */
const BLOCK_BYTE_LENGTH = 32
/** Larger filters prune no better than reading the dictionary (and parquet-java refuses them). */
const MAX_BITSET_BYTE_LENGTH = 128 * 1024 * 1024
/**
 * Bits a distinct value for one false positive in a hundred: 8 / -ln(1 - 0.01^(1/8)); `BloomFilter.md`,
 * "Sizing an SBBF".
 */
const BITS_PER_VALUE = 9.69

const SALTS: readonly number[] = [
  0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
]

/** The fields after the size: algorithm BLOCK, hash XXHASH, compression UNCOMPRESSED, all empty structures. */
const HEADER_REST: readonly number[] = [0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0]

/** A 64-bit hash in two unsigned halves. */
export interface Hash64 {
  readonly low: number
  readonly high: number
}

/** A filter that was read: a power of two of blocks. */
export interface BloomFilter {
  readonly bitset: Uint8Array
  /** The block of a hash is its high half shifted right by so much; 32 stands for block 0. */
  readonly blockShift: number
}

/**
 * Encodes header and bitset for distinct values whose XXH64 halves are `lows[i]` and `highs[i]`: a power
 * of two of bytes, at least 32, with at most about 1 % false positives. The header ends with a checksum
 * of the bitset.
 */
export function encodeBloomFilter(lows: Uint32Array, highs: Uint32Array): Uint8Array {
  invariant(lows.length === highs.length, 'a hash has two halves')
  const w = new ByteWriter()
  appendBloomFilter(
    w,
    { lows, highs },
    lows.map((_, i) => i),
    lows.length,
  )
  return w.copy()
}

/** XXH64 of many values: both halves of each. */
export interface HashTable {
  readonly lows: Uint32Array
  readonly highs: Uint32Array
}

/** Appends the filter of the values `ranks[0..count)` of a table, see `encodeBloomFilter`. */
export function appendBloomFilter(w: ByteWriter, hashes: HashTable, ranks: Uint32Array, count: number): void {
  const wanted = Math.min((count * BITS_PER_VALUE) / 8, MAX_BITSET_BYTE_LENGTH)
  let bitsetByteLength = BLOCK_BYTE_LENGTH
  while (bitsetByteLength < wanted) bitsetByteLength *= 2
  const blockShift = blockShiftOf(bitsetByteLength)
  // The header holds the bitset's checksum and so comes after it in time: the bitset is made where it will
  // stand, behind a header whose length is known.
  const start = w.length
  w.reserve(MAX_HEADER_BYTE_LENGTH + bitsetByteLength)
  writeHeader(w, bitsetByteLength, 0)
  const bitsetAt = w.length
  const { bytes } = w
  bytes.fill(0, bitsetAt, bitsetAt + bitsetByteLength)
  for (let i = 0; i < count; i++) {
    const rank = ranks[i] ?? 0
    const low = hashes.lows[rank] ?? 0
    let at = bitsetAt + firstByteOfBlock(hashes.highs[rank] ?? 0, blockShift)
    for (let word = 0; word < SALTS.length; word++) {
      const bit = Math.imul(low, SALTS[word] ?? 0) >>> 27
      const byteAt = at + (bit >>> 3)
      bytes[byteAt] = (bytes[byteAt] ?? 0) | (1 << (bit & 7))
      at += 4
    }
  }
  const checksum = crc32(bytes, bitsetAt, bitsetAt + bitsetByteLength)
  w.length = start
  writeHeader(w, bitsetByteLength, checksum)
  invariant(w.length === bitsetAt, 'a bloom filter header of another length')
  w.length += bitsetByteLength
}

/** Size, algorithm, hash and compression as the format wants them, and our checksum. */
const MAX_HEADER_BYTE_LENGTH = 32 + EXTENSION_BYTE_LENGTH

function writeHeader(w: ByteWriter, bitsetByteLength: number, checksum: number): void {
  w.u8(0x15)
  w.uleb128(2 * bitsetByteLength)
  for (let i = 0; i < HEADER_REST.length; i++) w.u8(HEADER_REST[i] ?? 0)
  endWithGivenChecksum(w, checksum)
}

/**
 * Decodes one filter and leaves the reader behind it; the bitset stays a view. Fails as DAMAGED unless the
 * header is one of ours and the checksum in it holds: a bit lost here would deny what was delivered.
 */
export function readBloomFilter(r: ByteReader): BloomFilter {
  if (r.u8() !== 0x15) r.fail('the size of a bloom filter', 'another field')
  const bitsetByteLength = r.zigzag()
  for (let i = 0; i < HEADER_REST.length; i++) {
    if (r.u8() !== HEADER_REST[i]) r.fail('a split-block filter of XXH64, uncompressed', 'another kind')
  }
  const checksum = readGivenChecksum(r)
  const isPowerOfTwo = Number.isInteger(Math.log2(bitsetByteLength))
  if (!isPowerOfTwo || bitsetByteLength < BLOCK_BYTE_LENGTH || bitsetByteLength > MAX_BITSET_BYTE_LENGTH) {
    r.fail('a bitset of a power of two of blocks', `${bitsetByteLength} bytes`)
  }
  const start = r.skip(bitsetByteLength)
  const found = crc32(r.bytes, start, r.at)
  if (found !== checksum) r.fail(`a bitset of CRC ${checksum}`, `CRC ${found}`)
  return { bitset: r.bytes.subarray(start, r.at), blockShift: blockShiftOf(bitsetByteLength) }
}

/**
 * The bloom filters of a row group, which stand behind each other in the order of their columns. Each is
 * read when it is asked for: mostly the first one settles a question.
 */
export class BloomFilters {
  readonly #r: ByteReader
  readonly #count: number
  readonly #filters: BloomFilter[] = []

  /** `r` holds `count` filters and nothing else. */
  constructor(r: ByteReader, count: number) {
    this.#r = r
    this.#count = count
  }

  /** Fails as DAMAGED when this filter or one before it is, see `readBloomFilter`. */
  filter(ordinal: number): BloomFilter {
    for (let next = this.#filters.length; next <= ordinal; next++) this.#filters.push(this.#readNext(next))
    return this.#filters[ordinal] ?? this.#r.fail(`${this.#count} bloom filters`, `${this.#filters.length}`)
  }

  #readNext(ordinal: number): BloomFilter {
    const { at } = this.#r
    try {
      const filter = readBloomFilter(this.#r)
      if (ordinal === this.#count - 1 && this.#r.left > 0) {
        this.#r.fail(`${this.#count} bloom filters`, `${this.#r.left} more bytes`)
      }
      return filter
    } catch (failure) {
      // Whoever asks again must meet the same damage, not the filter behind it.
      this.#r.at = at
      throw failure
    }
  }
}

/** Whether a value of this hash can be in the column chunk; false is certain. */
export function bloomMayContain(filter: BloomFilter, hash: Hash64): boolean {
  const { bitset } = filter
  let at = firstByteOfBlock(hash.high, filter.blockShift)
  for (let i = 0; i < SALTS.length; i++) {
    const bit = Math.imul(hash.low, SALTS[i] ?? 0) >>> 27
    if ((((bitset[at + (bit >>> 3)] ?? 0) >>> (bit & 7)) & 1) === 0) return false
    at += 4
  }
  return true
}

/** `(high * blockCount) >> 32` for a power of two of blocks (`BloomFilter.md`, `filter_insert`). */
function blockShiftOf(bitsetByteLength: number): number {
  return 32 - Math.log2(bitsetByteLength / BLOCK_BYTE_LENGTH)
}

function firstByteOfBlock(high: number, blockShift: number): number {
  // A shift by 32 is a shift by none in JavaScript.
  return blockShift === 32 ? 0 : (high >>> blockShift) * BLOCK_BYTE_LENGTH
}
