/**
 * Snappy blocks for pages. Source: google/snappy, format_description.txt.
 * The only file that imports `snappyjs`, and only its compressor: its decompressor is unsafe on
 * damaged bytes, see snappy-decoder.ts.
 */

import { compress } from 'snappyjs'
import type { ByteWriter } from '../base/byte-writer.ts'

const ONE_BYTE_LENGTH = 60 << 2
const TWO_BYTE_LENGTH = 61 << 2
const THREE_BYTE_LENGTH = 62 << 2
/** A copy of 6 bytes from 8 bytes back: tag (length - 4) << 2 | 1, then the offset. */
const COPY_SIX_BYTES_TAG = ((6 - 4) << 2) | 1

/** Appends `bytes` compressed: for text, which repeats in ways that only a search finds. */
export function appendSnappy(out: ByteWriter, bytes: Uint8Array): void {
  if (bytes.length === 0) {
    out.u8(0)
    return
  }
  out.append(compress(bytes))
}

/** Appends `bytes[start..end)` as one literal: for index pages, in which nothing repeats near by. */
export function appendSnappyLiteral(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const byteLength = end - start
  out.uleb128(byteLength)
  if (byteLength === 0) return
  const coded = byteLength - 1
  if (byteLength <= 60) {
    out.u8(coded << 2)
  } else if (byteLength <= 0x100) {
    out.u8(ONE_BYTE_LENGTH)
    out.u8(coded)
  } else if (byteLength <= 0x1_0000) {
    out.u8(TWO_BYTE_LENGTH)
    out.u8(coded & 255)
    out.u8(coded >>> 8)
  } else {
    out.u8(THREE_BYTE_LENGTH)
    out.u8(coded & 255)
    out.u8((coded >>> 8) & 255)
    out.u8(coded >>> 16)
  }
  out.append(bytes.subarray(start, end))
}

/**
 * Appends ascending 64-bit integers, little-endian, compressed: neighbours mostly share all but their
 * two lowest bytes, so each is a literal of two bytes and a copy of six from the value before.
 */
export function appendSnappyInt64s(out: ByteWriter, values: Float64Array, count: number): void {
  out.uleb128(8 * count)
  let upperBefore = -1
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0
    const upper = Math.floor(value / 0x1_0000)
    if (upper === upperBefore) {
      const bytes = out.reserve(5)
      const at = out.length
      bytes[at] = (2 - 1) << 2
      bytes[at + 1] = value
      bytes[at + 2] = (value % 0x1_0000) >>> 8
      bytes[at + 3] = COPY_SIX_BYTES_TAG
      bytes[at + 4] = 8
      out.length = at + 5
    } else {
      out.u8((8 - 1) << 2)
      out.i64(value)
      upperBefore = upper
    }
  }
}
