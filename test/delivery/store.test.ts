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
    [1, 90, 1],
    [2, 2000, 400],
    [3, 400, 300_000],
    [4, 40, 2 ** 24],
  ] as const) {
    const records = randomRecords(seed, count, 2 ** 30, longest)
    for (const shardByteLength of [count < 100 ? 1 : 5000, 20_000, 1 << 20]) {
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
        round % 3 > 0
          ? like
          : { asset: other.asset, ip: like.ip, userAgent: round % 2 ? like.userAgent : 'nobody' }
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

test('a request of more rows than a page or a row group may hold is one request', async () => {
  const listener = { asset: '/long', ip: '10.0.0.1', userAgent: 'tv' }
  const other = { asset: '/long', ip: '10.0.0.2', userAgent: 'tv' }
  const records: MemoryRecord[] = [
    { ...listener, first: 5, last: 2 ** 27 + 4, epochSeconds: EPOCH },
    // Cut into several index pages, then over row groups; twice in the same second, one behind the other.
    { ...listener, first: 7, last: 3 * 2 ** 27, epochSeconds: EPOCH + 1 },
    { ...listener, first: 2 ** 33, last: 2 ** 33 + 2 ** 32 + 99, epochSeconds: EPOCH + 2 },
    {
      ...listener,
      first: 2 ** 33 + 2 ** 32 + 100,
      last: 2 ** 33 + 2 ** 32 + 2 ** 28,
      epochSeconds: EPOCH + 2,
    },
    { ...other, first: 0, last: 2 ** 31, epochSeconds: EPOCH + 3 },
    { ...other, first: 0, last: 2 ** 31, epochSeconds: EPOCH + 3 },
  ]
  const path = scratch.path('long.parquet')
  await writeDeliveryFile(path, records)
  const file = openFile(path)
  assert.ok(file.rowGroupCount >= 5, `${file.rowGroupCount} row groups`)
  const all = [...scanAllRuns(file)].map((run) =>
    [run.asset, run.ip, run.userAgent, run.start, run.end, run.epochSeconds].join('|'),
  )
  assert.equal(all.sort(), sortedRecords(records))
  file.close()
  const store = openStore([path])
  const expected = memorySource(records)
  const everywhere = { start: 0, end: 2 ** 40 }
  assert.equal(store.findEvidence(listener, everywhere), expected.findEvidence(listener, everywhere))
  assert.equal(store.findEvidence(other, everywhere), expected.findEvidence(other, everywhere))
  assert.is(store.observedLength('/long'), 2 ** 33 + 2 ** 32 + 2 ** 28 + 1)
  // A narrow question tells as many requests, though it may not see all of a request that goes on.
  for (const start of [0, 2 ** 27, 2 ** 30 - 1, 2 ** 33 + 2 ** 31, 2 ** 33 + 2 ** 32 + 99, 2 ** 34]) {
    const range = { start, end: start + 3 }
    for (const key of [listener, other]) {
      const found = store.findEvidence(key, range)
      const wanted = expected.findEvidence(key, range)
      const clip = (runs: typeof found.runs) =>
        runs.map((run) => [Math.max(run.start, range.start), Math.min(run.end, range.end), run.epochSeconds])
      assert.equal(clip(found.runs).sort(), clip(wanted.runs).sort(), `from ${start}`)
      assert.is(found.assetKnown && found.listenerKnown, wanted.assetKnown && wanted.listenerKnown)
    }
  }
  store.close()
})

test('an asset and a listener are known apart, but address and user agent only together', async () => {
  const at = { first: 0, last: 9, epochSeconds: EPOCH }
  const path = scratch.path('known.parquet')
  await writeDeliveryFile(path, [
    { asset: '/a', ip: '1.1.1.1', userAgent: 'one', ...at },
    { asset: '/b', ip: '2.2.2.2', userAgent: 'two', ...at },
  ])
  const store = openStore([path])
  const known = (asset: string, ip: string, userAgent: string) => {
    const { runs, assetKnown, listenerKnown } = store.findEvidence(
      { asset, ip, userAgent },
      { start: 0, end: 10 },
    )
    return [runs.length, assetKnown, listenerKnown]
  }
  assert.equal(known('/a', '1.1.1.1', 'one'), [1, true, true])
  assert.equal(known('/b', '1.1.1.1', 'one'), [0, true, true])
  assert.equal(known('/b', '1.1.1.1', 'two'), [0, true, false])
  assert.equal(known('/c', '1.1.1.1', 'one'), [0, false, true])
  assert.equal(known('/c', '1.1.1.1', 'two'), [0, false, false])
  assert.equal(known('/A', '1.1.1.1 ', 'One'), [0, false, false])
  // Outside of what was delivered the two are known all the same.
  const outside = store.findEvidence({ asset: '/a', ip: '1.1.1.1', userAgent: 'one' }, { start: 10, end: 20 })
  assert.equal(outside, { runs: [], assetKnown: true, listenerKnown: true })
  store.close()
})

test('texts are compared as bytes: half a surrogate pair is not U+FFFD', async () => {
  const path = scratch.path('texts.parquet')
  const record = { ip: '1.1.1.1', userAgent: '\ufffd', first: 0, last: 9, epochSeconds: EPOCH }
  await writeDeliveryFile(path, [{ asset: '/\ufffd', ...record }])
  const store = openStore([path])
  const range = { start: 0, end: 10 }
  assert.is(store.findEvidence({ ...record, asset: '/\ufffd' }, range).runs.length, 1)
  assert.is(store.findEvidence({ ...record, asset: '/\ud800' }, range).assetKnown, false)
  assert.is(
    store.findEvidence({ ...record, asset: '/\ufffd', userAgent: '\udc00' }, range).listenerKnown,
    false,
  )
  assert.is(store.observedLength('/\ud800'), undefined)
  store.close()
})

test('a file without rows has no evidence, and no files have none', async () => {
  const path = scratch.path('empty.parquet')
  await writeDeliveryFile(path, [])
  for (const paths of [[path], []]) {
    const store = openStore(paths)
    const found = store.findEvidence({ asset: '/a', ip: '1.1.1.1', userAgent: '' }, { start: 0, end: 1 })
    assert.equal(found, { runs: [], assetKnown: false, listenerKnown: false })
    assert.is(store.observedLength('/a'), undefined)
    store.close()
  }
})

test.run()
