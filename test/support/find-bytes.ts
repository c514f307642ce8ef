/** Finds bytes wherever they may be in a directory: as they stand, and in the decompressed pages of Parquet files. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetMetadata } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ByteReader } from '#src/base/byte-reader.js'
import { readAnyPageHeader } from '#src/parquet/any-page-header.js'
import { queryDuckdb } from './foreign-readers.ts'
import { listTree } from './store-samples.ts'

/** Where a text is found below a directory, by name of file and kind of place; nothing may be left out. */
export function findText(directory: string, text: string): string[] {
  return listTree(directory).flatMap((name) => {
    const bytes = readFileSync(join(directory, name))
    const places = bytes.includes(text) ? [`${name}: bytes`] : []
    if (bytes.subarray(0, 4).toString() !== 'PAR1' || bytes.subarray(-4).toString() !== 'PAR1') return places
    for (const { where, body } of pagesOf(bytes)) {
      if (Buffer.from(body).includes(text)) places.push(`${name}: ${where}`)
    }
    return places
  })
}

function* pagesOf(bytes: Buffer): Generator<{ readonly where: string; readonly body: Uint8Array }> {
  const metadata = parquetMetadata(Uint8Array.from(bytes).buffer)
  for (const [i, { columns }] of metadata.row_groups.entries()) {
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) throw new Error('expected a column with metadata')
      const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
      const end = start + Number(chunk.total_compressed_size)
      const where = `row group ${i}, ${chunk.path_in_schema.join('.')}`
      for (let at = start; at < end; ) {
        const r = new ByteReader(bytes, where, at, end)
        const header = readAnyPageHeader(r)
        const body = bytes.subarray(r.at, r.at + header.compressedByteLength)
        at = r.at + header.compressedByteLength
        const isPlain = chunk.codec === 'UNCOMPRESSED' || header.pageType === 'DATA_PAGE_V2'
        yield {
          where: `${where}, ${header.pageType}`,
          body: isPlain ? body : decompress(chunk.codec, body, header),
        }
      }
    }
  }
}

function decompress(
  codec: 'SNAPPY' | 'ZSTD' | string,
  body: Uint8Array,
  { uncompressedByteLength }: { readonly uncompressedByteLength: number },
): Uint8Array {
  const found = codec === 'SNAPPY' ? compressors.SNAPPY : codec === 'ZSTD' ? compressors.ZSTD : undefined
  if (found === undefined) throw new Error(`expected a codec that is known here, found ${codec}`)
  return found(body, uncompressedByteLength)
}

/** How many row groups of a file may have the value in a column, as their bloom filters say to DuckDB. */
export async function countBloomHits(path: string, column: string, value: string): Promise<number> {
  const rows = await queryDuckdb(
    `SELECT count(*) FROM parquet_bloom_probe('${path}', '${column}', '${value}') WHERE NOT bloom_filter_excludes`,
  )
  return Number(rows[0]?.[0])
}
