/**
 * Sections: bytes of ours that stand in a file between its row groups and its page indexes, where no other reader
 * looks. A section is parts, then a directory of them; a key of the key-value metadata says where, as
 * `offset partsByteLength directoryByteLength`. Each part and the directory end with a CRC-32 of what is before it.
 */

import { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { damaged } from '../base/failure.ts'
import { crc32 } from '../parquet/crc32.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'

/** What the checksum of a part takes. */
export const CRC_BYTE_LENGTH = 4

/** Where a section is. */
export interface SectionPlace {
  readonly byteOffset: number
  readonly partsByteLength: number
  readonly directoryByteLength: number
}

/** Ends a part that begins at `from`. */
export function appendCrc(writer: ByteWriter, from: number): void {
  writer.u32(crc32(writer.bytes, from, writer.length))
}

/** The value of the key that says where a section is. */
export function describeSection(place: SectionPlace): string {
  return `${place.byteOffset} ${place.partsByteLength} ${place.directoryByteLength}`
}

/** Where the section of a key is; undefined when the file has none. Fails as DAMAGED when the value says no place. */
export function sectionOf(file: ParquetFile, key: string, where: string): SectionPlace | undefined {
  const text = file.footer.keyValues.get(key)
  if (text === undefined) return undefined
  const [, byteOffset, partsByteLength, directoryByteLength] =
    /^(\d+) (\d+) (\d+)$/.exec(text)?.map(Number) ?? []
  if (byteOffset === undefined || partsByteLength === undefined || directoryByteLength === undefined) {
    return damaged(where, 'a place in the file', text)
  }
  return { byteOffset, partsByteLength, directoryByteLength }
}

/** A reader of a part or directory without its checksum. Fails as DAMAGED unless that holds. */
export function readChecked(bytes: Uint8Array, where: string): ByteReader {
  const end = bytes.length - CRC_BYTE_LENGTH
  if (end < 0) damaged(where, 'a checksum', 'the end')
  const expected = new ByteReader(bytes, where, end).u32()
  const found = crc32(bytes, 0, end)
  if (expected !== found) damaged(where, `checksum ${expected}`, String(found))
  return new ByteReader(bytes, where, 0, end)
}
