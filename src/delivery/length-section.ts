/**
 * The section (file-section.ts) that keeps the lengths which a file's log told, beside the rows. Its parts
 * are pages of entries (length-entries.ts), in blocks, each of which is sorted on its own, so that writing takes
 * bounded memory. The directory: the number of blocks; for each the number of its pages, and for each page the hash
 * of its first entry (low, high) and its byte length, CRC included. Numbers are 32-bit little-endian.
 */

import { ByteWriter } from '../base/byte-writer.ts'
import { damaged } from '../base/failure.ts'
import { ASKED } from '../log/scanned-runs.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import { appendCrc, readChecked, sectionOf } from './file-section.ts'
import {
  compareLengthEntries,
  decodeLengthEntry,
  encodeLengthEntry,
  type LengthEntry,
} from './length-entries.ts'
import type { Wanted } from './scan-key.ts'
import { LENGTHS_KEY } from './schema.ts'

const PAGE_BYTE_LENGTH = 4096
/** A block has at most so many entries ... */
const MAX_BLOCK_ENTRIES = 65_536
/** ... and its assets at most about so many bytes. */
const MAX_BLOCK_ASSET_BYTES = 16 * 1024 * 1024

/** A page, as the directory knows it. */
interface LengthPage {
  readonly hashLow: number
  readonly hashHigh: number
  readonly byteLength: number
}

/**
 * Collects entries in any order and gives them as a section. The bytes depend on the order of the entries alone.
 * Also merges sections: add the entries of several files.
 */
export class LengthCollector {
  private entries = new Map<string, LengthEntry>()
  private assetBytes = 0
  private readonly blocks: LengthPage[][] = []

  /**
   * Adds an entry; what was told of the same length of the same asset is told by both together. Of how far an asset
   * was asked for, and answered, only the farthest counts.
   */
  add(entry: LengthEntry): void {
    const told = entry.requests > 0 ? entry.length : entry.requests === ASKED ? 'asked' : 'answered'
    const key = `${Buffer.from(entry.asset).toString('latin1')}\n${told}`
    const known = this.entries.get(key)
    if (known === undefined) {
      this.assetBytes += entry.asset.length
      this.entries.set(key, { ...entry, asset: entry.asset.slice() })
      return
    }
    this.entries.set(key, {
      ...known,
      length: Math.max(known.length, entry.length),
      firstEpoch: Math.min(known.firstEpoch, entry.firstEpoch),
      lastEpoch: Math.max(known.lastEpoch, entry.lastEpoch),
      requests: known.requests > 0 ? known.requests + entry.requests : known.requests,
    })
  }

  /** Whether nothing was added since the last block. */
  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** Whether a block is to be taken before more is added. */
  get isFull(): boolean {
    return this.entries.size >= MAX_BLOCK_ENTRIES || this.assetBytes >= MAX_BLOCK_ASSET_BYTES
  }

  /** The pages of what was added since the last block; none when that is nothing. */
  takeBlock(): Uint8Array {
    const writer = new ByteWriter()
    const pages: LengthPage[] = []
    let first: LengthEntry | undefined
    let from = 0
    const endPage = (): void => {
      if (first === undefined) return
      appendCrc(writer, from)
      pages.push({ hashLow: first.hashLow, hashHigh: first.hashHigh, byteLength: writer.length - from })
      first = undefined
      from = writer.length
    }
    for (const entry of this.takeEntries()) {
      first ??= entry
      encodeLengthEntry(entry, writer)
      if (writer.length - from >= PAGE_BYTE_LENGTH) endPage()
    }
    endPage()
    if (pages.length > 0) this.blocks.push(pages)
    return writer.copy()
  }

  /** What was added since the last block or call of this, in order; then no block has it. */
  takeEntries(): LengthEntry[] {
    const entries = [...this.entries.values()].sort(compareLengthEntries)
    this.entries = new Map()
    this.assetBytes = 0
    return entries
  }

  /** The directory of all blocks, which follows them; undefined when there is no entry at all. */
  takeDirectory(): Uint8Array | undefined {
    if (this.blocks.length === 0) return undefined
    const writer = new ByteWriter()
    writer.u32(this.blocks.length)
    for (const pages of this.blocks) {
      writer.u32(pages.length)
      for (const { hashLow, hashHigh, byteLength } of pages) {
        writer.u32(hashLow)
        writer.u32(hashHigh)
        writer.u32(byteLength)
      }
    }
    appendCrc(writer, 0)
    return writer.copy()
  }
}

/** A page and where it is. */
interface PlacedPage extends LengthPage {
  readonly byteOffset: number
}

/** Directories that were read; they go with their files. */
const directories = new WeakMap<ParquetFile, readonly (readonly PlacedPage[])[]>()

function readDirectory(file: ParquetFile): readonly (readonly PlacedPage[])[] {
  const known = directories.get(file)
  if (known !== undefined) return known
  const where = `${file.path}, logged lengths`
  const section = sectionOf(file, LENGTHS_KEY, where)
  if (section === undefined) return []
  const pagesEnd = section.byteOffset + section.partsByteLength
  const reader = readChecked(file.read(pagesEnd, section.directoryByteLength), where)
  const blocks: PlacedPage[][] = []
  let at = section.byteOffset
  for (let blocksLeft = reader.u32(); blocksLeft > 0; blocksLeft--) {
    const pages: PlacedPage[] = []
    for (let pagesLeft = reader.u32(); pagesLeft > 0; pagesLeft--) {
      const page = { hashLow: reader.u32(), hashHigh: reader.u32(), byteLength: reader.u32(), byteOffset: at }
      pages.push(page)
      at += page.byteLength
    }
    blocks.push(pages)
  }
  if (at !== pagesEnd || reader.left > 0) damaged(where, `pages up to byte ${pagesEnd}`, String(at))
  directories.set(file, blocks)
  return blocks
}

function* readPage(file: ParquetFile, page: PlacedPage): Generator<LengthEntry> {
  const where = `${file.path}, logged lengths at ${page.byteOffset}`
  const reader = readChecked(file.read(page.byteOffset, page.byteLength), where)
  while (reader.left > 0) yield decodeLengthEntry(reader)
}

/** Index of the first page that may hold a hash: the last whose first hash is smaller, or the first of all. */
function firstPageFor(pages: readonly LengthPage[], hash: Wanted['hash']): number {
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const page = pages[middle]
    const isBefore =
      page !== undefined &&
      (page.hashHigh < hash.high || (page.hashHigh === hash.high && page.hashLow < hash.low))
    if (isBefore) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** The lengths that a file tells of an asset, in no order. Fails as DAMAGED when what it reads is. */
export function findLengths(file: ParquetFile, asset: Wanted): LengthEntry[] {
  const found: LengthEntry[] = []
  for (const pages of readDirectory(file)) {
    for (let index = firstPageFor(pages, asset.hash); index < pages.length; index++) {
      const page = pages[index]
      const isBeyond =
        page === undefined ||
        page.hashHigh > asset.hash.high ||
        (page.hashHigh === asset.hash.high && page.hashLow > asset.hash.low)
      if (isBeyond) break
      for (const entry of readPage(file, page)) {
        if (Buffer.compare(entry.asset, asset.bytes) === 0) found.push(entry)
      }
    }
  }
  return found
}

/** Every entry of a file, in its order: to merge files. Fails as `findLengths` does. */
export function* readAllLengths(file: ParquetFile): Generator<LengthEntry> {
  for (const pages of readDirectory(file)) for (const page of pages) yield* readPage(file, page)
}
