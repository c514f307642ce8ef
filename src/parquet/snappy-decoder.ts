/**
 * Decodes Snappy blocks of pages out of bytes that nobody vouches for.
 * Source: google/snappy, `format_description.txt`.
 */

import { ByteReader } from '../base/byte-reader.ts'

/** A copy of 64 bytes takes three: nothing in a block grows more. */
const MAX_EXPANSION = 22

/** What a block must be; `byteLength` is the length of its content, as the page header says. */
export interface ExpectedContent {
  readonly where: string
  readonly byteLength: number
}

/**
 * The content of the block that fills `block`; a view of it where the block is one literal. Fails as
 * DAMAGED, before memory is taken, when the lengths disagree or the block cannot hold so much.
 */
export function decodeSnappy(block: Uint8Array, expected: ExpectedContent): Uint8Array {
  const r: ByteReader = new ByteReader(block, expected.where)
  const byteLength = r.uleb128()
  if (byteLength !== expected.byteLength || byteLength > MAX_EXPANSION * block.length) {
    r.fail(`a block of ${expected.byteLength} bytes`, `${byteLength} in ${block.length}`)
  }
  if (byteLength === 0) {
    if (r.left > 0) r.fail('the end', `${r.left} more bytes`)
    return block.subarray(0, 0)
  }
  const literalLength = readLiteralLength(r)
  if (literalLength === byteLength && r.left === literalLength) return block.subarray(r.at)
  const out = new Uint8Array(byteLength)
  fill(r, out, literalLength)
  return out
}

/** The length of the first element, which must be a literal: there is nothing to copy from yet. */
function readLiteralLength(r: ByteReader): number {
  const tag = r.u8()
  if ((tag & 3) !== 0) r.fail('a literal first', 'a copy')
  return literalLengthOf(r, tag)
}

function literalLengthOf(r: ByteReader, tag: number): number {
  const coded = tag >>> 2
  if (coded < 60) return coded + 1
  let length = 0
  for (let i = 0; i <= coded - 60; i++) length += r.u8() * 2 ** (8 * i)
  return length + 1
}

/** Writes a literal of `literalLength` bytes, then all further elements, until `out` is full. */
function fill(r: ByteReader, out: Uint8Array, literalLength: number): void {
  const { bytes } = r
  let at = copyLiteral(r, out, 0, literalLength)
  while (at < out.length) {
    const tag = r.u8()
    const kind = tag & 3
    if (kind === 0) {
      at = copyLiteral(r, out, at, literalLengthOf(r, tag))
      continue
    }
    let length = (tag >>> 2) + 1
    let offset = 0
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | r.u8()
    } else {
      const start = r.skip(kind === 2 ? 2 : 4)
      offset = (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8)
      if (kind === 3) offset += (bytes[start + 2] ?? 0) * 0x1_0000 + (bytes[start + 3] ?? 0) * 0x100_0000
    }
    if (offset === 0 || offset > at || length > out.length - at) {
      r.fail(`a copy from within ${at} to ${out.length} bytes`, `${length} from ${offset} back`)
    }
    // Byte by byte: a copy may overlap what it writes, which repeats it.
    for (const end = at + length; at < end; at++) out[at] = out[at - offset] ?? 0
  }
  if (r.left > 0) r.fail('the end', `${r.left} more bytes`)
}

function copyLiteral(r: ByteReader, out: Uint8Array, at: number, length: number): number {
  if (length > out.length - at) r.fail(`a literal within ${out.length - at} bytes`, String(length))
  const start = r.skip(length)
  // A loop beats `set` for the short literals between copies.
  if (length < 32) for (let i = 0; i < length; i++) out[at + i] = r.bytes[start + i] ?? 0
  else out.set(r.bytes.subarray(start, start + length), at)
  return at + length
}
