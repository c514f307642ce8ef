/**
 * Law: a run that is killed, interrupted or failed by the disk, at whatever step, leaves the store at the
 * version before or after; the same command again ends with the right rows. The program is the real one, the
 * signals are real, and the disk's errors come from where the program calls the disk.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isTemporaryName } from '#src/engine/vacuum-store.js'
import { readSnapshot } from '#src/table/table.js'
import { isTempName } from '#src/table/table-files.js'
import { seededDraw } from '../support/random-runs.ts'
import { runBuilt, startBuilt, twoAtATime } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import {
  addTo,
  assertHolds,
  logLine,
  newStore,
  randomStoreLog,
  requestsInStore,
  writeLog,
} from '../support/store-runs.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const crash = suite('killed and failed runs')
const FAULTS = pathToFileURL(join(ROOT, 'test', 'support', 'workers', 'fault-at-step.mjs')).href
const BEFORE = randomStoreLog(11, { lines: 40, days: [19_860, 19_861], longestRange: 90 })
const LOG = randomStoreLog(12, { lines: 40, days: [19_861, 19_862], longestRange: 90 })
const ONE_DAY = randomStoreLog(13, { lines: 40, days: [19_861], longestRange: 90 })
const template = newStore()

/** A store that has one version already. */
function copyOfTemplate(): string {
  const store = newStore()
  cpSync(template, store, { recursive: true })
  return store
}

function processWords(input: string, store: string): string[] {
  return ['process', input, '--store', store, '--json', '--max-rejects', '100%']
}

/** Runs the program with a fault; tells which steps it came to. */
async function runWithFault(
  words: readonly string[],
  fault: { readonly step: number; readonly kind: string },
): Promise<{ exitCode: number | null; stderr: string; stdout: string; steps: readonly string[] }> {
  const log = join(makeTempFolder(), 'steps')
  const environment = { FAULT_STEP: String(fault.step), FAULT_KIND: fault.kind, FAULT_LOG: log }
  const result = await runBuilt(words, { imports: [FAULTS], environment })
  const steps = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []
  return { ...result, steps }
}

/** The steps before which the disk is as it was never before: of several writes in a row, the first counts. */
function momentsOf(steps: readonly string[]): number[] {
  return steps
    .map((_, step) => step)
    .filter((step) => {
      const before = steps[step - 1]
      if (before === undefined) return true
      if (before.startsWith('write ')) return before !== steps[step]
      return /^(?:mkdir|link|rename|unlink) |^open .*\.tmp$/.test(before)
    })
}

/** Names of all files and directories below a folder that no version has. */
async function strangersIn(store: string): Promise<string[]> {
  if (!existsSync(store)) return []
  const { files } = await readSnapshot(store)
  return readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || readdirSync(join(entry.parentPath, entry.name)).length === 0)
    .map((entry) => join(entry.parentPath, entry.name).slice(store.length + 1))
    .filter((path) => !files.has(path) && !/^_delta_log\/\d{20}\.json$/.test(path))
}

crash.before(async () => {
  await addTo(template, [writeLog(BEFORE)])
})

for (const { what, make, held, log, version } of [
  { what: 'a first run', make: newStore, held: [], log: LOG, version: -1 },
  { what: 'a later run', make: copyOfTemplate, held: [BEFORE], log: ONE_DAY, version: 0 },
]) {
  const input = writeLog(log)

  crash(
    `${what} that is killed at any of its steps is in the store or not, and can be repeated`,
    async () => {
      const whole = await runWithFault(processWords(input, make()), { step: -1, kind: 'none' })
      assert.is(whole.exitCode, 0, whole.stderr)
      const link = whole.steps.findIndex((step) => step.startsWith('link '))
      assert.ok(link > 15, whole.steps.join('\n'))
      const moments = momentsOf(whole.steps)
      assert.ok(moments.length > 7, `${moments}`)
      await twoAtATime(moments, async (step) => {
        const store = make()
        const { exitCode, steps } = await runWithFault(processWords(input, store), {
          step,
          kind: 'SIGKILL',
        })
        const where = `killed before ${step}, ${steps.at(-1)}`
        assert.is(exitCode, null, where)
        assert.is(steps.length, step + 1)
        const snapshot = await readSnapshot(store)
        assert.is(snapshot.version, step > link ? version + 1 : version, where)
        if (snapshot.version >= 0) await assertHolds(store, step > link ? [...held, log] : held, where)
        // Only hidden names may be left, and data files that no version names, which are for vacuum.
        for (const path of await strangersIn(store)) {
          const name = path.slice(path.lastIndexOf('/') + 1)
          const isKnown =
            isTemporaryName(name) ||
            isTempName(name) ||
            /^(?:date=[\d-]+\/part-[0-9a-f-]+\.parquet|date=[\d-]+|_delta_log)$/.test(path)
          assert.ok(isKnown, `${where}: ${path}`)
        }
        const again = await addTo(store, [input])
        assert.is(again.store.version, version + 1, where)
        await assertHolds(store, [...held, log], where)
      })
    },
  )
}

crash(
  'a disk that fails at any step is exit 2 with path and operation, and the old version answers',
  async () => {
    const input = writeLog(ONE_DAY)
    const whole = await runWithFault(processWords(input, copyOfTemplate()), { step: -1, kind: 'none' })
    const link = whole.steps.findIndex((step) => step.startsWith('link '))
    await twoAtATime(
      whole.steps
        .map((name, step) => ({ name, step }))
        .filter(({ name, step }) => whole.steps.indexOf(name) === step),
      async ({ name, step }) => {
        const store = copyOfTemplate()
        const kind = step % 2 === 0 ? 'ENOSPC' : 'EIO'
        const { exitCode, stderr } = await runWithFault(processWords(input, store), { step, kind })
        const where = `${kind} at ${step}, ${name}: ${stderr}`
        const isCommitted = step > link
        // What comes after the commit and does not matter for it is no failure.
        const isFailure = !(name.startsWith('unlink ') && isCommitted)
        assert.is(exitCode, isFailure ? 2 : 0, where)
        if (isFailure) {
          assert.match(
            stderr,
            new RegExp(
              isCommitted ? `was committed, but may not last.*${kind}` : `cannot \\w+ \\S*store\\S*: ${kind}`,
            ),
            where,
          )
          assert.not.match(stderr, /bug/)
        }
        assert.is((await readSnapshot(store)).version, isCommitted ? 1 : 0, where)
        await assertHolds(store, isCommitted ? [BEFORE, ONE_DAY] : [BEFORE], where)
        const strangers = await strangersIn(store)
        assert.is(strangers.length, isFailure ? 0 : 1, `${where} ${strangers}`)
        assert.is((await addTo(store, [input])).store.version, 1)
        await assertHolds(store, [BEFORE, ONE_DAY], where)
      },
    )
  },
)

crash('a disk that takes a few bytes at a time takes all of them', async () => {
  const store = newStore()
  const { exitCode, stderr } = await runWithFault(processWords(writeLog(LOG), store), {
    step: -1,
    kind: 'short',
  })
  assert.is(exitCode, 0, stderr)
  await assertHolds(store, [LOG])
})

crash('Ctrl-C at any step is 130 and leaves nothing, or comes too late', async () => {
  const input = writeLog(LOG)
  const whole = await runWithFault(processWords(input, newStore()), { step: -1, kind: 'none' })
  const every = whole.steps.map((_, step) => step).filter((step) => step % 5 === 0)
  let interruptedCount = 0
  await twoAtATime(every, async (step) => {
    for (const make of step % 2 === 0 ? [newStore] : [copyOfTemplate]) {
      const store = make()
      const held = make === newStore ? [] : [BEFORE]
      const { exitCode, stderr, steps } = await runWithFault(processWords(input, store), {
        step,
        kind: 'SIGINT',
      })
      const where = `${step}, ${steps[step]}: ${exitCode} ${stderr}`
      assert.ok(exitCode === 130 || exitCode === 0, where)
      assert.equal(await strangersIn(store), [], where)
      if (exitCode === 0) await assertHolds(store, [...held, LOG], where)
      else if (held.length > 0) await assertHolds(store, held, where)
      else assert.equal(namesIn(join(store, '..')), [], where)
      if (exitCode === 130) interruptedCount++
    }
  })
  assert.ok(interruptedCount > every.length / 2, `${interruptedCount} of ${every.length}`)
})

/** A log that takes a while: its files have some tens of MB. */
function writeLongLog(): string {
  return writeLog(
    Array.from({ length: 45 }, (_, i) =>
      logLine(`/asset-${i}`, '0-3499999999', { date: `2024-05-${10 + (i % 3)}` }),
    ).join(''),
  )
}

crash('a run that is killed or interrupted at any time leaves the version before or after', async () => {
  const draw = seededDraw(5)
  const input = writeLongLog()
  const log = readFileSync(input)
  const times = Array.from(
    { length: 6 },
    (_, i) => ({ delay: draw(300), signal: i % 2 === 0 ? 'SIGKILL' : 'SIGINT' }) as const,
  )
  await twoAtATime(times, async ({ delay, signal }) => {
    const store = newStore()
    const child = startBuilt(processWords(input, store))
    child.stdout.resume()
    child.stderr.resume()
    const exit = new Promise((resolve) => child.on('close', (code, by) => resolve(code ?? by)))
    // From when the first file shows that the run is under way.
    while (child.exitCode === null && !existsSync(store)) await setTimeout(2)
    await setTimeout(delay)
    child.kill(signal)
    const end = await exit
    const { version } = await readSnapshot(store)
    const where = `${signal} after ${delay} ms: ${end}`
    assert.ok(end === 0 ? version === 0 : [-1, 0].includes(version), where)
    if (end === 130) assert.equal(namesIn(join(store, '..')), [], where)
    const again = await runBuilt(processWords(input, store))
    assert.is(again.exitCode, 0, again.stderr)
    await assertHolds(store, [log], where)
    assert.is((await readSnapshot(store)).version, 0)
  })
})

crash('a disk that is full half way is exit 2, and the old version answers', async () => {
  const store = copyOfTemplate()
  const held = await requestsInStore(store)
  // A limit on file size stands for the disk: the write fails, as on a full one.
  const script = `ulimit -f 2000; trap '' XFSZ; exec "$0" "$@"`
  const words = [process.execPath, join(ROOT, 'dist', 'cli.js'), ...processWords(writeLongLog(), store)]
  const { status, stderr } = spawnSync('bash', ['-c', script, ...words], { encoding: 'utf8' })
  assert.is(status, 2, stderr)
  assert.match(stderr, /cannot write \S*part-\S*\.parquet: EFBIG/)
  assert.equal(await strangersIn(store), [])
  assert.equal(await requestsInStore(store), held)
})

crash.run()
