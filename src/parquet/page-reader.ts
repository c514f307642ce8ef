/** Reads single pages: header, checksum, content. */

import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { crc32 } from './crc32.ts'
import type { CompressionCodec } from './metadata.ts'
import { type PageHeader, readPageHeader } from './page-header.ts'
import type { PeriodicBytes } from './periodic-bytes.ts'
import { decodeSnappy } from './snappy-decoder.ts'
import { decodeZstd } from './zstd-decoder.ts'

/** No page of ours comes near it: a limit to what a header can make us allocate. */
const MAX_PAGE_BYTE_LENGTH = 512 * 1024 * 1024

/** A page as read: its content is inflated, its checksum holds. */
export interface Page {
  readonly header: PageHeader
  readonly content: PeriodicBytes
}

/**
 * Reads the page at which `r` stands and leaves the reader behind it. Fails as DAMAGED when its checksum
 * does not hold, its content does not inflate to what the header says, or that is more than
 * `maxByteLength(header)`. What a zstd frame inflates to lies in the memory of `scratch`, if that is given.
 */
export function readPage(
  r: ByteReader,
  codec: CompressionCodec,
  maxByteLength: (header: PageHeader) => number = () => MAX_PAGE_BYTE_LENGTH,
  scratch?: ByteWriter,
): Page {
  const header = readPageHeader(r)
  const { uncompressedByteLength: byteLength } = header
  const start = r.skip(header.compressedByteLength)
  const found = crc32(r.bytes, start, r.at)
  if (found !== header.crc) r.fail(`a page of CRC ${header.crc}`, `CRC ${found}`)
  const limit = Math.min(maxByteLength(header), MAX_PAGE_BYTE_LENGTH)
  if (byteLength > limit) r.fail(`a page of at most ${limit} bytes`, String(byteLength))
  const body = r.bytes.subarray(start, r.at)
  const expected = { where: r.where, byteLength }
  if (codec === 'ZSTD') return { header, content: decodeZstd(body, expected, scratch) }
  if (codec === 'SNAPPY') return { header, content: whole(decodeSnappy(body, expected)) }
  if (codec !== 'UNCOMPRESSED') r.fail('a codec that byteledger writes', codec)
  if (body.length !== byteLength) r.fail(`${byteLength} bytes`, String(body.length))
  return { header, content: whole(body) }
}

function whole(bytes: Uint8Array): PeriodicBytes {
  return { prefix: bytes, period: 0, byteLength: bytes.length }
}
