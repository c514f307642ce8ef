/**
 * Usage: npm run bench throughput|query|store [-- --size full|small --keep FOLDER --rounds N --write]
 *        npm run bench formats [-- --size full|small --keep FOLDER --write]
 *
 * `--keep` says where the generated logs stay (default: a folder of the system's temporary directory);
 * `--write` puts the page of the full size into bench/RESULTS.md. Exits with 1 when a target of the full
 * size is missed, or when two sides delivered different rows.
 */
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { duckdbVersionCommand, readDuckdbRow } from './contenders.ts'
import { FORMATS_SIZES, measureFormats, renderFormats } from './formats.ts'
import { runMeasured } from './measure.ts'
import { measureQueries, QUERY_SIZES } from './query.ts'
import { listQueryTargets, renderQueryReport } from './query-report.ts'
import { isMet, listTargets, renderReport, type Target } from './report.ts'
import { writePage } from './results-page.ts'
import { measureStore, STORE_SIZES } from './store.ts'
import { renderStoreReport } from './store-report.ts'
import { measureThroughput, SIZES } from './throughput.ts'

const USAGE =
  'usage: npm run bench throughput|query|store|formats [-- --size full|small|tiny --keep FOLDER --rounds N (not formats) --write (full only)]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'full' },
    keep: { type: 'string', default: join(tmpdir(), 'byteledger-bench') },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})

interface Outcome {
  readonly targets: readonly Target[]
  readonly page: string
}

type Environment = Parameters<typeof renderReport>[1]

const progress = (message: string): void => console.error(message)

function fail(): never {
  console.error(USAGE)
  process.exit(2)
}

function roundsOf(roundCount: number): number {
  const rounds = values.rounds === undefined ? roundCount : Number(values.rounds)
  return rounds >= 1 ? rounds : fail()
}

async function runThroughput(environment: Environment): Promise<Outcome> {
  const size = SIZES.get(values.size) ?? fail()
  const result = await measureThroughput(
    { ...size, roundCount: roundsOf(size.roundCount) },
    values.keep,
    progress,
  )
  return { targets: listTargets(result), page: renderReport(result, environment) }
}

async function runQueries(environment: Environment): Promise<Outcome> {
  const size = QUERY_SIZES.get(values.size) ?? fail()
  const result = await measureQueries(
    { ...size, roundCount: roundsOf(size.roundCount) },
    values.keep,
    progress,
  )
  return { targets: listQueryTargets(result), page: renderQueryReport(result, environment) }
}

async function runStore(environment: Environment): Promise<Outcome> {
  const size = STORE_SIZES.get(values.size) ?? fail()
  const result = await measureStore({ ...size, roundCount: roundsOf(size.roundCount) }, values.keep, progress)
  return { targets: [], page: renderStoreReport(result, environment) }
}

async function runFormats(environment: Environment): Promise<Outcome> {
  const size = FORMATS_SIZES.get(values.size) ?? fail()
  return { targets: [], page: renderFormats(await measureFormats(size, values.keep, progress), environment) }
}

const BENCHES: ReadonlyMap<string, (environment: Environment) => Promise<Outcome>> = new Map([
  ['throughput', runThroughput],
  ['query', runQueries],
  ['store', runStore],
  ['formats', runFormats],
])

const isFull = values.size === 'full'
const name = positionals.join()
const run = BENCHES.get(name)
if (run === undefined || (values.write && !isFull)) fail()
mkdirSync(values.keep, { recursive: true })
const [duckdbVersion] = readDuckdbRow((await runMeasured(duckdbVersionCommand)).stdout)
const environment = {
  command: `npm run bench ${name}${isFull ? '' : ` -- --size ${values.size}`}`,
  date: new Date().toISOString().slice(0, 10),
  duckdbVersion: String(duckdbVersion),
}
const { targets, page } = await run(environment)
console.log(page)
if (values.write) writePage(page)
if (isFull && targets.some((target) => !isMet(target))) process.exitCode = 1
