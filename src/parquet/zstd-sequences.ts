/**
 * Decodes the sequences of a Zstandard block. Their bit stream is read from its end; each of the three
 * codes of a sequence comes from a state machine of its own.
 * Source: RFC 8878, sections 3.1.1.3.2 (sequences), 3.1.1.5 (repeat offsets) and 4.1 (FSE).
 */

import type { ByteReader } from '../base/byte-reader.ts'
import {
  type FseTable,
  LITERAL_LENGTH_BASE,
  LITERAL_LENGTH_BITS,
  LITERAL_LENGTH_TABLE,
  MATCH_LENGTH_BASE,
  MATCH_LENGTH_BITS,
  MATCH_LENGTH_TABLE,
  OFFSET_TABLE,
} from './zstd-tables.ts'

/** An offset of more bits reaches behind the start of any page of ours. */
const MAX_OFFSET_CODE = 24
/** A sequence makes three bytes or more of at most 128 KiB. */
const MAX_SEQUENCES = 43_691

const PREDEFINED_MODE = 0
const RLE_MODE = 1

/** Sequences in order: so many literals, then a match of a length from so many bytes back. */
export interface Sequences {
  readonly count: number
  readonly literalLengths: Int32Array
  readonly matchLengths: Int32Array
  readonly offsets: Int32Array
}

const NO_SEQUENCES: Sequences = {
  count: 0,
  literalLengths: new Int32Array(0),
  matchLengths: new Int32Array(0),
  offsets: new Int32Array(0),
}

/** The three offsets used last: state that a frame carries from block to block. */
export class RepeatOffsets {
  private first = 1
  private second = 4
  private third = 8

  /** The offset of an offset value, which is a repeat when it is 3 or less. May give 0, which is invalid. */
  resolve(value: number, literalLength: number): number {
    if (value > 3) {
      this.third = this.second
      this.second = this.first
      this.first = value - 3
      return this.first
    }
    // Without literals before it, a repeat of the first offset would be the same match going on.
    const index = literalLength === 0 ? value + 1 : value
    if (index === 1) return this.first
    const offset = index === 2 ? this.second : index === 3 ? this.third : this.first - 1
    if (index !== 2) this.third = this.second
    this.second = this.first
    this.first = offset
    return offset
  }
}

/** Reads the sequences section, which fills the rest of `r`. Fails as DAMAGED unless it ends exactly there. */
export function readSequences(r: ByteReader, offsets: RepeatOffsets): Sequences {
  const count = readSequenceCount(r)
  if (count === 0) {
    if (r.left > 0) r.fail('the end of the block', `${r.left} more bytes`)
    return NO_SEQUENCES
  }
  if (count > MAX_SEQUENCES) r.fail(`at most ${MAX_SEQUENCES} sequences`, String(count))
  const modes = r.u8()
  if ((modes & 3) !== 0) r.fail('known compression modes', String(modes))
  const literalTable = readTable(r, modes >>> 6, LITERAL_LENGTH_TABLE, LITERAL_LENGTH_BASE.length)
  const offsetTable = readTable(r, (modes >>> 4) & 3, OFFSET_TABLE, MAX_OFFSET_CODE + 1)
  const matchTable = readTable(r, (modes >>> 2) & 3, MATCH_LENGTH_TABLE, MATCH_LENGTH_BASE.length)
  const bits = new BackwardBits(r)
  const sequences = {
    count,
    literalLengths: new Int32Array(count),
    matchLengths: new Int32Array(count),
    offsets: new Int32Array(count),
  }
  let literalState = bits.read(literalTable.accuracyLog)
  let offsetState = bits.read(offsetTable.accuracyLog)
  let matchState = bits.read(matchTable.accuracyLog)
  for (let i = 0; i < count; i++) {
    const offsetCode = offsetTable.symbols[offsetState] ?? 0
    if (offsetCode > MAX_OFFSET_CODE) r.fail(`an offset of at most ${MAX_OFFSET_CODE} bits`, `${offsetCode}`)
    const matchCode = matchTable.symbols[matchState] ?? 0
    const literalCode = literalTable.symbols[literalState] ?? 0
    const offsetValue = (1 << offsetCode) + bits.read(offsetCode)
    sequences.matchLengths[i] =
      (MATCH_LENGTH_BASE[matchCode] ?? 0) + bits.read(MATCH_LENGTH_BITS[matchCode] ?? 0)
    const literalLength =
      (LITERAL_LENGTH_BASE[literalCode] ?? 0) + bits.read(LITERAL_LENGTH_BITS[literalCode] ?? 0)
    sequences.literalLengths[i] = literalLength
    sequences.offsets[i] = offsets.resolve(offsetValue, literalLength)
    if (i + 1 === count) break
    literalState = nextState(literalTable, literalState, bits)
    matchState = nextState(matchTable, matchState, bits)
    offsetState = nextState(offsetTable, offsetState, bits)
  }
  bits.end()
  return sequences
}

function readSequenceCount(r: ByteReader): number {
  const first = r.u8()
  if (first < 128) return first
  if (first < 255) return ((first - 128) << 8) | r.u8()
  return (r.u8() | (r.u8() << 8)) + 0x7f00
}

function readTable(r: ByteReader, mode: number, predefined: FseTable, symbolCount: number): FseTable {
  if (mode === PREDEFINED_MODE) return predefined
  if (mode !== RLE_MODE) r.fail('predefined or RLE codes', 'tables of its own')
  const symbol = r.u8()
  if (symbol >= symbolCount) r.fail(`a code below ${symbolCount}`, String(symbol))
  // One state that means this code and leads to itself.
  return {
    accuracyLog: 0,
    symbols: Uint8Array.of(symbol),
    bitCounts: Uint8Array.of(0),
    baselines: Uint16Array.of(0),
  }
}

function nextState(table: FseTable, state: number, bits: BackwardBits): number {
  return (table.baselines[state] ?? 0) + bits.read(table.bitCounts[state] ?? 0)
}

/** Bits from the end of a stream to its start; the highest set bit of the last byte is its end mark. */
class BackwardBits {
  private readonly bytes: Uint8Array
  private readonly r: ByteReader
  private readonly start: number
  /** Bits that are left. */
  private left: number

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
    if (this.left < 0) this.r.fail('more bits', 'the start of the stream')
    const at = this.start + (this.left >>> 3)
    const { bytes } = this
    const word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    return (word >>> (this.left & 7)) & ((1 << count) - 1)
  }

  /** Fails unless every bit was read. */
  end(): void {
    if (this.left !== 0) this.r.fail('the start of the bit stream', `${this.left} more bits`)
  }
}
