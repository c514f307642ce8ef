/**
 * Reads the index pages of dictionary columns, out of bytes that nobody vouches for.
 * Source: parquet-format, Encodings.md, "Dictionary Encoding" and "Run Length Encoding / Bit-Packing
 * Hybrid".
 */

import { ByteReader } from '../base/byte-reader.ts'

/** An index is a whole number below 2^31. */
const MAX_BIT_WIDTH = 31

/**
 * Runs of rows that share a dictionary index, in parallel arrays of `count` entries: run i ends before
 * row `ends[i]` of its row group and begins where the run before it ends, the first one at `firstRow`.
 */
export class IndexRuns {
  readonly firstRow: number
  count = 0
  ends: Float64Array
  indexes: Int32Array

  constructor(firstRow: number, capacity = 16) {
    this.firstRow = firstRow
    this.ends = new Float64Array(capacity)
    this.indexes = new Int32Array(capacity)
  }

  /** Where the next run begins. */
  get endRow(): number {
    return this.startOf(this.count)
  }

  /** Where a run begins. */
  startOf(run: number): number {
    return run === 0 ? this.firstRow : (this.ends[run - 1] ?? 0)
  }

  /** The run that a row lies in. */
  runOf(row: number): number {
    let low = 0
    let high = this.count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.ends[middle] ?? 0) > row) high = middle
      else low = middle + 1
    }
    return low
  }

  add(end: number, index: number): void {
    if (this.count === this.ends.length) this.grow()
    this.ends[this.count] = end
    this.indexes[this.count++] = index
  }

  private grow(): void {
    const ends = new Float64Array(2 * this.count + 16)
    ends.set(this.ends)
    this.ends = ends
    const indexes = new Int32Array(2 * this.count + 16)
    indexes.set(this.indexes)
    this.indexes = indexes
  }
}

/** What the page's header and its chunk say about an index page. */
export interface IndexPage {
  readonly where: string
  readonly valueCount: number
  readonly dictionaryCount: number
}

/** No page whose body has so many bytes has more runs, unless it is damaged; one at least. */
export function maxRunCount(body: Uint8Array): number {
  const byteWidth = ((body[0] ?? 0) + 7) >>> 3
  return Math.max(1, Math.ceil((body.length - 1) / (1 + byteWidth)))
}

/**
 * Appends the runs of one index page, whose body `body` is, to `runs`. Fails as DAMAGED unless it holds
 * only RLE runs (layout 1 has no bit-packed ones) of `valueCount` values in all, each in the dictionary.
 */
export function readIndexPage(body: Uint8Array, page: IndexPage, runs: IndexRuns): void {
  const r: ByteReader = new ByteReader(body, page.where)
  const bitWidth = r.u8()
  if (bitWidth > MAX_BIT_WIDTH) r.fail(`a bit width of at most ${MAX_BIT_WIDTH}`, String(bitWidth))
  const byteWidth = (bitWidth + 7) >>> 3
  const start = runs.endRow
  const end = start + page.valueCount
  let row = start
  while (r.left > 0) {
    const header = r.uleb128()
    const length = Math.floor(header / 2)
    if (header % 2 !== 0) r.fail('runs of one value', 'a bit-packed run')
    if (length === 0 || length > end - row) r.fail(`a run of 1 to ${end - row} values`, String(length))
    const at = r.skip(byteWidth)
    let index = 0
    for (let i = byteWidth - 1; i >= 0; i--) index = index * 256 + (body[at + i] ?? 0)
    if (index >= page.dictionaryCount) r.fail(`an index below ${page.dictionaryCount}`, String(index))
    row += length
    runs.add(row, index)
  }
  if (row !== end) r.fail(`${page.valueCount} values`, String(row - start))
}
