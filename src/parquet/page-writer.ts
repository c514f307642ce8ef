/** Appends whole pages: header and body. */

import type { ByteWriter } from '../base/byte-writer.ts'
import { crc32 } from './crc32.ts'
import type { Encoding } from './metadata.ts'
import { type DataPageHeader, writeDataPageHeader, writeDictionaryPageHeader } from './page-header.ts'

/** Up to so many bytes a loop copies faster than a view and a call. */
const SHORT_BYTE_LENGTH = 64

/** A header to be filled in again and again. */
export type ReusedPageHeader = { -readonly [Field in keyof DataPageHeader]: DataPageHeader[Field] }

/** A header whose other fields are yet to be set. */
export function makePageHeader(encoding: Encoding): ReusedPageHeader {
  return { uncompressedByteLength: 0, compressedByteLength: 0, crc: 0, valueCount: 0, encoding }
}

/** Appends header and body of one page, with length and CRC of the body set; gives the byte length of both. */
export function appendPage(
  out: ByteWriter,
  body: ByteWriter,
  header: ReusedPageHeader,
  isDictionary: boolean,
): number {
  const start = out.length
  header.compressedByteLength = body.length
  header.crc = crc32(body.bytes, 0, body.length)
  if (isDictionary) writeDictionaryPageHeader(out, header)
  else writeDataPageHeader(out, header)
  if (body.length < SHORT_BYTE_LENGTH) out.appendWords(body, body.length)
  else out.append(body.view())
  return out.length - start
}
