/** Finds the footer of a Parquet file. Source: parquet-format, README, "File format". */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import type { FooterPlace } from './file-footer.ts'
import type { PositionedFile } from './positioned-file.ts'

/** `PAR1`, as a little-endian number. */
const MAGIC = 0x3152_4150
/** `PARE`: the footer is encrypted. */
const ENCRYPTED_MAGIC = 0x4552_4150
const MAGIC_BYTE_LENGTH = 4
/** Length of the footer and `PAR1`, at the end of a file. */
export const TAIL_BYTE_LENGTH = 8
/** The end of a file that is read first: most footers fit. */
const FIRST_READ_BYTE_LENGTH = 64 * 1024

/** Reads the footer's bytes, of any writer. Fails as DAMAGED when the file is no whole Parquet file. */
export function readFooterBytes(file: PositionedFile): {
  readonly bytes: Uint8Array
  readonly place: FooterPlace
} {
  const { path, byteLength } = file
  const smallest = MAGIC_BYTE_LENGTH + TAIL_BYTE_LENGTH
  if (byteLength < smallest) damaged(path, 'a Parquet file', `a file of ${byteLength} bytes`)
  const firstRead = Math.min(byteLength, FIRST_READ_BYTE_LENGTH)
  const end = file.read(byteLength - firstRead, firstRead)
  const head = end.length === byteLength ? end : file.read(0, MAGIC_BYTE_LENGTH)
  const tail: ByteReader = new ByteReader(end, path, end.length - TAIL_BYTE_LENGTH)
  const footerByteLength = tail.u32()
  const first = new ByteReader(head, path).u32()
  const last = tail.u32()
  if (first === ENCRYPTED_MAGIC && last === ENCRYPTED_MAGIC) {
    damaged(path, 'a Parquet file that is not encrypted', 'PARE at both ends')
  }
  if (first !== MAGIC || last !== MAGIC) {
    damaged(path, 'a Parquet file, PAR1 at both ends', `none at its ${first === MAGIC ? 'end' : 'start'}`)
  }
  if (footerByteLength > byteLength - smallest) {
    damaged(path, `a footer within ${byteLength} bytes`, `one of ${footerByteLength}`)
  }
  const byteOffset = byteLength - TAIL_BYTE_LENGTH - footerByteLength
  const startInEnd = end.length - TAIL_BYTE_LENGTH - footerByteLength
  const bytes =
    startInEnd >= 0
      ? end.subarray(startInEnd, end.length - TAIL_BYTE_LENGTH)
      : file.read(byteOffset, footerByteLength)
  return { bytes, place: { where: `${path}, footer`, byteOffset } }
}
