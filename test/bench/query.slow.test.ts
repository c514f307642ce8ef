/** The bench of questions works and both sides say the same; how fast anything is, is no matter for a test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { measureQueries, QUERY_SIZES } from '../../bench/query.ts'
import { listQueryTargets, renderQueryReport } from '../../bench/query-report.ts'
import { replacePage } from '../../bench/results-page.ts'

const bench = suite('bench of questions')
const folder = mkdtempSync(join(tmpdir(), 'byteledger-bench-'))
bench.after(() => rmSync(folder, { recursive: true }))

bench('every figure is measured, on stores about which DuckDB says the same', async () => {
  const size = QUERY_SIZES.get('tiny')
  assert.ok(size)
  const result = await measureQueries(size, folder, () => undefined)
  assert.is(result.stores.length, 2)
  for (const { cold, warm, batch, reports, requests, rangeCount } of result.stores) {
    assert.ok(requests > 1000 && rangeCount > 0 && rangeCount <= requests)
    assert.is(batch.questions, 1000)
    const times = [
      cold.seconds,
      cold.idleSeconds,
      cold.duckdbSeconds,
      warm.wholeSeconds,
      warm.duckdbWholeSeconds,
    ]
    for (const seconds of [...times, batch.seconds, ...reports.flatMap((r) => [r.seconds, r.duckdbSeconds])])
      assert.ok(seconds > 0 && Number.isFinite(seconds))
    assert.ok(warm.firstPerSecond > 0 && warm.againPerSecond > 0)
  }
  const page = renderQueryReport(result, { command: 'the command', date: '2024-05-17', duckdbVersion: 'v0' })
  for (const { name, found } of listQueryTargets(result)) {
    assert.ok(page.includes(name), name)
    assert.ok(Number.isFinite(found), name)
  }
})

bench('a page takes the place of the one with its title, and leaves the others alone', () => {
  const both = replacePage(replacePage('', '# A\n\none\n\n## x\n'), '# B\n\ntwo\n')
  assert.is(both, '# A\n\none\n\n## x\n\n# B\n\ntwo\n')
  assert.is(replacePage(both, '# A\n\nthree\n'), '# A\n\nthree\n\n# B\n\ntwo\n')
})

bench.run()
