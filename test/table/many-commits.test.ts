/** Law: what it costs to open a table depends on what is in it and on the commits since its checkpoint, not on its age. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AddFile } from '#src/table/actions.js'
import { readSnapshot } from '#src/table/table.js'
import { encodeCheckpoint } from '#src/table/write-checkpoint.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import {
  addFile,
  append,
  checkpointName,
  commitName,
  commitQuickly,
  logPath,
  makeTable,
} from './sample-table.ts'

const COMMIT_COUNT = 30_000
const FILE_COUNT = 5_000
/** Many times what it takes, as other processes may run beside this one. */
const LIMIT_MS = 2_000

const test = suite('many commits')

test(`a log of ${COMMIT_COUNT} commits opens from its checkpoint, and the commits before are not even read`, async () => {
  const small = makeTempFolder()
  await makeTable(small, 1)
  const base = await readSnapshot(small)
  const files = new Map<string, AddFile>()
  const transactions = new Map<string, number>()
  for (let i = 0; i < FILE_COUNT; i++) {
    const file = addFile(`old${i}`)
    files.set(file.path, file)
    transactions.set(`sha256:old${i}`, 1)
  }
  const directory = makeTempFolder()
  mkdirSync(join(directory, '_delta_log'))
  for (let version = 0; version < COMMIT_COUNT; version++) {
    writeFileSync(logPath(directory, commitName(version)), 'damaged')
  }
  const newest = COMMIT_COUNT - 1
  const { bytes } = await encodeCheckpoint({ ...base, version: newest, files, transactions }, Date.now())
  writeFileSync(logPath(directory, checkpointName(newest)), bytes)
  for (let i = 0; i < 3; i++) await commitQuickly(directory, newest + i, append(`new${i}`))
  const startedAt = performance.now()
  const snapshot = await readSnapshot(directory)
  const tookMs = performance.now() - startedAt
  assert.is(snapshot.version, COMMIT_COUNT + 2)
  assert.is(snapshot.files.size, FILE_COUNT + 3)
  assert.is(snapshot.transactions.size, FILE_COUNT + 3)
  assert.equal(snapshot.files.get(addFile('old7').path)?.stats, addFile('old7').stats)
  assert.ok(tookMs < LIMIT_MS, `${tookMs.toFixed(0)} ms`)
})

test.run()
