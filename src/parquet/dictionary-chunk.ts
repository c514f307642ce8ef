/** Column chunks of dictionary columns: the dictionary page, then the index pages. */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { type ChunkSource, endOfPages, readOffsetIndex } from './chunk-source.ts'
import { ByteStrings, type DictionaryPage, readIntegers } from './dictionary-reader.ts'
import type { ColumnChunkMetadata } from './metadata.ts'
import type { ValueColumnIndex } from './page-index.ts'
import { decodeColumnIndex, type OffsetIndex } from './page-index-reader.ts'
import { readPage } from './page-reader.ts'
import { expandBytes } from './periodic-bytes.ts'
import { IndexRuns, maxRunCount, readIndexPage } from './rle-reader.ts'

/** Reads the dictionary of a chunk of byte strings. Fails as DAMAGED unless it has one, whole. */
export function readByteStrings(source: ChunkSource): ByteStrings {
  const { bytes, page } = readDictionaryPage(source)
  // A page that was not made shorter is a view of all that was read with it, memory that others get next.
  return new ByteStrings(bytes.byteLength < bytes.buffer.byteLength ? bytes.slice() : bytes, page)
}

/** Reads the dictionary of a chunk of integers of `byteWidth` bytes. Fails as DAMAGED unless it has one, whole. */
export function readIntegerDictionary(source: ChunkSource, byteWidth: 4 | 8): Float64Array {
  const { bytes, page } = readDictionaryPage(source)
  return readIntegers(bytes, byteWidth, page)
}

function readDictionaryPage(source: ChunkSource): { bytes: Uint8Array; page: DictionaryPage } {
  const { dictionaryPageOffset, dataPageOffset, codec } = source.metadata
  const where = `${source.where}, dictionary`
  if (dictionaryPageOffset === undefined) return damaged(where, 'a dictionary', 'none')
  source.tally.pages++
  source.tally.pagesRead++
  const stored = source.read(dictionaryPageOffset, dataPageOffset - dictionaryPageOffset)
  const r: ByteReader = new ByteReader(stored, where)
  const { header, content } = readPage(r, codec)
  if (header.pageType !== 'DICTIONARY_PAGE' || header.encoding !== 'PLAIN' || r.left > 0) {
    r.fail(
      'one dictionary page of plain values',
      `${header.pageType} of ${header.encoding}, ${r.left} bytes left`,
    )
  }
  return { bytes: expandBytes(content), page: { where, valueCount: header.valueCount } }
}

/**
 * The index pages of a chunk. A chunk of one page is read without its page index; of others only the pages
 * are read that are asked for, and each is kept.
 */
export class IndexChunk {
  readonly pageCount: number
  /** Rows of page p: `[firstRows[p], firstRows[p + 1])` of the row group. */
  readonly firstRows: Float64Array
  readonly #source: ChunkSource
  readonly #dictionaryCount: number
  readonly #pages: OffsetIndex
  readonly #runs: (IndexRuns | undefined)[] = []
  #bounds: ValueColumnIndex | undefined

  /**
   * `dictionaryCount` is how many values the chunk's dictionary has. Fails as DAMAGED when the page index
   * is needed and missing, or does not describe the chunk.
   */
  constructor(source: ChunkSource, dictionaryCount: number) {
    this.#source = source
    this.#dictionaryCount = dictionaryCount
    this.#pages = isOnePage(source.metadata) ? onlyPage(source.metadata) : readOffsetIndex(source)
    this.pageCount = this.#pages.pageCount
    this.firstRows = this.#pages.firstRows
    source.tally.pages += this.pageCount
  }

  /** Memory that it may come to hold: runs of some three bytes become twelve. */
  get byteLength(): number {
    return 4096 + 6 * this.#source.metadata.totalCompressedSize
  }

  /** Whether a page can hold a value of the dictionary, by the bounds in the column index. */
  mayHold(page: number, value: Uint8Array): boolean {
    if (this.pageCount === 1) return true
    this.#bounds ??= this.#readBounds()
    const min = this.#bounds.minValues[page]
    const max = this.#bounds.maxValues[page]
    return (
      min !== undefined &&
      max !== undefined &&
      Buffer.compare(min, value) <= 0 &&
      Buffer.compare(max, value) >= 0
    )
  }

  /**
   * The runs of a page. Fails as DAMAGED unless the page is what the indexes say and every index is in the
   * dictionary.
   */
  runsOf(page: number): IndexRuns {
    const known = this.#runs[page]
    if (known !== undefined) return known
    const { metadata } = this.#source
    this.#source.tally.pagesRead++
    const byteOffset = this.#pages.byteOffsets[page] ?? 0
    const where = `${this.#source.where}, page ${page}`
    const r: ByteReader = new ByteReader(
      this.#source.read(byteOffset, this.#pages.byteLengths[page] ?? 0),
      where,
    )
    const { header, content } = readPage(r, metadata.codec)
    const firstRow = this.firstRows[page] ?? 0
    const rowCount = (this.firstRows[page + 1] ?? 0) - firstRow
    const { pageType, encoding, valueCount } = header
    if (pageType !== 'DATA_PAGE' || encoding !== 'RLE_DICTIONARY' || valueCount !== rowCount || r.left > 0) {
      r.fail(
        `one data page of ${rowCount} indexes`,
        `${pageType} of ${valueCount} ${encoding}, ${r.left} bytes left`,
      )
    }
    const body = expandBytes(content)
    const runs = new IndexRuns(firstRow, maxRunCount(body))
    readIndexPage(body, { where, valueCount, dictionaryCount: this.#dictionaryCount }, runs)
    this.#runs[page] = runs
    return runs
  }

  #readBounds(): ValueColumnIndex {
    const { metadata, where } = this.#source
    const span = metadata.columnIndex
    if (span === undefined) return damaged(where, 'a column index', 'none')
    return decodeColumnIndex(
      this.#source.readKept(span.byteOffset, span.byteLength),
      this.pageCount,
      `${where}, column index`,
    )
  }
}

function isOnePage({ encodingStats }: ColumnChunkMetadata): boolean {
  const pageCount = encodingStats
    .filter(({ pageType }) => pageType === 'DATA_PAGE')
    .reduce((sum, stats) => sum + stats.pageCount, 0)
  return pageCount === 1
}

function onlyPage(metadata: ColumnChunkMetadata): OffsetIndex {
  const start = metadata.dataPageOffset
  return {
    pageCount: 1,
    byteOffsets: Float64Array.of(start),
    byteLengths: Float64Array.of(endOfPages(metadata) - start),
    firstRows: Float64Array.of(0, metadata.valueCount),
  }
}
