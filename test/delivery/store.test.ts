import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DeliveryKey, Interval } from '#src/delivery/evidence.js'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { type MemoryRecord, memorySource } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('store')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000

/** Records of few keys, so that keys meet again and again; lengths up to `longest`. */
function randomRecords(seed: number, count: number, span: number, longest: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(span)
    return {
      asset: `/asset/${random(6)}`,
      ip: `10.0.0.${random(7)}`,
      userAgent: ['', 'curl/8', 'Hörbuch ☂', '__proto__', 'x'.repeat(300)][random(5)] ?? '',
      first,
      last: first + random(longest),
      epochSeconds: EPOCH + random(100_000),
    }
  })
}

function sortedRecords(records: readonly MemoryRecord[]): string[] {
  return records
    .map(({ asset, ip, userAgent, first, last, epochSeconds }) =>
      [asset, ip, userAgent, first, last + 1, epochSeconds].join('|'),
    )
    .sort()
}

test('every request comes back as it was logged, whatever the cut into row groups', async () => {
  for (const [seed, count, longest] of [
    [1, 300, 1],
    [2, 2000, 400],
    [3, 400, 300_000],
    [4, 40, 2 ** 24],
  ] as const) {
    const records = randomRecords(seed, count, 2 ** 30, longest)
    for (const shardByteLength of [1, 2000, 1 << 20]) {
      const path = scratch.path(`all-${seed}-${shardByteLength}.parquet`)
      await writeDeliveryFile(path, records, shardByteLength)
      const file = openFile(path)
      const found = [...scanAllRuns(file)].map((run) =>
        [run.asset, run.ip, run.userAgent, run.start, run.end, run.epochSeconds].join('|'),
      )
      file.close()
      assert.equal(found.sort(), sortedRecords(records), `seed ${seed}, shards of ${shardByteLength} bytes`)
    }
  }
})

test('evidence and lengths are those of the log, for every key and for ranges of every size', async () => {
  for (const [seed, count, span, longest] of [
    [11, 400, 3000, 500],
    [12, 300, 2 ** 22, 300_000],
    [13, 60, 2 ** 40, 2 ** 22],
  ] as const) {
    const records = randomRecords(seed, count, span, longest)
    const half = records.length / 2
    const paths = [scratch.path(`a-${seed}.parquet`), scratch.path(`b-${seed}.parquet`)]
    await writeDeliveryFile(paths[0] ?? '', records.slice(0, half), 3000)
    await writeDeliveryFile(paths[1] ?? '', records.slice(half))
    const store = openStore(paths)
    const expected = memorySource(records)
    const random = seededRandom(seed)
    for (let round = 0; round < 600; round++) {
      const like = records[random(records.length)]
      const other = records[random(records.length)]
      if (like === undefined || other === undefined) continue
      const key: DeliveryKey =
        round % 3 > 0 ? like : { asset: other.asset, ip: like.ip, userAgent: round % 2 ? like.userAgent : 'nobody' }
      const start = round % 4 === 0 ? random(span) : Math.max(0, like.first - random(20) + random(20))
      const range: Interval = { start, end: start + 1 + random([1, 30, 1000, span][round % 4] ?? 1) }
      const message = `seed ${seed}, round ${round}`
      assert.equal(store.findEvidence(key, range), expected.findEvidence(key, range), message)
      assert.is(store.observedLength(key.asset), expected.observedLength(key.asset), message)
    }
    assert.is(store.observedLength('/nowhere'), undefined)
    store.close()
  }
})

test.run()
