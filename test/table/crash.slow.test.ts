/**
 * Law: a commit that is killed, or that the disk fails, at any of its steps leaves the table at the version
 * before or after, and the next commit goes on from there.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { UncertainCommit } from '#src/table/commit-failures.js'
import { CHECKPOINT_INTERVAL, commit, readSnapshot } from '#src/table/table.js'
import { isTempName } from '#src/table/table-files.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import { faultyFiles, systemError } from './faulty-files.ts'
import { runCommitChild } from './run-commit-child.ts'
import {
  append,
  commitQuickly,
  makeTable,
  namesOfLog,
  plainSnapshot,
  removeLogLeftovers,
} from './sample-table.ts'

const WRITE = ['createTemp', 'write', 'sync', 'close']
const NEW_TABLE = [
  'makeDirectory',
  'syncDirectory',
  'syncDirectory',
  ...WRITE,
  'link',
  'syncDirectory',
  'unlink',
]
const REPLACE = [...WRITE, 'rename', 'syncDirectory']
const WITH_CHECKPOINT = ['makeDirectory', ...WRITE, 'link', 'syncDirectory', 'unlink', ...REPLACE, ...REPLACE]

const test = suite('crash')
const template = makeTempFolder()

/** A table of which the next version, 100, is followed by a checkpoint. */
function copyOfTemplate(): string {
  const directory = join(makeTempFolder(), 'store')
  cpSync(template, directory, { recursive: true })
  return directory
}

test.before(() => makeTable(template, CHECKPOINT_INTERVAL))

for (const { what, make, expected, before } of [
  { what: 'first commit', make: () => join(makeTempFolder(), 'store'), expected: NEW_TABLE, before: -1 },
  { what: 'commit and checkpoint', make: copyOfTemplate, expected: WITH_CHECKPOINT, before: 99 },
]) {
  const linked = expected.indexOf('link')

  test(`${what}: the steps are these, in this order`, async () => {
    const steps: string[] = []
    const files = faultyFiles({ step: -1, fault: () => undefined }, steps)
    await commit(make(), {
      readVersion: before,
      actions: append('x'),
      operation: 'WRITE',
      operationParameters: {},
      files,
    })
    assert.equal(steps, expected)
  })

  test(`${what}: killed at any step`, async () => {
    const kill = async (step: number): Promise<void> => {
      const directory = make()
      const end = await runCommitChild([directory, '1', 'x', String(step)])
      assert.is(end.exit, 'SIGKILL', `step ${step}: ${end.errors}`)
      const snapshot = await readSnapshot(directory)
      const isCommitted = step > linked
      assert.is(snapshot.version, isCommitted ? before + 1 : before, `step ${step}, ${expected[step]}`)
      assert.is(snapshot.transactions.has('sha256:x0'), isCommitted)
      assert.is(snapshot.files.has('date=2024-05-17/x0.parquet'), isCommitted)
      const next = await commitQuickly(directory, snapshot.version, append('y'))
      assert.is(next, snapshot.version + 1)
      assert.is((await readSnapshot(directory)).files.size, snapshot.files.size + 1)
      // What is left is invisible, and goes when it is old enough.
      removeLogLeftovers(directory, Date.now() - 3_600_000)
      const leftovers = namesOfLog(directory).filter(isTempName)
      removeLogLeftovers(directory, Date.now() + 3_600_000)
      assert.is(leftovers.length > 0, hasLeftover(expected, step), `step ${step}: ${leftovers}`)
      assert.equal(namesOfLog(directory).filter(isTempName), [])
    }
    const steps = expected.map((_, step) => step)
    const drain = async (): Promise<void> => {
      for (let step = steps.shift(); step !== undefined; step = steps.shift()) await kill(step)
    }
    await Promise.all([drain(), drain()])
  })

  for (const code of ['EIO', 'ENOSPC']) {
    test(`${what}: ${code} at any step`, async () => {
      for (const [step, name] of expected.entries()) {
        const directory = make()
        const files = faultyFiles({
          step,
          fault: () => {
            throw systemError(code, name)
          },
        })
        let checkpointFailure: Failure | undefined
        const request = {
          readVersion: before,
          actions: append('x'),
          operation: 'WRITE',
          operationParameters: {},
          files,
          onCheckpointFailure: (failure: Failure) => {
            checkpointFailure = failure
          },
        }
        let failure: unknown
        let version = before
        try {
          version = await commit(directory, request)
        } catch (cause) {
          failure = cause
        }
        const snapshot = await readSnapshot(directory)
        const where = `step ${step}, ${name}`
        if (step <= linked) {
          assert.is(snapshot.version, before, where)
          assert.ok(failure instanceof Failure && !(failure instanceof UncertainCommit), where)
          assert.match(failure.message, new RegExp(`cannot \\w+ .*${code}`))
        } else if (step === linked + 1) {
          // The name is there, the disk does not say for how long.
          assert.ok(failure instanceof UncertainCommit, where)
          assert.is(failure.version, before + 1)
          assert.is(snapshot.version, before + 1, where)
        } else {
          assert.is(failure, undefined, where)
          assert.is(version, before + 1)
          assert.is(snapshot.version, before + 1, where)
        }
        assert.is(checkpointFailure !== undefined, step > expected.indexOf('unlink'), where)
        const leftovers = namesOfLog(directory).filter(isTempName)
        assert.equal(leftovers.length, name === 'unlink' ? 1 : 0, `${where}: ${leftovers}`)
      }
    })
  }
}

/** Whether a process that is killed at a step leaves a temporary file behind. */
function hasLeftover(steps: readonly string[], killedAt: number): boolean {
  const done = steps.slice(0, killedAt)
  const made = done.filter((name) => name === 'createTemp').length
  return made > done.filter((name) => name === 'unlink' || name === 'rename').length
}

test('a checkpoint that could not be written changes nothing', async () => {
  const [whole, without] = [copyOfTemplate(), copyOfTemplate()]
  await commitQuickly(whole, 99, append('x'))
  const step = WITH_CHECKPOINT.indexOf('rename')
  const files = faultyFiles({
    step,
    fault: () => {
      throw systemError('EIO', 'rename')
    },
  })
  await commit(without, {
    readVersion: 99,
    actions: append('x'),
    operation: 'WRITE',
    operationParameters: {},
    files,
  })
  assert.equal(plainSnapshot(await readSnapshot(without)), plainSnapshot(await readSnapshot(whole)))
})

test.run()
