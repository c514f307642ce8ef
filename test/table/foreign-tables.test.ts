/** Law: tables that others wrote are read as they meant them; damage to them never takes the process down. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { readSnapshot } from '#src/table/table.js'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { append, commitQuickly, failureOf, logPath, namesOfLog } from './sample-table.ts'

const FOLDER = fileURLToPath(new URL('foreign/', import.meta.url))
const SEED = 3
const test = suite('foreign tables')

interface Expected {
  readonly version: number
  /** Encoded path, bytes, date, rows, largest byte_num. */
  readonly files: readonly (readonly [string, number, string, number, number])[]
  /** Some of them. */
  readonly transactions: Readonly<Record<string, number>>
  /** Number of tombstones. */
  readonly removed: number
}

const expected: Readonly<Record<string, Expected>> = JSON.parse(
  readFileSync(join(FOLDER, 'expected.json'), 'utf8'),
)

function copyOf(name: string): string {
  const directory = join(makeTempFolder(), name)
  cpSync(join(FOLDER, name), directory, { recursive: true })
  return directory
}

async function checkTable(directory: string, answer: Expected): Promise<void> {
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.version, answer.version)
  const files = [...snapshot.files.values()].map(({ path, size, partitionValues, stats }) => {
    return [path, size, partitionValues.date, stats?.numRecords, stats?.maxValues['byte_num']]
  })
  assert.equal(files.sort(), answer.files)
  for (const [appId, latest] of Object.entries(answer.transactions)) {
    assert.is(snapshot.transactions.get(appId), latest)
  }
  assert.is(snapshot.removed.size, answer.removed)
}

test('there are tables, and each has an answer', () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.equal(
    folders.map(({ name }) => name),
    ['deltalake', 'loose', 'multipart', 'spark'],
  )
})

for (const [name, answer] of Object.entries(expected)) {
  test(`${name}: files, statistics, transactions and tombstones`, () =>
    checkTable(join(FOLDER, name), answer))

  test(`${name}: we commit on top of it`, async () => {
    const directory = copyOf(name)
    assert.is(await commitQuickly(directory, answer.version, append('ours')), answer.version + 1)
    const snapshot = await readSnapshot(directory)
    assert.is(snapshot.files.size, answer.files.length + 1)
  })
}

test('the commits of deltalake say the same as its checkpoint', async () => {
  const answer = expected['deltalake']
  assert.ok(answer !== undefined)
  const withoutCheckpoint = copyOf('deltalake')
  for (const name of namesOfLog(withoutCheckpoint)) {
    if (!name.endsWith('.json')) rmSync(logPath(withoutCheckpoint, name))
  }
  await checkTable(withoutCheckpoint, answer)
  const withoutCommits = copyOf('deltalake')
  for (const name of namesOfLog(withoutCommits)) {
    if (name.endsWith('.json') && Number(name.slice(0, 20)) <= 5) rmSync(logPath(withoutCommits, name))
  }
  await checkTable(withoutCommits, answer)
})

test('a checkpoint of two parts with one part missing is none', async () => {
  const directory = copyOf('multipart')
  const [first = ''] = namesOfLog(directory)
  rmSync(logPath(directory, first))
  assert.match(
    await failureOf('DAMAGED', readSnapshot(directory)),
    /0000\.json: expected the commit of version 0/,
  )
})

test('flipped bits and lost ends of checkpoints without our seal are failures, or unseen', async () => {
  const random = createSeededRandom(SEED)
  let failureCount = 0
  for (const name of ['loose', 'multipart', 'spark']) {
    const directory = copyOf(name)
    const checkpoint = namesOfLog(directory).find((file) => file.endsWith('.parquet')) ?? ''
    const path = logPath(directory, checkpoint)
    const bytes = readFileSync(path)
    for (let round = 0; round < 200; round++) {
      const damagedBytes =
        round % 4 === 0 ? Buffer.from(bytes.subarray(0, random.below(bytes.length))) : Buffer.from(bytes)
      const at = random.below(Math.max(1, damagedBytes.length))
      if (damagedBytes.length > 0) damagedBytes[at] = (damagedBytes[at] ?? 0) ^ (1 << random.below(8))
      writeFileSync(path, damagedBytes)
      try {
        const snapshot = await readSnapshot(directory)
        // Spark says beside its checkpoint how many files the table has, so none is lost unseen.
        if (name === 'spark') assert.is(snapshot.files.size, expected['spark']?.files.length)
      } catch (failure) {
        assert.ok(failure instanceof Failure, `${name}, round ${round}, seed ${SEED}: ${String(failure)}`)
        assert.ok(failure.code === 'DAMAGED' || failure.code === 'USAGE', failure.message)
        failureCount++
      }
    }
  }
  assert.ok(failureCount > 150, `only ${failureCount} failures`)
})

test.run()
