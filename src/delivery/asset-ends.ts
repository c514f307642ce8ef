/**
 * The section (file-section.ts) that keeps how far the assets of each row group reach, so that the observed length of
 * an asset needs no look into all row groups that hold it. It only prunes: an entry names its asset by half a hash,
 * and what it says is read from the rows before anybody is told.
 *
 * A part belongs to one row group, parts stand in their order: the number of its assets (4 bytes); for each of them,
 * ascending, the low half of its XXH64 (4) and one past its largest position (8); then the checksum. The directory:
 * the numbers of assets once more, of all row groups. All is little-endian.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { damaged } from '../base/failure.ts'
import type { HashTable } from '../parquet/bloom-filter.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import { appendCrc, CRC_BYTE_LENGTH, readChecked, sectionOf } from './file-section.ts'
import type { Pieces } from './pieces.ts'
import type { Wanted } from './scan-key.ts'
import { ASSET_ENDS_KEY } from './schema.ts'

const COUNT_BYTE_LENGTH = 4
const ENTRY_BYTE_LENGTH = 12

/** Bytes of the part of a row group with so many assets. */
function partByteLength(assetCount: number): number {
  return COUNT_BYTE_LENGTH + assetCount * ENTRY_BYTE_LENGTH + CRC_BYTE_LENGTH
}

/** Appends the part of a row group of these pieces, which are sorted by asset. */
export function appendAssetEnds(writer: ByteWriter, pieces: Pieces, assets: Pick<HashTable, 'lows'>): void {
  const { count, request, starts, rowCounts } = pieces
  const from = writer.length
  writer.u32(0)
  let assetCount = 0
  for (let piece = 0; piece < count; ) {
    const asset = request[piece] ?? 0
    let end = 0
    do {
      const pieceEnd = (starts[piece] ?? 0) + (rowCounts[piece] ?? 0)
      if (pieceEnd > end) end = pieceEnd
      piece++
    } while (piece < count && request[piece] === asset)
    writer.u32(assets.lows[asset] ?? 0)
    writer.i64(end)
    assetCount++
  }
  const end = writer.length
  writer.length = from
  writer.u32(assetCount)
  writer.length = end
  appendCrc(writer, from)
}

/** Collects the directory, part after part. */
export class AssetEndsDirectory {
  private readonly writer = new ByteWriter()

  /** Adds parts that stand one after the other. */
  add(parts: Uint8Array): void {
    for (let at = 0; at < parts.length; ) {
      const assetCount = new ByteReader(parts, 'ends of assets', at).u32()
      this.writer.u32(assetCount)
      at += partByteLength(assetCount)
    }
  }

  /** The directory; undefined when there is no row group. */
  take(): Uint8Array | undefined {
    if (this.writer.length === 0) return undefined
    appendCrc(this.writer, 0)
    return this.writer.copy()
  }
}

/** Where the part of each row group begins, and where the last one ends. */
const placesOfFiles = new WeakMap<ParquetFile, Float64Array>()

function placesOf(file: ParquetFile): Float64Array | undefined {
  const known = placesOfFiles.get(file)
  if (known !== undefined) return known
  const where = `${file.path}, ends of assets`
  const section = sectionOf(file, ASSET_ENDS_KEY, where)
  if (section === undefined) return undefined
  const { byteOffset, partsByteLength, directoryByteLength } = section
  const reader = readChecked(file.read(byteOffset + partsByteLength, directoryByteLength), where)
  const places = new Float64Array(file.rowGroupCount + 1)
  places[0] = byteOffset
  for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
    places[rowGroup + 1] = (places[rowGroup] ?? 0) + partByteLength(reader.u32())
  }
  if (reader.left > 0 || places.at(-1) !== byteOffset + partsByteLength) {
    damaged(where, `parts of ${file.rowGroupCount} row groups`, 'others')
  }
  placesOfFiles.set(file, places)
  return places
}

/** The part of a row group, without its checksum, which holds; undefined when the file has no such section. */
function readPart(file: ParquetFile, rowGroup: number): ByteReader | undefined {
  const places = placesOf(file)
  if (places === undefined) return undefined
  const from = places[rowGroup] ?? 0
  const where = `${file.path}, row group ${rowGroup}, ends of assets`
  return readChecked(file.read(from, (places[rowGroup + 1] ?? 0) - from), where)
}

/**
 * No row of the asset in the row group has a position from here on; 0 when it has no row there, undefined when the
 * file has no such section. Fails as DAMAGED when what it reads is.
 */
export function assetEndIn(file: ParquetFile, rowGroup: number, asset: Wanted): number | undefined {
  const reader = readPart(file, rowGroup)
  if (reader === undefined) return undefined
  reader.skip(COUNT_BYTE_LENGTH)
  let end = 0
  while (reader.left > 0) {
    const low = reader.u32()
    const assetEnd = reader.i64()
    if (low === asset.hash.low && assetEnd > end) end = assetEnd
  }
  return end
}

/** Fails as DAMAGED unless every checksum of the section holds, if there is one. */
export function checkAssetEnds(file: ParquetFile): void {
  for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) readPart(file, rowGroup)
}
