/**
 * A Parquet file of ours, opened for questions: footer at once, all else when asked for. Whatever is given
 * out was checked against a checksum. Source: parquet-format, README, "File format".
 */

import { BoundedCache } from '../base/bounded-cache.ts'
import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { BloomFilters } from './bloom-filter.ts'
import type { ChunkSource } from './chunk-source.ts'
import { IndexChunk, readByteStrings, readIntegerDictionary } from './dictionary-chunk.ts'
import type { ByteStrings } from './dictionary-reader.ts'
import { FileFooter, readCreatedBy } from './file-footer.ts'
import { readFooterBytes } from './footer-bytes.ts'
import type { ColumnChunkMetadata, RowGroupMetadata } from './metadata.ts'
import { PositionChunk } from './position-chunk.ts'
import { PositionedFile } from './positioned-file.ts'
import { isSealed } from './thrift-compact.ts'

/** What a process keeps of what it read, over all of its files, so that the next question is cheaper. */
export class FileCaches {
  /** Bytes of bloom filters that may still be kept: those read first stay, as all are read each time. */
  #bloomFilterBytesLeft: number
  /** Filters are small and many: they share memory, as an allocation each would cost more than reading. */
  #slab = new Uint8Array(0)
  readonly rowGroups: BoundedCache<RowGroupMetadata>
  readonly byteStrings: BoundedCache<ByteStrings>
  readonly integers: BoundedCache<Float64Array>
  readonly indexes: BoundedCache<IndexChunk>
  readonly positions: BoundedCache<PositionChunk>

  /** `byteLimit` is what each kind may take. */
  constructor(byteLimit: number = 32 * 1024 * 1024) {
    this.#bloomFilterBytesLeft = byteLimit
    this.rowGroups = new BoundedCache(byteLimit)
    this.byteStrings = new BoundedCache(byteLimit)
    this.integers = new BoundedCache(byteLimit)
    this.indexes = new BoundedCache(byteLimit)
    this.positions = new BoundedCache(byteLimit)
  }

  /** Memory for filters that are to be kept; undefined when enough are. */
  takeBloomFilterBytes(byteLength: number): Uint8Array | undefined {
    if (byteLength > this.#bloomFilterBytesLeft) return undefined
    this.#bloomFilterBytesLeft -= byteLength
    if (byteLength > this.#slab.length) this.#slab = new Uint8Array(Math.max(byteLength, SLAB_BYTE_LENGTH))
    const bytes = this.#slab.subarray(0, byteLength)
    this.#slab = this.#slab.subarray(byteLength)
    return bytes
  }
}

/** Memory for bloom filters is taken by so much. */
const SLAB_BYTE_LENGTH = 1024 * 1024

/** Memory of a decoded row group, about. */
const ROW_GROUP_WEIGHT = 4096

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

  /**
   * Opens a file. Fails as ENVIRONMENT when it cannot be read, and as DAMAGED when it is no Parquet file,
   * another program's, or damaged where it was read.
   */
  constructor(path: string, caches: FileCaches = new FileCaches()) {
    this.path = path
    this.#file = new PositionedFile(path)
    this.#caches = caches
    this.#id = openedFileCount++
    try {
      this.footer = readFooter(this.#file)
    } catch (failure) {
      this.#file.close()
      throw failure
    }
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
      (strings) => strings.byteLength,
    )
  }

  /** The dictionary of an INT32 or INT64 column. */
  integers(rowGroup: number, column: string): Float64Array {
    const byteWidth = this.footer.schema[this.#ordinalOf(column)]?.physicalType === 'INT32' ? 4 : 8
    return this.#caches.integers.getOrMake(
      this.#keyOf(rowGroup, column),
      () => readIntegerDictionary(this.#sourceOf(rowGroup, column), byteWidth),
      (integers) => integers.byteLength,
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

  close(): void {
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
    const where = `${this.path}, row group ${rowGroup}, ${column}`
    const metadata = this.columnChunk(rowGroup, column)
    return { where, metadata, read: (byteOffset, byteLength) => file.read(byteOffset, byteLength) }
  }
}

function readFooter(file: PositionedFile): FileFooter {
  const { bytes, place } = readFooterBytes(file)
  if (!isSealed(bytes)) {
    const writer = readCreatedBy(bytes, place.where) ?? 'an unknown program'
    damaged(file.path, 'a file of byteledger, which ends with a checksum', `one by ${writer} without`)
  }
  return new FileFooter(bytes, place)
}
