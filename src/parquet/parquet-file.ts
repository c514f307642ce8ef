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
import type { RowGroupMetadata } from './metadata.ts'
import { PositionChunk } from './position-chunk.ts'
import { PositionedFile } from './positioned-file.ts'
import { isSealed } from './thrift-compact.ts'

/** `PAR1`, as a little-endian number. */
const MAGIC = 0x3152_4150
const MAGIC_BYTE_LENGTH = 4
/** Length of the footer and `PAR1`, at the end of a file. */
const TAIL_BYTE_LENGTH = 8
/** The end of a file that is read first: most footers fit. */
const FIRST_READ_BYTE_LENGTH = 64 * 1024

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

/** An open file. Row groups and columns are named by their ordinals. */
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
      this.#keyOf(index, 0),
      () => this.footer.rowGroup(index),
      () => ROW_GROUP_WEIGHT,
    )
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
  byteStrings(rowGroup: number, column: number): ByteStrings {
    return this.#caches.byteStrings.getOrMake(
      this.#keyOf(rowGroup, column),
      () => readByteStrings(this.#sourceOf(rowGroup, column)),
      (strings) => strings.byteLength,
    )
  }

  /** The dictionary of an INT32 or INT64 column. */
  integers(rowGroup: number, column: number): Float64Array {
    const byteWidth = this.footer.schema[column]?.physicalType === 'INT32' ? 4 : 8
    return this.#caches.integers.getOrMake(
      this.#keyOf(rowGroup, column),
      () => readIntegerDictionary(this.#sourceOf(rowGroup, column), byteWidth),
      (integers) => integers.byteLength,
    )
  }

  /** The index pages of a dictionary column whose dictionary has `dictionaryCount` values. */
  indexes(rowGroup: number, column: number, dictionaryCount: number): IndexChunk {
    return this.#caches.indexes.getOrMake(
      this.#keyOf(rowGroup, column),
      () => new IndexChunk(this.#sourceOf(rowGroup, column), dictionaryCount),
      (chunk) => chunk.byteLength,
    )
  }

  /** The pages of a DELTA_BINARY_PACKED column. */
  positions(rowGroup: number, column: number): PositionChunk {
    return this.#caches.positions.getOrMake(
      this.#keyOf(rowGroup, column),
      () => new PositionChunk(this.#sourceOf(rowGroup, column)),
      (positions) => positions.byteLength,
    )
  }

  /** Bytes of the file that no other part of it knows: whoever asks checks them. */
  read(byteOffset: number, byteLength: number): Uint8Array {
    return this.#file.read(byteOffset, byteLength)
  }

  close(): void {
    this.#file.close()
  }

  /** Text, as no number holds all three: files are opened and closed for as long as the process lives. */
  #keyOf(rowGroup: number, column: number): string {
    return `${this.#id}/${rowGroup}/${column}`
  }

  #sourceOf(rowGroup: number, column: number): ChunkSource {
    const file = this.#file
    const where = `${this.path}, row group ${rowGroup}, ${this.footer.schema[column]?.name ?? column}`
    const metadata = this.rowGroup(rowGroup).columns[column]
    if (metadata === undefined) return damaged(where, 'a column chunk', 'none')
    return { where, metadata, read: (byteOffset, byteLength) => file.read(byteOffset, byteLength) }
  }
}

function readFooter(file: PositionedFile): FileFooter {
  const { path, byteLength } = file
  const smallest = MAGIC_BYTE_LENGTH + TAIL_BYTE_LENGTH
  if (byteLength < smallest) damaged(path, 'a Parquet file', `a file of ${byteLength} bytes`)
  const firstRead = Math.min(byteLength, FIRST_READ_BYTE_LENGTH)
  const end = file.read(byteLength - firstRead, firstRead)
  const head = end.length === byteLength ? end : file.read(0, MAGIC_BYTE_LENGTH)
  const tail: ByteReader = new ByteReader(end, path, end.length - TAIL_BYTE_LENGTH)
  const footerByteLength = tail.u32()
  const startsRight = new ByteReader(head, path).u32() === MAGIC
  const endsRight = tail.u32() === MAGIC
  if (!startsRight || !endsRight) {
    damaged(path, 'a Parquet file, PAR1 at both ends', `none at its ${startsRight ? 'end' : 'start'}`)
  }
  if (footerByteLength > byteLength - smallest) {
    damaged(path, `a footer within ${byteLength} bytes`, `one of ${footerByteLength}`)
  }
  const byteOffset = byteLength - TAIL_BYTE_LENGTH - footerByteLength
  const startInEnd = end.length - TAIL_BYTE_LENGTH - footerByteLength
  const footer =
    startInEnd >= 0
      ? end.subarray(startInEnd, end.length - TAIL_BYTE_LENGTH)
      : file.read(byteOffset, footerByteLength)
  const where = `${path}, footer`
  if (!isSealed(footer)) {
    const writer = readCreatedBy(footer, where) ?? 'an unknown program'
    damaged(path, 'a file of byteledger, which ends with a checksum', `one by ${writer} without`)
  }
  return new FileFooter(footer, { where, byteOffset })
}
