/**
 * Dictionaries of byte strings and of integers. Source: parquet-format, Encodings.md, "Plain": a byte
 * string is its length in four bytes and itself; an integer is little-endian.
 */

import { ByteReader } from '../base/byte-reader.ts'

/** What a dictionary page and its chunk say. */
export interface DictionaryPage {
  readonly where: string
  readonly valueCount: number
}

/** The byte strings of a dictionary page. */
export class ByteStrings {
  readonly count: number
  readonly #bytes: Uint8Array
  /** Value i stands at `starts[i]`, behind four bytes of length; one entry more: the end, plus four. */
  readonly #starts: Uint32Array

  /** Fails as DAMAGED unless `bytes` are `page.valueCount` byte strings and nothing else. */
  constructor(bytes: Uint8Array, page: DictionaryPage) {
    const { valueCount, where } = page
    const r: ByteReader = new ByteReader(bytes, where)
    if (valueCount * 4 > bytes.length) r.fail(`values within ${bytes.length} bytes`, String(valueCount))
    this.count = valueCount
    this.#bytes = bytes
    this.#starts = new Uint32Array(valueCount + 1)
    for (let i = 0; i < valueCount; i++) {
      this.#starts[i] = r.at + 4
      r.skip(r.u32())
    }
    this.#starts[valueCount] = r.at + 4
    if (r.left > 0) r.fail('the end of the dictionary', `${r.left} more bytes`)
  }

  /** Memory that it holds. */
  get byteLength(): number {
    return this.#bytes.byteLength + this.#starts.byteLength
  }

  /** The index of a value that equals `value` byte for byte, or -1. */
  indexOf(value: Uint8Array): number {
    const bytes = this.#bytes
    const starts = this.#starts
    const { length } = value
    for (let i = 0; i < this.count; i++) {
      const start = starts[i] ?? 0
      if ((starts[i + 1] ?? 0) - 4 - start !== length) continue
      let at = 0
      while (at < length && bytes[start + at] === value[at]) at++
      if (at === length) return i
    }
    return -1
  }

  /** One value, as a view. */
  valueAt(index: number): Uint8Array {
    const starts = this.#starts
    return this.#bytes.subarray(starts[index] ?? 0, (starts[index + 1] ?? 0) - 4)
  }
}

/** The integers of a dictionary page, of 4 or 8 bytes each. Fails as `ByteStrings` does. */
export function readIntegers(bytes: Uint8Array, byteWidth: 4 | 8, page: DictionaryPage): Float64Array {
  const r: ByteReader = new ByteReader(bytes, page.where)
  if (page.valueCount * byteWidth !== bytes.length) {
    r.fail(`${page.valueCount} values of ${byteWidth} bytes`, `${bytes.length} bytes`)
  }
  const values = new Float64Array(page.valueCount)
  for (let i = 0; i < page.valueCount; i++) values[i] = byteWidth === 8 ? r.i64() : r.u32() | 0
  return values
}
