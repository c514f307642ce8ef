import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AUTOMATIC, readInputLines } from '#src/engine/input-format.js'
import { ASKED, REJECT_REASONS, type ScannerOptions } from '#src/log/scanned-runs.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'
import { makeRecordLines, oracleOf } from '../support/record-lines.ts'
import { judgeLine, type OracleFormat, type OracleRun } from '../support/record-oracle.ts'
import type { RecordSample } from '../support/record-sample.ts'
import { RECORD_SAMPLES } from '../support/record-samples.ts'
import { latin1 } from './scan-text.ts'

const test = suite('records of every format')
/** What was told in all comparisons so far. */
let tellingCount = 0

/** What lines tell of the length of an asset on one day. */
interface Told {
  readonly asset: string
  /** 'told', or 'asked' or 'answered' when it is no complete length. */
  readonly kind: string
  readonly length: number
  readonly requests: number
  readonly firstEpoch: number
  readonly lastEpoch: number
}

/** All that is told, as sorted text: of one asset, day and length once, and of how far was asked the farthest. */
function mergeTold(tellings: readonly Told[]): string[] {
  const merged = new Map<string, Told>()
  for (const told of tellings) {
    const { asset, kind, length, firstEpoch } = told
    const key = [asset, kind === 'told' ? length : kind, Math.floor(firstEpoch / 86_400)].join('\n')
    const known = merged.get(key) ?? { ...told, requests: 0 }
    merged.set(key, {
      ...known,
      length: Math.max(known.length, length),
      requests: kind === 'told' ? known.requests + told.requests : 0,
      firstEpoch: Math.min(known.firstEpoch, firstEpoch),
      lastEpoch: Math.max(known.lastEpoch, told.lastEpoch),
    })
  }
  return [...merged]
    .map(([key, { length, requests, firstEpoch, lastEpoch }]) =>
      [key, length, requests, firstEpoch, lastEpoch].join('\n'),
    )
    .sort()
}

/** What the scanner makes of lines, in the words of the oracle. */
function scan(
  sample: RecordSample,
  lines: readonly string[],
  choices: Partial<typeof AUTOMATIC> = {},
  commitByteLength = 1 << 20,
  options: ScannerOptions = {},
) {
  const text = latin1(lines.map((line) => `${line}\n`).join(''))
  const head = latin1([...sample.header, ...lines.slice(0, 5)].map((line) => `${line}\n`).join(''))
  const { fields, logFormat, format } = sample
  const { layout, header } = readInputLines('x', head, {
    ...AUTOMATIC,
    ...choices,
    format,
    fields,
    logFormat,
  })
  const scanner = createWasmScanner(options)
  scanner.beginPiece(layout, header, { firstPiece: true })
  for (let at = 0; at < text.length; at += commitByteLength) {
    const part = text.subarray(at, at + commitByteLength)
    scanner.reserve(part.length).set(part)
    scanner.commit(part.length)
  }
  const counts = scanner.endPiece()
  const identifierCount = scanner.readIdentifiers().length / 2
  const runs = scanner.finish()
  const textOf = (table: typeof runs.ipTable, rank = 0): string =>
    Buffer.from(table.bytes.subarray(table.offsets[rank], table.offsets[rank + 1])).toString('latin1')
  const kept = Array.from({ length: runs.runCount }, (_, i) =>
    [
      textOf(runs.requestTable, runs.request[i]),
      textOf(runs.ipTable, runs.ip[i]),
      textOf(runs.userAgentTable, runs.userAgent[i]),
      runs.first[i],
      runs.last[i],
      runs.epochSeconds[i],
    ].join('\n'),
  )
  const tellings = scanner.readLengths().flatMap(({ assets, ...lengths }) =>
    Array.from({ length: lengths.count }, (_, i): Told => {
      const [length = 0, requests = 0] = [lengths.length[i], lengths.requests[i]]
      const [firstEpoch = 0, lastEpoch = 0] = [lengths.firstEpoch[i], lengths.lastEpoch[i]]
      const asset = textOf(assets, lengths.request[i])
      const kind = requests > 0 ? 'told' : requests === ASKED ? 'asked' : 'answered'
      return { asset, kind, length, requests, firstEpoch, lastEpoch }
    }),
  )
  const told = mergeTold(tellings)
  return { counts, kept: kept.sort(), told, identifierCount }
}

/** The same by the oracle. */
function judgeLines(lines: readonly string[], format: OracleFormat) {
  const fates = new Map<string, number>()
  const runs: OracleRun[] = []
  const tellings: Told[] = []
  const clipped = { requests: 0, bytes: 0n }
  let unmeasured = 0
  for (const line of lines) {
    const { fate, run, telling, clipped: bytes = 0, isUnmeasured = false } = judgeLine(line, format)
    if (isUnmeasured) unmeasured++
    if (telling !== undefined) {
      const { asset, epochSeconds, length, asked, answered, other } = telling
      const epochs = { firstEpoch: epochSeconds, lastEpoch: epochSeconds }
      const ends: [string, number][] = [
        ['told', length],
        ['told', other],
        ['asked', asked],
        ['answered', answered],
      ]
      for (const [kind, bytes] of ends)
        if (bytes > 0) tellings.push({ asset, kind, length: bytes, requests: 1, ...epochs })
    }
    fates.set(fate, (fates.get(fate) ?? 0) + 1)
    if (run !== undefined) runs.push(run)
    if (bytes > 0) {
      clipped.requests++
      clipped.bytes += BigInt(bytes)
    }
  }
  const kept = runs.map((run) =>
    [run.asset, run.ip, run.userAgent, run.first, run.last, run.epochSeconds].join('\n'),
  )
  return { fates, clipped, unmeasured, kept: kept.sort(), told: mergeTold(tellings) }
}

function compare(
  sample: RecordSample,
  lines: readonly string[],
  message: string,
  choices = {},
  oracle = oracleOf(sample),
  commitByteLength?: number,
): number {
  const found = scan(sample, lines, choices, commitByteLength)
  const wanted = judgeLines(lines, oracle)
  const { counts } = found
  const fateCounts: [string, number][] = [
    ['COMMENT', counts.comments],
    ['BLANK', counts.blank],
    ['KEPT', counts.kept],
    ['SKIPPED', counts.skippedStatus],
    ['METHOD', counts.skippedMethod],
    ['UNPROVEN', counts.unproven],
    ['INNER', counts.skippedInner],
    ...REJECT_REASONS.map((reason): [string, number] => [reason, counts.rejected[reason]]),
  ]
  for (const [fate, count] of fateCounts) assert.is(count, wanted.fates.get(fate) ?? 0, `${message}: ${fate}`)
  assert.is(
    fateCounts.reduce((sum, [, count]) => sum + count, 0),
    lines.length,
    `${message}: every line once`,
  )
  assert.is(counts.lines, lines.length, message)
  assert.equal(found.kept, wanted.kept, `${message}: kept`)
  assert.equal(found.told, wanted.told, `${message}: lengths`)
  tellingCount += found.told.length
  assert.equal(
    [counts.clippedRequests, counts.clippedBytes, counts.unmeasured],
    [wanted.clipped.requests, Number(wanted.clipped.bytes), wanted.unmeasured],
    message,
  )
  assert.is(found.identifierCount, counts.kept, message)
  return counts.kept
}

for (const sample of RECORD_SAMPLES) {
  test(`${sample.name}: random and hostile lines mean what the oracle says`, () => {
    let kept = 0
    for (let seed = 1; seed <= 30; seed++) {
      const lines = makeRecordLines(sample, seed, 200)
      kept += compare(sample, lines, `${sample.name}, seed ${seed}`)
    }
    assert.ok(kept > 300, `${sample.name} keeps ${kept} lines`)
  })

  test(`${sample.name}: lines mean the same however they are cut`, () => {
    for (const commitByteLength of [1, 7, 61, 4096]) {
      const lines = makeRecordLines(sample, 99, 60)
      compare(sample, lines, `${sample.name} in ${commitByteLength}`, {}, oracleOf(sample), commitByteLength)
    }
  })

  test(`${sample.name}: what was requested counts as sent only when told so`, () => {
    const lines = makeRecordLines(sample, 5, 300)
    const oracle = { ...oracleOf(sample), trust: true }
    compare(sample, lines, sample.name, { trustRequested: true }, oracle)
  })
}

test('lines of all formats told lengths', () => {
  assert.ok(tellingCount > 10_000, `${tellingCount} were told`)
})

test.run()
