/** Sorted runs in, encoded row groups out: where the delivery model meets the Parquet format. */

import { ByteWriter } from '../base/byte-writer.ts'
import type { ScannedRuns, StringTable } from '../log/scanned-runs.ts'
import { appendBloomFilter, type HashTable } from '../parquet/bloom-filter.ts'
import { ChunkDictionary, ChunkEncoder } from '../parquet/chunk-encoder.ts'
import { IndexStream, indexBitWidth, type PieceColumn, type PiecePages } from '../parquet/index-stream.ts'
import type { ColumnSchema } from '../parquet/metadata.ts'
import type { PositionPageEncoder } from '../parquet/position-pages.ts'
import { type RowGroupBatch, RowGroupTable } from '../parquet/row-group-table.ts'
import type { StringValues, ValueTable } from '../parquet/value-table.ts'
import { xxhash64 } from '../parquet/xxhash64.ts'
import { appendAssetEnds } from './asset-ends.ts'
import { splitByDay } from './day-split.ts'
import { cutIntoPieces, KeyJoiner, type Pieces, slicePieces } from './pieces.ts'
import { endOfRowGroup, IndexPagePlanner } from './row-group-plan.ts'
import { COLUMN, type ColumnName, ordinalOf } from './schema.ts'
import { type RankedNumbers, rankDays, rankEpochs, rankMd5 } from './shard-tables.ts'

/** A batch is handed over when its pages have so many bytes: enough to write at once, little to hold. */
const BATCH_BYTE_LENGTH = 2 * 1024 * 1024

/** Row groups, encoded. */
export interface EncodedBatch {
  /** The day of all of their requests, since 1970-01-01 UTC; undefined where the date is a column. */
  readonly epochDay: number | undefined
  /** Requests that begin in these row groups. */
  readonly runCount: number
  readonly batch: RowGroupBatch
}

/** What the row groups of a shard share. */
interface TextTables {
  readonly md5: { readonly values: StringValues; readonly ranks: Uint32Array; readonly hashes: HashTable }
  readonly request: StringTable
  readonly ip: StringTable
  readonly userAgent: StringTable
}

/** What those of a day share as well. */
interface ShardTables extends TextTables {
  readonly epochs: RankedNumbers
  readonly days: RankedNumbers
}

/** Encodes shard after shard; keeps scratch memory from one to the next. */
export class RunEncoder {
  private readonly out = new ByteWriter(2 * BATCH_BYTE_LENGTH)
  private readonly schema: readonly ColumnSchema[]
  private readonly hasDate: boolean
  private readonly table: RowGroupTable
  private readonly chunks: ChunkEncoder
  private readonly stream = new IndexStream()
  private readonly pagePlanner = new IndexPagePlanner()
  private readonly keyJoiner = new KeyJoiner()
  private ranks = new Uint32Array(0)
  private readonly dictionaries = new Map<ColumnName, ChunkDictionary>()

  /** `schema` is one of those in schema.ts: with the date as a column or without. */
  constructor(schema: readonly ColumnSchema[], positionPages: PositionPageEncoder) {
    this.schema = schema
    this.hasDate = ordinalOf(schema, COLUMN.date) >= 0
    this.table = new RowGroupTable(schema.length)
    this.chunks = new ChunkEncoder(this.out, this.table, positionPages)
  }

  private dictionary(column: ColumnName): ChunkDictionary {
    const known = this.dictionaries.get(column)
    if (known !== undefined) return known
    const made = new ChunkDictionary()
    this.dictionaries.set(column, made)
    return made
  }

  private scratchRanks(count: number): Uint32Array {
    if (this.ranks.length < count) this.ranks = new Uint32Array(2 * count)
    return this.ranks
  }

  /**
   * Encodes sorted runs and yields their row groups in batches, in order; without a date column, day by
   * day. `spareMemory` gives memory of a batch that was written, to be used again: new memory costs more
   * than filling it.
   */
  *encode(
    runs: ScannedRuns,
    spareMemory: () => ArrayBuffer | undefined,
  ): Generator<EncodedBatch, void, void> {
    if (runs.runCount === 0) return
    const texts = makeTextTables(runs)
    const parts = this.hasDate ? [{ epochDay: undefined, runs }] : splitByDay(runs)
    for (const { epochDay, runs: part } of parts) {
      const epochs = rankEpochs(part.epochSeconds, part.runCount)
      const tables = { ...texts, epochs, days: rankDays(epochs.values) }
      const pieces = cutIntoPieces(part, epochs.ranks)
      let runCount = 0
      for (let from = 0; from < pieces.count; ) {
        const to = endOfRowGroup(pieces, from)
        const slice = slicePieces(pieces, from, to)
        this.encodeRowGroup(slice, tables)
        runCount += countRuns(slice)
        if (this.out.length >= BATCH_BYTE_LENGTH || to === pieces.count) {
          yield { epochDay, runCount, batch: this.table.takeBatch(this.out, spareMemory()) }
          runCount = 0
        }
        from = to
      }
    }
  }

  private encodeRowGroup(pieces: Pieces, tables: ShardTables): void {
    const pages = this.pagePlanner.plan(pieces)
    let rowCount = 0
    for (let page = 0; page < pages.pageCount; page++) rowCount += pages.pageRows[page] ?? 0
    this.table.beginRowGroup(rowCount)
    const { epochs, days, md5 } = tables
    const keys = this.keyJoiner.join(pieces, pages)
    const md5Ranks = this.scratchRanks(keys.pages.pieceCount)
    for (let key = 0; key < keys.pages.pieceCount; key++) {
      md5Ranks[key] = md5.ranks[keys.userAgent[key] ?? 0] ?? 0
    }
    if (this.hasDate) this.dateChunk(pages, days, pieces)
    this.epochChunk(pages, epochs, pieces)
    this.dictionaryChunk(COLUMN.ip, keys.pages, strings(tables.ip, false), merged(keys.ip))
    this.dictionaryChunk(
      COLUMN.userAgent,
      keys.pages,
      strings(tables.userAgent, true),
      merged(keys.userAgent),
    )
    this.dictionaryChunk(COLUMN.userAgentMd5, keys.pages, md5.values, merged(md5Ranks))
    this.dictionaryChunk(COLUMN.request, keys.pages, strings(tables.request, true), merged(keys.request))
    this.chunks.positionChunk(pieces, pieces.count)
    this.bloomFilter(COLUMN.ip, hashesOf(tables.ip))
    this.bloomFilter(COLUMN.userAgentMd5, md5.hashes)
    const requestHashes = hashesOf(tables.request)
    this.bloomFilter(COLUMN.request, requestHashes)
    appendAssetEnds(this.table.notes, pieces, requestHashes)
  }

  private dateChunk(pages: PiecePages, days: RankedNumbers, pieces: Pieces): void {
    // Most logs are of one day: then a page is one run, whatever is in it.
    const isOneDay = days.values.count === 1
    const onePiecePages: PiecePages = {
      pieceCount: pages.pageCount,
      rowCounts: pages.pageRows,
      pageCount: pages.pageCount,
      pageCuts: Uint32Array.from({ length: pages.pageCount + 1 }, (_, page) => page),
      pageRows: pages.pageRows,
    }
    const ranks = isOneDay
      ? new Uint32Array(pages.pageCount)
      : pieces.epoch.map((epoch) => days.ranks[epoch] ?? 0)
    this.dictionaryChunk(COLUMN.date, isOneDay ? onePiecePages : pages, days.values, merged(ranks))
  }

  private dictionaryChunk(
    column: ColumnName,
    pages: PiecePages,
    values: ValueTable,
    pieceColumn: PieceColumn,
  ): void {
    const dictionary = this.dictionary(column)
    dictionary.collect(pieceColumn.ranks, pages.pieceCount, values.count)
    this.stream.encode(pages, pieceColumn, dictionary.indexOf, indexBitWidth(dictionary.count))
    this.chunks.dictionaryChunk(values, dictionary, this.stream, pages)
  }

  /** Every request keeps an RLE run of its own, so that requests can be told apart when read back. */
  private epochChunk(pages: PiecePages, epochs: RankedNumbers, pieces: Pieces): void {
    const { continues, epoch } = pieces
    if (continues === undefined || !continues.includes(1)) {
      this.dictionaryChunk(COLUMN.epoch, pages, epochs.values, {
        ranks: epoch,
        keepPieces: true,
        secondEntries: undefined,
      })
      return
    }
    // A continuation uses a second entry of its epoch, behind the ascending ones: schema.ts says how
    // readers tell. Every epoch also has its first entry, used or not, so that the border shows.
    const { count, values } = epochs.values
    const entries = new Uint32Array(2 * pieces.count)
    entries.set(epoch)
    for (let i = 0; i < pieces.count; i++) {
      entries[pieces.count + i] = (epoch[i] ?? 0) + (continues[i] === 1 ? count : 0)
    }
    const twice = new Float64Array(2 * count)
    twice.set(values.subarray(0, count))
    twice.set(values.subarray(0, count), count)
    const dictionary = this.dictionary(COLUMN.epoch)
    dictionary.collect(entries, entries.length, 2 * count)
    const column = { ranks: epoch, keepPieces: true, secondEntries: { marks: continues, offset: count } }
    this.stream.encode(pages, column, dictionary.indexOf, indexBitWidth(dictionary.count))
    this.chunks.dictionaryChunk(
      { type: 'INT64', count: 2 * count, values: twice },
      dictionary,
      this.stream,
      pages,
    )
  }

  /** Appends the split-block bloom filter of the column's values in the row group just encoded. */
  private bloomFilter(column: ColumnName, hashes: HashTable): void {
    const { ranks, count } = this.dictionary(column)
    const byteOffset = this.out.length
    appendBloomFilter(this.out, hashes, ranks, count)
    this.table.setBloomFilter(ordinalOf(this.schema, column), {
      byteOffset,
      byteLength: this.out.length - byteOffset,
    })
  }
}

function makeTextTables(runs: ScannedRuns): TextTables {
  const md5 = rankMd5(runs.userAgentTable)
  return {
    md5: { ...md5, hashes: hashValues(md5.values) },
    request: runs.requestTable,
    ip: runs.ipTable,
    userAgent: runs.userAgentTable,
  }
}

function countRuns({ count, continues }: Pieces): number {
  if (continues === undefined) return count
  let runCount = 0
  for (let i = 0; i < count; i++) runCount += continues[i] === 1 ? 0 : 1
  return runCount
}

function merged(ranks: Uint32Array): PieceColumn {
  return { ranks, keepPieces: false, secondEntries: undefined }
}

function strings(table: StringTable, isText: boolean): StringValues {
  return { type: 'BYTE_ARRAY', isText, count: table.count, bytes: table.bytes, offsets: table.offsets }
}

function hashesOf(table: StringTable): HashTable {
  return { lows: table.hashLow, highs: table.hashHigh }
}

function hashValues(values: StringValues): HashTable {
  const lows = new Uint32Array(values.count)
  const highs = new Uint32Array(values.count)
  for (let i = 0; i < values.count; i++) {
    const hash = xxhash64(values.bytes.subarray(values.offsets[i] ?? 0, values.offsets[i + 1] ?? 0))
    lows[i] = hash.low
    highs[i] = hash.high
  }
  return { lows, highs }
}
