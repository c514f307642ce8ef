/** What vacuum deletes, and what it must leave alone. */

import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compactStore } from '#src/engine/compact-store.js'
import { vacuumStore } from '#src/engine/vacuum-store.js'
import { readTable } from '#src/table/table.js'
import {
  expectedLines,
  filesOf,
  linesOf,
  linesOfFiles,
  listTree,
  makeStore,
  putFile,
  randomRecords,
} from '../support/store-samples.ts'
import { failureOf } from '../table/sample-table.ts'

const test = suite('vacuum')
const HOUR_MS = 3_600_000
const UUID = '01234567-89ab-cdef-0123-456789abcdef'
const RECORDS = randomRecords({ seed: 21, count: 60, longest: 20, dayCount: 1 })

/** Makes a file look as if it had been written so long ago. */
function age(path: string, hours: number): string {
  const at = new Date(Date.now() - hours * HOUR_MS)
  utimesSync(path, at, at)
  return path
}

const named = ({ deleted }: { readonly deleted: readonly { readonly path: string }[] }): string[] =>
  deleted.map(({ path }) => path).sort()

test('removed files stay for the retention, counted from the removal and not from the writing', async () => {
  const store = await makeStore(RECORDS)
  const old = await filesOf(store)
  for (const path of old) age(path, 48)
  await compactStore({ store })
  const soon = await vacuumStore({ store, retentionMs: HOUR_MS })
  assert.equal([named(soon), soon.bytes, soon.kept], [[], 0, old.length])
  assert.equal(linesOfFiles(old), expectedLines(RECORDS), 'readers of an older version go on')
  const { files } = await readTable(store, 2)
  assert.is(files.size, old.length, 'the version is still there')
  const dry = await vacuumStore({ store, retentionMs: 0, dryRun: true })
  assert.equal([named(dry), dry.dryRun, dry.kept], [old.toSorted(), true, 0])
  assert.ok(
    old.every((path) => existsSync(path)),
    'a dry run only tells',
  )
  const done = await vacuumStore({ store, retentionMs: 0 })
  assert.equal([named(done), done.bytes], [named(dry), dry.bytes])
  assert.ok(done.bytes > 0)
  assert.not.ok(old.some((path) => existsSync(path)))
  assert.equal(await linesOf(store), expectedLines(RECORDS))
  assert.equal(named(await vacuumStore({ store, retentionMs: 0 })), [])
})

test('leftovers go by the time they were written, whatever kind they are of', async () => {
  const store = await makeStore(RECORDS)
  const before = listTree(store)
  const leftovers = [
    'date=2024-05-17/part-never-committed.parquet',
    `date=2024-05-17/.part-${UUID}.parquet.${UUID}.tmp`,
    `date=2024-05-17/.part-${UUID}.parquet.${UUID}.tmp.columns`,
    `date=2024-05-17/.part-${UUID}.parquet.${UUID}.tmp.offsets`,
    `date=2024-05-17/.merge-${UUID}.parquet`,
    `date=2024-05-17/..merge-${UUID}.parquet.${UUID}.tmp`,
    `date=2031-01-01/.part-${UUID}.parquet.${UUID}.tmp`,
    `.input-${UUID}.tmp`,
    `_delta_log/.commit-${UUID}.tmp`,
    `_delta_log/.checkpoint-${UUID}.tmp`,
    `_delta_log/.hint-${UUID}.tmp`,
  ]
  for (const [i, name] of leftovers.entries()) age(putFile(join(store, name), 'x'.repeat(i + 1)), 25)
  age(
    putFile(join(store, `date=2024-05-17/.part-${UUID}.parquet.11111111-0000-0000-0000-000000000000.tmp`)),
    23,
  )
  mkdirSync(join(store, 'date=2031-01-02'))
  const expected = leftovers.map((name) => join(store, name)).sort()
  const dry = await vacuumStore({ store, retentionMs: 24 * HOUR_MS, dryRun: true })
  assert.equal([named(dry), dry.kept], [expected, 1])
  const { bytes, ...done } = await vacuumStore({ store, retentionMs: 24 * HOUR_MS })
  assert.equal([named(done), done.kept, bytes], [expected, 1, (11 * 12) / 2])
  assert.is(listTree(store).length, before.length + 1, 'the young one stays')
  assert.equal(
    readdirSync(store).filter((name) => name.startsWith('date=2031')),
    [],
    'empty directories are gone, those that became empty too',
  )
  await vacuumStore({ store, retentionMs: 0 })
  assert.equal(listTree(store), before)
  assert.equal(await linesOf(store), expectedLines(RECORDS))
})

test('what is not of our making stays, however old it is', async () => {
  const store = await makeStore(RECORDS)
  const foreign = [
    'README.md',
    'data.parquet',
    '.hidden.parquet',
    '.gitignore',
    'other/part-0.parquet',
    'date=2024-05-17/_SUCCESS',
    'date=2024-05-17/.part-0.parquet.crc',
    'date=2024-05-17/.mine.parquet',
    'date=2024-05-17/deep/part-0.parquet',
    'date=2024-13/part-0.parquet',
    'date=__HIVE_DEFAULT_PARTITION__/part-0.parquet',
    '_delta_log/.00000000000000000000.json.crc',
    '_delta_log/.mine.tmp',
    '_delta_log/00000000000000000000.crc',
    '_delta_log/_commits/a.json',
  ]
  for (const name of foreign) age(putFile(join(store, name)), 1000)
  mkdirSync(join(store, 'empty'))
  for (const path of await filesOf(store)) age(path, 1000)
  const before = listTree(store)
  assert.equal(named(await vacuumStore({ store, retentionMs: 0 })), [])
  assert.equal(listTree(store), before)
  assert.ok(existsSync(join(store, 'empty')))
})

test('several vacuums at once do not hinder each other, and each file is told once', async () => {
  const store = await makeStore(RECORDS)
  const old = await filesOf(store)
  await compactStore({ store })
  for (let i = 0; i < 40; i++) {
    putFile(join(store, `date=2031-01-${10 + (i % 9)}/part-${i}.parquet`))
    putFile(join(store, `_delta_log/.commit-${UUID.slice(0, -2)}${10 + i}.tmp`))
  }
  const reports = await Promise.all([0, 1, 2, 3].map(() => vacuumStore({ store, retentionMs: 0 })))
  const all = reports.flatMap(named)
  assert.is(new Set(all).size, all.length)
  assert.is(all.length, old.length + 80)
  assert.equal(await linesOf(store), expectedLines(RECORDS))
})

test('a retention that the log cannot tell, and what is no store, is refused', async () => {
  const store = await makeStore(RECORDS.slice(0, 5), 1)
  assert.match(await failureOf('USAGE', vacuumStore({ store, retentionMs: 8 * 24 * HOUR_MS })), /at most 7d/)
  assert.equal(named(await vacuumStore({ store, retentionMs: 7 * 24 * HOUR_MS })), [])
  assert.match(
    await failureOf('USAGE', vacuumStore({ store: join(store, 'x'), retentionMs: 0 })),
    /not a store/,
  )
})

test.run()
