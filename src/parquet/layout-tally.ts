/** Adds up the layout of one file or of many, column by column. */

import type { LayoutChunk, LayoutFooter, LayoutRowGroup } from './layout-footer.ts'
import type { LayoutColumn } from './layout-schema.ts'
import { isDataPage } from './page-walk.ts'
import { type BoundKind, BoundsTally, boundKindOf, type ShownBound } from './plain-bounds.ts'

/** Smallest, mean and largest of some figures. */
export interface Spread {
  readonly min: number
  readonly avg: number
  readonly max: number
}

/** One kind of index or filter of a column: how many chunks have one, and their bytes. */
export interface IndexFigures {
  readonly count: number
  /** Undefined when a writer does not say it. */
  readonly byteLength: number | undefined
}

/** One column over all row groups. */
export interface ColumnLayout {
  readonly column: LayoutColumn
  readonly codecs: readonly string[]
  readonly encodings: readonly string[]
  /** Undefined when the writer does not say it and the pages were not read. */
  readonly dataPageCount: number | undefined
  readonly dictionaryPageCount: number | undefined
  readonly valueCount: number
  /** Undefined when a chunk does not say. */
  readonly nullCount: number | undefined
  readonly uncompressedByteLength: number
  readonly compressedByteLength: number
  /** Compressed, one figure a row group; undefined without any. */
  readonly byteLengthsPerRowGroup: Spread | undefined
  readonly boundKind: BoundKind | undefined
  readonly bounds: readonly [ShownBound, ShownBound] | undefined
  readonly columnIndexes: IndexFigures
  readonly offsetIndexes: IndexFigures
  readonly bloomFilters: IndexFigures
}

/** Where the bytes of files go. */
export interface ByteShares {
  readonly pages: number
  readonly columnIndexes: number
  readonly offsetIndexes: number
  readonly bloomFilters: number
  readonly footers: number
  /** Magic numbers, and whatever no footer speaks of. */
  readonly other: number
}

/** The layout of all files that were added. */
export interface Layout {
  readonly fileCount: number
  readonly rowCount: number
  readonly byteLength: number
  /** `created_by` of the files, each once. */
  readonly writers: readonly string[]
  readonly rowGroupCount: number
  readonly rowsPerRowGroup: Spread | undefined
  readonly byteLengthsPerRowGroup: Spread | undefined
  /** What rows are sorted by, as each row group says; more than one when they differ, none without row groups. */
  readonly sortOrders: readonly string[]
  readonly columns: readonly ColumnLayout[]
  readonly byteShares: ByteShares
}

/** Page counts of a chunk, from wherever they are known. */
export interface PageCounts {
  readonly data: number
  readonly dictionary: number
}

class SpreadTally {
  #min = Number.POSITIVE_INFINITY
  #max = 0
  #sum = 0
  #count = 0

  add(figure: number): void {
    this.#min = Math.min(this.#min, figure)
    this.#max = Math.max(this.#max, figure)
    this.#sum += figure
    this.#count++
  }

  spread(): Spread | undefined {
    if (this.#count === 0) return undefined
    return { min: this.#min, avg: this.#sum / this.#count, max: this.#max }
  }
}

class IndexTally {
  #count = 0
  #sum = 0
  #isUnknown = false

  /** 0 bytes: the writer does not say how many. */
  add(span: { readonly byteLength: number } | undefined): void {
    if (span === undefined) return
    this.#count++
    this.#sum += span.byteLength
    if (span.byteLength === 0) this.#isUnknown = true
  }

  get sum(): number {
    return this.#sum
  }

  figures(): IndexFigures {
    return { count: this.#count, byteLength: this.#isUnknown ? undefined : this.#sum }
  }
}

class ColumnTally {
  readonly column: LayoutColumn
  readonly columnIndexes = new IndexTally()
  readonly offsetIndexes = new IndexTally()
  readonly bloomFilters = new IndexTally()
  readonly #codecs = new Set<string>()
  readonly #encodings = new Set<string>()
  readonly #perRowGroup = new SpreadTally()
  readonly #bounds: BoundsTally
  #dataPageCount: number | undefined = 0
  #dictionaryPageCount: number | undefined = 0
  #valueCount = 0
  #nullCount: number | undefined = 0
  #uncompressed = 0
  compressed = 0

  constructor(column: LayoutColumn) {
    this.column = column
    this.#bounds = new BoundsTally(column)
  }

  add(chunk: LayoutChunk, pages: PageCounts | undefined): void {
    this.#codecs.add(chunk.codec)
    for (const encoding of chunk.encodings) this.#encodings.add(encoding)
    this.#dataPageCount = addKnown(this.#dataPageCount, pages?.data)
    this.#dictionaryPageCount = addKnown(this.#dictionaryPageCount, pages?.dictionary)
    this.#valueCount += chunk.valueCount
    const isRequired = this.column.repetition === 'REQUIRED' && !this.column.name.includes('.')
    const nullCount = chunk.nullCount ?? (isRequired ? 0 : undefined)
    this.#nullCount = addKnown(this.#nullCount, nullCount)
    this.#uncompressed += chunk.totalUncompressedSize
    this.compressed += chunk.pages.byteLength
    this.#perRowGroup.add(chunk.pages.byteLength)
    if (nullCount === undefined || chunk.valueCount > nullCount) this.#bounds.add(chunk.bounds)
    this.columnIndexes.add(chunk.columnIndex)
    this.offsetIndexes.add(chunk.offsetIndex)
    this.bloomFilters.add(chunk.bloomFilter)
  }

  layout(): ColumnLayout {
    return {
      column: this.column,
      codecs: [...this.#codecs],
      encodings: [...this.#encodings],
      dataPageCount: this.#dataPageCount,
      dictionaryPageCount: this.#dictionaryPageCount,
      valueCount: this.#valueCount,
      nullCount: this.#nullCount,
      uncompressedByteLength: this.#uncompressed,
      compressedByteLength: this.compressed,
      byteLengthsPerRowGroup: this.#perRowGroup.spread(),
      boundKind: boundKindOf(this.column),
      bounds: this.#bounds.bounds(),
      columnIndexes: this.columnIndexes.figures(),
      offsetIndexes: this.offsetIndexes.figures(),
      bloomFilters: this.bloomFilters.figures(),
    }
  }
}

function addKnown(sum: number | undefined, figure: number | undefined): number | undefined {
  return sum === undefined || figure === undefined ? undefined : sum + figure
}

/** Files are added one after the other; no more is kept than sums. */
export class LayoutTally {
  readonly #columns = new Map<string, ColumnTally>()
  readonly #writers = new Set<string>()
  readonly #sortOrders = new Set<string>()
  readonly #rows = new SpreadTally()
  readonly #bytes = new SpreadTally()
  #fileCount = 0
  #rowCount = 0
  #rowGroupCount = 0
  #fileBytes = 0
  #footerBytes = 0

  /** Adds what a file's footer says of the whole. */
  addFile(
    footer: LayoutFooter,
    file: { readonly byteLength: number; readonly footerByteLength: number },
  ): void {
    this.#fileCount++
    this.#rowCount += footer.rowCount
    this.#fileBytes += file.byteLength
    this.#footerBytes += file.footerByteLength
    this.#writers.add(footer.createdBy ?? 'an unknown program')
    for (const column of footer.columns) this.#columnOf(column)
  }

  /** Adds a row group; `pagesOf` gives the pages of a chunk by its ordinal, as far as known. */
  addRowGroup(
    { columns }: LayoutFooter,
    rowGroup: LayoutRowGroup,
    pagesOf: (ordinal: number) => PageCounts | undefined,
  ): void {
    this.#rowGroupCount++
    this.#rows.add(rowGroup.rowCount)
    this.#bytes.add(rowGroup.chunks.reduce((sum, { pages }) => sum + pages.byteLength, 0))
    this.#sortOrders.add(describeOrder(columns, rowGroup))
    rowGroup.chunks.forEach((chunk, ordinal) => {
      const column = columns[ordinal]
      if (column !== undefined) this.#columnOf(column).add(chunk, pagesOf(ordinal))
    })
  }

  /** All that was added. */
  layout(): Layout {
    const tallies = [...this.#columns.values()]
    const sum = (figure: (tally: ColumnTally) => number): number =>
      tallies.reduce((total, tally) => total + figure(tally), 0)
    const known = {
      pages: sum(({ compressed }) => compressed),
      columnIndexes: sum(({ columnIndexes }) => columnIndexes.sum),
      offsetIndexes: sum(({ offsetIndexes }) => offsetIndexes.sum),
      bloomFilters: sum(({ bloomFilters }) => bloomFilters.sum),
      footers: this.#footerBytes,
    }
    const other = Object.values(known).reduce((left, byteLength) => left - byteLength, this.#fileBytes)
    return {
      fileCount: this.#fileCount,
      rowCount: this.#rowCount,
      byteLength: this.#fileBytes,
      writers: [...this.#writers],
      rowGroupCount: this.#rowGroupCount,
      rowsPerRowGroup: this.#rows.spread(),
      byteLengthsPerRowGroup: this.#bytes.spread(),
      sortOrders: [...this.#sortOrders],
      columns: tallies.map((tally) => tally.layout()),
      byteShares: { ...known, other },
    }
  }

  /** Files may give a column different types: then it has a line for each. */
  #columnOf(column: LayoutColumn): ColumnTally {
    const key = `${column.name}\n${column.physicalType} ${column.logicalType} ${column.repetition}`
    const found = this.#columns.get(key)
    if (found !== undefined) return found
    const made = new ColumnTally(column)
    this.#columns.set(key, made)
    return made
  }
}

function describeOrder(columns: readonly LayoutColumn[], { sortingColumns }: LayoutRowGroup): string {
  const words = sortingColumns.map(({ ordinal, isDescending, areNullsFirst }) => {
    const name = columns[ordinal]?.name ?? String(ordinal)
    return `${name}${isDescending ? ' descending' : ''}${areNullsFirst ? ' nulls first' : ''}`
  })
  return words.join(', ')
}

/** Page counts as a chunk's own statistics state them; undefined when it has none. */
export function statedPageCounts(
  stats: readonly { readonly pageType: string; readonly pageCount: number }[] | undefined,
): PageCounts | undefined {
  if (stats === undefined) return undefined
  let [data, dictionary] = [0, 0]
  for (const { pageType, pageCount } of stats) {
    if (isDataPage(pageType)) data += pageCount
    else if (pageType === 'DICTIONARY_PAGE') dictionary += pageCount
  }
  return { data, dictionary }
}
