/**
 * The layout of one Parquet file, of any writer: its footer and, when asked, every page. Nothing is decoded
 * that holds rows.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged, Failure, invariant } from '../base/failure.ts'
import type { Steps } from '../base/steps.ts'
import { readFooterBytes, TAIL_BYTE_LENGTH } from './footer-bytes.ts'
import { decodeLayoutFooter, type LayoutChunk, type LayoutFooter } from './layout-footer.ts'
import { type LayoutTally, type PageCounts, statedPageCounts } from './layout-tally.ts'
import type { FileSpan } from './metadata.ts'
import { walkPages } from './page-walk.ts'
import { PositionedFile } from './positioned-file.ts'
import { isSealed, LIST, readFieldHeader, readListHeader, STRUCT, verifyChecksum } from './thrift-compact.ts'

/** How the `created_by` of our files begins. */
const OWN_WRITER = /^byteledger\b/
/** So many failures are told apart; a file can have one for every chunk. */
const MOST_FAILURES = 100

/** What reading every page of a file found. */
export interface PageVerification {
  readonly pageCount: number
  readonly byteLength: number
  /** Pages whose writer left their checksum out. */
  readonly uncheckedPageCount: number
  /** What does not hold, one message a chunk, up to a hundred. */
  readonly failures: readonly string[]
}

/** What is known of one file besides what its tally adds up. */
export interface FileLayout {
  readonly path: string
  readonly byteLength: number
  readonly footerByteLength: number
  readonly footer: LayoutFooter
  /** Whether byteledger wrote it; then the checksum of its footer holds. */
  readonly isSealed: boolean
  /** Undefined when the pages were not read. */
  readonly verification: PageVerification | undefined
}

/**
 * Reads the layout of a file and adds it to `tally`. Fails as DAMAGED when it is no Parquet file, its footer is
 * damaged or encrypted, or describes what cannot be in the file; as ENVIRONMENT when it cannot be read. What is
 * wrong in pages is no failure but listed in `verification`. Every chunk is a step.
 */
export function* readFileLayout(
  path: string,
  tally: LayoutTally,
  options: { readonly verifiesPages: boolean },
): Steps<FileLayout> {
  const file = new PositionedFile(path)
  try {
    return yield* readLayout(file, tally, options.verifiesPages)
  } finally {
    file.close()
  }
}

function* readLayout(file: PositionedFile, tally: LayoutTally, verifiesPages: boolean): Steps<FileLayout> {
  const { path, byteLength } = file
  const { bytes, place } = readFooterBytes(file)
  const isOurs = isSealed(bytes)
  if (isOurs) verifyChecksum(bytes, place.where)
  const { footer, rowGroups } = decodeLayoutFooter(bytes, place)
  if (!isOurs && OWN_WRITER.test(footer.createdBy ?? ''))
    damaged(place.where, 'a checksum at its end, as byteledger writes it', 'none')
  // Rows that do not add up are found at the end of the iteration: nothing is tallied before.
  const groups = [...rowGroups]
  checkOverlaps(
    groups.flatMap(({ chunks }) => chunks),
    place.where,
  )
  const verifier = verifiesPages ? new Verifier() : undefined
  tally.addFile(footer, { byteLength, footerByteLength: bytes.length + TAIL_BYTE_LENGTH })
  for (const [ordinal, rowGroup] of groups.entries()) {
    const pages: (PageCounts | undefined)[] = []
    for (const [i, column] of footer.columns.entries()) {
      const where = `${path}, row group ${ordinal}, ${column.name}`
      const chunk = rowGroup.chunks[i]
      invariant(chunk !== undefined, 'a row group has a chunk of every column')
      const walked = { file, where, column, chunk, rowCount: rowGroup.rowCount, isSealed: isOurs }
      const counts = verifier?.walk(walked)
      pages.push(counts ?? statedPageCounts(chunk.pageStats) ?? indexedPageCounts(file, where, chunk))
      yield
    }
    tally.addRowGroup(footer, rowGroup, (column) => pages[column])
  }
  return {
    path,
    byteLength,
    footerByteLength: bytes.length + TAIL_BYTE_LENGTH,
    footer,
    isSealed: isOurs,
    verification: verifier?.verification(),
  }
}

/** No byte of a file belongs to two parts; figures that add up rest on it. */
function checkOverlaps(chunks: readonly LayoutChunk[], where: string): void {
  const spans: FileSpan[] = []
  for (const { pages, columnIndex, offsetIndex, bloomFilter } of chunks) {
    for (const span of [pages, columnIndex, offsetIndex, bloomFilter]) {
      if (span !== undefined && span.byteLength > 0) spans.push(span)
    }
  }
  spans.sort((a, b) => a.byteOffset - b.byteOffset)
  let end = 0
  for (const { byteOffset, byteLength } of spans) {
    if (byteOffset < end)
      damaged(where, 'parts that do not overlap', `one at ${byteOffset} before the end of another`)
    end = byteOffset + byteLength
  }
}

/** Page counts by the offset index, which lists data pages; undefined when it is absent or cannot be read. */
function indexedPageCounts(file: PositionedFile, where: string, chunk: LayoutChunk): PageCounts | undefined {
  const { offsetIndex } = chunk
  if (offsetIndex === undefined) return undefined
  const bytes = file.read(offsetIndex.byteOffset, offsetIndex.byteLength)
  const r: ByteReader = new ByteReader(bytes, `${where}, offset index`)
  if (readFieldHeader(r, 0) !== ((1 << 4) | LIST)) r.fail('page locations', 'another field')
  return { data: readListHeader(r, STRUCT), dictionary: chunk.hasDictionary ? 1 : 0 }
}

/** Walks over chunks, goes on after one that is damaged. */
class Verifier {
  #pageCount = 0
  #byteLength = 0
  #uncheckedPageCount = 0
  readonly #failures: string[] = []

  /** Page counts, or undefined when the chunk is damaged. */
  walk(chunk: Parameters<typeof walkPages>[0]): PageCounts | undefined {
    try {
      const { pageStats, pageCount, byteLength, uncheckedPageCount } = walkPages(chunk)
      this.#pageCount += pageCount
      this.#byteLength += byteLength
      this.#uncheckedPageCount += uncheckedPageCount
      return statedPageCounts(pageStats)
    } catch (failure) {
      if (!(failure instanceof Failure && failure.code === 'DAMAGED')) throw failure
      if (this.#failures.length < MOST_FAILURES) this.#failures.push(failure.message)
      return undefined
    }
  }

  verification(): PageVerification {
    return {
      pageCount: this.#pageCount,
      byteLength: this.#byteLength,
      uncheckedPageCount: this.#uncheckedPageCount,
      failures: this.#failures,
    }
  }
}
