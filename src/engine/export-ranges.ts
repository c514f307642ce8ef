/** Merged intervals into a file that appears whole or not at all: Parquet, CSV or NDJSON. */

import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { attemptedAsync } from '../base/failure.ts'
import { Turns } from '../base/steps.ts'
import { VERSION } from '../base/version.ts'
import { RANGE_COLUMNS, type RangeRow } from '../delivery/merged-ranges.ts'
import { WRITER_NAME } from '../delivery/schema.ts'
import { encodeFooter } from '../parquet/file-footer-writer.ts'
import { FILE_MAGIC } from '../parquet/file-magic.ts'
import { encodeFlatRowGroup, type FlatColumn } from '../parquet/flat-row-group.ts'
import type { ColumnSchema, RowGroupMetadata } from '../parquet/metadata.ts'
import { syncDirectory, writeFully } from './file-writes.ts'

/** What can be exported. */
export type RangeFormat = 'parquet' | 'csv' | 'ndjson'

/** What was written. */
export interface RangeExport {
  readonly rows: number
  readonly bytes: number
}

const ROW_GROUP_ROWS = 131_072
const TEXT_PIECE_ROWS = 4096
const TEXT_COLUMN_COUNT = 3

/** Columns of the Parquet file: the three texts of the key, then numbers. */
const SCHEMA: readonly ColumnSchema[] = RANGE_COLUMNS.map((name, i) =>
  i < TEXT_COLUMN_COUNT
    ? { name, physicalType: 'BYTE_ARRAY', logicalType: 'STRING' }
    : { name, physicalType: 'INT64', logicalType: 'INTEGER' },
)

/** Text of the rows of a piece; `csv` fields are the caller's to quote and defuse. */
export type RangeText = (row: RangeRow) => string

/** Writes all rows. An earlier file stays until the new one is whole; nothing stays of one that failed. */
export async function exportRanges(
  rows: Iterable<RangeRow>,
  path: string,
  form: { readonly format: RangeFormat; readonly head: string; readonly textOf: RangeText },
  signal?: AbortSignal,
): Promise<RangeExport> {
  const suffix = `${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`
  const temporaryPath = join(dirname(path), `.${basename(path)}.${suffix}`)
  const file = await attemptedAsync(path, 'create', () => open(temporaryPath, 'wx'))
  try {
    const output = new FileOutput(file, path)
    const turns = new Turns(signal, 'interrupted; nothing was written')
    const inTurn = withTurns(rows, turns)
    const rowCount =
      form.format === 'parquet' ? await writeParquet(inTurn, output) : await writeText(inTurn, form, output)
    await attemptedAsync(path, 'sync', () => file.sync())
    await file.close()
    turns.check()
    await attemptedAsync(path, 'publish', () => rename(temporaryPath, path))
    await syncDirectory(dirname(path))
    return { rows: rowCount, bytes: output.byteOffset }
  } catch (error) {
    await file.close()
    await unlink(temporaryPath)
    throw error
  }
}

/** Fails as INTERRUPTED when the signal has come. */
async function* withTurns(rows: Iterable<RangeRow>, turns: Turns): AsyncGenerator<readonly RangeRow[], void> {
  let some: RangeRow[] = []
  for (const row of rows) {
    some.push(row)
    if (some.length < TEXT_PIECE_ROWS && !turns.isDue) continue
    yield some
    some = []
    await turns.give()
  }
  yield some
}

/** Appends to a file. */
class FileOutput {
  private readonly file: FileHandle
  private readonly path: string
  byteOffset = 0

  constructor(file: FileHandle, path: string) {
    this.file = file
    this.path = path
  }

  async append(bytes: Uint8Array): Promise<void> {
    await writeFully(this.file, this.path, bytes, this.byteOffset)
    this.byteOffset += bytes.length
  }
}

async function writeText(
  pieces: AsyncIterable<readonly RangeRow[]>,
  { head, textOf }: { readonly head: string; readonly textOf: RangeText },
  output: FileOutput,
): Promise<number> {
  await output.append(Buffer.from(head))
  let rowCount = 0
  for await (const rows of pieces) {
    await output.append(Buffer.from(rows.map(textOf).join('')))
    rowCount += rows.length
  }
  return rowCount
}

async function writeParquet(pieces: AsyncIterable<readonly RangeRow[]>, output: FileOutput): Promise<number> {
  const rowGroups: RowGroupMetadata[] = []
  const pending = new PendingRows()
  let rowCount = 0
  const flush = async (): Promise<void> => {
    if (pending.count === 0) return
    const { bytes, metadata } = encodeFlatRowGroup(pending.columns(), pending.count, output.byteOffset)
    await output.append(bytes)
    rowGroups.push(metadata)
    pending.clear()
  }
  await output.append(FILE_MAGIC)
  for await (const rows of pieces) {
    for (const row of rows) {
      pending.add(row)
      if (pending.count === ROW_GROUP_ROWS) await flush()
    }
    rowCount += rows.length
  }
  await flush()
  const createdBy = `${WRITER_NAME} version ${VERSION}`
  await output.append(encodeFooter({ schema: SCHEMA, rowCount, rowGroups, keyValues: new Map(), createdBy }))
  return rowCount
}

/** The rows of a row group, column by column. */
class PendingRows {
  count = 0
  private texts = Array.from({ length: TEXT_COLUMN_COUNT }, () => new TextColumn())
  private readonly numbers = Array.from(
    { length: RANGE_COLUMNS.length - TEXT_COLUMN_COUNT },
    () => new Float64Array(ROW_GROUP_ROWS),
  )

  add({ asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests }: RangeRow): void {
    const { count, texts, numbers } = this
    texts[0]?.set(count, asset)
    texts[1]?.set(count, ip)
    texts[2]?.set(count, userAgent)
    const values = [firstByte, lastByte, firstEpoch, lastEpoch, requests]
    for (let i = 0; i < values.length; i++) {
      const column = numbers[i]
      if (column !== undefined) column[count] = values[i] ?? 0
    }
    this.count++
  }

  columns(): readonly FlatColumn[] {
    return [
      ...this.texts.map((text) => text.column()),
      ...this.numbers.map((values): FlatColumn => ({ kind: 'integer', values })),
    ]
  }

  clear(): void {
    this.count = 0
    this.texts = this.texts.map(() => new TextColumn())
  }
}

class TextColumn {
  private readonly places = new Map<string, number>()
  private readonly indexes = new Uint32Array(ROW_GROUP_ROWS)

  set(row: number, text: string): void {
    let place = this.places.get(text)
    if (place === undefined) {
      place = this.places.size
      this.places.set(text, place)
    }
    this.indexes[row] = place
  }

  column(): FlatColumn {
    const values = Array.from(this.places.keys(), (text) => Buffer.from(text))
    return { kind: 'text', values, indexes: this.indexes }
  }
}
