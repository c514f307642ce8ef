/**
 * A seal that makes any change to one of our checkpoints visible. Parquet's footer points at everything, so
 * bytes may stand between the last page and the footer that no reader looks at. There: eight bytes `BLSEAL01`,
 * the CRC-32 of all bytes before them and of all bytes behind the seal, both as little-endian 32-bit numbers.
 */

import { damaged } from '../base/failure.ts'
import { crc32 } from '../parquet/crc32.ts'

const MAGIC = Buffer.from('BLSEAL01')
const SEAL_BYTE_LENGTH = MAGIC.length + 8
/** Length of the footer and `PAR1`. */
const TAIL_BYTE_LENGTH = 8

/** The file with a seal before its footer. `file` is a whole Parquet file. */
export function sealFile(file: Uint8Array): Buffer {
  const footerStart = footerStartOf(file) ?? file.length
  const seal = Buffer.alloc(SEAL_BYTE_LENGTH)
  MAGIC.copy(seal)
  seal.writeUInt32LE(crc32(file, 0, footerStart), MAGIC.length)
  seal.writeUInt32LE(crc32(file, footerStart, file.length), MAGIC.length + 4)
  return Buffer.concat([file.subarray(0, footerStart), seal, file.subarray(footerStart)])
}

/** Whether the file has a seal: then it is as it was written. Fails as DAMAGED when a seal does not hold. */
export function checkSeal(file: Uint8Array, path: string): boolean {
  const footerStart = footerStartOf(file)
  if (footerStart === undefined || footerStart < SEAL_BYTE_LENGTH) return false
  const sealStart = footerStart - SEAL_BYTE_LENGTH
  const seal = Buffer.from(file.buffer, file.byteOffset + sealStart, SEAL_BYTE_LENGTH)
  if (!seal.subarray(0, MAGIC.length).equals(MAGIC)) return false
  const holds =
    seal.readUInt32LE(MAGIC.length) === crc32(file, 0, sealStart) &&
    seal.readUInt32LE(MAGIC.length + 4) === crc32(file, footerStart, file.length)
  if (!holds) damaged(path, 'a checkpoint that agrees with its checksums', 'another')
  return true
}

/** Where the footer begins, or undefined for what cannot be a Parquet file. */
function footerStartOf(file: Uint8Array): number | undefined {
  if (file.length < TAIL_BYTE_LENGTH) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const footerStart = file.length - TAIL_BYTE_LENGTH - view.getUint32(file.length - TAIL_BYTE_LENGTH, true)
  return footerStart < 0 ? undefined : footerStart
}
