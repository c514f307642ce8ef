/**
 * pyarrow, Polars, deltalake and real Spark against files and stores that our built command line wrote.
 * Makes a virtual environment under .cache/ (pip, pinned versions), writes the files and a manifest, runs
 * the Python programs beside this file and adds up what they report. Last line: `N passed, N failed` alone.
 *
 * Then our own reading of buckets, against moto's server (buckets.ts), and of the logs of real nginx and Apache
 * (check-web-servers.ts), which come from Debian's packages.
 *
 * Needs Python 3.10 or later (PYTHON names another than `python3`), and for Spark Java 17 or later and, once,
 * Maven Central for the jars of delta-spark, which Spark keeps under .cache/ivy (MAVEN_REPOSITORIES names
 * others to look in first, by commas); for the servers curl, openssl and, unless they are there, apt-get.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provideLog } from '../../bench/generate-logs.ts'
import { type OracleRequest, readLogPlainly } from '../../fixtures/log-oracle.ts'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { countRowGroups } from '../support/foreign-readers.ts'
import { ROOT } from '../support/source-tree.ts'
import { checkBuckets } from './buckets.ts'
import { numberAt, runByteledger } from './byteledger.ts'
import { checkWebServers } from './check-web-servers.ts'
import { providePython } from './python-environment.ts'
import { prepareStores } from './store-stages.ts'

/** What is left when a part silently did not run is below this. */
const MINIMUM_CHECK_COUNT = 500
const PROGRAMS = [
  'check_answers.py',
  'check_pyarrow.py',
  'check_polars.py',
  'check_deltalake.py',
  'check_store.py',
  'check_spark.py',
  'check_store_spark.py',
]
const PROGRAM_DEADLINE_MS = 20 * 60_000
const FOLDER = join(ROOT, 'test', 'interop')

/** One question with our own answer to it; positions are inclusive. */
interface ManifestQuestion {
  readonly name: string
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly range: readonly [number, number]
  readonly coveredBytes: number
}

type Question = Omit<ManifestQuestion, 'coveredBytes'>

/** Questions about requests of the log: around one, inside one, over the whole asset; and about nobody. */
function makeQuestions(requests: readonly OracleRequest[]): Question[] {
  const random = createSeededRandom(77)
  const questions: Question[] = []
  for (let at = 0; at < 5; at++) {
    const { asset, ip, userAgent, first, last } = random.pick(requests)
    const around = random.below(2000)
    const range = [Math.max(0, first - around), last + (at % 2 === 0 ? around : -1)] as const
    questions.push({ name: `bytes ${range.join('-')} around a request`, asset, ip, userAgent, range })
  }
  const { asset, ip, userAgent, first, last } = random.pick(requests)
  questions.push({ name: 'one byte', asset, ip, userAgent, range: [last, last] })
  questions.push({ name: 'another listener', asset, ip: '192.0.2.254', userAgent, range: [first, last] })
  return questions
}

/** Few, long pieces: pages of their own, a request over several pages, and neighbours that overlap. */
function writePodcastLog(path: string): void {
  const random = createSeededRandom(5)
  const lines = ['# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range']
  for (let player = 0; player < 6; player++) {
    let first = random.below(3) * 1_000_003
    for (let piece = 0; piece < 6; piece++) {
      const byteLength = player === 0 && piece === 2 ? 2_500_000 : random.between(65_536, 600_000)
      const time = `2024-05-1${piece < 3 ? 7 : 8}\t0${piece}:1${player}:07`
      const key = `198.51.100.${player % 4}\tHörbuch/2.${player % 2}\t/episodes/long-${player % 3}.mp3`
      lines.push(`${time}\t${key}\t206\t${first}-${first + byteLength - 1}`)
      first += byteLength - random.below(3) + (piece === 4 ? 10_000 : 0)
    }
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
}

interface InteropFile {
  readonly name: string
  readonly log: string
  readonly minimumRowGroupCount: number
  /** Small enough for readers to hold every row of every column. */
  readonly isSmall: boolean
}

function listLogs(folder: string): InteropFile[] {
  const podcast = join(folder, 'podcast.log')
  writePodcastLog(podcast)
  const short = {
    shape: 'short',
    byteLength: 16_000_000,
    lineCount: Number.POSITIVE_INFINITY,
    seed: 4,
  } as const
  return [
    { name: 'sample', log: join(ROOT, 'fixtures', 'sample.log'), minimumRowGroupCount: 1, isSmall: true },
    { name: 'long pieces', log: podcast, minimumRowGroupCount: 1, isSmall: false },
    { name: 'many row groups', log: provideLog(folder, short), minimumRowGroupCount: 3, isSmall: false },
  ]
}

/** Writes the Parquet file of a log and asks our own reader, for the manifest. */
async function prepareFile(file: InteropFile, folder: string): Promise<object> {
  const parquet = join(folder, `${file.name.replaceAll(' ', '-')}.parquet`)
  const counts = runByteledger(['process', file.log, '--out', parquet, '--json', '--quiet'])
  const rowGroupCount = await countRowGroups(parquet)
  if (rowGroupCount < file.minimumRowGroupCount)
    throw new Error(`${file.name}: only ${rowGroupCount} row groups`)
  const questions = makeQuestions(readLogPlainly(readFileSync(file.log)).requests).map((question) => {
    const { asset, ip, userAgent, range } = question
    const key = ['--asset', asset, '--ip', ip, '--user-agent', userAgent]
    const answer = runByteledger(['query', '--store', parquet, ...key, '--range', range.join('-'), '--json'])
    return { ...question, coveredBytes: numberAt(answer, 'coveredBytes') }
  })
  return { ...file, parquet, rows: numberAt(counts, 'rows'), kept: numberAt(counts, 'kept'), questions }
}

/** Runs one program; one that does not close with its counts has failed once. */
function runProgram(python: string, program: string, manifest: string): { passed: number; failed: number } {
  const startedAt = performance.now()
  const run = spawnSync(python, [join(FOLDER, program), manifest], {
    encoding: 'utf8',
    timeout: PROGRAM_DEADLINE_MS,
    maxBuffer: 1 << 26,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', SPARK_LOCAL_IP: '127.0.0.1' },
  })
  const counts = /^(\d+) passed, (\d+) failed$/m.exec(run.stdout ?? '')
  const passed = Number(counts?.[1] ?? 0)
  const failed = Number(counts?.[2] ?? 0)
  const isBroken = counts === null || (run.status !== 0 && failed === 0)
  console.log(run.stdout)
  console.log(`${program}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  if (isBroken) console.log(`${program} ended with ${run.status ?? run.signal}: ${run.stderr}`)
  return { passed, failed: failed + (isBroken ? 1 : 0) }
}

/** What could not run, like servers that cannot be had, has failed once. */
async function runPart(
  work: () => Promise<{ passed: number; failed: number }>,
): Promise<{ passed: number; failed: number }> {
  try {
    return await work()
  } catch (cause) {
    console.log('FAIL', cause)
    return { passed: 0, failed: 1 }
  }
}

async function runInterop(): Promise<void> {
  const python = providePython('requirements.txt')
  const folder = mkdtempSync(join(tmpdir(), 'byteledger-interop-'))
  let passed = 0
  let failed = 0
  try {
    const manifest = join(folder, 'manifest.json')
    const files: object[] = []
    for (const file of listLogs(folder)) files.push(await prepareFile(file, folder))
    writeFileSync(manifest, JSON.stringify({ files, stores: prepareStores(folder) }))
    for (const program of PROGRAMS) {
      const counts = runProgram(python, program, manifest)
      passed += counts.passed
      failed += counts.failed
    }
    for (const work of [() => checkBuckets(folder), checkWebServers]) {
      const counts = await runPart(work)
      passed += counts.passed
      failed += counts.failed
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  if (passed + failed < MINIMUM_CHECK_COUNT) {
    console.log(`only ${passed + failed} checks ran, expected at least ${MINIMUM_CHECK_COUNT}`)
    failed++
  }
  if (failed > 0) process.exitCode = 1
  console.log(`${passed} passed, ${failed} failed`)
}

await runInterop()
