import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import { answerMany } from '#src/delivery/answer-many.js'
import type { Query } from '#src/delivery/question.js'
import { openStore } from '#src/delivery/store.js'
import { encoded, writeCloudfrontFile } from '../support/cloudfront-file.ts'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { type MemoryRecord, memorySource } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('many questions at once')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000

function randomKey(random: (limit: number) => number): { asset: string; ip: string; userAgent: string } {
  return {
    asset: `/asset/${random(12)}`,
    ip: `10.0.0.${random(5)}`,
    userAgent: ['', 'curl/8', 'Hörbuch ☂', '__proto__', 'a\0b'][random(5)] ?? '',
  }
}

function randomRecords(seed: number, count: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(2000)
    const { userAgent, ...key } = randomKey(random)
    const last = first + random(900)
    return { ...key, userAgent: userAgent.replace('\0', '-'), first, last, epochSeconds: EPOCH + random(9) }
  })
}

function randomQueries(seed: number, count: number): Query[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const start = random(2500)
    const key = randomKey(random)
    if (random(20) === 0) key.asset = ['/nowhere', '/asset'][random(2)] ?? ''
    const target =
      random(3) === 0
        ? ({ kind: 'whole', givenLength: random(2) === 0 ? undefined : random(3000) } as const)
        : ({ kind: 'range', range: { start, end: start + 1 + random(600) } } as const)
    const window = {
      sinceEpochSeconds: random(3) === 0 ? EPOCH + random(9) : undefined,
      untilEpochSeconds: random(3) === 0 ? EPOCH + random(9) : undefined,
    }
    return { key, target, window }
  })
}

test('a pass answers as the records themselves do, in the order of the questions', async () => {
  for (const [seed, recordCount, queryCount] of [
    [1, 30, 300],
    [2, 900, 2000],
    [3, 5000, 500],
  ] as const) {
    const records = randomRecords(seed, recordCount)
    const paths = [scratch.path(`${seed}-a.parquet`), scratch.path(`${seed}-b.parquet`)]
    for (const [i, path] of paths.entries())
      await writeDeliveryFile(
        path,
        records.filter((_, at) => at % 3 === 1 || at % 3 === 2 * i),
        8000,
      )
    // Every third record is in both files: it is two requests there.
    const kept = records.flatMap((record, at) => (at % 3 === 1 ? [record, record] : [record]))
    const store = openStore(paths)
    const source = memorySource(kept)
    const queries = randomQueries(seed + 50, queryCount)
    assert.ok(store.requestCount <= queries.length * 1000, 'enough questions for a pass')
    const counts: number[] = []
    const found = await answerMany(store, queries, (count) => counts.push(count))
    queries.forEach((query, i) => {
      assert.equal(found[i], askSource(source, query).answer, `seed ${seed}, question ${i}`)
    })
    assert.ok(counts.length <= 13, 'one report of progress an asset: it was a pass')
    assert.equal(
      counts,
      counts.toSorted((a, b) => a - b),
    )
    // Few questions about many requests are looked up.
    const few = await answerMany(store, queries.slice(0, 1))
    assert.equal(few[0], found[0])
    store.close()
  }
})

test('a pass finds user agents that were decoded in all spellings, and others only as they are', async () => {
  const random = seededRandom(21)
  const levels = [0, 1, 2, 3].map((times) => encoded('Pod Player/\u00e9', times))
  const draw = (count: number, deepest: number): [number, MemoryRecord][] =>
    Array.from({ length: count }, () => {
      const level = random(deepest + 1)
      const first = random(2000)
      const key = { asset: `/asset/${random(6)}`, ip: `10.0.0.${random(3)}`, userAgent: levels[level] ?? '' }
      return [level, { ...key, first, last: first + random(500), epochSeconds: EPOCH + random(9) }]
    })
  const [plain, decoded] = [draw(300, 3), draw(300, 2)]
  const paths = [scratch.path('plain.parquet'), scratch.path('cloudfront.parquet')]
  await writeDeliveryFile(
    paths[0] ?? '',
    plain.map(([, record]) => record),
  )
  await writeCloudfrontFile(
    paths[1] ?? '',
    decoded.map(([, record]) => record),
  )
  // What a question of each level finds, as records that are spelled like it.
  const sources = levels.map((userAgent, level) => {
    const found = [
      ...plain.map(([itsLevel, record]) => [itsLevel === level, record] as const),
      ...decoded.map(([itsLevel, record]) => [Math.abs(itsLevel - level) <= 1, record] as const),
    ]
    return memorySource(
      found.map(([isFound, record]) =>
        isFound ? { ...record, userAgent } : { ...record, userAgent: 'other' },
      ),
    )
  })
  const store = openStore(paths)
  assert.ok(store.hasSpellings)
  const queries = Array.from({ length: 400 }, (_, i): [number, Query] => {
    const level = random(4)
    const asset = random(15) === 0 ? '/nowhere' : `/asset/${random(6)}`
    const start = random(2000)
    const range = { start, end: start + 1 + random(600) }
    const target =
      i % 4 === 0 ? ({ kind: 'whole', givenLength: undefined } as const) : ({ kind: 'range', range } as const)
    const window = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }
    return [
      level,
      { key: { asset, ip: `10.0.0.${random(4)}`, userAgent: levels[level] ?? '' }, target, window },
    ]
  })
  const counts: number[] = []
  const results = await answerMany(
    store,
    queries.map(([, query]) => query),
    (count) => counts.push(count),
  )
  assert.ok(counts.length <= 6, 'one report of progress an asset: it was a pass')
  for (const [i, [level, query]] of queries.entries()) {
    const source = sources[level]
    assert.ok(source)
    assert.equal(results[i], askSource(source, query).answer, `question ${i}: ${JSON.stringify(query)}`)
    assert.equal(results[i], askSource(store, query).answer, `question ${i}, looked up`)
  }
  store.close()
})

test('damage costs the questions that rest on it, and no others', async () => {
  const path = scratch.path('damaged.parquet')
  const records = randomRecords(7, 4000)
  await writeDeliveryFile(path, records, 20_000)
  const descriptor = openSync(path, 'r+')
  const at = Math.floor(readFileSync(path).length / 3)
  writeSync(descriptor, Buffer.alloc(40, 0xa5), 0, 40, at)
  closeSync(descriptor)
  const store = openStore([path])
  const source = memorySource(records)
  const queries = randomQueries(8, 400)
  let failedCount = 0
  const answers = await answerMany(store, queries)
  answers.forEach((result, i) => {
    const query = queries[i]
    if (query === undefined) throw new Error('no query')
    if ('code' in result) {
      assert.is(result.code, 'DAMAGED')
      failedCount++
    } else assert.equal(result, askSource(source, query).answer, `question ${i}`)
  })
  store.close()
  assert.ok(failedCount > 0 && failedCount < 400, `${failedCount} failed`)
})

test.run()
