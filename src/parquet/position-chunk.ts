/**
 * The column chunk of positions: which pages it has and what is in them. Most questions are settled by
 * the page index, so pages are read one by one.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { damaged } from '../base/failure.ts'
import { type ChunkSource, readOffsetIndex } from './chunk-source.ts'
import { maxDeltaByteLength, type PositionSegments, readPositionPage } from './delta-reader.ts'
import type { PageHeader } from './page-header.ts'
import { type OffsetIndex, PositionBounds } from './page-index-reader.ts'
import { MAX_POSITION_PAGE_ROWS } from './page-limits.ts'
import { readPage } from './page-reader.ts'

/** What a page inflates to: it is read at once, so that the next page can take its memory. */
const scratch = new ByteWriter()

const maxPageByteLength = ({ valueCount }: PageHeader): number =>
  maxDeltaByteLength(Math.min(valueCount, MAX_POSITION_PAGE_ROWS))

/** The pages of one chunk. */
export class PositionChunk {
  readonly pageCount: number
  /** Rows of page p: `[firstRows[p], firstRows[p + 1])` of the row group. */
  readonly firstRows: Float64Array
  /** Smallest and largest position of each page. */
  readonly bounds: PositionBounds
  readonly #source: ChunkSource
  readonly #offsetIndex: OffsetIndex
  /** The page read last: neighbouring requests mostly share theirs. */
  #lastPage = -1
  #lastSegments: PositionSegments | undefined

  /** Reads the chunk's two indexes. Fails as DAMAGED when it has none or they do not describe it. */
  constructor(source: ChunkSource) {
    const { metadata, where } = source
    const { columnIndex } = metadata
    if (columnIndex === undefined) damaged(where, 'a column index', 'none')
    this.#source = source
    this.#offsetIndex = readOffsetIndex(source)
    const { pageCount, firstRows } = this.#offsetIndex
    this.pageCount = pageCount
    this.firstRows = firstRows
    source.tally.pages += pageCount
    this.bounds = new PositionBounds(
      source.readKept(columnIndex.byteOffset, columnIndex.byteLength),
      pageCount,
      `${where}, column index`,
    )
  }

  /** Memory that it holds. */
  get byteLength(): number {
    return this.pageCount * 48 + 4096
  }

  /** The page that a row of the row group lies in. */
  pageOf(row: number): number {
    let low = 0
    let high = this.pageCount - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.firstRows[middle] ?? 0) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Reads a page; fails as DAMAGED unless it is the one that the indexes describe. */
  segmentsOf(page: number): PositionSegments {
    if (this.#lastSegments !== undefined && this.#lastPage === page) return this.#lastSegments
    const segments = this.#source.keepSegments(page, () => this.#decode(page))
    this.#lastPage = page
    this.#lastSegments = segments
    return segments
  }

  #decode(page: number): PositionSegments {
    const { metadata, where, tally } = this.#source
    tally.pagesRead++
    const byteOffset = this.#offsetIndex.byteOffsets[page] ?? 0
    const byteLength = this.#offsetIndex.byteLengths[page] ?? 0
    const r: ByteReader = new ByteReader(this.#source.read(byteOffset, byteLength), `${where}, page ${page}`)
    const { header, content } = readPage(r, metadata.codec, maxPageByteLength, scratch)
    const rowCount = (this.firstRows[page + 1] ?? 0) - (this.firstRows[page] ?? 0)
    const isExpected =
      header.pageType === 'DATA_PAGE' &&
      header.encoding === 'DELTA_BINARY_PACKED' &&
      header.valueCount === rowCount
    if (!isExpected || r.left > 0) {
      r.fail(
        `one data page of ${rowCount} deltas`,
        `${header.pageType} of ${header.valueCount} ${header.encoding}`,
      )
    }
    return readPositionPage(content, rowCount, r.where)
  }
}
