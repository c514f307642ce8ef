/** Law: a checkpoint says what the commits before it say, to us and to readers that are not ours. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Snapshot } from '#src/table/actions.js'
import { truncateLog } from '#src/table/log-cleanup.js'
import { CHECKPOINT_INTERVAL, readSnapshot } from '#src/table/table.js'
import { DISK_FILES } from '#src/table/table-files.js'
import { encodeCheckpoint, writeCheckpoint } from '#src/table/write-checkpoint.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import {
  addFile,
  append,
  checkpointName,
  commitName,
  commitQuickly,
  failureOf,
  logPath,
  makeTable,
  namesOfLog,
  plainSnapshot,
  QUICK_FILES,
  removeFile,
  removeLogLeftovers,
} from './sample-table.ts'

const HOUR_MS = 3_600_000
const test = suite('checkpoint')

/** A table with what a table can have: paths of all kinds, tags, no statistics, tombstones. */
async function makeVariedTable(): Promise<string> {
  const directory = makeTempFolder()
  await makeTable(directory, 3)
  const { stats: _, ...bare } = addFile('bare é%=b', '2023-02-28')
  await commitQuickly(directory, 2, [
    { add: bare },
    { add: { ...addFile('tagged'), tags: { origin: 'a"b', empty: '' } } },
    { add: { ...addFile('elsewhere'), path: 'other/folder.parquet' } },
    { remove: removeFile('f1') },
    { txn: { appId: 'ü', version: 4, lastUpdated: 5 } },
  ])
  return directory
}

test('all that commits say is in it', async () => {
  const directory = await makeVariedTable()
  const before = await readSnapshot(directory)
  await writeCheckpoint(DISK_FILES, before)
  for (const name of namesOfLog(directory)) if (name.endsWith('.json')) rmSync(logPath(directory, name))
  const after = await readSnapshot(directory)
  assert.equal(plainSnapshot(after), plainSnapshot(before))
  assert.is(after.files.get('other/folder.parquet')?.partitionValues.date, '2024-05-17')
  assert.equal(after.files.get('date=2024-05-17/tagged.parquet')?.tags, { origin: 'a"b', empty: '' })
  assert.is(after.files.get('date=2023-02-28/bare é%=b.parquet')?.stats, undefined)
})

test(`one is written after every ${CHECKPOINT_INTERVAL} commits, and the log goes on from it`, async () => {
  const directory = makeTempFolder()
  await makeTable(directory, CHECKPOINT_INTERVAL + 3)
  const written = namesOfLog(directory).filter((name) => !name.endsWith('.json'))
  assert.equal(written, [checkpointName(CHECKPOINT_INTERVAL), '_last_checkpoint'])
  const hint = JSON.parse(readFileSync(logPath(directory, '_last_checkpoint'), 'utf8'))
  const count = CHECKPOINT_INTERVAL + 1
  assert.equal(
    { ...hint, sizeInBytes: 0 },
    { version: 100, size: 2 * count + 2, sizeInBytes: 0, numOfAddFiles: count },
  )
  assert.is(hint.sizeInBytes, readFileSync(logPath(directory, checkpointName(CHECKPOINT_INTERVAL))).length)
  // Commits that it stands for are not read any more.
  for (let version = 0; version <= CHECKPOINT_INTERVAL; version++) {
    writeFileSync(logPath(directory, commitName(version)), 'not JSON')
  }
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.files.size, CHECKPOINT_INTERVAL + 3)
  assert.is(snapshot.transactions.size, CHECKPOINT_INTERVAL + 3)
})

test('tombstones are forgotten after a week', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  const now = Date.now()
  await commitQuickly(directory, 1, [
    { remove: removeFile('f0', now - 8 * 24 * HOUR_MS) },
    { remove: removeFile('f1', now - 6 * 24 * HOUR_MS) },
  ])
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.removed.size, 2)
  await writeCheckpoint(DISK_FILES, snapshot)
  assert.equal([...(await readSnapshot(directory)).removed.keys()], ['date=2024-05-17/f1.parquet'])
})

test('more actions than a row group holds', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 1)
  const base = await readSnapshot(directory)
  const files = new Map<string, ReturnType<typeof addFile>>()
  for (let i = 0; i < 100_001; i++) {
    const { stats: _, ...file } = addFile(`n${i}`)
    files.set(file.path, file)
  }
  const big: Snapshot = { ...base, version: 7, files }
  await writeCheckpoint(QUICK_FILES, big)
  const found = await readSnapshot(directory)
  assert.is(found.version, 7)
  assert.equal([...found.files.keys()], [...files.keys()])
})

test('an older checkpoint does not take the hint back', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 4)
  for (const version of [3, 1]) await writeCheckpoint(DISK_FILES, await readSnapshot(directory, version))
  assert.is(JSON.parse(readFileSync(logPath(directory, '_last_checkpoint'), 'utf8')).version, 3)
})

test('DuckDB reads it with the names and types of the protocol', async () => {
  const directory = await makeVariedTable()
  const { bytes } = await encodeCheckpoint(await readSnapshot(directory), Date.now())
  const path = logPath(directory, checkpointName(3))
  writeFileSync(path, bytes)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const rowsOf = async (sql: string): Promise<unknown[]> =>
    (await connection.runAndReadAll(sql.replace('$file', `read_parquet('${path}')`))).getRowsJson()
  assert.equal(
    await rowsOf(
      'SELECT protocol.minReaderVersion, protocol.minWriterVersion FROM $file WHERE protocol IS NOT NULL',
    ),
    [[1, 2]],
  )
  assert.equal(
    await rowsOf(
      'SELECT metaData.partitionColumns, metaData.format.provider FROM $file WHERE metaData IS NOT NULL',
    ),
    [[['date'], 'parquet']],
  )
  assert.equal(
    await rowsOf(
      "SELECT add.path, add.partitionValues['date'], add.size, add.dataChange, add.stats IS NULL FROM $file WHERE add.path LIKE '%bare%' OR add.path LIKE '%f0%' ORDER BY 1",
    ),
    [
      ['date=2023-02-28/bare%20%C3%A9%25=b.parquet', '2023-02-28', '1009', false, true],
      ['date=2024-05-17/f0.parquet', '2024-05-17', '1002', false, false],
    ],
  )
  assert.equal(await rowsOf('SELECT txn.appId, txn.version FROM $file WHERE txn IS NOT NULL ORDER BY 1'), [
    ['sha256:f0', '1'],
    ['sha256:f1', '1'],
    ['sha256:f2', '1'],
    ['ü', '4'],
  ])
  assert.equal(await rowsOf('SELECT count(*), count(remove.path), count(add.path) FROM $file'), [
    ['12', '1', '5'],
  ])
  connection.closeSync()
})

test('a truncated log has one version, and nothing of those before', async () => {
  const directory = await makeVariedTable()
  const before = await readSnapshot(directory)
  await writeCheckpoint(DISK_FILES, await readSnapshot(directory, 1))
  const gone = await truncateLog(before)
  assert.is(gone.length, 4)
  assert.equal(namesOfLog(directory), [checkpointName(3), commitName(3), '_last_checkpoint'])
  assert.equal(plainSnapshot(await readSnapshot(directory)), plainSnapshot(before))
  assert.match(await failureOf('USAGE', readSnapshot(directory, 1)), /no longer has version 1/)
  assert.is(await commitQuickly(directory, 3, append('next')), 4)
})

test('temporary files go when they are old enough, and nothing else', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  const leftover = logPath(directory, '.commit-01234567-89ab-cdef-0123-456789abcdef.tmp')
  for (const path of [leftover, logPath(directory, '.mine.tmp')]) writeFileSync(path, '{')
  assert.equal(removeLogLeftovers(directory, Date.now() - HOUR_MS), [])
  assert.equal(removeLogLeftovers(directory, Date.now() + HOUR_MS), [leftover])
  assert.not.ok(existsSync(leftover))
  assert.equal(namesOfLog(directory), ['.mine.tmp', commitName(0), commitName(1)])
})

test.run()
