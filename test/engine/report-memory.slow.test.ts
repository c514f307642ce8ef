/** What a pass over a store holds follows from listeners and assets, not from bytes, and hardly from requests. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { REPORT_KINDS, type ReportKind } from '#src/delivery/report-model.js'
import { endOf, startBuilt } from '../support/run-built.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const memory = suite('memory of reports')
const folder = makeTempFolder()

const REQUESTS = 80_000
const LONG_RUNS = 32
/** Of the whole process, two threads; a Node that does nothing takes some 45. The largest, `gaps`, takes up to 224. */
const MOST_MEBIBYTES = 240
/** Footers grow by a kilobyte for each 2^31 rows, and are read a few times. */
const MORE_FOR_TWICE_THE_BYTES = 50
const MORE_FOR_FOUR_TIMES_THE_REQUESTS = 60

/** A process's own peak: what `resourceUsage` says includes what the parent had when it forked. */
const SAY_PEAK = `
import { existsSync, readFileSync } from 'node:fs'
const STATUS = '/proc/self/status'
process.on('exit', () => {
  const peak = existsSync(STATUS) ? /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync(STATUS, 'latin1')) : null
  const kibibytes = peak === null ? process.resourceUsage().maxRSS : Number(peak[1])
  process.stderr.write('\\npeak ' + Math.round(kibibytes / 1024))
})`

async function run(...words: string[]): Promise<{ readonly stdout: string; readonly peakMebibytes: number }> {
  const imports = [`data:text/javascript,${encodeURIComponent(SAY_PEAK)}`]
  const { exitCode, stdout, stderr } = await endOf(startBuilt(words, { imports }))
  assert.is(exitCode, 0, stderr)
  return { stdout, peakMebibytes: Number(/peak (\d+)$/.exec(stderr)?.[1]) }
}

/** Requests of 200 listeners for 60 assets; with a length, 32 of them ask for so much at once. */
function writeLog(name: string, day: number, longRunLength?: number): string {
  const random = seededRandom(20_240_517)
  const time = (i: number): string =>
    `${String(Math.floor(i / 3600) % 24).padStart(2, '0')}:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:00`
  const line = (i: number, range: string): string =>
    `2024-05-${day}\t${time(i)}\t192.0.2.${random(200)}\tagent ${random(5)}\t/a${random(60)}.mp3\t206\t${range}\n`
  let text = ''
  for (let i = 0; i < REQUESTS; i++) {
    const first = random(50_000)
    text += line(i, `${first}-${first + random(2000)}`)
    if (longRunLength !== undefined && i % (REQUESTS / LONG_RUNS) === 7)
      text += line(i, `0-${longRunLength - 1}`)
  }
  const path = join(folder, `${name}.log`)
  writeFileSync(path, text)
  return path
}

async function makeStore(name: string, logs: readonly string[]): Promise<string> {
  const store = join(folder, name)
  // A run a log, so that there is a file a log.
  for (const log of logs) await run('process', log, '--store', store, '--quiet')
  return store
}

/** The peaks of passes over a store. */
async function peaksOf(
  store: string,
  kinds: readonly ReportKind[] = REPORT_KINDS,
): Promise<Map<string, number>> {
  const peaks = new Map<string, number>()
  for (const kind of kinds) {
    const { peakMebibytes } = await run('report', kind, '--store', store, '--threads', '2', '--csv')
    peaks.set(`report ${kind}`, peakMebibytes)
  }
  const ranges = join(folder, 'ranges.parquet')
  peaks.set('export', (await run('export', '--store', store, '--ranges', ranges)).peakMebibytes)
  const statement = 'select count(*) from ranges'
  peaks.set('sql', (await run('sql', statement, '--store', store)).peakMebibytes)
  return peaks
}

function describe(peaks: ReadonlyMap<string, number>): string {
  return [...peaks].map(([name, mebibytes]) => `${name} ${mebibytes}`).join(', ')
}

/** Fails when the peak of a pass is by more than `most` MiB above that of the same pass before. */
function assertNotMuchMore(
  peaks: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  most: number,
): void {
  for (const [name, mebibytes] of peaks) {
    const more = mebibytes - (before.get(name) ?? 0)
    assert.ok(more <= most, `${name}: ${more} MiB more; ${describe(before)}; then ${describe(peaks)}`)
  }
}

memory('does not grow with the bytes of a request, and stays below a limit', async () => {
  const half = await peaksOf(await makeStore('half', [writeLog('half', 17, 2 ** 36)]))
  const whole = await peaksOf(await makeStore('whole', [writeLog('whole', 17, 2 ** 37)]))
  for (const [name, mebibytes] of whole) {
    assert.ok(mebibytes <= MOST_MEBIBYTES, `${name}: ${mebibytes} MiB; ${describe(whole)}`)
  }
  assertNotMuchMore(whole, half, MORE_FOR_TWICE_THE_BYTES)
})

memory('a report that is interrupted says so, at once, and writes nothing', async () => {
  const store = join(folder, 'whole')
  for (const threads of ['1', '2']) {
    const child = startBuilt(['report', 'gaps', '--store', store, '--threads', threads, '--csv'])
    const end = endOf(child)
    await setTimeout(700)
    const startedAt = performance.now()
    child.kill('SIGINT')
    assert.equal(await end, { exitCode: 130, stdout: '', stderr: 'byteledger: interrupted\n' }, threads)
    assert.ok(performance.now() - startedAt < 5000, threads)
  }
})

memory('hardly grows with the requests of the same listeners for the same assets', async () => {
  // Of one that adds up, one that holds requests, and one that holds listeners.
  const kinds = ['completion', 'gaps', 'summary'] as const
  const one = await peaksOf(await makeStore('one', [writeLog('one', 11)]), kinds)
  const logs = [11, 12, 13, 14].map((day) => writeLog(`day-${day}`, day))
  const four = await peaksOf(await makeStore('four', logs), kinds)
  assertNotMuchMore(four, one, MORE_FOR_FOUR_TIMES_THE_REQUESTS)
})

memory.run()
