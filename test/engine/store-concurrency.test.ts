/**
 * Law: of runs into one store at the same time all land, each line once, and who reads meanwhile sees whole
 * versions. The runs are processes of the real program.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isTemporaryName } from '#src/engine/vacuum-store.js'
import { readSnapshot, readTable } from '#src/table/table.js'
import { runBuilt } from '../support/run-built.ts'
import {
  addTo,
  assertHolds,
  logLine,
  manyLines,
  newStore,
  randomStoreLog,
  requestsInLogs,
  requestsInStore,
  writeLog,
} from '../support/store-runs.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const together = suite('runs at the same time')
const PROCESSES = 6
const DAYS = [19_860, 19_861, 19_862]

interface RunOutcome {
  readonly version: number
  readonly statuses: readonly string[]
}

/** Runs the program; fails unless it ends well. */
async function runInto(store: string, inputs: readonly string[], input?: Uint8Array): Promise<RunOutcome> {
  const words = ['process', ...inputs, '--store', store, '--json', '--max-rejects', '100%']
  const { exitCode, stdout, stderr } = await runBuilt(words, input === undefined ? {} : { input })
  assert.is(exitCode, 0, stderr)
  const { version, inputs: claimed } = JSON.parse(stdout).store
  return { version, statuses: claimed.map(({ status }: { status: string }) => status) }
}

function inParallel<T>(act: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: PROCESSES }, (_, i) => act(i)))
}

/** Data files and temporary ones that no version has. */
async function strangersIn(store: string): Promise<string[]> {
  const { files } = await readTable(store)
  return readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (name.endsWith('.tmp') || isTemporaryName(name)) return true
    return path.endsWith('.parquet') && !path.startsWith('_delta_log') && !files.has(path)
  })
}

together('different logs all land, into a store that is not there yet and then into it', async () => {
  const store = newStore()
  const all: string[] = []
  for (const round of [0, 1]) {
    const logs = Array.from({ length: PROCESSES }, (_, i) =>
      randomStoreLog(100 * round + i, { lines: 50, days: DAYS, longestRange: 99 }),
    )
    all.push(...logs)
    const runs = await inParallel((i) => runInto(store, [writeLog(logs[i] ?? '')]))
    assert.equal(
      runs.map(({ version }) => version).sort((a, b) => a - b),
      logs.map((_, i) => PROCESSES * round + i),
    )
    assert.equal(
      runs.flatMap(({ statuses }) => statuses),
      logs.map(() => 'new'),
    )
    await assertHolds(store, all)
  }
  assert.equal(await strangersIn(store), [])
})

together('one log, plain and gzipped, by all at once is landed once', async () => {
  const log = randomStoreLog(7, { lines: 300, days: DAYS, longestRange: 99 })
  const store = newStore()
  const runs = await inParallel((i) => runInto(store, [writeLog(i % 2 === 0 ? log : gzipSync(log))]))
  assert.equal(runs.flatMap(({ statuses }) => statuses).sort(), [
    'known',
    'known',
    'known',
    'known',
    'known',
    'new',
  ])
  assert.equal(
    runs.map(({ version }) => version),
    runs.map(() => 0),
  )
  await assertHolds(store, [log])
  assert.equal(await strangersIn(store), [])
})

together(
  'a log that grows while all of them take it is never doubled, and nothing is lost at the end',
  async () => {
    const path = writeLog('')
    const store = newStore()
    const lines = manyLines('growing', 3000)
    let written = 0
    const grow = (): void => {
      // Cut anywhere, so that half a line is there most of the time.
      const to = Math.min(lines.length, written + 1777)
      appendFileSync(path, lines.slice(written, to))
      written = to
    }
    const timer = setInterval(grow, 4)
    try {
      for (let round = 0; round < 2; round++) {
        await inParallel(() => runInto(store, [path]))
        const held = await requestsInStore(store)
        assert.is(new Set(held).size, held.length, 'nothing is doubled')
        assert.equal(
          held,
          requestsInLogs(manyLines('growing', held.length)),
          'what is there is the beginning',
        )
      }
    } finally {
      clearInterval(timer)
    }
    while (written < lines.length) grow()
    await runInto(store, [path])
    await assertHolds(store, [lines])
  },
)

together('who reads meanwhile sees the logs of whole runs only', async () => {
  const store = newStore()
  const logs = Array.from({ length: PROCESSES }, (_, i) =>
    DAYS.map((day) =>
      logLine(`/log-${i}`, '0-9', { date: new Date(day * 86_400_000).toISOString().slice(0, 10) }),
    ).join(''),
  )
  let isOver = false
  const seen = new Set<number>()
  const read = async (): Promise<void> => {
    let before = -1
    while (!isOver) {
      await setTimeout(2)
      if ((await readSnapshot(store)).version < 0) continue
      const requests = await requestsInStore(store)
      for (const [i, log] of logs.entries()) {
        const found = requests.filter((request) => request.includes(`/log-${i}"`))
        assert.ok(found.length === 0 || found.length === DAYS.length, `${found.length} lines of ${log}`)
      }
      const count = requests.length / DAYS.length
      assert.ok(count >= before, 'versions go forward')
      before = count
      seen.add(count)
    }
  }
  const reader = read()
  await inParallel((i) => runInto(store, [writeLog(logs[i] ?? '')]))
  isOver = true
  await reader
  await assertHolds(store, logs)
  assert.ok(seen.size > 1, 'the reader was there in between')
})

for (const [size, log] of [
  ['small', manyLines('small', 30)],
  ['large', manyLines('large', 5000)],
] as const) {
  together(`a ${size} log on standard input, plain and gzip, is known as the same in a file`, async () => {
    for (const input of [Buffer.from(log), gzipSync(log)]) {
      const store = newStore()
      assert.equal(await runInto(store, ['-'], input), { version: 0, statuses: ['new'] })
      assert.equal(await runInto(store, ['-'], gzipSync(log)), { version: 0, statuses: ['known'] })
      assert.equal(await runInto(store, [writeLog(log), '-'], input), {
        version: 0,
        statuses: ['known', 'known'],
      })
      const more = Buffer.from(`${log}${logLine('/more', '0-9')}`)
      assert.equal(await runInto(store, ['-'], more), { version: 1, statuses: ['grown'] })
      await assertHolds(store, [more])
      assert.equal(await strangersIn(store), [], 'what was kept of the pipe is gone')
    }
    const fresh = newStore()
    // The pipe comes when there is no store yet in which it could be kept.
    assert.equal(await runInto(fresh, [writeLog(log), '-'], Buffer.from(log)), {
      version: 0,
      statuses: ['new', 'known'],
    })
    await assertHolds(fresh, [log])
  })
}

together(
  'a named pipe is not read twice when another run was faster: the run fails, nothing is lost',
  async () => {
    const store = newStore()
    const log = manyLines('shared', 2000)
    const more = `${log}${logLine('/more', '0-9')}`
    const pipe = join(makeTempFolder(), 'pipe')
    execFileSync('bash', ['-c', 'mkfifo "$0"', pipe])
    const opened = `${pipe}.opened`
    const taken = `${pipe}.taken`
    const run = runBuilt(['process', pipe, '--store', store])
    // The pipe is open once the run has looked at the store; it ends when another run has taken the log.
    const script = 'exec 3>"$0"; touch "$1"; cat "$2" >&3; while [ ! -e "$3" ]; do sleep 0.02; done'
    const writer = spawn('bash', ['-c', script, pipe, opened, writeLog(more), taken], {
      stdio: 'ignore',
      timeout: 30_000,
    })
    while (!existsSync(opened) && writer.exitCode === null) await setTimeout(5)
    await addTo(store, [writeLog(log)])
    writeFileSync(taken, '')
    const { exitCode, stderr } = await run
    assert.is(exitCode, 2)
    assert.match(stderr, /can be read only once; nothing was written/)
    await assertHolds(store, [log])
    assert.is((await readTable(store)).version, 0)
    assert.equal(await strangersIn(store), [])
  },
)

together('a digest in the report is that of sha256sum', async () => {
  const log = manyLines('digest', 10)
  const path = writeLog(`${log}half a line`)
  const { stdout } = await runBuilt(['process', path, '--store', newStore(), '--json'])
  const expected = execFileSync('bash', ['-c', 'head -c "$0" "$1" | sha256sum', String(log.length), path], {
    encoding: 'utf8',
  })
  assert.is(JSON.parse(stdout).store.inputs[0].sha256, expected.slice(0, 64))
  assert.is(createHash('sha256').update(log).digest('hex'), expected.slice(0, 64))
  assert.ok(existsSync(path))
})

together.run()
