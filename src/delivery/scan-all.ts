/** Reads every request of a file back: to compare a file with its log, and to rewrite files. */

import { damaged } from '../base/failure.ts'
import type { IndexChunk } from '../parquet/dictionary-chunk.ts'
import type { ByteStrings } from '../parquet/dictionary-reader.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { IndexRuns } from '../parquet/rle-reader.ts'
import type { DeliveredRun } from './evidence.ts'
import { borderOf, positionsOf } from './scan-rows.ts'
import { COLUMN, type ColumnName, ordinalOf } from './schema.ts'

const SECONDS_PER_DAY = 86_400

/** One request with all that its rows say. */
export interface StoredRun extends DeliveredRun {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly userAgentMd5: string
  /** Days since 1970-01-01. */
  readonly epochDay: number
}

/**
 * Every request of a file, in its order; one that was split comes whole. Fails as DAMAGED when anything
 * in the file is, or when its columns disagree about a request.
 */
export function* scanAllRuns(file: ParquetFile): Generator<StoredRun> {
  let open: StoredRun | undefined
  for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
    for (const { run, continues } of scanRowGroup(file, rowGroup)) {
      if (!continues) {
        if (open !== undefined) yield open
        open = run
        continue
      }
      if (open === undefined || !isNext(open, run)) {
        return damaged(
          `${file.path}, row group ${rowGroup}`,
          'a part that continues the request before',
          'another',
        )
      }
      open = { ...open, end: run.end }
    }
  }
  if (open !== undefined) yield open
}

function isNext(open: StoredRun, run: StoredRun): boolean {
  return (
    open.end === run.start &&
    open.epochSeconds === run.epochSeconds &&
    open.asset === run.asset &&
    open.ip === run.ip &&
    open.userAgent === run.userAgent
  )
}

function* scanRowGroup(
  file: ParquetFile,
  rowGroup: number,
): Generator<{ run: StoredRun; continues: boolean }> {
  const where = `${file.path}, row group ${rowGroup}`
  const epochs = file.integers(rowGroup, COLUMN.epoch)
  const border = borderOf(epochs, where)
  const requests = file.indexes(rowGroup, COLUMN.epoch, epochs.length)
  const epochDay = dayCursor(file, rowGroup, where)
  const asset = textCursor(file, rowGroup, COLUMN.request)
  const ip = textCursor(file, rowGroup, COLUMN.ip)
  const userAgent = textCursor(file, rowGroup, COLUMN.userAgent)
  const userAgentMd5 = textCursor(file, rowGroup, COLUMN.userAgentMd5)
  const positions = file.positions(rowGroup, COLUMN.byteNum)
  for (let page = 0; page < requests.pageCount; page++) {
    const runs = requests.runsOf(page)
    for (let i = 0; i < runs.count; i++) {
      const to = runs.ends[i] ?? 0
      const index = runs.indexes[i] ?? 0
      const { start, end } = positionsOf(positions, runs.startOf(i), to, `${where}, byte_num`)
      const run: StoredRun = {
        asset: asset(to),
        ip: ip(to),
        userAgent: userAgent(to),
        userAgentMd5: userAgentMd5(to),
        epochDay: epochDay(to, epochs[index] ?? 0),
        start,
        end,
        epochSeconds: epochs[index] ?? 0,
      }
      yield { run, continues: index >= border }
    }
  }
}

/** Gives the day of the rows up to a row: as the column says or, in a file of a store, as the epoch does. */
function dayCursor(
  file: ParquetFile,
  rowGroup: number,
  where: string,
): (to: number, epochSeconds: number) => number {
  if (ordinalOf(file.footer.schema, COLUMN.date) < 0) {
    return (_to, epochSeconds) => Math.floor(epochSeconds / SECONDS_PER_DAY)
  }
  const days = file.integers(rowGroup, COLUMN.date)
  const cursor = new RunCursor(file.indexes(rowGroup, COLUMN.date, days.length), where)
  return (to) => days[cursor.indexUpTo(to)] ?? 0
}

/** Gives the text of the rows up to a row, which must all have the same. */
function textCursor(file: ParquetFile, rowGroup: number, column: ColumnName): (to: number) => string {
  const dictionary: ByteStrings = file.byteStrings(rowGroup, column)
  const cursor = new RunCursor(
    file.indexes(rowGroup, column, dictionary.count),
    `${file.path}, row group ${rowGroup}`,
  )
  const texts: (string | undefined)[] = []
  return (to) => {
    const index = cursor.indexUpTo(to)
    texts[index] ??= Buffer.from(dictionary.valueAt(index)).toString('utf8')
    return texts[index]
  }
}

/** Walks the runs of a column, request by request. */
class RunCursor {
  private readonly chunk: IndexChunk
  private readonly where: string
  private page = 0
  private run = 0

  constructor(chunk: IndexChunk, where: string) {
    this.chunk = chunk
    this.where = where
  }

  /** The index of the rows from where it stands up to `to`; fails as DAMAGED when they have two. */
  indexUpTo(to: number): number {
    let runs = this.chunk.runsOf(this.page)
    const index = runs.indexes[this.run] ?? -1
    // A run of equal values may end at a page and go on in the next.
    while ((runs.ends[this.run] ?? to) < to) {
      this.next(runs)
      runs = this.chunk.runsOf(this.page)
      if (runs.indexes[this.run] !== index) damaged(this.where, 'one value a request', `two before row ${to}`)
    }
    if (runs.ends[this.run] === to) this.next(runs)
    return index
  }

  private next(runs: IndexRuns): void {
    this.run++
    if (this.run < runs.count || this.page + 1 === this.chunk.pageCount) return
    this.page++
    this.run = 0
  }
}
