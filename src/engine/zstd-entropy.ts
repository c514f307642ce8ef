/**
 * The entropy codes of Zstandard as any writer makes them: bit streams read backwards, FSE tables and Huffman trees
 * that a block describes. Every loop is bounded, whatever the bytes. Source: RFC 8878, sections 4.1 and 4.2.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { type FseTable, makeFseTable } from '../parquet/zstd-tables.ts'

const MAX_HUFFMAN_BITS = 11
const MAX_WEIGHT_LOG = 6
const MAX_SYMBOL_COUNT = 256

/** Entry per prefix of `maxBits` bits: the symbol, and above it how many of the bits are its code. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly entries: Uint16Array
}

/** Bits from the end of a stream to its start; the highest set bit of the last byte is its end mark. */
export class BackwardBits {
  private readonly bytes: Uint8Array
  private readonly r: ByteReader
  private readonly start: number
  /** Bits that are left; below 0 once more were read than there are. */
  left: number

  /** Takes all that is left of `r`. */
  constructor(r: ByteReader) {
    this.r = r
    this.bytes = r.bytes
    this.start = r.at
    const last = r.left > 0 ? (r.bytes[r.end - 1] ?? 0) : 0
    if (last === 0) r.fail('a bit stream with an end mark', 'none')
    this.left = (r.left - 1) * 8 + 31 - Math.clz32(last)
    r.skip(r.left)
  }

  /** The next `count` bits, at most 24. */
  read(count: number): number {
    this.left -= count
    if (this.left < 0) return this.fail()
    const at = this.start + (this.left >>> 3)
    const { bytes } = this
    const word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    return (word >>> (this.left & 7)) & ((1 << count) - 1)
  }

  /** The next `count` bits, at most 31. */
  readMany(count: number): number {
    if (count <= 24) return this.read(count)
    const high = this.read(count - 16)
    return high * 0x1_0000 + this.read(16)
  }

  /** Fails unless every bit was read. */
  end(): void {
    if (this.left !== 0) this.r.fail('the start of the bit stream', `${this.left} more bits`)
  }

  private fail(): never {
    return this.r.fail('more bits', 'the start of the stream')
  }
}

/** Reads the description of an FSE table (4.1.1). */
export function readFseTable(r: ByteReader, maxLog: number, symbolCount: number): FseTable {
  const start = r.at
  let bitAt = 0
  const read = (count: number): number => {
    // Past the end there is nothing; the check below says so.
    const at = start + (bitAt >>> 3)
    const word = byteAt(r, at) | (byteAt(r, at + 1) << 8) | (byteAt(r, at + 2) << 16)
    const value = (word >>> (bitAt & 7)) & ((1 << count) - 1)
    bitAt += count
    return value
  }
  const accuracyLog = read(4) + 5
  if (accuracyLog > maxLog) r.fail(`a table of at most 2^${maxLog} states`, `2^${accuracyLog}`)
  const shares: number[] = []
  let left = 1 << accuracyLog
  while (left > 0) {
    if (shares.length >= symbolCount) r.fail(`at most ${symbolCount} symbols in a table`, 'more')
    // A value below the threshold takes one bit less.
    const bitCount = 32 - Math.clz32(left + 1)
    const lowMask = (1 << (bitCount - 1)) - 1
    const threshold = (1 << bitCount) - 1 - (left + 1)
    let value = read(bitCount)
    if ((value & lowMask) < threshold) {
      bitAt--
      value &= lowMask
    } else if (value > lowMask) {
      value -= threshold
    }
    const share = value - 1
    left -= Math.abs(share)
    shares.push(share)
    for (let repeat = share === 0 ? 3 : 0; repeat === 3; ) {
      repeat = read(2)
      for (let i = 0; i < repeat; i++) shares.push(0)
      if (shares.length > symbolCount) r.fail(`at most ${symbolCount} symbols in a table`, 'more')
    }
  }
  if (left < 0) r.fail('shares that add up to the number of states', 'more')
  r.skip((bitAt + 7) >>> 3)
  return makeFseTable(accuracyLog, shares)
}

function byteAt(r: ByteReader, at: number): number {
  return at < r.end ? (r.bytes[at] ?? 0) : 0
}

/** Reads the description of a Huffman tree (4.2.1). */
export function readHuffmanTable(r: ByteReader): HuffmanTable {
  const header = r.u8()
  const weights: number[] = []
  if (header >= 128) {
    const count = header - 127
    for (let i = 0; i < count; i += 2) {
      const pair = r.u8()
      weights.push(pair >>> 4)
      if (i + 1 < count) weights.push(pair & 15)
    }
  } else {
    const start = r.skip(header)
    readWeights(new ByteReader(r.bytes, r.where, start, start + header), weights)
  }
  return makeHuffmanTable(r, weights)
}

/** Two states take turns; the stream is over when it has fewer bits than the next step wants (4.2.1.2). */
function readWeights(r: ByteReader, weights: number[]): void {
  const table = readFseTable(r, MAX_WEIGHT_LOG, MAX_HUFFMAN_BITS + 2)
  const bits = new BackwardBits(r)
  let state = bits.read(table.accuracyLog)
  let other = bits.read(table.accuracyLog)
  while (weights.length < MAX_SYMBOL_COUNT - 1) {
    weights.push(table.symbols[state] ?? 0)
    const bitCount = table.bitCounts[state] ?? 0
    if (bits.left < bitCount) {
      weights.push(table.symbols[other] ?? 0)
      return
    }
    const next = (table.baselines[state] ?? 0) + bits.read(bitCount)
    state = other
    other = next
  }
  r.fail(`at most ${MAX_SYMBOL_COUNT - 1} weights`, 'more')
}

/** The weight of the last symbol is what makes the sum a power of two. */
function makeHuffmanTable(r: ByteReader, weights: number[]): HuffmanTable {
  let sum = 0
  for (const weight of weights) {
    if (weight > MAX_HUFFMAN_BITS) r.fail(`weights up to ${MAX_HUFFMAN_BITS}`, String(weight))
    if (weight > 0) sum += 1 << (weight - 1)
  }
  const maxBits = 32 - Math.clz32(sum)
  const rest = (1 << maxBits) - sum
  if (
    sum === 0 ||
    maxBits > MAX_HUFFMAN_BITS ||
    (rest & (rest - 1)) !== 0 ||
    weights.length >= MAX_SYMBOL_COUNT
  )
    r.fail('weights of a whole Huffman tree', `a sum of ${sum}`)
  weights.push(32 - Math.clz32(rest))
  const entries = new Uint16Array(1 << maxBits)
  let at = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    const codeLength = maxBits + 1 - weight
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue
      entries.fill((codeLength << 8) | symbol, at, at + (1 << (weight - 1)))
      at += 1 << (weight - 1)
    }
  }
  return { maxBits, entries }
}

/** Decodes one Huffman stream, which is all that is left of `r`, into `into`, which it must fill exactly. */
export function decodeHuffman(r: ByteReader, { maxBits, entries }: HuffmanTable, into: Uint8Array): void {
  const { bytes, at: start } = r
  const last = r.left > 0 ? (bytes[r.end - 1] ?? 0) : 0
  if (last === 0) r.fail('a Huffman stream with an end mark', 'none')
  let left = (r.left - 1) * 8 + 31 - Math.clz32(last)
  const mask = (1 << maxBits) - 1
  for (let i = 0; i < into.length; i++) {
    const bitAt = left - maxBits
    const at = start + (bitAt >> 3)
    // Before the start of the stream there are zeros.
    const prefix =
      bitAt >= 0
        ? ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) >>> (bitAt & 7)
        : ((bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8)) << -bitAt
    const entry = entries[prefix & mask] ?? 0
    into[i] = entry & 0xff
    left -= entry >>> 8
    if (left < 0) r.fail('more Huffman codes', 'the start of the stream')
  }
  if (left !== 0) r.fail('the start of the Huffman stream', `${left} more bits`)
}
