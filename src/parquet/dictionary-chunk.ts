/** Column chunks of dictionary columns: the dictionary page, then the index pages. */

import { ByteReader } from '../base/byte-reader.ts'
import { damaged } from '../base/failure.ts'
import { ByteStrings, type DictionaryPage, readIntegers } from './dictionary-reader.ts'
import { readPage } from './page-reader.ts'
import { expandBytes } from './periodic-bytes.ts'
import type { ChunkSource } from './position-chunk.ts'
import { IndexRuns, readIndexPage } from './rle-reader.ts'

/** Reads the dictionary of a chunk of byte strings. Fails as DAMAGED unless it has one, whole. */
export function readByteStrings(source: ChunkSource): ByteStrings {
  const { bytes, page } = readDictionaryPage(source)
  return new ByteStrings(bytes, page)
}

/** Reads the dictionary of a chunk of integers of `byteWidth` bytes. Fails as DAMAGED unless it has one, whole. */
export function readIntegerDictionary(source: ChunkSource, byteWidth: 4 | 8): Float64Array {
  const { bytes, page } = readDictionaryPage(source)
  return readIntegers(bytes, byteWidth, page)
}

function readDictionaryPage(source: ChunkSource): { bytes: Uint8Array; page: DictionaryPage } {
  const { dictionaryPageOffset, dataPageOffset, codec } = source.metadata
  const where = `${source.where}, dictionary`
  if (dictionaryPageOffset === undefined) return damaged(where, 'a dictionary', 'none')
  const stored = source.read(dictionaryPageOffset, dataPageOffset - dictionaryPageOffset)
  const r: ByteReader = new ByteReader(stored, where)
  const { header, content } = readPage(r, codec)
  if (header.pageType !== 'DICTIONARY_PAGE' || header.encoding !== 'PLAIN' || r.left > 0) {
    r.fail('one dictionary page of plain values', `${header.pageType} of ${header.encoding}, ${r.left} bytes left`)
  }
  return { bytes: expandBytes(content), page: { where, valueCount: header.valueCount } }
}

/**
 * Reads all index pages of a chunk, in one go: even those of 65,536 runs are few bytes. Fails as DAMAGED
 * unless they fill the chunk and hold as many values as it has, each in a dictionary of `dictionaryCount`.
 */
export function readIndexRuns(source: ChunkSource, dictionaryCount: number): IndexRuns {
  const { metadata, where } = source
  const { dataPageOffset, totalCompressedSize, valueCount } = metadata
  const end = (metadata.dictionaryPageOffset ?? dataPageOffset) + totalCompressedSize
  const r: ByteReader = new ByteReader(source.read(dataPageOffset, end - dataPageOffset), where)
  const runs = new IndexRuns()
  while (r.left > 0) {
    const { header, content } = readPage(r, metadata.codec)
    if (header.pageType !== 'DATA_PAGE' || header.encoding !== 'RLE_DICTIONARY') {
      r.fail('a data page of indexes', `${header.pageType} of ${header.encoding}`)
    }
    readIndexPage(expandBytes(content), { where, valueCount: header.valueCount, dictionaryCount }, runs)
  }
  if (runs.rowCount !== valueCount) r.fail(`${valueCount} values`, String(runs.rowCount))
  return runs
}
