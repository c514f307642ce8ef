import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sortedStretches } from '#src/delivery/sorted-stretches.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { expectedLines, lineOfListener, linesOfFiles } from '../support/store-samples.ts'

const test = suite('a pass over all listeners')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const AGENTS = ['', 'curl/8', 'Hörbuch ☂', '__proto__', '\u{10ffff}', '\uffff', 'x'.repeat(300)]

function randomRecords(seed: number, count: number, longest: number, assetCount: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(2 ** 30)
    return {
      asset: `/asset/${random(assetCount)}`,
      ip: `10.0.0.${random(12)}`,
      userAgent: AGENTS[random(AGENTS.length)] ?? '',
      first,
      last: first + random(longest),
      epochSeconds: EPOCH + random(50),
    }
  })
}

test('every request comes once, under its listener, in the order of the keys, from files that overlap', async () => {
  for (const [seed, count, longest, assetCount] of [
    [1, 60, 1, 3],
    [2, 3000, 400, 9],
    [3, 3000, 90_000, 1],
    [4, 40, 2 ** 29, 2],
  ] as const) {
    const records = randomRecords(seed, count, longest, assetCount)
    for (const shardByteLength of [count < 100 ? 1 : 20_000, 1 << 20]) {
      const paths: string[] = []
      for (let file = 0; file < 3; file++) {
        const path = scratch.path(`${seed}-${shardByteLength}-${file}.parquet`)
        await writeDeliveryFile(
          path,
          records.filter((_, i) => i % 3 === file),
          shardByteLength,
        )
        paths.push(path)
      }
      const what = `seed ${seed}, shards of ${shardByteLength} bytes`
      assert.equal(linesOfFiles(paths), expectedLines(records), what)
      const window = { sinceEpochSeconds: EPOCH + 10, untilEpochSeconds: EPOCH + 12 }
      assert.equal(
        linesOfFiles(paths, { window }),
        expectedLines(records.filter((r) => r.epochSeconds >= EPOCH + 10 && r.epochSeconds <= EPOCH + 12)),
        `${what}, in a window`,
      )
      const assets = new Set(['/asset/1', '/asset/5', '/nowhere', '\ud800'])
      const scan = {
        assets,
        ip: (ip: string) => /[2468]$/.test(ip),
        userAgent: (text: string) => text !== '',
      }
      assert.equal(
        linesOfFiles(paths, scan),
        expectedLines(
          records.filter((r) => assets.has(r.asset) && /[2468]$/.test(r.ip) && r.userAgent !== ''),
        ),
        `${what}, filtered`,
      )
    }
  }
})

test('row groups of one shard are one stretch, so that a long file needs little memory', async () => {
  // More than one row group of 65,536 requests, all for one asset: the boundary lies within a listener.
  const records = Array.from({ length: 70_000 }, (_, i) => ({
    asset: '/one',
    ip: `10.0.0.${i % 3}`,
    userAgent: 'x',
    first: i,
    last: i,
    epochSeconds: EPOCH,
  }))
  const path = scratch.path('one-shard.parquet')
  await writeDeliveryFile(path, records, 1 << 26)
  assert.equal(linesOfFiles([path]), expectedLines(records))
  const file = openFile(path)
  const stretches = sortedStretches(file, [0, 1])
  file.close()
  assert.equal(
    stretches.map(({ rowGroups }) => rowGroups),
    [[0, 1]],
  )
})

test('passes over several stores, and questions between their steps, do not disturb each other', async () => {
  const stores = await Promise.all(
    [
      [11, 2500, 400, 9],
      [12, 2500, 90_000, 3],
      [13, 30, 2 ** 29, 2],
    ].map(async ([seed = 0, count = 0, longest = 0, assetCount = 0]) => {
      const records = randomRecords(seed, count, longest, assetCount)
      const path = scratch.path(`together-${seed}.parquet`)
      await writeDeliveryFile(path, records, 20_000)
      return { records, store: openStore([path]) }
    }),
  )
  const passes = stores.map(({ store, records }) => ({ pass: store.listeners(), records, lines: [''] }))
  const random = seededRandom(14)
  // Each goes on by some listeners at a time; in between, somebody asks for one request.
  for (let going = passes; going.length > 0; ) {
    for (const each of going) {
      for (let step = 1 + random(4); step > 0; step--) {
        const { done, value } = each.pass.next()
        if (done !== true) each.lines.push(lineOfListener(value))
        else going = going.filter((other) => other !== each)
      }
      const { store, records } = stores[random(stores.length)] ?? {}
      const {
        asset = '',
        ip = '',
        userAgent = '',
        first = 0,
        last = 0,
      } = records?.[random(records.length)] ?? {}
      const evidence = store?.findEvidence({ asset, ip, userAgent }, { start: first, end: last + 1 })
      assert.ok(evidence?.runs.some((run) => run.start <= first && run.end > last))
    }
  }
  for (const { records, lines } of passes) assert.equal(lines.slice(1), expectedLines(records))
  for (const { store } of stores) store.close()
})

test('no file and a file without requests have no listeners', async () => {
  const path = scratch.path('empty.parquet')
  await writeDeliveryFile(path, [])
  assert.equal(linesOfFiles([path]), [])
  assert.equal(linesOfFiles([]), [])
})

test('more files than may be open at once are read to the end', async () => {
  const [record] = randomRecords(9, 1, 10, 1)
  if (record === undefined) throw new Error('no record')
  const path = scratch.path('again.parquet')
  await writeDeliveryFile(path, [record])
  const lines = linesOfFiles(Array.from({ length: 600 }, () => path))
  assert.is(lines.length, 1)
  assert.is(lines[0]?.split('@').length, 601)
})

test.run()
