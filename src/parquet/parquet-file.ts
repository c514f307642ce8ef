/**
 * A Parquet file of ours, opened for questions: footer at once, all else when asked for. Whatever is given
 * out was checked against a checksum. Source: parquet-format, README, "File format".
 */

import { BoundedCache } from '../base/bounded-cache.ts'
import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { Slab } from '../base/slab.ts'
import { BloomFilters } from './bloom-filter.ts'
import { type ChunkSource, endOfPages } from './chunk-source.ts'
import type { PositionSegments } from './delta-reader.ts'
import { IndexChunk, readByteStrings, readIntegerDictionary } from './dictionary-chunk.ts'
import type { ByteStrings } from './dictionary-reader.ts'
import { FileFooter, readCreatedBy } from './file-footer.ts'
import { readFooterBytes } from './footer-bytes.ts'
import type { ColumnChunkMetadata, RowGroupMetadata } from './metadata.ts'
import { PositionChunk } from './position-chunk.ts'
import { PositionedFile } from './positioned-file.ts'
import { newTally, type ReadTally } from './read-tally.ts'
import { isSealed } from './thrift-compact.ts'

/** What a process keeps of what it read, over all of its files, so that the next question is cheaper. */
export class FileCaches {
  /** Bytes of bloom filters that may still be kept: those read first stay, as all are read each time. */
  #bloomFilterBytesLeft: number
  readonly #bloomFilterMemory = new Slab(SLAB_BYTE_LENGTH)
  readonly rowGroups: BoundedCache<RowGroupMetadata>
  readonly byteStrings: BoundedCache<ByteStrings>
  readonly integers: BoundedCache<Float64Array>
  readonly indexes: BoundedCache<IndexChunk>
  readonly positions: BoundedCache<PositionChunk>
  readonly segments: BoundedCache<PositionSegments>
  /** What was read of all files that share these caches. */
  readonly tally: ReadTally
  /** Of each path: the row groups that were read, so that a file opened twice counts once. */
  readonly readRowGroups: Map<string, Set<number>>

  /** Whether decoded pages of positions are kept: whoever reads each once has no use for it. */
  readonly keepsSegments: boolean

  /** `byteLimit` is what most kinds may take; indexes may weigh more, decoded pages of positions `positionShare` times. */
  constructor(
    byteLimit: number = 32 * 1024 * 1024,
    counted: Counted = newCounted(),
    positionShare: number = POSITION_SHARE,
  ) {
    this.keepsSegments = positionShare > 0
    this.tally = counted.tally
    this.readRowGroups = counted.readRowGroups
    this.#bloomFilterBytesLeft = byteLimit
    this.rowGroups = new BoundedCache(byteLimit)
    this.byteStrings = new BoundedCache(byteLimit)
    this.integers = new BoundedCache(byteLimit)
    this.indexes = new BoundedCache(INDEX_SHARE * byteLimit)
    this.positions = new BoundedCache(POSITION_SHARE * byteLimit)
    this.segments = new BoundedCache(positionShare * byteLimit)
  }

  /** Caches for a pass that reads everything once: small, but what is read counts here. */
  forOnePass(): FileCaches {
    return new FileCaches(ONE_PASS_BYTE_LIMIT, this, 0)
  }

  /** Memory for filters that are to be kept; undefined when enough are. */
  takeBloomFilterBytes(byteLength: number): Uint8Array | undefined {
    if (byteLength > this.#bloomFilterBytesLeft) return undefined
    this.#bloomFilterBytesLeft -= byteLength
    return this.#bloomFilterMemory.take(byteLength)
  }
}

/** Positions cost most to decode: they may take so many times what others may. */
const POSITION_SHARE = 3
/** Indexes are weighed by all that they may come to hold, of which few questions read much. */
const INDEX_SHARE = 4

/** What caches of one pass may take of each kind: a few row groups, as each is read once. */
const ONE_PASS_BYTE_LIMIT = 64 * 1024

/** What is counted over all files of a store. */
type Counted = Pick<FileCaches, 'tally' | 'readRowGroups'>

function newCounted(): Counted {
  return { tally: newTally(), readRowGroups: new Map() }
}

/** Memory for bloom filters is taken by so much. */
const SLAB_BYTE_LENGTH = 1024 * 1024

/** Row groups of ours take a few megabytes at most: beyond it, pages are read one by one. */
const MAX_READ_AHEAD_BYTE_LENGTH = 64 * 1024 * 1024
/**
 * With so many rows a page on average most pages belong to one request, and their bounds say all: of pages that
 * requests share, none has a quarter of a million rows. Those are read when they are asked for, with what follows.
 */
const UNREAD_PAGE_ROWS = 262_144
const WINDOW_BYTE_LENGTH = 64 * 1024

/** Bytes of the file from `byteOffset` on. */
interface PagesAhead {
  readonly byteOffset: number
  readonly bytes: Uint8Array
  /** What `bytes` are in, for the next row group. */
  readonly memory: Uint8Array
  /** Pages that were left out at first, from the one asked for last on. */
  window: { readonly byteOffset: number; readonly bytes: Uint8Array } | undefined
  /** What `window` is in. */
  windowMemory: Uint8Array | undefined
}

/** Memory of a decoded row group, about. */
const ROW_GROUP_WEIGHT = 6144
/** Memory of a dictionary beside its values, about: of a run that fills row groups, each has one value. */
const DICTIONARY_WEIGHT = 1024

let openedFileCount = 0

/** An open file. Row groups are named by their ordinals, columns by their names. */
export class ParquetFile {
  readonly path: string
  readonly footer: FileFooter
  readonly #file: PositionedFile
  readonly #caches: FileCaches
  /** Keeps the keys of two files in one cache apart. */
  readonly #id: number
  readonly #bloomFilters: (BloomFilters | undefined)[] = []
  readonly #readRowGroups: Set<number>
  /** Row groups whose pages were read at once. */
  readonly #pagesAhead = new Map<number, PagesAhead>()
  /** Of row groups that were let go: their memory is used again. */
  readonly #spareAhead: PagesAhead[] = []

  /**
   * Opens a file. Fails as ENVIRONMENT when it cannot be read, and as DAMAGED when it is no Parquet file,
   * another program's, or damaged where it was read.
   */
  constructor(path: string, caches: FileCaches = new FileCaches()) {
    this.path = path
    this.#file = new PositionedFile(path, caches.tally)
    this.#caches = caches
    this.#id = openedFileCount++
    try {
      this.footer = readFooter(this.#file)
      const known = caches.readRowGroups.get(path)
      this.#readRowGroups = known ?? new Set()
      if (known === undefined) {
        caches.readRowGroups.set(path, this.#readRowGroups)
        caches.tally.files++
        caches.tally.rowGroups += this.footer.rowGroupCount
      }
    } catch (failure) {
      this.#file.close()
      throw failure
    }
  }

  /** Of the whole file. */
  get byteLength(): number {
    return this.#file.byteLength
  }

  get rowGroupCount(): number {
    return this.footer.rowGroupCount
  }

  /** What the footer says of a row group. */
  rowGroup(index: number): RowGroupMetadata {
    return this.#caches.rowGroups.getOrMake(
      this.#keyOf(index, ''),
      () => this.footer.rowGroup(index),
      () => ROW_GROUP_WEIGHT,
    )
  }

  /** What the footer says of a column of a row group; fails as DAMAGED when the file has no such column. */
  columnChunk(rowGroup: number, column: string): ColumnChunkMetadata {
    const chunk = this.rowGroup(rowGroup).columns[this.#ordinalOf(column)]
    return chunk ?? damaged(`${this.path}, row group ${rowGroup}`, `a column ${column}`, 'none')
  }

  /** The `count` bloom filters of a row group, in the order of their columns; undefined when it has none. */
  bloomFilters(rowGroup: number, count: number): BloomFilters | undefined {
    const read = this.#bloomFilters[rowGroup]
    if (read !== undefined) return read
    const span = this.footer.bloomFiltersOf(rowGroup)
    if (span === undefined) return undefined
    const kept = this.#caches.takeBloomFilterBytes(span.byteLength)
    const bytes = kept ?? new Uint8Array(span.byteLength)
    this.#file.readInto(bytes, span.byteOffset)
    const where = `${this.path}, row group ${rowGroup}, bloom filters`
    const filters = new BloomFilters(new ByteReader(bytes, where), count)
    if (kept !== undefined) this.#bloomFilters[rowGroup] = filters
    return filters
  }

  /** The dictionary of a BYTE_ARRAY column. */
  byteStrings(rowGroup: number, column: string): ByteStrings {
    return this.#caches.byteStrings.getOrMake(
      this.#keyOf(rowGroup, column),
      () => readByteStrings(this.#sourceOf(rowGroup, column)),
      (strings) => strings.byteLength + DICTIONARY_WEIGHT,
    )
  }

  /** The dictionary of an INT32 or INT64 column. */
  integers(rowGroup: number, column: string): Float64Array {
    const byteWidth = this.footer.schema[this.#ordinalOf(column)]?.physicalType === 'INT32' ? 4 : 8
    return this.#caches.integers.getOrMake(
      this.#keyOf(rowGroup, column),
      () => readIntegerDictionary(this.#sourceOf(rowGroup, column), byteWidth),
      (integers) => integers.byteLength + DICTIONARY_WEIGHT,
    )
  }

  /** The index pages of a dictionary column whose dictionary has `dictionaryCount` values. */
  indexes(rowGroup: number, column: string, dictionaryCount: number): IndexChunk {
    return this.#caches.indexes.getOrMake(
      this.#keyOf(rowGroup, column),
      () => new IndexChunk(this.#sourceOf(rowGroup, column), dictionaryCount),
      (chunk) => chunk.byteLength,
    )
  }

  /** The pages of a DELTA_BINARY_PACKED column. */
  positions(rowGroup: number, column: string): PositionChunk {
    return this.#caches.positions.getOrMake(
      this.#keyOf(rowGroup, column),
      () => new PositionChunk(this.#sourceOf(rowGroup, column)),
      (positions) => positions.byteLength,
    )
  }

  /**
   * Reads the pages of a row group in one, for whoever is going to need most of them: a system call a page
   * costs more than decoding it. They are held until `forgetPages`, which keeps their memory for the next ones.
   */
  readPagesAhead(rowGroup: number): void {
    let start = Number.POSITIVE_INFINITY
    let end = 0
    for (const metadata of this.rowGroup(rowGroup).columns) {
      if (isLeftUnread(metadata)) continue
      start = Math.min(start, metadata.dictionaryPageOffset ?? metadata.dataPageOffset)
      end = Math.max(end, endOfPages(metadata))
    }
    const byteLength = end - start
    if (!(byteLength > 0 && byteLength <= MAX_READ_AHEAD_BYTE_LENGTH)) return
    const spare = this.#spareAhead.pop()
    const isLongEnough = spare !== undefined && spare.memory.length >= byteLength
    const memory = isLongEnough ? spare.memory : new Uint8Array(byteLength)
    const bytes = memory.subarray(0, byteLength)
    this.#file.readInto(bytes, start)
    const windowMemory = spare?.windowMemory
    this.#pagesAhead.set(rowGroup, { byteOffset: start, bytes, memory, window: undefined, windowMemory })
  }

  /** Lets the pages of `readPagesAhead` go. */
  forgetPages(rowGroup: number): void {
    const ahead = this.#pagesAhead.get(rowGroup)
    if (ahead === undefined) return
    this.#spareAhead.push(ahead)
    this.#pagesAhead.delete(rowGroup)
  }

  /** Bytes of the file that no other part of it knows: whoever asks checks them. */
  read(byteOffset: number, byteLength: number): Uint8Array {
    return this.#file.read(byteOffset, byteLength)
  }

  close(): void {
    this.#pagesAhead.clear()
    this.#spareAhead.length = 0
    this.#file.close()
  }

  /** Text, as no number holds all three: files are opened and closed for as long as the process lives. */
  #keyOf(rowGroup: number, column: string): string {
    return `${this.#id}/${rowGroup}/${column}`
  }

  #ordinalOf(column: string): number {
    return this.footer.schema.findIndex(({ name }) => name === column)
  }

  #sourceOf(rowGroup: number, column: string): ChunkSource {
    const file = this.#file
    const { tally } = this.#caches
    if (this.#readRowGroups.size === 0) tally.filesRead++
    if (!this.#readRowGroups.has(rowGroup)) tally.rowGroupsRead++
    this.#readRowGroups.add(rowGroup)
    const where = `${this.path}, row group ${rowGroup}, ${column}`
    const metadata = this.columnChunk(rowGroup, column)
    const read = (byteOffset: number, byteLength: number): Uint8Array => {
      const ahead = this.#pagesAhead.get(rowGroup)
      const found =
        ahead && (partOf(ahead, byteOffset, byteLength) ?? windowOn(ahead, byteOffset, byteLength))
      if (found !== undefined) return found
      const bytes = scratchOf(byteLength)
      file.readInto(bytes, byteOffset)
      return bytes
    }
    const windowOn = (ahead: PagesAhead, byteOffset: number, byteLength: number): Uint8Array | undefined => {
      const end = Math.min(byteOffset + WINDOW_BYTE_LENGTH, endOfPages(metadata))
      const isPage =
        isLeftUnread(metadata) && byteOffset >= metadata.dataPageOffset && byteOffset + byteLength <= end
      if (!isPage) return undefined
      const known = ahead.window && partOf(ahead.window, byteOffset, byteLength)
      if (known !== undefined) return known
      ahead.windowMemory ??= new Uint8Array(WINDOW_BYTE_LENGTH)
      const bytes = ahead.windowMemory.subarray(0, end - byteOffset)
      file.readInto(bytes, byteOffset)
      ahead.window = { byteOffset, bytes }
      return bytes.subarray(0, byteLength)
    }
    const readKept = (byteOffset: number, byteLength: number): Uint8Array => file.read(byteOffset, byteLength)
    const { segments, keepsSegments } = this.#caches
    const keepSegments = (page: number, decode: () => PositionSegments): PositionSegments =>
      keepsSegments
        ? segments.getOrMake(`${this.#id}/${rowGroup}/${page}`, decode, ({ byteLength }) => byteLength)
        : decode()
    return { where, metadata, tally, read, readKept, keepSegments }
  }
}

/** Bytes of the file, if they are among these. */
function partOf(
  { byteOffset, bytes }: Pick<PagesAhead, 'byteOffset' | 'bytes'>,
  from: number,
  byteLength: number,
): Uint8Array | undefined {
  const at = from - byteOffset
  return at >= 0 && at + byteLength <= bytes.length ? bytes.subarray(at, at + byteLength) : undefined
}

/** Whether hardly a page of a chunk is ever read: a run's own pages have nothing that the column index has not. */
function isLeftUnread({ dictionaryPageOffset, valueCount, encodingStats }: ColumnChunkMetadata): boolean {
  const pageCount = encodingStats.reduce((sum, stats) => sum + stats.pageCount, 0)
  return dictionaryPageOffset === undefined && valueCount >= pageCount * UNREAD_PAGE_ROWS
}

/** Larger parts get memory of their own: what one file needed once is not kept for ever. */
const MAX_SCRATCH_BYTE_LENGTH = 1024 * 1024
let scratch = new Uint8Array(64 * 1024)

/** Memory for what is decoded at once: new memory for each page and index is more than is ever collected in time. */
function scratchOf(byteLength: number): Uint8Array {
  if (byteLength > MAX_SCRATCH_BYTE_LENGTH) return new Uint8Array(byteLength)
  if (byteLength > scratch.length) scratch = new Uint8Array(Math.min(2 * byteLength, MAX_SCRATCH_BYTE_LENGTH))
  return scratch.subarray(0, byteLength)
}

function readFooter(file: PositionedFile): FileFooter {
  const { bytes, place } = readFooterBytes(file)
  if (!isSealed(bytes)) {
    const writer = readCreatedBy(bytes, place.where) ?? 'an unknown program'
    damaged(file.path, 'a file of byteledger, which ends with a checksum', `one by ${writer} without`)
  }
  return new FileFooter(bytes, place)
}
