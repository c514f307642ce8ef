/**
 * Measures questions and reports on stores of generated logs, beside DuckDB on the same file: a cold process,
 * many questions in a warm one, and reports against SQL on the exported ranges. What both sides say is
 * compared before any time is believed.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from 'byteledger'
import { REPORT_KINDS } from '#src/delivery/report-model.js'
import { createSeededRandom } from '../fixtures/seeded-random.ts'
import {
  byteledgerCommand,
  duckdbCommand,
  idleNodeCommand,
  quote,
  readByteledgerDelivery,
  readDuckdbRow,
} from './contenders.ts'
import { type LogRecipe, provideLog } from './generate-logs.ts'
import { type Command, median, runMeasured } from './measure.ts'

/** How much is measured. */
export interface QuerySize {
  readonly name: string
  readonly recipes: readonly LogRecipe[]
  readonly roundCount: number
  /** Questions of different listeners to a warm process. */
  readonly questionCount: number
  /** Questions that DuckDB answers from byte rows; each may take it a second. */
  readonly duckdbQuestionCount: number
}

/** A report, and DuckDB's time for the same figures from exported ranges. */
export interface ReportTimes {
  readonly name: string
  readonly seconds: number
  readonly duckdbSeconds: number
}

/** What was found on one store. */
export interface StoreResult {
  readonly recipe: LogRecipe
  readonly requests: number
  readonly rows: number
  readonly storeBytes: number
  readonly cold: { readonly idleSeconds: number; readonly seconds: number; readonly duckdbSeconds: number }
  readonly warm: {
    /** Each listener asked for the first time, and once more. */
    readonly firstPerSecond: number
    readonly againPerSecond: number
    /** Of the whole of an asset: seconds a question, ours and DuckDB's on byte rows. */
    readonly wholeSeconds: number
    readonly duckdbWholeSeconds: number
    readonly peakBytes: number
  }
  readonly batch: { readonly questions: number; readonly seconds: number }
  readonly exportSeconds: number
  readonly rangeCount: number
  readonly reports: readonly ReportTimes[]
  /** Most memory of a process that makes each report, and of the export. */
  readonly peaks: readonly { readonly name: string; readonly peakBytes: number }[]
}

/** A whole run of the bench. */
export interface QueryResult {
  readonly size: QuerySize
  readonly stores: readonly StoreResult[]
}

interface Question {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly range: readonly [number, number]
}

const MEGABYTE = 1_000_000
const NO_LIMIT = Number.POSITIVE_INFINITY

function makeSize(name: string, scale: number, counts: Omit<QuerySize, 'name' | 'recipes'>): QuerySize {
  return {
    name,
    recipes: [
      { shape: 'short', byteLength: 1000 * MEGABYTE * scale, lineCount: NO_LIMIT, seed: 1 },
      { shape: 'podcast', byteLength: 500 * MEGABYTE * scale, lineCount: NO_LIMIT, seed: 2 },
    ],
    ...counts,
  }
}

/** `full` is what RESULTS.md holds; `tiny` serves the tests. */
export const QUERY_SIZES: ReadonlyMap<string, QuerySize> = new Map(
  [
    makeSize('full', 1, { roundCount: 5, questionCount: 2000, duckdbQuestionCount: 2 }),
    makeSize('small', 0.02, { roundCount: 3, questionCount: 500, duckdbQuestionCount: 5 }),
    makeSize('tiny', 0.0008, { roundCount: 1, questionCount: 20, duckdbQuestionCount: 2 }),
  ].map((size) => [size.name, size]),
)

const cliCommand = (...words: readonly string[]): Command => ({
  program: process.execPath,
  args: ['dist/cli.js', ...words],
})

/** Runs the built library, so that no loader is timed: asks each question twice, prints what it took and found. */
const WARM_PROGRAM = `
import { readFileSync } from 'node:fs'
import { openStore } from './dist/interface/library.js'
const [path, file] = process.argv.slice(1)
const { listed, whole } = JSON.parse(readFileSync(file, 'utf8'))
const store = await openStore(path)
const time = async (questions) => {
  const startedAt = performance.now()
  const covered = []
  for (const question of questions) covered.push((await store.ask(question)).coveredBytes)
  return { seconds: (performance.now() - startedAt) / 1000, covered }
}
const first = await time(listed)
const again = await time(listed)
await time(whole)
const wholes = await time(whole)
console.log(JSON.stringify({ first: first.seconds, again: again.seconds, whole: wholes.seconds, covered: wholes.covered }))
store.close()
`

/** The same for DuckDB on one connection. A question takes it long enough that being asked before changes little. */
const DUCKDB_WARM_PROGRAM = `
import { readFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
const { statements } = JSON.parse(readFileSync(process.argv[1], 'utf8'))
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run('SET threads = 2')
await connection.runAndReadAll('SELECT 1')
const covered = []
const startedAt = performance.now()
for (const statement of statements) covered.push(Number((await connection.runAndReadAll(statement)).getRows()[0][0]))
console.log(JSON.stringify({ seconds: (performance.now() - startedAt) / 1000, covered }))
`

const evalCommand = (program: string, ...words: readonly string[]): Command => ({
  program: process.execPath,
  args: ['--input-type=module', '--eval', program, '--', ...words],
})

function numbersAt(text: string): Record<string, number> & { covered: number[] } {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object, found ${text}`)
  const covered: number[] =
    'covered' in value && Array.isArray(value.covered) ? value.covered.map(Number) : []
  const numbers = Object.entries(value).map(([name, number]) => [name, Number(number)] as const)
  return Object.assign(Object.fromEntries(numbers), { covered })
}

function requireEqual(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

/** Listeners drawn from the store: some ranges of theirs, and for some the whole asset. */
async function drawQuestions(
  path: string,
  size: QuerySize,
): Promise<{
  listed: readonly Question[]
  whole: readonly Question[]
  lengths: ReadonlyMap<string, number>
}> {
  const store = await openStore(path)
  const lengths = new Map<string, number>()
  const listeners: { asset: string; ip: string; userAgent: string }[] = []
  for await (const { asset, ip, userAgent, requests } of store.listeners()) {
    listeners.push({ asset, ip, userAgent })
    for (const { range } of requests) lengths.set(asset, Math.max(lengths.get(asset) ?? 0, range[1] + 1))
  }
  store.close()
  const random = createSeededRandom(5)
  const draw = (count: number, isWhole: boolean): Question[] =>
    Array.from({ length: count }, () => {
      const listener = listeners[random.below(listeners.length)]
      if (listener === undefined) throw new Error('expected a store with listeners')
      const length = lengths.get(listener.asset) ?? 1
      const first = isWhole ? 0 : random.below(length)
      const last = isWhole ? length - 1 : first + random.below(length - first)
      return { ...listener, range: [first, last] }
    })
  return { listed: draw(size.questionCount, false), whole: draw(size.duckdbQuestionCount, true), lengths }
}

function countSql(path: string, { asset, ip, userAgent, range }: Question): string {
  return `SELECT count(DISTINCT byte_num) FROM read_parquet(${quote(path)})
    WHERE request = ${quote(asset)} AND ip = ${quote(ip)} AND user_agent = ${quote(userAgent)}
    AND byte_num BETWEEN ${range[0]} AND ${range[1]}`
}

async function measureCold(
  path: string,
  question: Question,
  roundCount: number,
): Promise<StoreResult['cold']> {
  const { asset, ip, userAgent, range } = question
  const words = ['--asset', asset, '--ip', ip, '--user-agent', userAgent, '--range', range.join('-')]
  const ours = cliCommand('query', '--store', path, ...words, '--json')
  const theirs = duckdbCommand([countSql(path, question)])
  const times: { idle: number[]; ours: number[]; theirs: number[] } = { idle: [], ours: [], theirs: [] }
  for (let round = 0; round < roundCount; round++) {
    times.idle.push((await runMeasured(idleNodeCommand)).seconds)
    // The exit code says whether all was delivered: the answer is an answer either way.
    const run = await runMeasured(ours, [0, 1])
    times.ours.push(run.seconds)
    const duckdb = await runMeasured(theirs)
    times.theirs.push(duckdb.seconds)
    const answer: unknown = JSON.parse(run.stdout)
    const covered =
      typeof answer === 'object' && answer !== null && 'coveredBytes' in answer ? answer.coveredBytes : -1
    requireEqual('covered bytes of the cold question', covered, Number(readDuckdbRow(duckdb.stdout)[0]))
  }
  return { idleSeconds: median(times.idle), seconds: median(times.ours), duckdbSeconds: median(times.theirs) }
}

async function measureWarm(
  path: string,
  folder: string,
  questions: { listed: readonly Question[]; whole: readonly Question[] },
): Promise<StoreResult['warm']> {
  const file = join(folder, 'questions.json')
  writeFileSync(file, JSON.stringify(questions))
  const run = await runMeasured(evalCommand(WARM_PROGRAM, path, file))
  const ours = numbersAt(run.stdout)
  const statements = join(folder, 'statements.json')
  writeFileSync(
    statements,
    JSON.stringify({ statements: questions.whole.map((question) => countSql(path, question)) }),
  )
  const theirs = numbersAt((await runMeasured(evalCommand(DUCKDB_WARM_PROGRAM, statements))).stdout)
  requireEqual('covered bytes of whole assets', ours.covered, theirs.covered)
  const count = questions.listed.length
  return {
    firstPerSecond: count / (ours['first'] ?? 0),
    againPerSecond: count / (ours['again'] ?? 0),
    wholeSeconds: (ours['whole'] ?? 0) / questions.whole.length,
    duckdbWholeSeconds: (theirs['seconds'] ?? 0) / questions.whole.length,
    peakBytes: run.peakBytes ?? 0,
  }
}

/** Each report with SQL on the exported ranges that gives its total, and where its JSON has that total. */
const REPORTS: readonly {
  readonly name: string
  readonly total: (rows: readonly Record<string, unknown>[]) => number
  readonly sql: string
}[] = [
  {
    name: 'completion',
    total: (rows) => rows.reduce((sum, row) => sum + Number(row['complete']), 0),
    sql: `WITH lengths AS (SELECT asset, max(last_byte) + 1 AS length FROM ranges GROUP BY asset),
      held AS (SELECT asset, ip, user_agent, sum(last_byte - first_byte + 1) AS bytes FROM ranges GROUP BY ALL)
      SELECT count(*)::DOUBLE FROM held JOIN lengths USING (asset) WHERE bytes = length`,
  },
  {
    name: 'gaps',
    total: (rows) => rows.reduce((sum, row) => sum + Number(row['missing_bytes']), 0),
    sql: `WITH lengths AS (SELECT asset, max(last_byte) + 1 AS length FROM ranges GROUP BY asset),
      held AS (SELECT asset, ip, user_agent, sum(last_byte - first_byte + 1) AS bytes FROM ranges GROUP BY ALL)
      SELECT sum(length - bytes)::DOUBLE FROM held JOIN lengths USING (asset)`,
  },
]

async function measureReports(path: string, ranges: string, roundCount: number): Promise<ReportTimes[]> {
  const results: ReportTimes[] = []
  for (const { name, total, sql } of REPORTS) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < Math.min(3, roundCount); round++) {
      const run = await runMeasured(cliCommand('report', name, '--store', path, '--json'))
      ours.push(run.seconds)
      const view = `CREATE VIEW ranges AS SELECT * FROM read_parquet(${quote(ranges)})`
      const duckdb = await runMeasured(duckdbCommand(['SET threads = 2', view, sql]))
      theirs.push(duckdb.seconds)
      const report: { rows: Record<string, unknown>[] } = JSON.parse(run.stdout)
      requireEqual(`total of report ${name}`, total(report.rows), Number(readDuckdbRow(duckdb.stdout)[0]))
    }
    results.push({ name, seconds: median(ours), duckdbSeconds: median(theirs) })
  }
  return results
}

async function measurePeaks(path: string): Promise<StoreResult['peaks']> {
  const peaks: { readonly name: string; readonly peakBytes: number }[] = []
  for (const name of REPORT_KINDS) {
    const { peakBytes = 0 } = await runMeasured(cliCommand('report', name, '--store', path, '--csv'))
    peaks.push({ name: `report ${name}`, peakBytes })
  }
  return peaks
}

async function measureStore(
  recipe: LogRecipe,
  size: QuerySize,
  folder: string,
  progress: (message: string) => void,
): Promise<StoreResult> {
  progress(`${recipe.shape}: making log and store`)
  const log = provideLog(folder, recipe)
  const path = join(folder, `query-${recipe.shape}.parquet`)
  const delivery = readByteledgerDelivery((await runMeasured(byteledgerCommand(log, path))).stdout)
  const questions = await drawQuestions(path, size)
  const [question] = questions.listed
  if (question === undefined) throw new Error('expected a question')
  progress('  cold questions')
  const cold = await measureCold(path, question, size.roundCount)
  progress('  warm questions')
  const warm = await measureWarm(path, folder, questions)
  const batch = await measureBatch(path, folder, questions.listed)
  progress('  export and reports')
  const ranges = join(folder, 'query-ranges.parquet')
  const exported = await runMeasured(cliCommand('export', '--store', path, '--ranges', ranges))
  const rangeCount = duckdbCommand([`SELECT count(*)::DOUBLE FROM read_parquet(${quote(ranges)})`])
  const counted = Number(readDuckdbRow((await runMeasured(rangeCount)).stdout)[0])
  const reports = await measureReports(path, ranges, size.roundCount)
  const peaks = [
    ...(await measurePeaks(path)),
    { name: 'export --ranges', peakBytes: exported.peakBytes ?? 0 },
  ]
  const storeBytes = statSync(path).size
  for (const file of [path, ranges]) rmSync(file)
  return {
    ...{ recipe, requests: delivery.keptRequests, rows: delivery.rows, storeBytes, cold, warm, batch },
    ...{ exportSeconds: exported.seconds, rangeCount: counted, reports, peaks },
  }
}

/** So many questions in one batch, or fifty times those that were drawn, if that is less. */
const BATCH_QUESTIONS = 100_000

async function measureBatch(
  path: string,
  folder: string,
  listed: readonly Question[],
): Promise<StoreResult['batch']> {
  const count = Math.min(BATCH_QUESTIONS, 50 * listed.length)
  const file = join(folder, 'batch.ndjson')
  const lines = Array.from({ length: count }, (_, i) => JSON.stringify(listed[i % listed.length]))
  writeFileSync(file, `${lines.join('\n')}\n`)
  const run = await runMeasured(cliCommand('query', '--store', path, '--batch', file))
  requireEqual('answers of the batch', run.stdout.split('\n').length - 1, count)
  rmSync(file)
  return { questions: count, seconds: run.seconds }
}

/** Runs the bench of one size in `folder`, where logs of an earlier run are used again. */
export async function measureQueries(
  size: QuerySize,
  folder: string,
  progress: (message: string) => void,
): Promise<QueryResult> {
  mkdirSync(folder, { recursive: true })
  const stores: StoreResult[] = []
  for (const recipe of size.recipes) stores.push(await measureStore(recipe, size, folder, progress))
  return { size, stores }
}
