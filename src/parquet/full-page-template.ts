/**
 * Pages of one run and of the greatest size differ in nothing but where they start, and long runs are
 * made of them. So such a page is a template with two gaps: the first position in its body, and the CRC.
 * CRC-32 is linear, so the CRC follows from one table look-up for each byte of that position.
 */

import type { ByteWriter } from '../base/byte-writer.ts'
import { invariant } from '../base/failure.ts'
import { putZigzag } from '../base/varint.ts'
import { crc32 } from './crc32.ts'

/** A page as the general code makes it, and where its gaps are. */
export interface PageShape {
  readonly bytes: Uint8Array
  /** Where the body begins. */
  readonly bodyOffset: number
  /** Where the CRC's varint begins. */
  readonly crcOffset: number
  /** Where the varint of the first position begins. */
  readonly startOffset: number
}

/** Most varints of a CRC have so many bytes; pages with a shorter one are left to the general code. */
const CRC_BYTE_LENGTH = 5
/** Zigzag codes from here on take five bytes. */
const MIN_LONG_CODE = 2 ** 28

/** The continuation bits of a varint's first four bytes. */
const MORE = 0x8080_8080

interface Template {
  /** The page as little-endian words, zeros in the gaps and behind. */
  readonly words: Int32Array
  readonly wordCount: number
  readonly byteLength: number
  readonly crcOffset: number
  readonly startOffset: number
  /** CRC of the body with zeros in the gap. */
  readonly zeroCrc: number
  /** Entry `256 * k + b`: what byte `b` at place k of the gap changes in the CRC. */
  readonly changes: Int32Array
}

/** Appends full pages; `makePage` is the general code that makes the page of a first position. */
export class FullPages {
  private readonly makePage: (start: number) => PageShape
  /** By the byte length of the first position's varint. */
  private readonly templates: (Template | undefined)[] = []
  private readonly varint = new Uint8Array(16)

  constructor(makePage: (start: number) => PageShape) {
    this.makePage = makePage
  }

  /** Appends the page that begins with position `start`. Gives its byte length, or 0 when it cannot. */
  append(out: ByteWriter, start: number): number {
    const { varint } = this
    const varintLength = putZigzag(varint, 0, start)
    const template = this.templates[varintLength] ?? this.addTemplate(varintLength, start)
    const { changes, wordCount, byteLength, startOffset } = template
    let crc = template.zeroCrc
    for (let i = 0; i < varintLength; i++) crc ^= changes[(i << 8) | (varint[i] ?? 0)] ?? 0
    const code = ((crc << 1) ^ (crc >> 31)) >>> 0
    if (code < MIN_LONG_CODE) return 0
    // The copy goes in whole words, so a few bytes past the end are written too.
    out.reserve(byteLength + 8)
    const at = out.length
    const { words, bytes } = out
    const from = template.words
    for (let word = 0; word < wordCount; word++) words.setInt32(at + 4 * word, from[word] ?? 0, true)
    for (let i = 0; i < varintLength; i++) bytes[at + startOffset + i] = varint[i] ?? 0
    const crcAt = at + template.crcOffset
    words.setInt32(
      crcAt,
      (code & 127) | ((code << 1) & 0x7f00) | ((code << 2) & 0x7f_0000) | ((code << 3) & 0x7f00_0000) | MORE,
      true,
    )
    bytes[crcAt + CRC_BYTE_LENGTH - 1] = code >>> 28
    out.length = at + byteLength
    return byteLength
  }

  private addTemplate(varintLength: number, start: number): Template {
    const shape = this.makePage(start)
    const crcByteLength = varintEnd(shape.bytes, shape.crcOffset) - shape.crcOffset
    // Room for a CRC of five bytes, whatever this one takes.
    const bytes = new Uint8Array(shape.bytes.length + CRC_BYTE_LENGTH - crcByteLength)
    bytes.set(shape.bytes.subarray(0, shape.crcOffset))
    bytes.set(shape.bytes.subarray(shape.crcOffset + crcByteLength), shape.crcOffset + CRC_BYTE_LENGTH)
    const body = shape.bytes.slice(shape.bodyOffset)
    const gap = shape.startOffset - shape.bodyOffset
    invariant(
      varintEnd(body, gap) - gap === varintLength,
      'the first position is not where the template has it',
    )
    body.fill(0, gap, gap + varintLength)
    const zeroCrc = crc32(body, 0, body.length) | 0
    const changes = new Int32Array(256 * varintLength)
    for (let i = 0; i < varintLength; i++) {
      for (let byte = 0; byte < 256; byte++) {
        body[gap + i] = byte
        changes[(i << 8) | byte] = crc32(body, 0, body.length) ^ zeroCrc
      }
      body[gap + i] = 0
    }
    const padded = new Uint8Array(4 * Math.ceil(bytes.length / 4))
    padded.set(bytes)
    const view = new DataView(padded.buffer)
    const template = {
      words: Int32Array.from({ length: padded.length / 4 }, (_, word) => view.getInt32(4 * word, true)),
      wordCount: padded.length / 4,
      byteLength: bytes.length,
      crcOffset: shape.crcOffset,
      startOffset: shape.startOffset + CRC_BYTE_LENGTH - crcByteLength,
      zeroCrc,
      changes,
    }
    this.templates[varintLength] = template
    return template
  }
}

/** The place after a varint. */
function varintEnd(bytes: Uint8Array, start: number): number {
  let at = start
  while ((bytes[at] ?? 0) > 127) at++
  return at + 1
}
