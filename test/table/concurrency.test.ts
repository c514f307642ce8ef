/** Law: commits of many processes at once are versions one after the other; none is lost, none is doubled. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSnapshot } from '#src/table/table.js'
import { isTempName } from '#src/table/table-files.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import { runCommitChild } from './run-commit-child.ts'
import { namesOfLog } from './sample-table.ts'

const PROCESS_COUNT = 4
const COMMIT_COUNT = 25
const test = suite('concurrency')

test(`${PROCESS_COUNT} processes make one table and commit ${COMMIT_COUNT} times each, while it is read`, async () => {
  const directory = join(makeTempFolder(), 'store')
  const names = ['a', 'b', 'c', 'd'].slice(0, PROCESS_COUNT)
  let isDone = false
  const children = Promise.all(
    names.map((name) => runCommitChild([directory, String(COMMIT_COUNT), name])),
  ).finally(() => {
    isDone = true
  })
  let readCount = 0
  let lastVersion = -1
  while (!isDone) {
    const snapshot = await readSnapshot(directory)
    // Every version has one file and one input more than the one before.
    assert.is(snapshot.files.size, snapshot.version + 1)
    assert.is(snapshot.transactions.size, snapshot.version + 1)
    assert.ok(snapshot.version >= lastVersion)
    lastVersion = snapshot.version
    readCount++
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const ends = await children
  assert.equal(
    ends.map(({ exit, errors }) => ({ exit, errors })),
    names.map(() => ({ exit: 0, errors: '' })),
  )
  const versions = ends.flatMap((end) => end.versions).sort((a, b) => a - b)
  assert.equal(
    versions,
    Array.from({ length: PROCESS_COUNT * COMMIT_COUNT }, (_, version) => version),
  )
  for (const end of ends) assert.is(end.versions.length, COMMIT_COUNT)
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.version, PROCESS_COUNT * COMMIT_COUNT - 1)
  for (const name of names) {
    for (let ordinal = 0; ordinal < COMMIT_COUNT; ordinal++) {
      assert.is(snapshot.transactions.get(`sha256:${name}${ordinal}`), 1)
    }
  }
  assert.equal(namesOfLog(directory).filter(isTempName), [])
  assert.ok(readCount > 3, `the table was read ${readCount} times only`)
})

test.run()
