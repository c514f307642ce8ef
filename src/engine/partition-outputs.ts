/** One Parquet file for each day of a run into a store: in its place and whole, but not yet committed. */

import { randomUUID } from 'node:crypto'
import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ByteReader } from '../base/byte-reader.ts'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { makeDirectories } from '../base/make-directories.ts'
import { formatEpochDay } from '../delivery/day-split.ts'
import { decodeLengthEntry } from '../delivery/length-entries.ts'
import { LengthCollector } from '../delivery/length-section.ts'
import type { EncodedBatch } from '../delivery/run-encoder.ts'
import { PARTITION_SCHEMA } from '../delivery/schema.ts'
import type { AddFile } from '../table/actions.ts'
import type { RowGroupSink } from './encode-inputs.ts'
import { fileStats } from './file-stats.ts'
import { syncDirectory } from './file-writes.ts'
import { OpenFiles } from './open-files.ts'
import { ParquetOutput } from './parquet-output.ts'

/** A run with requests of more days than this is refused: each costs a file. */
const MAX_DAYS = 4096
/** What the page indexes of all files together may take of memory before they go to disk. */
const SPOOL_MEMORY_BYTE_LENGTH = 64 * 1024 * 1024
const SMALLEST_SPOOL_BYTE_LENGTH = 256 * 1024
const SECONDS_A_DAY = 86_400
/** How often a directory is made again that somebody took away. */
const CREATE_ATTEMPTS = 5

/** A day's file in the making. */
interface Partition {
  readonly date: string
  /** Relative to the store, as the log has it. */
  readonly path: string
  readonly output: ParquetOutput
  runCount: number
}

/** Takes row groups by day. */
export class PartitionOutputs implements RowGroupSink {
  readonly splitsByDay = true
  rowCount = 0
  private readonly directory: string
  private readonly files = new OpenFiles()
  private readonly partitions = new Map<number, Partition>()
  private readonly madeDirectories: string[] = []
  /** Lengths of days that have no file so far. */
  private readonly waiting = new LengthCollector()

  /** Whether there is anything to publish. */
  get isEmpty(): boolean {
    return this.partitions.size === 0 && this.waiting.isEmpty
  }

  /** `directory` is the store's. */
  constructor(directory: string) {
    this.directory = directory
  }

  /** Each length belongs to the day of the lines that told it; what is told by a day without a file waits. */
  async appendLengths(entries: Uint8Array): Promise<void> {
    const reader = new ByteReader(entries, 'lengths of a shard')
    while (reader.left > 0) {
      const entry = decodeLengthEntry(reader)
      const partition = this.partitions.get(Math.floor(entry.firstEpoch / SECONDS_A_DAY))
      if (partition === undefined) this.waiting.add(entry)
      else await partition.output.addLength(entry)
      if (this.waiting.isFull) await this.placeWaiting()
    }
  }

  /**
   * Lines that are not kept tell lengths too, of days of which nothing may be kept: the nearest day's file takes them,
   * as a store is asked for a length as a whole. Of a run that keeps nothing at all, a file without rows takes them.
   */
  private async placeWaiting(): Promise<void> {
    for (const entry of this.waiting.takeEntries()) {
      const epochDay = Math.floor(entry.firstEpoch / SECONDS_A_DAY)
      let nearest: number | undefined
      for (const day of this.partitions.keys()) {
        if (nearest === undefined || Math.abs(day - epochDay) < Math.abs(nearest - epochDay)) nearest = day
      }
      const partition = nearest === undefined ? undefined : this.partitions.get(nearest)
      await (partition ?? (await this.begin(epochDay))).output.addLength(entry)
    }
  }

  async append({ epochDay = 0, runCount, batch }: EncodedBatch): Promise<void> {
    const partition = this.partitions.get(epochDay) ?? (await this.begin(epochDay))
    const before = partition.output.rowCount
    await partition.output.append(batch)
    partition.runCount += runCount
    this.rowCount += partition.output.rowCount - before
  }

  /** Ends all files and gives them their names; returns what is to be committed, in order of date. */
  async finish(decodesUserAgents: boolean): Promise<AddFile[]> {
    const added: AddFile[] = []
    await this.placeWaiting()
    // A day's directory may be of a run that died before it waited for the disk.
    if (this.partitions.size > 0) await syncDirectory(this.directory)
    for (const [, partition] of [...this.partitions].sort(([a], [b]) => a - b)) {
      const { output, path, date, runCount } = partition
      await output.finish(runCount, decodesUserAgents)
      added.push({
        path,
        partitionValues: { date },
        size: output.byteLength,
        modificationTime: Date.now(),
        dataChange: true,
        stats: fileStats(output.rowGroups, PARTITION_SCHEMA, output.rowCount),
      })
    }
    return added
  }

  /** Takes everything away again, as far as the disk lets it: what stays is invisible, and for vacuum. Tells whether all went. */
  async withdraw(): Promise<boolean> {
    let isGone = true
    for (const { output } of this.partitions.values()) if (!(await withdrawQuietly(output))) isGone = false
    return isGone
  }

  /** Takes away the directories that were made, if nothing is in them. */
  async removeDirectories(): Promise<void> {
    for (const path of this.madeDirectories.reverse()) await removeIfEmpty(path)
  }

  /** Makes the store's directory before there is a file to put into it. */
  async makeStore(): Promise<void> {
    await this.makeDirectory(this.directory)
  }

  private async begin(epochDay: number): Promise<Partition> {
    if (this.partitions.size === MAX_DAYS) {
      throw new Failure(
        'USAGE',
        `expected requests of at most ${MAX_DAYS} days in one run, found more: give fewer logs at a time, or check their dates`,
      )
    }
    const date = formatEpochDay(epochDay)
    const path = `date=${date}/part-${randomUUID()}.parquet`
    const output = await this.create(join(this.directory, path))
    const partition = { date, path, output, runCount: 0 }
    this.partitions.set(epochDay, partition)
    return partition
  }

  private async create(path: string): Promise<ParquetOutput> {
    const spoolMemoryByteLength = Math.max(
      SMALLEST_SPOOL_BYTE_LENGTH,
      SPOOL_MEMORY_BYTE_LENGTH / (2 * (1 + this.partitions.size)),
    )
    for (let attempt = 1; ; attempt++) {
      await this.makeDirectory(dirname(path))
      try {
        return await ParquetOutput.create(path, {
          schema: PARTITION_SCHEMA,
          files: this.files,
          spoolMemoryByteLength,
        })
      } catch (failure) {
        // Another run may have taken its empty directory away in between.
        if (attempt === CREATE_ATTEMPTS || !isNoEntry(failure)) throw failure
      }
    }
  }

  private async makeDirectory(path: string): Promise<void> {
    const first = await attemptedAsync(path, 'create', () => makeDirectories(path))
    if (first === undefined) return
    const made: string[] = []
    for (let child = path; ; child = dirname(child)) {
      made.push(child)
      await syncDirectory(dirname(child))
      if (child === first || child === dirname(child)) break
    }
    this.madeDirectories.push(...made.reverse())
  }
}

function isNoEntry(failure: unknown): boolean {
  const cause = failure instanceof Failure ? failure.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}

/** Tells whether all is gone: what failed first is what matters to those who asked for the run. */
async function withdrawQuietly(output: ParquetOutput): Promise<boolean> {
  try {
    await output.withdraw()
    return true
  } catch (_cause) {
    return false
  }
}

/** Tells whether it is gone: others may have put something into it. */
async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (_cause) {
    return false
  }
}
