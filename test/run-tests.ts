/**
 * Runs every test file from source, each in a process of its own, and adds up what they report.
 *
 * uvu alone is not enough: it exits 0 when a pattern matches no file and when a file forgets
 * `.run()`. Here a file that reports no test, a skipped test, a total below the stated minimum and
 * a non-zero exit each fail the run. The last line is `N passed, N failed` alone.
 *
 * Files that end in `.slow.test.ts` run only with `--slow`, alone: they kill programs at many moments, merge
 * much or flip every bit, and the default must stay quick.
 *
 * Usage: run-tests.ts [--slow] [part of a path ...]; with parts only matching files run, without a minimum.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

/** Raise it with the suite: a run with fewer tests than this has lost some. */
const MINIMUM_TEST_COUNT = 700
const MINIMUM_SLOW_TEST_COUNT = 51
const FILE_DEADLINE_MS = 150_000

interface FileReport {
  readonly path: string
  readonly passedCount: number
  readonly failedCount: number
  readonly seconds: number
  /** What the file printed; shown only when something failed. */
  readonly output: string
  readonly complaint: string | undefined
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

function findTestFiles(isSlow: boolean, parts: readonly string[]): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('test/interop/'))
    .filter((path) => path.endsWith('.slow.test.ts') === isSlow)
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
    .sort()
}

/** Sum of every `label: N` line of uvu's closing lines, or undefined when there is none. */
function readTotal(output: string, label: 'Total' | 'Passed' | 'Skipped'): number | undefined {
  let sum: number | undefined
  for (const match of output.matchAll(new RegExp(`^ {2}${label}: +(\\d+)$`, 'gm'))) {
    sum = (sum ?? 0) + Number(match[1])
  }
  return sum
}

function judge(path: string, output: string, exit: string, seconds: number): FileReport {
  const total = readTotal(output, 'Total')
  const passedCount = readTotal(output, 'Passed') ?? 0
  const skipped = readTotal(output, 'Skipped') ?? 0
  const failedCount = (total ?? 0) - passedCount
  let complaint: string | undefined
  if (total === undefined || total === 0)
    complaint = `reported no test (exit ${exit}); does it end with .run()?`
  else if (skipped > 0) complaint = `skipped ${skipped}`
  else if (exit !== '0' && failedCount === 0) complaint = `exit ${exit} though no test failed`
  return {
    path,
    passedCount,
    failedCount: failedCount === 0 && complaint !== undefined ? 1 : failedCount,
    seconds,
    output,
    complaint,
  }
}

function runFile(path: string): Promise<FileReport> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, [path], {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: '--conditions=source --import tsx' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: FILE_DEADLINE_MS,
      killSignal: 'SIGKILL',
    })
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    child.stderr.on('data', (part: Buffer) => parts.push(part))
    child.on('close', (code, signal) => {
      const seconds = (performance.now() - startedAt) / 1000
      resolve(
        judge(
          path,
          stripVTControlCharacters(Buffer.concat(parts).toString('utf8')),
          String(code ?? signal),
          seconds,
        ),
      )
    })
  })
}

async function runAll(paths: readonly string[]): Promise<FileReport[]> {
  const reports: FileReport[] = []
  const waiting = [...paths]
  const drain = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const report = await runFile(path)
      reports.push(report)
      const mark = report.failedCount === 0 ? 'ok  ' : 'FAIL'
      console.log(
        `${mark} ${relative('.', path)}  ${report.passedCount} passed  ${report.seconds.toFixed(1)} s`,
      )
      if (report.failedCount === 0) continue
      console.log(report.output)
      if (report.complaint !== undefined) console.log(`${path}: ${report.complaint}`)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, drain))
  return reports
}

const isSlow = process.argv.includes('--slow')
const parts = process.argv.slice(2).filter((word) => word !== '--slow')
const startedAt = performance.now()
const reports = await runAll(findTestFiles(isSlow, parts))
const passedCount = reports.reduce((sum, report) => sum + report.passedCount, 0)
let failedCount = reports.reduce((sum, report) => sum + report.failedCount, 0)
const fullMinimum = isSlow ? MINIMUM_SLOW_TEST_COUNT : MINIMUM_TEST_COUNT
const minimum = parts.length === 0 ? fullMinimum : 1
if (passedCount + failedCount < minimum) {
  console.log(`only ${passedCount + failedCount} tests ran, expected at least ${minimum}`)
  failedCount++
}
console.log(`${reports.length} files in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
if (failedCount > 0) process.exitCode = 1
console.log(`${passedCount} passed, ${failedCount} failed`)
