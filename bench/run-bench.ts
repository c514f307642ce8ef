/**
 * Usage: npm run bench throughput [-- --size full|small --keep FOLDER --rounds N --write]
 *        npm run bench formats [-- --size full|small --keep FOLDER]
 *
 * `--keep` says where the generated logs stay (default: a folder of the system's temporary directory);
 * `--write` writes the page of the full size to bench/RESULTS.md. Exits with 1 when a target of the full
 * size is missed, or when two sides delivered different rows.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { duckdbVersionCommand, readDuckdbRow } from './contenders.ts'
import { FORMATS_SIZES, measureFormats, renderFormats } from './formats.ts'
import { runMeasured } from './measure.ts'
import { isMet, listTargets, renderReport } from './report.ts'
import { measureThroughput, SIZES } from './throughput.ts'

const USAGE =
  'usage: npm run bench throughput|formats [-- --size full|small|tiny --keep FOLDER --rounds N --write (throughput, full only)]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'full' },
    keep: { type: 'string', default: join(tmpdir(), 'byteledger-bench') },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
if (positionals.join() === 'formats' && !values.write) {
  const formatsSize = FORMATS_SIZES.get(values.size)
  if (formatsSize !== undefined) {
    mkdirSync(values.keep, { recursive: true })
    console.log(renderFormats(await measureFormats(formatsSize, values.keep, (name) => console.error(name))))
    process.exit(0)
  }
}
const size = SIZES.get(values.size)
const roundCount = values.rounds === undefined ? size?.roundCount : Number(values.rounds)
const isFull = size?.name === 'full'
const isRightUse = positionals.join() === 'throughput' && (isFull || !values.write)
if (!isRightUse || size === undefined || roundCount === undefined || !(roundCount >= 1)) {
  console.error(USAGE)
  process.exit(2)
}

mkdirSync(values.keep, { recursive: true })
const result = await measureThroughput({ ...size, roundCount }, values.keep, (message) =>
  console.error(message),
)
const [duckdbVersion] = readDuckdbRow((await runMeasured(duckdbVersionCommand)).stdout)
const options = isFull ? '' : ` -- --size ${size.name}`
const page = renderReport(result, {
  command: `npm run bench throughput${options}`,
  date: new Date().toISOString().slice(0, 10),
  duckdbVersion: String(duckdbVersion),
})
console.log(page)
if (values.write) writeFileSync(new URL('RESULTS.md', import.meta.url), page)
const missed = listTargets(result).filter((target) => !isMet(target))
if (isFull && missed.length > 0) process.exitCode = 1
