/**
 * Decodes the compressed blocks of a Zstandard frame, by whatever writer: literals of all kinds and sequences with
 * tables of all kinds. (src/parquet/zstd-decoder.ts knows those of our own pages only, and gives their runs.)
 * Source: RFC 8878, section 3.1.1.3.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { RepeatOffsets } from '../parquet/zstd-sequences.ts'
import {
  type FseTable,
  LITERAL_LENGTH_BASE,
  LITERAL_LENGTH_BITS,
  LITERAL_LENGTH_TABLE,
  MATCH_LENGTH_BASE,
  MATCH_LENGTH_BITS,
  MATCH_LENGTH_TABLE,
  OFFSET_TABLE,
} from '../parquet/zstd-tables.ts'
import {
  BackwardBits,
  decodeHuffman,
  type HuffmanTable,
  readFseTable,
  readHuffmanTable,
} from './zstd-entropy.ts'
import { MAX_BLOCK_BYTE_LENGTH, type ZstdWindow } from './zstd-window.ts'

/** An offset of more bits reaches behind the largest window. */
const MAX_OFFSET_CODE = 27

const LITERAL_BASES = Int32Array.from(LITERAL_LENGTH_BASE)
const LITERAL_BITS = Uint8Array.from(LITERAL_LENGTH_BITS)
const MATCH_BASES = Int32Array.from(MATCH_LENGTH_BASE)
const MATCH_BITS = Uint8Array.from(MATCH_LENGTH_BITS)

/** One of the three codes of a sequence: its predefined table, and what a table of its own may have. */
interface Code {
  readonly predefined: FseTable
  readonly maxLog: number
  readonly symbolCount: number
}

const LITERAL_LENGTH_CODE: Code = {
  predefined: LITERAL_LENGTH_TABLE,
  maxLog: 9,
  symbolCount: LITERAL_LENGTH_BASE.length,
}
const OFFSET_CODE: Code = { predefined: OFFSET_TABLE, maxLog: 8, symbolCount: 32 }
const MATCH_LENGTH_CODE: Code = {
  predefined: MATCH_LENGTH_TABLE,
  maxLog: 9,
  symbolCount: MATCH_LENGTH_BASE.length,
}

/** Decodes the blocks of one frame in order: tables and offsets go from block to block. */
export class ZstdBlockDecoder {
  private readonly window: ZstdWindow
  private readonly offsets = new RepeatOffsets()
  private readonly literalBuffer = new Uint8Array(MAX_BLOCK_BYTE_LENGTH)
  private huffman: HuffmanTable | undefined
  private literalLengths: FseTable | undefined
  private offsetCodes: FseTable | undefined
  private matchLengths: FseTable | undefined

  constructor(window: ZstdWindow) {
    this.window = window
  }

  /** Appends what the compressed block `r` gives to the window. Fails as DAMAGED. */
  decode(r: ByteReader): void {
    const literals = this.readLiterals(r)
    const count = readSequenceCount(r)
    if (count === 0) {
      if (r.left > 0) r.fail('the end of the block', `${r.left} more bytes`)
      this.window.append(r, literals, 0, literals.length)
      return
    }
    const modes = r.u8()
    if ((modes & 3) !== 0) r.fail('known compression modes', String(modes))
    this.literalLengths = readTable(r, modes >>> 6, LITERAL_LENGTH_CODE, this.literalLengths)
    this.offsetCodes = readTable(r, (modes >>> 4) & 3, OFFSET_CODE, this.offsetCodes)
    this.matchLengths = readTable(r, (modes >>> 2) & 3, MATCH_LENGTH_CODE, this.matchLengths)
    const tables = [this.literalLengths, this.offsetCodes, this.matchLengths] as const
    this.runSequences(r, count, literals, tables)
  }

  private runSequences(
    r: ByteReader,
    count: number,
    literals: Uint8Array,
    [literalTable, offsetTable, matchTable]: readonly [FseTable, FseTable, FseTable],
  ): void {
    const { window, offsets } = this
    const bits = new BackwardBits(r)
    let literalState = bits.read(literalTable.accuracyLog)
    let offsetState = bits.read(offsetTable.accuracyLog)
    let matchState = bits.read(matchTable.accuracyLog)
    let literalAt = 0
    for (let left = count; left > 0; left--) {
      const offsetCode = offsetTable.symbols[offsetState] ?? 0
      if (offsetCode > MAX_OFFSET_CODE)
        r.fail(`an offset of at most ${MAX_OFFSET_CODE} bits`, `${offsetCode}`)
      const matchCode = matchTable.symbols[matchState] ?? 0
      const literalCode = literalTable.symbols[literalState] ?? 0
      const offsetValue = (1 << offsetCode) + bits.readMany(offsetCode)
      const matchLength = (MATCH_BASES[matchCode] ?? 0) + bits.read(MATCH_BITS[matchCode] ?? 0)
      const literalLength = (LITERAL_BASES[literalCode] ?? 0) + bits.read(LITERAL_BITS[literalCode] ?? 0)
      if (literalLength > literals.length - literalAt) r.fail('enough literals', `${literals.length}`)
      window.append(r, literals, literalAt, literalLength)
      literalAt += literalLength
      window.repeat(r, offsets.resolve(offsetValue, literalLength), matchLength)
      if (left === 1) break
      literalState = nextState(literalTable, literalState, bits)
      matchState = nextState(matchTable, matchState, bits)
      offsetState = nextState(offsetTable, offsetState, bits)
    }
    bits.end()
    window.append(r, literals, literalAt, literals.length - literalAt)
  }

  /** The literals of the block (3.1.1.3.1); they last until the next block. */
  private readLiterals(r: ByteReader): Uint8Array {
    const first = r.u8()
    const type = first & 3
    const sizeFormat = (first >>> 2) & 3
    if (type >= 2) return this.readHuffmanLiterals(r, first)
    let length = first >>> 3
    if (sizeFormat === 1) length = (first >>> 4) | (r.u8() << 4)
    else if (sizeFormat === 3) length = (first >>> 4) | (r.u8() << 4) | (r.u8() << 12)
    if (length > MAX_BLOCK_BYTE_LENGTH) r.fail('at most 128 KiB of literals', `${length} bytes`)
    if (type === 1) return this.literalBuffer.subarray(0, length).fill(r.u8())
    const start = r.skip(length)
    return r.bytes.subarray(start, start + length)
  }

  private readHuffmanLiterals(r: ByteReader, first: number): Uint8Array {
    const sizeFormat = (first >>> 2) & 3
    // Two lengths of 10, 14 or 18 bits each stand behind the four bits of type and format.
    const bitCount = sizeFormat === 3 ? 18 : sizeFormat === 2 ? 14 : 10
    let header = first
    for (let shift = 8; shift < 4 + 2 * bitCount; shift += 8) header += r.u8() * 2 ** shift
    const length = Math.floor(header / 16) % 2 ** bitCount
    const storedLength = Math.floor(header / 2 ** (4 + bitCount))
    if (length > MAX_BLOCK_BYTE_LENGTH) r.fail('at most 128 KiB of literals', `${length} bytes`)
    const start = r.skip(storedLength)
    const stored: ByteReader = new ByteReader(r.bytes, r.where, start, start + storedLength)
    if ((first & 3) === 2) this.huffman = readHuffmanTable(stored)
    const { huffman } = this
    if (huffman === undefined) return r.fail('a Huffman tree', 'a repeat of none')
    const literals = this.literalBuffer.subarray(0, length)
    if (sizeFormat === 0) decodeHuffman(stored, huffman, literals)
    else decodeFourStreams(stored, huffman, literals)
    return literals
  }
}

/** Three streams of known lengths and the fourth with the rest, for a quarter of the literals each (3.1.1.3.1.6). */
function decodeFourStreams(r: ByteReader, huffman: HuffmanTable, literals: Uint8Array): void {
  const lengths = [r.u8() | (r.u8() << 8), r.u8() | (r.u8() << 8), r.u8() | (r.u8() << 8)]
  const quarter = (literals.length + 3) >>> 2
  if (3 * quarter > literals.length) r.fail('literals for four streams', `${literals.length}`)
  for (let i = 0; i < 4; i++) {
    const length = lengths[i] ?? r.left
    const start = r.skip(length)
    const stream: ByteReader = new ByteReader(r.bytes, r.where, start, start + length)
    decodeHuffman(
      stream,
      huffman,
      literals.subarray(i * quarter, i === 3 ? literals.length : (i + 1) * quarter),
    )
  }
}

function readSequenceCount(r: ByteReader): number {
  const first = r.u8()
  if (first < 128) return first
  if (first < 255) return ((first - 128) << 8) | r.u8()
  return (r.u8() | (r.u8() << 8)) + 0x7f00
}

/** Modes 0 to 3: predefined, one code only, a table of its own, the one of the block before (3.1.1.3.2.1). */
function readTable(r: ByteReader, mode: number, code: Code, previous: FseTable | undefined): FseTable {
  if (mode === 0) return code.predefined
  if (mode === 2) return readFseTable(r, code.maxLog, code.symbolCount)
  if (mode === 3) return previous ?? r.fail('a table', 'a repeat of none')
  const symbol = r.u8()
  if (symbol >= code.symbolCount) r.fail(`a code below ${code.symbolCount}`, String(symbol))
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
