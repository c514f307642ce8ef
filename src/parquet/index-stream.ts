/**
 * Dictionary indices as RLE runs, page by page, computed from runs of rows.
 * Source: parquet-format, Encodings.md, "RLE Dictionary Encoding" and "Run Length Encoding": a byte of
 * bit width, then runs of varint(length << 1) and the value in whole bytes.
 */

import { ByteWriter } from '../base/byte-writer.ts'

/** How a row group's rows fall into pieces (runs or parts of runs) and its pieces into index pages. */
export interface PiecePages {
  readonly pieceCount: number
  /** Rows of each piece; one page holds at most 2^30 of them, so that twice as many fit a run's header. */
  readonly rowCounts: Float64Array
  readonly pageCount: number
  /** Page p holds the pieces `[pageCuts[p], pageCuts[p + 1])`. */
  readonly pageCuts: Uint32Array
  /** Rows of each page. */
  readonly pageRows: Float64Array
}

/** One column of a row group: which value each piece holds. */
export interface PieceColumn {
  /** Rank of the value, one a piece. */
  readonly ranks: Uint32Array
  /** Whether every piece stays an RLE run of its own; otherwise equal neighbours become one. */
  readonly keepPieces: boolean
  /**
   * Where given, a piece with a 1 uses the SECOND dictionary entry of its value: the entry of
   * `rank + secondEntries.offset`. The columns of one request that was split use it to say so.
   */
  readonly secondEntries: { readonly marks: Uint8Array; readonly offset: number } | undefined
}

/** The index pages of one chunk, before compression; reused from chunk to chunk. */
export class IndexStream {
  readonly bodies: ByteWriter = new ByteWriter(64 * 1024)
  /** Body of page p: `bodies.bytes[bodyOffsets[p]..bodyOffsets[p + 1])`. */
  bodyOffsets: Uint32Array = new Uint32Array(64)
  /** Smallest and largest rank in each page. */
  minRanks: Uint32Array = new Uint32Array(64)
  maxRanks: Uint32Array = new Uint32Array(64)

  /** Encodes the dictionary index of every piece of a column. */
  encode(pages: PiecePages, column: PieceColumn, indexOf: Int32Array, bitWidth: number): void {
    this.reservePages(pages.pageCount)
    const bodies = this.bodies
    bodies.clear()
    for (let page = 0; page < pages.pageCount; page++) {
      this.bodyOffsets[page] = bodies.length
      bodies.u8(bitWidth)
      this.encodePage(pages, page, column, indexOf, (bitWidth + 7) >>> 3)
    }
    this.bodyOffsets[pages.pageCount] = bodies.length
  }

  private encodePage(
    pages: PiecePages,
    page: number,
    column: PieceColumn,
    indexOf: Int32Array,
    byteWidth: number,
  ): void {
    const { ranks, keepPieces, secondEntries } = column
    const from = pages.pageCuts[page] ?? 0
    const to = pages.pageCuts[page + 1] ?? 0
    const rowCounts = pages.rowCounts
    // A run takes at most five bytes of length and four of value.
    const bytes = this.bodies.reserve(9 * (to - from))
    let at = this.bodies.length
    let minRank = 0xffff_ffff
    let maxRank = 0
    for (let piece = from; piece < to; ) {
      const rank = ranks[piece] ?? 0
      if (rank < minRank) minRank = rank
      if (rank > maxRank) maxRank = rank
      const isSecond = secondEntries !== undefined && secondEntries.marks[piece] === 1
      let index = (isSecond ? indexOf[rank + secondEntries.offset] : indexOf[rank]) ?? 0
      let rowCount = rowCounts[piece++] ?? 0
      if (!keepPieces) {
        while (piece < to && ranks[piece] === rank) rowCount += rowCounts[piece++] ?? 0
      }
      let runHeader = (rowCount << 1) >>> 0
      while (runHeader > 127) {
        bytes[at++] = (runHeader & 127) | 128
        runHeader >>>= 7
      }
      bytes[at++] = runHeader
      for (let i = 0; i < byteWidth; i++) {
        bytes[at++] = index
        index >>>= 8
      }
    }
    this.bodies.length = at
    this.minRanks[page] = minRank
    this.maxRanks[page] = maxRank
  }

  private reservePages(pageCount: number): void {
    if (this.bodyOffsets.length > pageCount) return
    this.bodyOffsets = new Uint32Array(2 * pageCount)
    this.minRanks = new Uint32Array(2 * pageCount)
    this.maxRanks = new Uint32Array(2 * pageCount)
  }
}

/** Bits that hold every index below `count`. */
export function indexBitWidth(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1)
}
