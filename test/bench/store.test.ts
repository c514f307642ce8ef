/** The bench of the store works and checks its counts; how fast anything is, is no matter for a test. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { provideLog } from '../../bench/generate-logs.ts'
import { cutLog, measureStore, STORE_SIZES } from '../../bench/store.ts'
import { renderStoreReport, smallInputRatio } from '../../bench/store-report.ts'
import { readLogPlainly } from '../../fixtures/log-oracle.ts'

const bench = suite('bench of the store')
const folder = mkdtempSync(join(tmpdir(), 'byteledger-bench-'))

bench.after(() => rmSync(folder, { recursive: true }))

bench('the pieces of a log are the log, cut at line ends', () => {
  const recipe = {
    shape: 'short',
    byteLength: 30_000,
    lineCount: Number.POSITIVE_INFINITY,
    seed: 12,
  } as const
  const log = provideLog(folder, recipe)
  const pieces = cutLog(log, join(folder, 'pieces'), 7).map((path) => readFileSync(path))
  assert.is(pieces.length, 7)
  for (const piece of pieces) assert.is(piece.at(-1), 0x0a)
  assert.ok(Buffer.concat(pieces).equals(readFileSync(log)))
})

bench('all stores hold the same rows, and the report shows every figure', async () => {
  const size = STORE_SIZES.get('tiny')
  assert.ok(size)
  const result = await measureStore(size, folder, () => undefined)
  const log = provideLog(folder, {
    shape: 'short',
    byteLength: size.storeLogByteLength,
    lineCount: Number.POSITIVE_INFINITY,
    seed: 7,
  })
  const { kept } = readLogPlainly(readFileSync(log))
  assert.equal(
    result.compacts.map(({ fileCount, requests }) => [fileCount, requests]),
    [[4, kept]],
  )
  assert.equal(
    result.asks.map(({ fileCount, isCompacted }) => [fileCount, isCompacted]),
    [
      [1, false],
      [4, false],
      [4, true],
    ],
  )
  assert.equal(
    result.appends.map(({ inputCount }) => inputCount),
    [1, 3, 10, 1],
  )
  for (const { coldSeconds, openSeconds, askSeconds } of result.asks)
    for (const seconds of [coldSeconds, openSeconds, askSeconds]) assert.ok(seconds > 0)
  assert.ok(Number.isFinite(smallInputRatio(result)))
  const page = renderStoreReport(result, { command: 'the command', date: '2024-05-17' })
  for (const { name } of result.appends) assert.ok(page.includes(`| ${name} |`), name)
  assert.ok(page.includes('| 4, compacted to 1 |'))
  assert.not.ok(page.includes('NaN'))
})

bench.run()
