import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AnswerUnion, answerListeners, type ListenerAnswer } from '#src/delivery/answer-listeners.js'
import { parseIpSelector, parseUserAgentSelector } from '#src/delivery/listener-selector.js'
import { type DeliveryStore, openStore } from '#src/delivery/store.js'
import { askOracle } from '../support/byte-oracle.ts'
import { encoded, writeCloudfrontFile } from '../support/cloudfront-file.ts'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('listeners in several spellings')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const LEVELS = [0, 1, 2, 3].map((times) => encoded('Pod Player/\u00e9', times))
const ASKED = { first: 50, last: 700 }
const WINDOW = { since: EPOCH + 1, until: EPOCH + 7 }

/** A record, how often its user agent is encoded, and whether its file has decoded user agents. */
interface Spelled {
  readonly level: number
  readonly isDecoded: boolean
  readonly record: MemoryRecord
}

function draw(seed: number, count: number, isDecoded: boolean, deepest: number): Spelled[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const level = random(deepest + 1)
    const first = random(600)
    const key = {
      asset: `/asset/${random(2)}`,
      ip: `10.0.${random(2)}.${random(4)}`,
      userAgent: LEVELS[level] ?? '',
    }
    const record = { ...key, first, last: first + random(300), epochSeconds: EPOCH + random(9) }
    return { level, isDecoded, record }
  })
}

function select(store: DeliveryStore, ips: string[], userAgents: string[]): ListenerAnswer[] {
  return [
    ...answerListeners(store, {
      asset: '/asset/1',
      ips: ips.map(parseIpSelector),
      userAgents: userAgents.map(parseUserAgentSelector),
      target: { kind: 'range', range: { start: ASKED.first, end: ASKED.last + 1 } },
      window: { sinceEpochSeconds: WINDOW.since, untilEpochSeconds: WINDOW.until },
    }),
  ]
}

/** What counts for a user agent that is encoded so often, by what the README says. */
function counting(all: readonly Spelled[], level: number, ip: string): Spelled[] {
  return all.filter(
    (one) =>
      one.record.asset === '/asset/1' &&
      one.record.ip === ip &&
      (one.isDecoded ? Math.abs(one.level - level) <= 1 : one.level === level),
  )
}

/** The levels of those asked for that are listeners of their own: another has not all that counts for them. */
function ownLevels(all: readonly Spelled[], levels: readonly number[], ip: string): number[] {
  const sets = levels.map((level) => new Set(counting(all, level, ip)))
  return levels.filter((_, i) => {
    const mine = sets[i] ?? new Set()
    const isInside = sets.some((other, j) => {
      const isSmaller = mine.size < other.size || (mine.size === other.size && j < i)
      return i !== j && isSmaller && [...mine].every((one) => other.has(one))
    })
    return mine.size > 0 && !isInside
  })
}

function checkAnswers(
  found: readonly ListenerAnswer[],
  all: readonly Spelled[],
  levels: number[],
  ips: string[],
  what: string,
): void {
  const expected = ips.flatMap((ip) => ownLevels(all, levels, ip).map((level) => `${ip} ${LEVELS[level]}`))
  const names = found.map(({ answer }) => `${answer.ip} ${answer.userAgent}`)
  assert.equal(names.toSorted(), expected.toSorted(), what)
  const union = new AnswerUnion()
  for (const listener of found) {
    const { answer, runs } = listener
    union.add(listener)
    const own = counting(all, LEVELS.indexOf(answer.userAgent), answer.ip)
    const oracle = askOracle(
      ASKED,
      own.map(({ record }) => record),
      WINDOW,
    )
    assert.equal(
      [answer.covered, answer.missing, answer.requests, runs.length, answer.delivered],
      [oracle.covered, oracle.missing, oracle.requests, oracle.requests, oracle.missing.length === 0],
      `${what}: ${answer.ip} ${answer.userAgent}`,
    )
  }
  const everything = new Set(ips.flatMap((ip) => levels.flatMap((level) => counting(all, level, ip))))
  const together = askOracle(
    ASKED,
    [...everything].map(({ record }) => record),
    WINDOW,
  )
  const result = union.result()
  assert.equal(
    [result?.covered, result?.missing, result?.requests, union.listenerCount],
    [together.covered, together.missing, together.requests, expected.length],
    `${what}, together`,
  )
}

test('beside a block a user agent is found in its spellings, and every request counts once', async () => {
  for (const [seed, plainCount, decodedCount] of [
    [31, 0, 150],
    [32, 60, 60],
    [33, 150, 300],
  ] as const) {
    const plain = draw(seed, plainCount, false, 3)
    const decoded = draw(seed + 100, decodedCount, true, 2)
    const all = [...plain, ...decoded]
    const paths = [scratch.path(`${seed}-plain.parquet`), scratch.path(`${seed}-decoded.parquet`)]
    await writeDeliveryFile(
      paths[0] ?? '',
      plain.map(({ record }) => record),
    )
    await writeCloudfrontFile(
      paths[1] ?? '',
      decoded.map(({ record }) => record),
    )
    const store = openStore(paths)
    const block = ['10.0.1.0', '10.0.1.1', '10.0.1.2', '10.0.1.3']
    for (const levels of [[0], [1], [2], [3], [1, 0], [0, 1], [2, 0], [3, 1, 0], [0, 1, 2, 3]]) {
      const userAgents = levels.map((level) => LEVELS[level] ?? '')
      const what = `seed ${seed}, levels ${levels}`
      checkAnswers(select(store, ['10.0.1.0/24'], userAgents), all, levels, block, what)
      // One by one the addresses come to the same, beside answers for those that are not known.
      const exact = select(store, block, userAgents).filter(({ answer }) => answer.requests > 0)
      const found = select(store, ['10.0.1.0/24'], userAgents).filter(({ answer }) => answer.requests > 0)
      const keyOf = ({ answer }: ListenerAnswer): string => JSON.stringify(answer)
      assert.equal(exact.map(keyOf).toSorted(), found.map(keyOf).toSorted(), what)
    }
    store.close()
  }
})

test('what a pattern finds beside a spelling of it is one listener, named as asked', async () => {
  const path = scratch.path('pattern.parquet')
  const key = { asset: '/asset/1', ip: '10.0.1.1', first: 0, last: 900, epochSeconds: EPOCH + 2 }
  await writeCloudfrontFile(path, [
    { ...key, userAgent: 'Apple Core/1 25' },
    { ...key, userAgent: 'Apple Core/2' },
  ])
  const store = openStore([path])
  const name = ({ answer, freshRequests }: ListenerAnswer): string => `${answer.userAgent}: ${freshRequests}`
  const asked = 'Apple%20Core/1%2025'
  assert.equal(select(store, ['10.0.1.1'], [asked, 'Apple*']).map(name), ['Apple Core/2: 1', `${asked}: 1`])
  assert.equal(select(store, ['10.0.0.0/16'], [asked, 'Apple Core/1 25']).map(name), [`${asked}: 1`])
  assert.equal(select(store, ['10.0.1.1'], [asked, 'Apple Core/1 25']).map(name), [`${asked}: 1`])
  assert.equal(select(store, ['10.0.1.1'], ['Apple Core/1 25', asked]).map(name), ['Apple Core/1 25: 1'])
  // Nobody is one listener too, in whatever spelling.
  const nobody = select(store, ['10.0.1.9'], [asked, 'Apple Core/1 25', 'VLC'])
  assert.equal(
    nobody.map(({ answer }) => [answer.userAgent, answer.verdict]),
    [
      [asked, 'none'],
      ['VLC', 'none'],
    ],
  )
  store.close()
})

test.run()
