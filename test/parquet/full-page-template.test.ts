import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { crc32 } from '#src/parquet/crc32.js'
import { DeltaPageEncoder } from '#src/parquet/delta-page.js'
import { writeDataPageHeader } from '#src/parquet/page-header.js'
import { MAX_POSITION_PAGE_ROWS } from '#src/parquet/page-limits.js'
import { PlainPositionPages } from '#src/parquet/plain-position-pages.js'
import { createWasmPositionPages } from '#src/parquet/wasm-position-pages.js'
import { ZstdFrameEncoder } from '#src/parquet/zstd-frame.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'

const templates = suite('full page templates')

/** The page by the general code. */
function pageOf(start: number): Uint8Array {
  const delta = new DeltaPageEncoder(new ZstdFrameEncoder())
  const body = new ByteWriter()
  delta.encodeOneRun(start, MAX_POSITION_PAGE_ROWS, body)
  const page = new ByteWriter()
  writeDataPageHeader(page, {
    uncompressedByteLength: delta.uncompressedByteLength,
    compressedByteLength: body.length,
    crc: crc32(body.bytes, 0, body.length),
    valueCount: MAX_POSITION_PAGE_ROWS,
    encoding: 'DELTA_BINARY_PACKED',
  })
  page.append(body.view())
  return page.copy()
}

templates('a page from the template is the page of the general code, byte by byte', () => {
  const encoders = [new PlainPositionPages(), createWasmPositionPages()]
  const random = createSeededRandom(11)
  const starts = [0, 1, 63, 64, 8191, 8192, 2 ** 31, 2 ** 32, 2 ** 40 + 7, 2 ** 50]
  for (let i = 0; i < 400; i++) starts.push(random.below(2 ** 32) * random.pick([1, 1, 3, 1024]))
  for (const start of starts) {
    const runs = { starts: Float64Array.of(start), rowCounts: Float64Array.of(MAX_POSITION_PAGE_ROWS) }
    for (const encoder of encoders) {
      assert.equal(encoder.encode(runs, 1).bytes.slice(), pageOf(start), `start ${start}`)
    }
  }
})

templates.run()
