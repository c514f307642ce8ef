/**
 * Random and hostile logs of every format, cut into shards of random size and read by random numbers of threads: the
 * lines mean what the oracle says of each, and a repeated one of those with an identifier counts once.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile } from '#src/delivery/store.js'
import type { ProcessReport } from '#src/engine/process-logs.js'
import { run, write } from '../support/format-runs.ts'
import { makeRecordLines, oracleOf } from '../support/record-lines.ts'
import { judgeLine, type OracleFormat } from '../support/record-oracle.ts'
import type { RecordSample } from '../support/record-sample.ts'
import { RECORD_SAMPLES } from '../support/record-samples.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('shards of every format')
const SEEDS = [1001, 1002, 1003]
const LINES = 250

/** A log of hostile lines, some of them repeated later on. */
function makeLog(sample: RecordSample, seed: number): string[] {
  const random = seededRandom(seed)
  const header = sample.oracle.members === undefined ? [] : sample.header
  const lines = [...header, ...makeRecordLines(sample, seed, LINES)]
  for (let i = 0; i < 20; i++) {
    const from = sample.header.length + random(lines.length - sample.header.length)
    lines.splice(from + random(lines.length - from) + 1, 0, lines[from] ?? '')
  }
  return lines
}

/** What the oracle makes of a log: runs as sorted text, and counts. */
function judgeLog(lines: readonly string[], format: OracleFormat) {
  const fates = new Map<string, number>()
  const count = (fate: string): void => void fates.set(fate, (fates.get(fate) ?? 0) + 1)
  const seen = new Set<string>()
  const runs: string[] = []
  let [clippedRequests, clippedBytes, unmeasured] = [0, 0, 0]
  for (const line of lines) {
    const { fate, run: kept, clipped = 0, isUnmeasured, isIdentified } = judgeLine(line, format)
    const text = line.replace(/\r$/, '')
    const isRepeated = isIdentified === true && seen.has(text)
    if (isIdentified === true) seen.add(text)
    count(isRepeated ? 'DUPLICATE' : fate)
    if (isRepeated) continue
    if (clipped > 0) clippedRequests++
    clippedBytes += clipped
    if (isUnmeasured === true) unmeasured++
    if (kept !== undefined) {
      const { asset, ip, userAgent, first, last, epochSeconds } = kept
      runs.push([asset, ip, userAgent, first, last, epochSeconds].join('\n'))
    }
  }
  return { fates, runs: runs.sort(), clippedRequests, clippedBytes, unmeasured }
}

/** The runs of the file that was written; Latin-1, as the oracle has them. */
function runsOf({ files: [file] }: ProcessReport): string[] {
  assert.ok(file)
  const parquet = openFile(file.path)
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
  try {
    return [...scanAllRuns(parquet)]
      .map(({ asset, ip, userAgent, start, end, epochSeconds }) =>
        [latin1(asset), latin1(ip), latin1(userAgent), start, end - 1, epochSeconds].join('\n'),
      )
      .sort()
  } finally {
    parquet.close()
  }
}

for (const sample of RECORD_SAMPLES) {
  test(`${sample.name}: shards and threads change nothing`, async () => {
    for (const seed of SEEDS) {
      const random = seededRandom(seed)
      const lines = makeLog(sample, seed)
      const input = write(Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1'))
      const { format, fields, logFormat } = sample
      const options = {
        shardByteLength: 300 + random(30_000),
        threads: 1 + random(3),
        threadsFromByteLength: 0,
      }
      const what = `${sample.name}, seed ${seed}, ${JSON.stringify(options)}`
      const report = await run([input], { format, fields, logFormat }, options)
      const { fates, runs, clippedBytes, ...wanted } = judgeLog(lines, oracleOf(sample))
      const of = (fate: string): number => fates.get(fate) ?? 0
      assert.equal(
        [report.lines, report.comments, report.blank, report.kept],
        [lines.length, of('COMMENT'), of('BLANK'), of('KEPT')],
        what,
      )
      const skipped = {
        status: of('SKIPPED'),
        method: of('METHOD'),
        unproven: of('UNPROVEN'),
        inner: of('INNER'),
        duplicate: of('DUPLICATE'),
      }
      assert.equal(report.skipped, skipped, what)
      for (const [reason, found] of Object.entries(report.rejected)) assert.is(found, of(reason), what)
      const { clipped, unmeasured } = report
      assert.equal({ clippedRequests: clipped.requests, unmeasured }, wanted, what)
      // Beyond 2^53 a sum is the nearest number of some order of addition.
      const isExact = clippedBytes <= Number.MAX_SAFE_INTEGER
      assert.ok(Math.abs(clipped.bytes - clippedBytes) <= (isExact ? 0 : clippedBytes * 1e-12), what)
      assert.equal(runsOf(report), runs, what)
    }
  })
}

test.run()
