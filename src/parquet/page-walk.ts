/**
 * Reads every page of a column chunk once and checks what can be checked without decoding: that headers and
 * bodies fill the chunk, that counts and sizes add up, and that each checksum holds. No value is expanded,
 * so the cost follows the file's bytes and not its rows.
 */

import { crc32 } from 'node:zlib'
import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { damaged, Failure } from '../base/failure.ts'
import { type AnyPageHeader, readAnyPageHeader } from './any-page-header.ts'
import { readBloomFilter } from './bloom-filter.ts'
import { ByteStrings, readIntegers } from './dictionary-reader.ts'
import type { LayoutChunk, LayoutPageStats } from './layout-footer.ts'
import type { LayoutColumn } from './layout-schema.ts'
import type { CompressionCodec } from './metadata.ts'
import { readPageHeader, writeDataPageHeader, writeDictionaryPageHeader } from './page-header.ts'
import { decodeColumnIndex, decodeOffsetIndex, type OffsetIndex } from './page-index-reader.ts'
import { readPage } from './page-reader.ts'
import { expandBytes } from './periodic-bytes.ts'
import type { PositionedFile } from './positioned-file.ts'

/** So much of a file is in memory at once. */
const WINDOW_BYTE_LENGTH = 1024 * 1024
/** A header with statistics in it; one of ours takes 30 bytes. */
const LONGEST_HEADER_BYTE_LENGTH = 16 * 1024 * 1024

/** What a walk over one chunk found. */
export interface PageWalk {
  readonly pageStats: readonly LayoutPageStats[]
  readonly pageCount: number
  /** Pages whose writer left the checksum out. */
  readonly uncheckedPageCount: number
  readonly byteLength: number
}

/** The chunk that is walked over. */
export interface WalkedChunk {
  readonly file: PositionedFile
  readonly where: string
  readonly column: LayoutColumn
  readonly chunk: LayoutChunk
  readonly rowCount: number
  /** Whether byteledger wrote it: then indexes and filters have checksums, and every figure must agree. */
  readonly isSealed: boolean
}

/** Walks over a chunk. Fails as DAMAGED where something does not hold, as ENVIRONMENT when reading fails. */
export function walkPages(walked: WalkedChunk): PageWalk {
  const { where, chunk, isSealed } = walked
  const window = new FileWindow(walked.file, chunk.pages.byteOffset + chunk.pages.byteLength)
  const offsetIndex = isSealed ? readIndexes(walked) : undefined
  const stats = new PageStats()
  const sums = { pageCount: 0, dataPageCount: 0, uncheckedPageCount: 0, valueCount: 0, uncompressed: 0 }
  for (let at = chunk.pages.byteOffset; at < window.end; ) {
    const placed = window.readHeader(at, `${where}, page ${sums.pageCount}`)
    const { header, bodyOffset } = placed
    const end = bodyOffset + header.compressedByteLength
    if (end > window.end) damaged(placed.where, `a body up to byte ${window.end}`, `one up to ${end}`)
    checkBody(window, placed)
    if (isSealed) {
      checkOwnHeader(window, placed)
      checkAgainst(chunk, placed, sums, offsetIndex)
    }
    if (header.crc === undefined) sums.uncheckedPageCount++
    if (isDataPage(header.pageType)) {
      sums.dataPageCount++
      sums.valueCount += header.valueCount
    }
    sums.pageCount++
    sums.uncompressed += bodyOffset - at + header.uncompressedByteLength
    stats.count(header)
    at = end
  }
  if (sums.valueCount !== chunk.valueCount) {
    damaged(where, `${chunk.valueCount} values in its pages`, String(sums.valueCount))
  }
  const pageStats = stats.all()
  if (isSealed) {
    checkTotals(walked, pageStats, sums, offsetIndex)
    checkDictionary(walked)
  }
  const { pageCount, uncheckedPageCount } = sums
  return { pageStats, pageCount, uncheckedPageCount, byteLength: chunk.pages.byteLength }
}

/** Whether pages of the type hold the column's values. */
export function isDataPage(pageType: string): boolean {
  return pageType === 'DATA_PAGE' || pageType === 'DATA_PAGE_V2'
}

interface PlacedHeader {
  readonly header: AnyPageHeader
  readonly byteOffset: number
  readonly bodyOffset: number
  readonly where: string
}

/** Bytes `[0, end)` of a file, of which some are in memory. */
class FileWindow {
  readonly end: number
  readonly #file: PositionedFile
  #start = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(file: PositionedFile, end: number) {
    this.#file = file
    this.end = end
  }

  /** Bytes from `at` on: `byteLength` of them, or fewer where the chunk ends. */
  read(at: number, byteLength: number): Uint8Array {
    const wanted = Math.min(byteLength, this.end - at)
    if (at < this.#start || at + wanted > this.#start + this.#bytes.length) {
      const length = Math.min(Math.max(wanted, WINDOW_BYTE_LENGTH), this.end - at)
      this.#bytes = this.#file.read(at, length)
      this.#start = at
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + wanted)
  }

  /** Reads the header at `at`, however long: first a little, then more when that ends in the midst of it. */
  readHeader(at: number, where: string): PlacedHeader {
    for (let length = 4096; ; length *= 64) {
      const bytes = this.read(at, length)
      const r: ByteReader = new ByteReader(bytes, where)
      try {
        const header = readAnyPageHeader(r)
        return { header, byteOffset: at, bodyOffset: at + r.at, where }
      } catch (failure) {
        const isWhole = bytes.length < length || length >= LONGEST_HEADER_BYTE_LENGTH
        if (isWhole || !(failure instanceof Failure && failure.code === 'DAMAGED')) throw failure
      }
    }
  }
}

function checkBody(window: FileWindow, { header, bodyOffset, where }: PlacedHeader): void {
  if (header.crc === undefined) return
  let found = 0
  const end = bodyOffset + header.compressedByteLength
  for (let at = bodyOffset; at < end; at += WINDOW_BYTE_LENGTH) {
    found = crc32(window.read(at, Math.min(WINDOW_BYTE_LENGTH, end - at)), found)
  }
  if (found !== header.crc) damaged(where, `a body of CRC ${header.crc}`, `CRC ${found}`)
}

/** A header is written for each page, and compared at once. */
const ownHeader = new ByteWriter()

/** No checksum covers a page's header, but we write the same facts in one way only. */
function checkOwnHeader(window: FileWindow, { byteOffset, bodyOffset, where }: PlacedHeader): void {
  const bytes = window.read(byteOffset, bodyOffset - byteOffset)
  const header = readPageHeader(new ByteReader(bytes, where))
  ownHeader.clear()
  if (header.pageType === 'DICTIONARY_PAGE') writeDictionaryPageHeader(ownHeader, header)
  else writeDataPageHeader(ownHeader, header)
  if (Buffer.compare(ownHeader.view(), bytes) !== 0)
    damaged(where, 'a header as byteledger writes it', 'another')
}

interface Sums {
  readonly pageCount: number
  readonly dataPageCount: number
  readonly valueCount: number
  readonly uncompressed: number
}

/** What only files of ours promise of a page. */
function checkAgainst(
  chunk: LayoutChunk,
  { header, byteOffset, bodyOffset, where }: PlacedHeader,
  { pageCount, dataPageCount, valueCount }: Sums,
  offsetIndex: OffsetIndex | undefined,
): void {
  const strange = header.encodings.find((encoding) => !chunk.encodings.includes(encoding))
  if (strange !== undefined) damaged(where, `encodings ${chunk.encodings.join(', ')}`, strange)
  if ((header.pageType === 'DICTIONARY_PAGE') !== (chunk.hasDictionary && pageCount === 0)) {
    damaged(where, chunk.hasDictionary ? 'one dictionary page, first' : 'data pages only', header.pageType)
  }
  if (offsetIndex === undefined || !isDataPage(header.pageType)) return
  const byteLength = bodyOffset - byteOffset + header.compressedByteLength
  const isIndexed =
    offsetIndex.byteOffsets[dataPageCount] === byteOffset &&
    offsetIndex.byteLengths[dataPageCount] === byteLength &&
    offsetIndex.firstRows[dataPageCount] === valueCount
  if (!isIndexed) damaged(where, 'a page as its offset index says', `${byteLength} bytes at ${byteOffset}`)
}

function checkTotals(
  { where, chunk }: WalkedChunk,
  found: readonly LayoutPageStats[],
  sums: Sums,
  offsetIndex: OffsetIndex | undefined,
): void {
  if (sums.uncompressed !== chunk.totalUncompressedSize) {
    damaged(where, `${chunk.totalUncompressedSize} bytes uncompressed`, String(sums.uncompressed))
  }
  if (offsetIndex !== undefined && offsetIndex.pageCount !== sums.dataPageCount) {
    damaged(where, `${offsetIndex.pageCount} pages`, String(sums.dataPageCount))
  }
  const describe = (stats: readonly LayoutPageStats[]): string =>
    stats
      .map(({ pageType, encoding, pageCount }) => `${pageCount} ${pageType} of ${encoding}`)
      .toSorted()
      .join(', ')
  const expected = describe(chunk.pageStats ?? [])
  if (describe(found) !== expected) damaged(where, `pages ${expected}`, describe(found))
}

/** Pages by type and encoding. */
class PageStats {
  readonly #stats: { readonly pageType: string; readonly encoding: string; pageCount: number }[] = []
  /** Neighbouring pages are mostly of one kind. */
  #last: { readonly pageType: string; readonly encoding: string; pageCount: number } | undefined

  count({ pageType, encodings }: AnyPageHeader): void {
    const encoding = encodings[0] ?? 'none'
    let kind = this.#last
    if (kind === undefined || kind.pageType !== pageType || kind.encoding !== encoding) {
      kind = this.#stats.find((known) => known.pageType === pageType && known.encoding === encoding)
      if (kind === undefined) {
        kind = { pageType, encoding, pageCount: 0 }
        this.#stats.push(kind)
      }
      this.#last = kind
    }
    kind.pageCount++
  }

  all(): readonly LayoutPageStats[] {
    return this.#stats
  }
}

/** Only what is in a dictionary tells whether its header's count is right; it holds values, not rows. */
function checkDictionary({ file, where, column, chunk }: WalkedChunk): void {
  if (!chunk.hasDictionary) return
  const { byteOffset } = chunk.pages
  const r: ByteReader = new ByteReader(file.read(byteOffset, chunk.dataPageOffset - byteOffset), where)
  const { header, content } = readPage(r, codecOf(chunk, where))
  const page = { where: `${where}, dictionary`, valueCount: header.valueCount }
  const bytes = expandBytes(content)
  if (column.physicalType === 'BYTE_ARRAY') void new ByteStrings(bytes, page)
  else readIntegers(bytes, column.physicalType === 'INT32' ? 4 : 8, page)
}

function codecOf({ codec }: LayoutChunk, where: string): CompressionCodec {
  if (codec === 'SNAPPY' || codec === 'ZSTD' || codec === 'UNCOMPRESSED') return codec
  return damaged(where, 'a codec that byteledger writes', codec)
}

/** Reads the indexes and the bloom filter of a chunk of ours, checks their checksums, gives the offset index. */
function readIndexes({ file, where, chunk, rowCount }: WalkedChunk): OffsetIndex | undefined {
  const { offsetIndex, columnIndex, bloomFilter, pages } = chunk
  const decoded =
    offsetIndex &&
    decodeOffsetIndex(file.read(offsetIndex.byteOffset, offsetIndex.byteLength), {
      where: `${where}, offset index`,
      rowCount,
      start: chunk.dataPageOffset,
      end: pages.byteOffset + pages.byteLength,
    })
  if (columnIndex !== undefined && decoded !== undefined) {
    const bytes = file.read(columnIndex.byteOffset, columnIndex.byteLength)
    decodeColumnIndex(bytes, decoded.pageCount, `${where}, column index`)
  }
  if (bloomFilter !== undefined) {
    const bytes = file.read(bloomFilter.byteOffset, bloomFilter.byteLength)
    const r: ByteReader = new ByteReader(bytes, `${where}, bloom filter`)
    readBloomFilter(r)
    if (r.left > 0) r.fail('the end of the bloom filter', `${r.left} more bytes`)
  }
  return decoded
}
