/** What a Parquet file in the making does when the disk fails. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { SCHEMA } from '#src/delivery/schema.js'
import { OpenFiles } from '#src/engine/open-files.js'
import { ParquetOutput } from '#src/engine/parquet-output.js'
import type { RowGroupBatch } from '#src/parquet/row-group-table.js'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const outputs = suite('parquet output')

/** So many bytes in no row group: enough for the output to have them synced. */
function bytesAlone(byteLength: number): RowGroupBatch {
  return {
    pages: new Uint8Array(byteLength),
    rowGroupCount: 0,
    numbers: new Float64Array(0),
    bounds: new Uint8Array(0),
    columnIndexes: new Uint8Array(0),
    pageByteLengths: new Uint32Array(0),
    pageFirstRows: new Float64Array(0),
    notes: new Uint8Array(0),
  }
}

/** Counts the syncs made ahead; the system tells of a failed write to the first of them and never again. */
class FailingOnce extends OpenFiles {
  syncCount = 0

  override async get(path: string): ReturnType<OpenFiles['get']> {
    const handle = await super.get(path)
    handle.datasync = () =>
      this.syncCount++ === 0 ? Promise.reject(new Error('EIO: i/o error, fdatasync')) : Promise.resolve()
    return handle
  }
}

outputs('a sync that fails while more is written fails the file, which never appears', async () => {
  const folder = makeTempFolder()
  const files = new FailingOnce()
  const output = await ParquetOutput.create(join(folder, 'day.parquet'), { schema: SCHEMA, files })
  for (let i = 0; i < 3; i++) await output.append(bytesAlone(17 * 2 ** 20))
  assert.ok(files.syncCount > 1, 'later syncs know nothing of it')
  try {
    await output.finish(0)
    assert.unreachable('finished')
  } catch (error) {
    assert.ok(error instanceof Failure && error.code === 'ENVIRONMENT' && /EIO/.test(error.message))
  } finally {
    await output.discard()
  }
  assert.equal(namesIn(folder), [])
})

outputs.run()
