/** Where a column chunk is read from. */

import { damaged } from '../base/failure.ts'
import type { PositionSegments } from './delta-reader.ts'
import type { ColumnChunkMetadata } from './metadata.ts'
import { decodeOffsetIndex, type OffsetIndex } from './page-index-reader.ts'
import type { ReadTally } from './read-tally.ts'

/** Reads bytes of the chunk's file, and names the chunk in messages. */
export interface ChunkSource {
  readonly where: string
  readonly metadata: ColumnChunkMetadata
  readonly tally: ReadTally
  /** Valid until the next call, of any chunk: to be decoded at once. */
  read(byteOffset: number, byteLength: number): Uint8Array
  /** The same in memory of its own. */
  readKept(byteOffset: number, byteLength: number): Uint8Array
  /** The decoded positions of a page, kept from one question to the next. */
  keepSegments(page: number, decode: () => PositionSegments): PositionSegments
}

/** Where the last page of a chunk ends. */
export function endOfPages(metadata: ColumnChunkMetadata): number {
  return (metadata.dictionaryPageOffset ?? metadata.dataPageOffset) + metadata.totalCompressedSize
}

/** Reads a chunk's offset index. Fails as DAMAGED when it has none or one of another chunk. */
export function readOffsetIndex({ where, metadata, read }: ChunkSource): OffsetIndex {
  const span = metadata.offsetIndex
  if (span === undefined) return damaged(where, 'an offset index', 'none')
  return decodeOffsetIndex(read(span.byteOffset, span.byteLength), {
    where: `${where}, offset index`,
    rowCount: metadata.valueCount,
    start: metadata.dataPageOffset,
    end: endOfPages(metadata),
  })
}
