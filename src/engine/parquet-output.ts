/**
 * One Parquet file in the making: row groups are appended as they come, their indexes wait in spools, and
 * the footer comes last. The file stands under its name only when all of it is on disk.
 */

import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ByteReader } from '../base/byte-reader.ts'
import { attemptedAsync } from '../base/failure.ts'
import { VERSION } from '../base/version.ts'
import { decodeLengthEntry } from '../delivery/length-entries.ts'
import { describeSection, LengthCollector } from '../delivery/length-section.ts'
import { CHUNK_KINDS, fileKeyValues, SCHEMA, SORTING_COLUMNS, WRITER_NAME } from '../delivery/schema.ts'
import { encodeFooter, FILE_MAGIC } from '../parquet/file-footer-writer.ts'
import type { FileSpan, RowGroupMetadata } from '../parquet/metadata.ts'
import { placeBatch, type RowGroupBatch } from '../parquet/row-group-table.ts'
import { syncDirectory, writeFully } from './file-writes.ts'
import { Spool } from './spool.ts'

/** Appends row groups to a temporary file beside `path`; `finish` gives it its name, `discard` removes it. */
export class ParquetOutput {
  readonly path: string
  private readonly temporaryPath: string
  private readonly file: FileHandle
  private readonly columnIndexes: Spool
  private readonly offsetIndexes: Spool
  private readonly lengths = new LengthCollector()
  private readonly lengthPages: Spool
  /** The spans of their indexes count from the start of the spools. */
  private readonly rowGroups: RowGroupMetadata[] = []
  private byteOffset = 0
  private isDone = false
  rowCount = 0

  private constructor(path: string, temporaryPath: string, file: FileHandle) {
    this.path = path
    this.temporaryPath = temporaryPath
    this.file = file
    this.columnIndexes = new Spool(`${temporaryPath}.columns`)
    this.offsetIndexes = new Spool(`${temporaryPath}.offsets`)
    this.lengthPages = new Spool(`${temporaryPath}.lengths`)
  }

  static async create(path: string): Promise<ParquetOutput> {
    const suffix = `${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`
    const temporaryPath = join(dirname(path), `.${basename(path)}.${suffix}`)
    const file = await attemptedAsync(path, 'create', () => open(temporaryPath, 'wx'))
    const output = new ParquetOutput(path, temporaryPath, file)
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
    const placed = placeBatch(batch, this.byteOffset, CHUNK_KINDS, SORTING_COLUMNS)
    await this.write(batch.pages)
    const columnIndexAt = this.columnIndexes.byteLength
    const offsetIndexAt = this.offsetIndexes.byteLength
    for (const rowGroup of placed.rowGroups) {
      this.rowGroups.push(withIndexesMoved(rowGroup, columnIndexAt, offsetIndexAt))
      this.rowCount += rowGroup.rowCount
    }
    await this.columnIndexes.append(batch.columnIndexes)
    await this.offsetIndexes.append(placed.offsetIndexes)
  }

  /** Adds lengths that the log told, encoded as in length-entries.ts. */
  async appendLengths(entries: Uint8Array): Promise<void> {
    const reader = new ByteReader(entries, 'lengths of a shard')
    while (reader.left > 0) {
      this.lengths.add(decodeLengthEntry(reader))
      if (this.lengths.isFull) await this.lengthPages.append(this.lengths.takeBlock())
    }
  }

  /** Writes the section of logged lengths, if there are any; the value of its key. */
  private async writeLengths(): Promise<string | undefined> {
    await this.lengthPages.append(this.lengths.takeBlock())
    const directory = this.lengths.takeDirectory()
    if (directory === undefined) return undefined
    const byteOffset = this.byteOffset
    await this.lengthPages.copyTo((bytes) => this.write(bytes))
    const pagesByteLength = this.byteOffset - byteOffset
    await this.write(directory)
    return describeSection({ byteOffset, pagesByteLength, directoryByteLength: directory.length })
  }

  /** Writes indexes and footer and publishes the file. */
  async finish(totals: Omit<Parameters<typeof fileKeyValues>[0], 'lengths'>): Promise<void> {
    const lengths = await this.writeLengths()
    const columnIndexOffset = this.byteOffset
    await this.columnIndexes.copyTo((bytes) => this.write(bytes))
    const offsetIndexOffset = this.byteOffset
    await this.offsetIndexes.copyTo((bytes) => this.write(bytes))
    const footer = encodeFooter({
      schema: SCHEMA,
      rowCount: this.rowCount,
      rowGroups: this.rowGroups.map((rowGroup) =>
        withIndexesMoved(rowGroup, columnIndexOffset, offsetIndexOffset),
      ),
      keyValues: fileKeyValues(lengths === undefined ? totals : { ...totals, lengths }),
      createdBy: `${WRITER_NAME} version ${VERSION}`,
    })
    await this.write(footer)
    await attemptedAsync(this.path, 'sync', () => this.file.sync())
    await this.file.close()
    await this.discardSpools()
    await attemptedAsync(this.path, 'publish', () => rename(this.temporaryPath, this.path))
    this.isDone = true
    await syncDirectory(dirname(this.path))
  }

  /** Leaves nothing behind; after `finish` it does nothing. */
  async discard(): Promise<void> {
    if (this.isDone) return
    this.isDone = true
    await this.file.close()
    await unlink(this.temporaryPath)
    await this.discardSpools()
  }

  private async discardSpools(): Promise<void> {
    await this.columnIndexes.discard()
    await this.offsetIndexes.discard()
    await this.lengthPages.discard()
  }

  private async write(bytes: Uint8Array): Promise<void> {
    await writeFully(this.file, this.path, bytes, this.byteOffset)
    this.byteOffset += bytes.length
  }
}

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
