/**
 * Run-length encoded parts of a page, walked over before a decoder that believes their lengths sees them: a few
 * damaged bits can announce a run of 2^31 values, which would be written into memory one by one.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

import { ByteReader } from '../base/byte-reader.ts'

/** Bit-packed runs come in groups of eight, and some writers fill up more than one. */
const MOST_PADDING = 512
const MAX_BIT_WIDTH = 32

/** Where the runs of a page stand, and how many values they may have. */
export interface PageRuns {
  readonly where: string
  /** Values of the page, with those that are null. */
  readonly valueCount: number
  /** Bits of a level; 0: the page has none of that kind. */
  readonly repetitionBitWidth: number
  readonly definitionBitWidth: number
  /** Byte lengths of the levels of a page of version 2; pages of version 1 have them before the levels. */
  readonly levelByteLengths: { readonly repetition: number; readonly definition: number } | undefined
  /** What follows the levels: dictionary indexes with their bit width, bits with their length, or no runs. */
  readonly values: 'indexes' | 'bits' | 'plain'
}

/** Fails as DAMAGED when a run of the page, whose decompressed body `body` is, has more values than the page. */
export function checkRuns(body: Uint8Array, page: PageRuns): void {
  const r = new ByteReader(body, page.where)
  const { repetitionBitWidth, definitionBitWidth, levelByteLengths, values, valueCount } = page
  if (levelByteLengths !== undefined) {
    walkRuns(r, levelByteLengths.repetition, repetitionBitWidth, valueCount)
    walkRuns(r, levelByteLengths.definition, definitionBitWidth, valueCount)
  } else {
    if (repetitionBitWidth > 0) walkRuns(r, r.u32(), repetitionBitWidth, valueCount)
    if (definitionBitWidth > 0) walkRuns(r, r.u32(), definitionBitWidth, valueCount)
  }
  if (values === 'bits') walkRuns(r, r.u32(), 1, valueCount)
  // A page of nothing but nulls may end here.
  if (values === 'indexes' && r.left > 0) {
    const bitWidth = r.u8()
    walkRuns(r, r.left, bitWidth, valueCount)
  }
}

/** Moves behind the runs in the next `byteLength` bytes. */
function walkRuns(r: ByteReader, byteLength: number, bitWidth: number, valueCount: number): void {
  if (bitWidth > MAX_BIT_WIDTH) r.fail(`a bit width of at most ${MAX_BIT_WIDTH}`, String(bitWidth))
  if (byteLength > r.left) r.fail(`runs within ${r.left} bytes`, `${byteLength} bytes`)
  const end = r.at + byteLength
  const runs = new ByteReader(r.bytes, r.where, r.at, end)
  for (let seen = 0; seen < valueCount && runs.left > 0; ) {
    const header = runs.uleb128()
    const isBitPacked = header % 2 === 1
    const count = isBitPacked ? 8 * Math.floor(header / 2) : header / 2
    if (count > valueCount + MOST_PADDING) r.fail(`runs of at most ${valueCount} values`, String(count))
    // The last bit-packed run may be cut short where its padding would be.
    if (isBitPacked) runs.skip(Math.min(runs.left, (count / 8) * bitWidth))
    else runs.skip((bitWidth + 7) >>> 3)
    seen += count
  }
  r.skip(byteLength)
}
