import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { type ProcessOptions, processLogs } from '#src/engine/process-logs.js'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const failures = suite('failures of a run')
const SAMPLE = join(ROOT, 'fixtures', 'sample.log')
const workerUrl = (name: string): string =>
  pathToFileURL(join(ROOT, 'test', 'support', 'workers', `${name}.mjs`)).href

/** Runs on threads of the given kind; gives the failure, and makes sure that nothing is left. */
async function failureOf(options: Partial<ProcessOptions>): Promise<Failure> {
  const folder = makeTempFolder()
  try {
    await processLogs({
      inputs: [SAMPLE],
      out: join(folder, 'out.parquet'),
      threads: 2,
      threadsFromByteLength: 0,
      shardByteLength: 100_000,
      maxRejects: { kind: 'count', count: 0 },
      ...options,
    })
  } catch (error) {
    assert.equal(namesIn(folder), [], 'nothing is left behind')
    assert.instance(error, Failure)
    if (error instanceof Failure) return error
  }
  throw new Error('expected a failure')
}

failures('a worker that dies fails the run at once, and leaves nothing', async () => {
  const failure = await failureOf({ workerUrl: workerUrl('dying-thread') })
  assert.is(failure.code, 'CRASHED')
  assert.match(failure.message, /worker thread died/)
})

failures('a bug in a worker fails the run with its message', async () => {
  const failure = await failureOf({ workerUrl: workerUrl('throwing-thread') })
  assert.match(failure.message, /undefined is not a function/)
})

failures('a worker that gets stuck is given up at its deadline', async () => {
  const failure = await failureOf({ workerUrl: workerUrl('stuck-thread'), deadlineMs: 300 })
  assert.is(failure.code, 'TIMEOUT')
  assert.match(failure.message, /^expected a sign of progress from a thread within 0.3 s, found none/)
})

failures('so is one that never starts, and its deadline is another', async () => {
  const deadlines = { deadlineMs: 60_000, startDeadlineMs: 300 }
  const failure = await failureOf({ workerUrl: workerUrl('unborn-thread'), ...deadlines })
  assert.is(failure.code, 'TIMEOUT')
  assert.match(failure.message, /^expected a thread to start within 0.3 s, found none .*--threads 1$/)
})

failures('threads that die before they have a task fail the run, with their reason', async () => {
  const failure = await failureOf({
    workerUrl: workerUrl('stillborn-thread'),
    ...{ threads: 4, shardByteLength: 1 << 30, startDeadlineMs: 60_000 },
  })
  assert.is(failure.code, 'CRASHED')
  assert.match(failure.message, /worker thread died: no such module/)
})

failures(
  'a slow thread that goes on is not late, nor is a shard behind it that waits for a thread',
  async () => {
    const out = join(makeTempFolder(), 'out.parquet')
    const { lines } = await processLogs({
      ...{ inputs: [SAMPLE], out, threads: 2, threadsFromByteLength: 0, shardByteLength: 300_000 },
      ...{ maxRejects: { kind: 'count', count: 0 }, workerUrl: workerUrl('slow-thread') },
      ...{ deadlineMs: 500, startDeadlineMs: 20_000 },
    })
    assert.is(lines, 0, 'these threads read without looking')
  },
)

failures('an output that is a folder is an error, and nothing is left beside it', async () => {
  const folder = makeTempFolder()
  const out = join(folder, 'folder.parquet')
  mkdirSync(out)
  const run = processLogs({ inputs: [SAMPLE], out, threads: 1, maxRejects: { kind: 'count', count: 0 } })
  await run.then(
    () => assert.unreachable('expected a failure'),
    (error: unknown) => assert.match(error instanceof Failure ? error.message : '', /cannot publish/),
  )
  assert.equal(namesIn(folder), ['folder.parquet'])
})

failures('an aborted run stops soon and leaves nothing, inline and on threads', async () => {
  for (const threads of [1, 2]) {
    const controller = new AbortController()
    const failure = failureOf({
      threads,
      signal: controller.signal,
      // Thousands of shards: the run would take much longer than the test waits.
      shardByteLength: 100,
      onProgress: () => controller.abort(),
    })
    assert.is((await failure).code, 'INTERRUPTED')
  }
})

/** A log whose output has some 100 MB: long enough to be caught in the middle. */
function writeLongLog(): string {
  const path = join(makeTempFolder(), 'long.log')
  const lines = Array.from(
    { length: 300 },
    (_, i) => `2024-05-17\t00:00:01\t192.0.2.${i & 255}\tagent\t/asset-${i}\t206\t0-3499999999\n`,
  )
  writeFileSync(path, lines.join(''))
  return path
}

const NODE_ARGUMENTS = ['--conditions=source', '--import', 'tsx', join(ROOT, 'src', 'cli.ts')]

for (const [when, blocks] of [
  ['half way', 2000],
  ['at the first byte', 0],
] as const) {
  failures(`a full disk ${when} is exit 2 with path and operation, and nothing is left`, () =>
    fullDisk(blocks),
  )
}

function fullDisk(blocks: number): void {
  const folder = makeTempFolder()
  // A limit on file size stands for the disk: the write fails, as on a full one.
  const script = `ulimit -f ${blocks}; trap '' XFSZ; exec "$0" "$@"`
  const { status, stderr } = spawnSync(
    'bash',
    [
      '-c',
      script,
      process.execPath,
      ...NODE_ARGUMENTS,
      'process',
      writeLongLog(),
      '--out',
      join(folder, 'o.parquet'),
    ],
    { encoding: 'utf8', cwd: ROOT },
  )
  assert.is(status, 2, stderr)
  assert.match(stderr, /cannot write .*o\.parquet/)
  assert.equal(namesIn(folder), [])
}

failures('Ctrl-C is exit 130, and nothing is left', async () => {
  const folder = makeTempFolder()
  const child = spawn(
    process.execPath,
    [
      ...NODE_ARGUMENTS,
      'process',
      writeLongLog(),
      writeLongLog(),
      writeLongLog(),
      '--out',
      join(folder, 'o.parquet'),
    ],
    { cwd: ROOT, stdio: 'ignore' },
  )
  const exit = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => resolve(code))
  })
  // The temporary file shows that the run is under way.
  while (namesIn(folder).length === 0) await setTimeout(5)
  child.kill('SIGINT')
  assert.is(await exit, 130)
  assert.equal(namesIn(folder), [])
})

failures.run()
