/** Law: a commit is the next version, whole, and contradicts nothing that others committed before it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SCHEMA } from '#src/delivery/schema.js'
import type { Snapshot } from '#src/table/actions.js'
import { CommitConflict } from '#src/table/commit-failures.js'
import { markFirstRun, unmarkFirstRun } from '#src/table/first-run.js'
import { commit, readSnapshot, readTable, refreshSnapshot } from '#src/table/table.js'
import { DISK_FILES } from '#src/table/table-files.js'
import { TABLE_COLUMNS } from '#src/table/table-schema.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import {
  addFile,
  append,
  commitName,
  commitQuickly,
  failureOf,
  logPath,
  makeTable,
  namesOfLog,
  plainSnapshot,
  QUICK_FILES,
  removeFile,
} from './sample-table.ts'

const test = suite('commit')

test('where there is no table the version is -1, and reading one fails', async () => {
  const folder = makeTempFolder()
  for (const directory of [join(folder, 'absent'), folder]) {
    assert.is((await readSnapshot(directory)).version, -1)
    assert.match(await failureOf('USAGE', readTable(directory)), /is not a store/)
  }
})

test('the first commit makes the table and its content in one version', async () => {
  const directory = join(makeTempFolder(), 'deep', 'store')
  assert.is(
    await commit(directory, {
      readVersion: -1,
      actions: append('a'),
      operation: 'WRITE',
      operationParameters: {},
    }),
    0,
  )
  const snapshot = await readTable(directory)
  assert.equal(snapshot.protocol, { minReaderVersion: 1, minWriterVersion: 2 })
  assert.equal(snapshot.metadata?.partitionColumns, ['date'])
  assert.equal([...snapshot.transactions], [['sha256:a', 1]])
  const file = snapshot.files.get('date=2024-05-17/a.parquet')
  const { stats, ...members } = addFile('a')
  assert.equal({ ...file }, members)
  assert.equal(file?.stats, stats)
  assert.equal(namesOfLog(directory), [commitName(0)])
})

test('the lines of a commit are those of the protocol, commitInfo first', async () => {
  const directory = makeTempFolder()
  await commitQuickly(directory, -1, [{ add: addFile('a b') }])
  await commitQuickly(directory, 0, [
    { remove: removeFile('a b', 5) },
    { txn: { appId: 'x', version: 3, lastUpdated: 9 } },
  ])
  const linesOf = (version: number): Record<string, Record<string, unknown>>[] =>
    readFileSync(logPath(directory, commitName(version)), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const [info, protocol, metaData, add, ...rest] = linesOf(0)
  assert.is(info?.['commitInfo']?.['operation'], 'WRITE')
  assert.equal(protocol, { protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
  assert.equal(metaData?.['metaData']?.['format'], { provider: 'parquet', options: {} })
  assert.is(add?.['add']?.['path'], 'date=2024-05-17/a%20b.parquet')
  assert.type(add?.['add']?.['stats'], 'string')
  assert.is(rest.length, 0)
  const [, remove, txn] = linesOf(1)
  assert.equal(remove, {
    remove: {
      path: 'date=2024-05-17/a%20b.parquet',
      deletionTimestamp: 5,
      dataChange: true,
      extendedFileMetadata: true,
      partitionValues: { date: '2024-05-17' },
      size: 1003,
    },
  })
  assert.equal(txn, { txn: { appId: 'x', version: 3, lastUpdated: 9 } })
})

test('the columns of the table are the columns of its files', () => {
  const types = { DATE: 'date', INTEGER: 'long', STRING: 'string' }
  assert.equal(
    SCHEMA.map(({ name, logicalType }) => ({ name, type: types[logicalType] })),
    TABLE_COLUMNS,
  )
})

test('a removed file is a tombstone until it is added again', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  await commitQuickly(directory, 1, [{ remove: removeFile('f0', 77) }, { add: addFile('g') }])
  const removed = await readSnapshot(directory)
  assert.equal([...removed.files.keys()], ['date=2024-05-17/f1.parquet', 'date=2024-05-17/g.parquet'])
  assert.is(removed.removed.get('date=2024-05-17/f0.parquet')?.deletionTimestamp, 77)
  await commitQuickly(directory, 2, [{ add: addFile('f0') }])
  const again = await readSnapshot(directory)
  assert.is(again.files.size, 3)
  assert.is(again.removed.size, 0)
})

test('every version can be read, and no other', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 4)
  for (const version of [0, 1, 2, 3]) {
    const snapshot = await readSnapshot(directory, version)
    assert.is(snapshot.version, version)
    assert.is(snapshot.files.size, version + 1)
  }
  assert.match(await failureOf('USAGE', readSnapshot(directory, 4)), /no version 4: the newest is 3/)
  assert.match(await failureOf('USAGE', readSnapshot(directory, -1)), /no version -1/)
})

test('a commit on top of an old version comes after the newest, once it was rechecked', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 3)
  const seen: Snapshot[] = []
  const version = await commit(directory, {
    readVersion: 0,
    actions: append('late'),
    operation: 'WRITE',
    operationParameters: {},
    recheck: (newer) => {
      seen.push(newer)
    },
    files: QUICK_FILES,
  })
  assert.is(version, 3)
  assert.equal(
    seen.map((snapshot) => [snapshot.version, snapshot.files.size]),
    [[2, 3]],
  )
  const [info] = readFileSync(logPath(directory, commitName(3)), 'utf8').split('\n')
  assert.is(JSON.parse(info ?? '').commitInfo.readVersion, 0)
})

test('a table that two make at once is made once', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 1)
  const { metadata } = await readSnapshot(directory)
  assert.is(await commitQuickly(directory, -1, append('second')), 1)
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.metadata?.id, metadata?.id)
  assert.is(snapshot.files.size, 2)
})

test('a recheck that fails, a txn again, a path again and a file that is gone commit nothing', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  await commitQuickly(directory, 1, [{ remove: removeFile('f1') }])
  const before = plainSnapshot(await readSnapshot(directory))
  const giveUp = new Error('not any more')
  const attempts = [
    {
      actions: append('new'),
      message: /not any more/,
      isConflict: false,
      recheck: () => Promise.reject(giveUp),
    },
    {
      actions: [{ txn: { appId: 'sha256:f1', version: 1 } }],
      message: /already has sha256:f1/,
      isConflict: true,
    },
    { actions: [{ add: addFile('f0') }], message: /already has date=2024-05-17\/f0/, isConflict: true },
    {
      actions: [{ remove: removeFile('f1') }],
      message: /no longer has date=2024-05-17\/f1/,
      isConflict: true,
    },
  ]
  for (const { actions, message, isConflict, recheck } of attempts) {
    let failure: unknown
    try {
      await commit(directory, {
        readVersion: 0,
        actions,
        operation: 'WRITE',
        operationParameters: {},
        files: QUICK_FILES,
        ...(recheck === undefined ? {} : { recheck }),
      })
    } catch (cause) {
      failure = cause
    }
    assert.match(String(failure), message)
    assert.is(failure instanceof CommitConflict, isConflict)
    assert.equal(plainSnapshot(await readSnapshot(directory)), before)
    assert.equal(namesOfLog(directory), [0, 1, 2].map(commitName))
  }
})

test('a later txn of the same appId is no conflict', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  await commitQuickly(directory, 0, [{ txn: { appId: 'sha256:f1', version: 2 } }])
  assert.is((await readSnapshot(directory)).transactions.get('sha256:f1'), 2)
})

test('a commit does not go on from a log that is gone', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 3)
  rmSync(join(directory, '_delta_log'), { recursive: true })
  assert.match(
    await failureOf('DAMAGED', commitQuickly(directory, 2, append('x'))),
    /0002\.json.*no such file/,
  )
  assert.is((await readSnapshot(directory)).version, -1)
})

test('a disk that takes a few bytes at a time gets all of them', async () => {
  const directory = makeTempFolder()
  let writeCount = 0
  const files = {
    ...DISK_FILES,
    async createTemp(path: string) {
      const file = await DISK_FILES.createTemp(path)
      return {
        ...file,
        write: (bytes: Uint8Array) => {
          writeCount++
          return file.write(bytes.subarray(0, 100))
        },
      }
    },
  }
  await commit(directory, {
    readVersion: -1,
    actions: append('a'),
    operation: 'WRITE',
    operationParameters: {},
    files,
  })
  assert.ok(writeCount > 10)
  assert.is((await readSnapshot(directory)).files.size, 1)
})

test('actions that nobody could read back are a bug of the caller, and not written', async () => {
  const directory = makeTempFolder()
  for (const path of ['../x.parquet', 'date=2024-05-18/x.parquet', '']) {
    const file = { ...addFile('x'), stats: undefined, path }
    let message = ''
    try {
      await commitQuickly(directory, -1, [{ add: file }])
    } catch (cause) {
      message = String(cause)
    }
    assert.match(message, /bug in byteledger/)
  }
  assert.is((await readSnapshot(directory)).version, -1)
})

test('refreshing reads what was committed since, and equals reading anew', async () => {
  const directory = makeTempFolder()
  await makeTable(directory, 2)
  const old = await readSnapshot(directory)
  await commitQuickly(directory, 1, [{ remove: removeFile('f0') }, ...append('g')])
  // What was read before is not read again: its commits may be anything by now.
  for (const version of [0, 1]) writeFileSync(logPath(directory, commitName(version)), 'not JSON')
  const fresh = await refreshSnapshot(old)
  assert.is(fresh.version, 2)
  assert.equal([...fresh.files.keys()], ['date=2024-05-17/f1.parquet', 'date=2024-05-17/g.parquet'])
  assert.is(old.files.size, 2)
})

test('leftovers of a first run are no table, other things in the way are refused', async () => {
  const directory = makeTempFolder()
  mkdirSync(join(directory, 'date=2024-05-17'))
  mkdirSync(join(directory, '_delta_log'))
  writeFileSync(join(directory, '_delta_log', '.commit-x.tmp'), '{')
  writeFileSync(join(directory, '.gitkeep'), '')
  assert.is((await readSnapshot(directory)).version, -1)
  writeFileSync(join(directory, 'date=2024-05-17', 'part-1.parquet'), '')
  assert.match(await failureOf('DAMAGED', readSnapshot(directory)), /expected the log of a store/)
  const mark = await markFirstRun(directory)
  assert.is((await readSnapshot(directory)).version, -1)
  await unmarkFirstRun(directory, mark)
  assert.match(await failureOf('DAMAGED', readSnapshot(directory)), /data files without one, like .*part-1/)
  const photos = makeTempFolder()
  writeFileSync(join(photos, 'holiday\n.jpg'), '')
  assert.match(
    await failureOf('USAGE', readSnapshot(photos)),
    /not a Delta table: it holds "holiday\\n\.jpg"/,
  )
  const file = join(photos, 'holiday\n.jpg')
  assert.match(await failureOf('USAGE', readSnapshot(file)), /not a Delta table/)
  assert.not.ok(existsSync(join(photos, '_delta_log')))
})

test.run()
