import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import type { DeliveryKey } from '#src/delivery/evidence.js'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('damage')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const RECORDS: readonly MemoryRecord[] = [
  { asset: '/a', ip: '10.0.0.1', userAgent: 'curl/8', first: 0, last: 499, epochSeconds: EPOCH },
  { asset: '/a', ip: '10.0.0.1', userAgent: 'curl/8', first: 700, last: 900, epochSeconds: EPOCH + 5 },
  { asset: '/a', ip: '10.0.0.2', userAgent: 'vlc', first: 100, last: 131_171, epochSeconds: EPOCH + 9 },
  {
    asset: '/b',
    ip: '10.0.0.1',
    userAgent: 'curl/8',
    first: 2 ** 40,
    last: 2 ** 40 + 10,
    epochSeconds: EPOCH + 86_400,
  },
]
const ABSENT: DeliveryKey = { asset: '/c', ip: '10.0.0.3', userAgent: 'vlc' }

/** Everything that is asked of a file, as text; `FAILED` for a question that ended in a Failure. */
function askAll(path: string): string[] {
  const store = openStore([path])
  const ask = (key: DeliveryKey | undefined, start: number, end: number) => () =>
    store.findEvidence(key ?? ABSENT, { start, end })
  try {
    return [
      ask(RECORDS[0], 10, 800),
      ask(RECORDS[2], 0, 2 ** 30),
      ask(RECORDS[3], 2 ** 40, 2 ** 40 + 5),
      ask(ABSENT, 0, 100),
      () => store.observedLength('/a'),
      () => store.observedLength('/c'),
      () => Array.from(store.listeners(), ({ runs, ...key }) => [key, ...runs.starts.slice(0, runs.count)]),
    ].map(textOrFailure)
  } finally {
    store.close()
  }
}

function readAll(path: string): unknown {
  const file = openFile(path)
  try {
    return [...scanAllRuns(file)]
  } finally {
    file.close()
  }
}

/** What an act gives; any error but damage found is a failure of the test. */
function textOrFailure(act: () => unknown): string {
  try {
    return JSON.stringify(act()) ?? 'undefined'
  } catch (error) {
    if (error instanceof Failure && error.code === 'DAMAGED') return 'FAILED'
    throw error
  }
}

/** Fails unless every answer is right or missing; gives how many are missing. */
function countFailed(found: readonly string[], right: readonly string[], what: string): number {
  found.forEach((text, i) => {
    if (text !== right[i] && text !== 'FAILED') assert.unreachable(`${what}: ${text} instead of ${right[i]}`)
  })
  return found.filter((text) => text === 'FAILED').length
}

/** Flips bits of the file in place, one at a time, and puts each back. */
function flipEach(path: string, bits: Iterable<number>, check: (bit: number) => void): void {
  const bytes = readFileSync(path)
  const descriptor = openSync(path, 'r+')
  try {
    for (const bit of bits) {
      const at = bit >>> 3
      writeSync(descriptor, Uint8Array.of((bytes[at] ?? 0) ^ (1 << (bit & 7))), 0, 1, at)
      check(bit)
      writeSync(descriptor, bytes, at, 1, at)
    }
  } finally {
    closeSync(descriptor)
  }
  assert.is(Buffer.compare(readFileSync(path), bytes), 0, 'the file is whole again')
}

test('each bit flipped, one at a time: every answer is right or an error', async () => {
  const path = scratch.path('flipped.parquet')
  await writeDeliveryFile(path, RECORDS)
  const right = askAll(path)
  assert.ok(!right.includes('FAILED'))
  const bitCount = readFileSync(path).length * 8
  const rssBefore = process.memoryUsage.rss()
  let failedCount = 0
  let silentCount = 0
  flipEach(path, Array(bitCount).keys(), (bit) => {
    const failed = countFailed(askAll(path), right, `bit ${bit}`)
    failedCount += failed
    if (failed === 0) silentCount++
  })
  assert.ok(failedCount > 2 * bitCount, `${failedCount} failures for ${bitCount} flips`)
  assert.ok(silentCount < bitCount / 2, `${silentCount} of ${bitCount} flips went unseen`)
  const growth = process.memoryUsage.rss() - rssBefore
  assert.ok(growth < 200e6, `memory grew by ${growth} bytes`)
})

test('reading everything back sees a flipped bit anywhere but in what only prunes', async () => {
  const path = scratch.path('read.parquet')
  await writeDeliveryFile(path, RECORDS, 200)
  const right = [textOrFailure(() => readAll(path))]
  const bitCount = readFileSync(path).length * 8
  let failedCount = 0
  let checkedCount = 0
  flipEach(path, bitsOf(bitCount, 5), (bit) => {
    failedCount += countFailed([textOrFailure(() => readAll(path))], right, `bit ${bit}`)
    checkedCount++
  })
  // Bloom filters and the indexes of six columns are not read, and are less than half of the file.
  assert.ok(failedCount > checkedCount / 2, `${failedCount} of ${checkedCount} flips were seen`)
})

test('bytes overwritten at random: every answer is right or an error', async () => {
  const path = scratch.path('overwritten.parquet')
  const damagedPath = scratch.path('damaged.parquet')
  await writeDeliveryFile(path, RECORDS, 200)
  const right = askAll(path)
  const bytes = readFileSync(path)
  const random = seededRandom(99)
  let failedCount = 0
  for (let round = 0; round < 1500; round++) {
    const damaged = Buffer.from(bytes)
    const length = 1 + random(40)
    const at = random(bytes.length - length)
    // Noise, zeros, or bytes from elsewhere in the file: what a broken disk or copy leaves.
    if (round % 3 === 0) for (let i = 0; i < length; i++) damaged[at + i] = random(256)
    else if (round % 3 === 1) damaged.fill(0, at, at + length)
    else damaged.copy(damaged, at, random(bytes.length - length), length + at)
    writeFileSync(damagedPath, damaged)
    failedCount += countFailed(askAll(damagedPath), right, `round ${round}`)
  }
  assert.ok(failedCount > 1500, `${failedCount} failures`)
})

test('a file cut short at any length is an error, whatever is asked', async () => {
  const path = scratch.path('whole.parquet')
  const cut = scratch.path('cut.parquet')
  await writeDeliveryFile(path, RECORDS)
  const { length } = readFileSync(path)
  copyFileSync(path, cut)
  for (let rest = length - 1; rest >= 0; rest--) {
    truncateSync(cut, rest)
    assert.equal(new Set(askAll(cut)), new Set(['FAILED']), `${rest} bytes`)
  }
})

test('a file with anything behind or before it is an error', async () => {
  const path = scratch.path('whole.parquet')
  await writeDeliveryFile(path, RECORDS)
  const bytes = readFileSync(path)
  const longer = scratch.path('longer.parquet')
  for (const parts of [
    [bytes, Buffer.from('\n')],
    [Buffer.from('\n'), bytes],
    [bytes.subarray(1), bytes],
    [bytes, bytes.subarray(0, -1)],
  ]) {
    writeFileSync(longer, Buffer.concat(parts))
    assert.equal(new Set(askAll(longer)), new Set(['FAILED']))
  }
})

/** Every `step`th bit, `step` having no factor 2, so that all bits of bytes occur. */
function* bitsOf(bitCount: number, step: number): Generator<number> {
  for (let bit = 0; bit < bitCount; bit += step) yield bit
}

test.run()
