/** The bench of the formats works and compares like with like; how fast anything is, is no matter for a test. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FORMATS_SIZES, measureFormats, renderFormats } from '../../bench/formats.ts'
import { FORMAT_WRITERS } from '../../fixtures/format-writers.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const bench = suite('bench of the formats')

bench('both sides find the same requests in every format, and each has a line in the table', async () => {
  const size = FORMATS_SIZES.get('tiny')
  assert.ok(size)
  const results = await measureFormats(size, makeTempFolder(), () => undefined)
  assert.equal(
    results.map(({ name }) => name),
    FORMAT_WRITERS.flatMap(({ name }) => (name === 'cloudfront' ? [name, `${name}, gzip`] : [name])),
  )
  const page = renderFormats(results, {
    command: 'npm run bench formats',
    date: '2024-05-17',
    duckdbVersion: 'v1',
  })
  for (const { name, requestCount, byteledgerSeconds, duckdbSeconds } of results) {
    assert.ok(requestCount > 100 && byteledgerSeconds > 0 && duckdbSeconds > 0, name)
    assert.ok(page.includes(`| ${name} |`), name)
  }
})

bench.run()
