/** The bench works and compares like with like; how fast anything is, is no matter for a test. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { provideLog } from '../../bench/generate-logs.ts'
import { median } from '../../bench/measure.ts'
import { isMet, listTargets, renderReport } from '../../bench/report.ts'
import { measureThroughput, SIZES } from '../../bench/throughput.ts'
import { readLogPlainly } from '../../fixtures/log-oracle.ts'

const bench = suite('bench')
const folder = mkdtempSync(join(tmpdir(), 'byteledger-bench-'))
const NO_LIMIT = Number.POSITIVE_INFINITY

bench.after(() => rmSync(folder, { recursive: true }))

bench('a seed decides every byte of a log, and no line of it is bad', () => {
  const recipe = { shape: 'podcast', byteLength: 300_000, lineCount: NO_LIMIT, seed: 9 } as const
  const log = readFileSync(provideLog(join(folder, 'a'), recipe))
  assert.ok(log.equals(readFileSync(provideLog(join(folder, 'b'), recipe))))
  assert.not.ok(log.equals(readFileSync(provideLog(folder, { ...recipe, seed: 10 }))))
  const { lines, comments, kept, skipped, rejected } = readLogPlainly(log)
  assert.equal(rejected, {})
  assert.is(lines, comments + kept + (skipped['status'] ?? 0))
  assert.ok(kept > 1000)
})

bench('a log that was made before is used again', () => {
  const recipe = { shape: 'short', byteLength: 100_000, lineCount: NO_LIMIT, seed: 11 } as const
  const path = provideLog(folder, recipe)
  const madeAt = statSync(path).mtimeMs
  assert.is(provideLog(folder, recipe), path)
  assert.is(statSync(path).mtimeMs, madeAt)
})

bench('the huge log delivers 1.4 trillion bytes in 400 lines', () => {
  const log = provideLog(folder, { shape: 'huge', byteLength: NO_LIMIT, lineCount: 400, seed: 3 })
  const { kept, rows, requests } = readLogPlainly(readFileSync(log))
  assert.equal([kept, rows], [400, 1_400_000_000_000])
  assert.ok(requests.every(({ first }) => first > 2 ** 32))
})

bench('all contenders deliver the same rows, and the report shows every target', async () => {
  const size = SIZES.get('tiny')
  assert.ok(size)
  const result = await measureThroughput(size, folder, () => undefined)
  for (const log of result.logs) {
    const { requests, rows } = readLogPlainly(readFileSync(provideLog(folder, log.recipe)))
    assert.equal(log.delivery, { keptRequests: requests.length, rows })
    for (const { seconds } of [log.lineCount, log.byteledger, log.duckdbRequests, log.duckdbSorted]) {
      assert.ok(seconds > 0)
    }
    assert.ok(log.byteledger.outputBytes > 0)
  }
  assert.ok(result.startUp.idleSeconds > 0 && result.startUp.sampleSeconds > 0)
  const page = renderReport(result, { command: 'the command', date: '2024-05-17', duckdbVersion: 'v0' })
  for (const { name, found } of listTargets(result)) {
    assert.ok(page.includes(name), name)
    assert.ok(Number.isFinite(found), name)
  }
})

bench('a target is met at its limit, and missed when it could not be measured', () => {
  const target = { name: 'speed', found: 2, limit: 2, kind: 'at least', unit: 'x' } as const
  assert.ok(isMet(target))
  assert.not.ok(isMet({ ...target, found: 1.99 }))
  assert.not.ok(isMet({ ...target, found: Number.NaN }))
  assert.not.ok(isMet({ ...target, kind: 'at most', found: 2.01 }))
  assert.not.ok(isMet({ ...target, kind: 'at most', found: Number.NaN }))
})

bench('a median stands in the middle', () => {
  assert.equal([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])], [2, 2.5, 7])
})

bench.run()
