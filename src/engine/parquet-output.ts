/**
 * One Parquet file in the making: row groups are appended as they come, their indexes wait in spools, and
 * the footer comes last. The file stands under its name only when all of it is on disk.
 */

import { randomUUID } from 'node:crypto'
import { rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { attemptedAsync } from '../base/failure.ts'
import { VERSION } from '../base/version.ts'
import { AssetEndsDirectory } from '../delivery/asset-ends.ts'
import { describeSection } from '../delivery/file-section.ts'
import { decodeLengthEntry, type LengthEntry } from '../delivery/length-entries.ts'
import { LengthCollector } from '../delivery/length-section.ts'
import {
  chunkKinds,
  fileKeyValues,
  ordinalOf,
  PARTITION_SCHEMA,
  SORTING_COLUMNS,
  WRITER_NAME,
} from '../delivery/schema.ts'
import { FILE_MAGIC } from '../parquet/file-magic.ts'
import type { ColumnSchema, FileSpan, RowGroupMetadata } from '../parquet/metadata.ts'
import { type ChunkKind, placeBatch, type RowGroupBatch } from '../parquet/row-group-table.ts'
import { syncDirectory, writeFully } from './file-writes.ts'
import { OpenFiles } from './open-files.ts'
import { Spool } from './spool.ts'

/** After so many bytes the disk may begin. */
const SYNC_BYTE_LENGTH = 16 * 1024 * 1024

/** How an output is made. */
export interface OutputOptions {
  /** One of those in schema.ts. */
  readonly schema: readonly ColumnSchema[]
  /** Shared by outputs that are written in turns. */
  readonly files?: OpenFiles
  /** What its page indexes may take of memory before they go to disk. */
  readonly spoolMemoryByteLength?: number
}

/** Appends row groups to a temporary file beside `path`; `finish` gives it its name, `discard` removes it. */
export class ParquetOutput {
  readonly path: string
  private readonly temporaryPath: string
  private readonly schema: readonly ColumnSchema[]
  private readonly chunkKinds: readonly ChunkKind[]
  private readonly sortingColumns: readonly number[]
  private readonly files: OpenFiles
  private readonly columnIndexes: Spool
  private readonly offsetIndexes: Spool
  /** Used again for every batch: new memory costs more than filling it. */
  private readonly offsetIndexWriter = new ByteWriter()
  private readonly lengths = new LengthCollector()
  private readonly lengthPages: Spool
  private readonly assetEnds = new AssetEndsDirectory()
  private readonly assetEndParts: Spool
  /** The spans of their indexes count from the start of the spools. */
  readonly rowGroups: RowGroupMetadata[] = []
  private byteOffset = 0
  private state: 'open' | 'published' | 'discarded' = 'open'
  /** A sync of what was written so far, under way while more is encoded. */
  private syncing: Promise<void> | undefined
  private syncedByteOffset = 0
  private syncFailure: { readonly error: unknown } | undefined
  rowCount = 0

  private constructor(path: string, temporaryPath: string, options: OutputOptions) {
    this.path = path
    this.temporaryPath = temporaryPath
    this.schema = options.schema
    this.chunkKinds = chunkKinds(options.schema)
    this.sortingColumns = SORTING_COLUMNS.map((column) => ordinalOf(options.schema, column))
    this.files = options.files ?? new OpenFiles()
    const spool = {
      files: this.files,
      ...(options.spoolMemoryByteLength === undefined
        ? {}
        : { memoryByteLength: options.spoolMemoryByteLength }),
    }
    this.columnIndexes = new Spool(`${temporaryPath}.columns`, spool)
    this.offsetIndexes = new Spool(`${temporaryPath}.offsets`, spool)
    this.lengthPages = new Spool(`${temporaryPath}.lengths`, spool)
    this.assetEndParts = new Spool(`${temporaryPath}.ends`, spool)
  }

  static async create(path: string, options: OutputOptions): Promise<ParquetOutput> {
    const temporaryPath = join(dirname(path), `.${basename(path)}.${randomUUID()}${TEMPORARY_SUFFIX}`)
    const output = new ParquetOutput(path, temporaryPath, options)
    await output.files.create(temporaryPath)
    try {
      await output.write(FILE_MAGIC)
    } catch (error) {
      await output.discard()
      throw error
    }
    return output
  }

  /** Bytes written so far. */
  get byteLength(): number {
    return this.byteOffset
  }

  async append(batch: RowGroupBatch): Promise<void> {
    // The footer's modules (thrift among them) are wanted last, and read while others encode.
    if (this.rowGroups.length === 0) loadFooterWriter().catch(() => undefined)
    const { byteOffset, chunkKinds, sortingColumns, offsetIndexWriter } = this
    const placed = placeBatch(batch, { byteOffset, kinds: chunkKinds, sortingColumns }, offsetIndexWriter)
    await this.write(batch.pages)
    const columnIndexAt = this.columnIndexes.byteLength
    const offsetIndexAt = this.offsetIndexes.byteLength
    for (const rowGroup of placed.rowGroups) {
      this.rowGroups.push(withIndexesMoved(rowGroup, columnIndexAt, offsetIndexAt))
      this.rowCount += rowGroup.rowCount
    }
    await this.columnIndexes.append(batch.columnIndexes)
    await this.offsetIndexes.append(placed.offsetIndexes)
    this.assetEnds.add(batch.notes)
    await this.assetEndParts.append(batch.notes)
    await this.syncAhead()
  }

  /** Adds a length that the log told. */
  async addLength(entry: LengthEntry): Promise<void> {
    this.lengths.add(entry)
    if (this.lengths.isFull) await this.lengthPages.append(this.lengths.takeBlock())
  }

  /** Adds lengths that a shard told, encoded as in length-entries.ts. */
  async appendLengths(entries: Uint8Array): Promise<void> {
    const reader = new ByteReader(entries, 'lengths of a shard')
    while (reader.left > 0) await this.addLength(decodeLengthEntry(reader))
  }

  /** Writes a section, if there is anything in it; the value of its key. */
  private async writeSection(parts: Spool, directory: Uint8Array | undefined): Promise<string | undefined> {
    if (directory === undefined) return undefined
    const { byteOffset } = this
    await parts.copyTo((bytes) => this.write(bytes))
    const partsByteLength = this.byteOffset - byteOffset
    await this.write(directory)
    return describeSection({ byteOffset, partsByteLength, directoryByteLength: directory.length })
  }

  /**
   * Writes indexes and footer and publishes the file, which holds `runCount` requests; says whether their user
   * agents were decoded.
   */
  async finish(runCount: number, decodesUserAgents = false): Promise<void> {
    await this.lengthPages.append(this.lengths.takeBlock())
    const lengths = await this.writeSection(this.lengthPages, this.lengths.takeDirectory())
    const ends = await this.writeSection(this.assetEndParts, this.assetEnds.take())
    const columnIndexOffset = this.byteOffset
    await this.columnIndexes.copyTo((bytes) => this.write(bytes))
    const offsetIndexOffset = this.byteOffset
    await this.offsetIndexes.copyTo((bytes) => this.write(bytes))
    const { encodeFooter } = await loadFooterWriter()
    const name = this.schema === PARTITION_SCHEMA ? basename(this.path) : undefined
    const footer = encodeFooter({
      schema: this.schema,
      rowCount: this.rowCount,
      rowGroups: this.rowGroups.map((rowGroup) =>
        withIndexesMoved(rowGroup, columnIndexOffset, offsetIndexOffset),
      ),
      keyValues: fileKeyValues({ runCount, rows: this.rowCount, decodesUserAgents, lengths, ends, name }),
      createdBy: `${WRITER_NAME} version ${VERSION}`,
    })
    await this.write(footer)
    await this.syncing
    if (this.syncFailure !== undefined) throw this.syncFailure.error
    const file = await this.files.get(this.temporaryPath)
    await attemptedAsync(this.path, 'sync', () => file.sync())
    await this.files.close(this.temporaryPath)
    await this.discardSpools()
    await attemptedAsync(this.path, 'publish', () => rename(this.temporaryPath, this.path))
    this.state = 'published'
    await syncDirectory(dirname(this.path))
  }

  /** Leaves nothing behind of a file that is not published; otherwise it does nothing. */
  async discard(): Promise<void> {
    if (this.state !== 'open') return
    this.state = 'discarded'
    await this.syncing
    await this.files.close(this.temporaryPath)
    await unlink(this.temporaryPath)
    await this.discardSpools()
  }

  /** Removes the file even when it is published already: nobody may know of it yet. */
  async withdraw(): Promise<void> {
    await this.discard()
    if (this.state !== 'published') return
    this.state = 'discarded'
    await attemptedAsync(this.path, 'remove', () => unlink(this.path))
  }

  /**
   * Lets the disk work while threads encode, so that little is left for the sync at the end. The system
   * reports a write that failed to one sync only, so an error here is kept for `finish`.
   */
  private async syncAhead(): Promise<void> {
    if (this.syncing !== undefined || this.byteOffset - this.syncedByteOffset < SYNC_BYTE_LENGTH) return
    const file = await this.files.get(this.temporaryPath)
    this.syncedByteOffset = this.byteOffset
    this.syncing = attemptedAsync(this.path, 'sync', () => file.datasync())
      .catch((error: unknown) => {
        this.syncFailure ??= { error }
      })
      .finally(() => {
        this.syncing = undefined
      })
  }

  private async discardSpools(): Promise<void> {
    await this.columnIndexes.discard()
    await this.offsetIndexes.discard()
    await this.lengthPages.discard()
    await this.assetEndParts.discard()
  }

  private async write(bytes: Uint8Array): Promise<void> {
    const file = await this.files.get(this.temporaryPath)
    await writeFully(file, this.path, bytes, this.byteOffset)
    this.byteOffset += bytes.length
  }
}

function loadFooterWriter(): Promise<typeof import('../parquet/file-footer-writer.ts')> {
  return import('../parquet/file-footer-writer.ts')
}

/** What ends the names of temporary files, and of those that hold their page indexes. */
const TEMPORARY_SUFFIX = '.tmp'

/** A row group whose column indexes and offset indexes stand so many bytes further on. */
function withIndexesMoved(
  rowGroup: RowGroupMetadata,
  columnIndexesBy: number,
  offsetIndexesBy: number,
): RowGroupMetadata {
  const columns = rowGroup.columns.map((column) => ({
    ...column,
    columnIndex: moved(column.columnIndex, columnIndexesBy),
    offsetIndex: moved(column.offsetIndex, offsetIndexesBy),
  }))
  return { ...rowGroup, columns }
}

function moved(span: FileSpan | undefined, by: number): FileSpan | undefined {
  return span === undefined ? undefined : { byteOffset: span.byteOffset + by, byteLength: span.byteLength }
}
