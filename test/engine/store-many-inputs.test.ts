/** Law: thousands of small logs cost about what one log of their bytes costs, and become one commit of few files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTable } from '#src/table/table.js'
import { addTo, assertHolds, logLine, newStore, writeLog } from '../support/store-runs.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const many = suite('many small inputs')
const COUNT = 2000
const DATES = ['2024-05-16', '2024-05-17', '2024-05-18']
/** Generous: opening, reading and digesting a file. */
const CPU_MS_PER_INPUT = 0.6

const logs = Array.from({ length: COUNT }, (_, i) =>
  DATES.map((date) => logLine(`/asset-${i % 50}`, `${i}-${i + 99}`, { date, ip: `192.0.2.${i & 255}` })).join(
    '',
  ),
)

function writeAll(): string[] {
  const folder = makeTempFolder()
  mkdirSync(folder, { recursive: true })
  return logs.map((log, i) => {
    const path = join(folder, `${i}.log`)
    writeFileSync(path, i % 2 === 0 ? log : gzipSync(log))
    return path
  })
}

async function cpuMsOf(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

many('2,000 small logs, half of them gzip, are one commit with one file a day', async () => {
  const inputs = writeAll()
  const whole = writeLog(logs.join(''))
  const store = newStore()
  const report = await addTo(store, inputs)
  assert.equal(
    [report.store.version, report.files.length, report.kept],
    [0, DATES.length, COUNT * DATES.length],
  )
  const { files, transactions } = await readTable(store)
  assert.equal([files.size, transactions.size], [DATES.length, COUNT])
  assert.equal([...files.values()].map(({ partitionValues }) => partitionValues.date).sort(), DATES)
  await assertHolds(store, logs)
  const again = await addTo(store, inputs)
  assert.equal([again.store.version, again.lines], [0, 0])
  assert.ok(again.store.inputs.every(({ status }) => status === 'known'))
  // The least of several runs, as others use the machine as well.
  let [least, leastOfOne] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let attempt = 0; attempt < 4; attempt++) {
    leastOfOne = Math.min(leastOfOne, await cpuMsOf(() => addTo(newStore(), [whole])))
    least = Math.min(least, await cpuMsOf(() => addTo(newStore(), inputs)))
    if (least <= 3 * leastOfOne + CPU_MS_PER_INPUT * COUNT) break
  }
  assert.ok(least <= 3 * leastOfOne + CPU_MS_PER_INPUT * COUNT, `${least} ms, one file ${leastOfOne} ms`)
  const before = process.memoryUsage().rss
  for (let round = 0; round < 2; round++) await addTo(newStore(), inputs)
  assert.ok(
    process.memoryUsage().rss - before < 150 * 2 ** 20,
    'memory is that of a shard, not of the inputs',
  )
})

many.run()
