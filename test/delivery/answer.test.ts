import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import type { Query, QueryTarget } from '#src/delivery/question.js'
import { formatInstant } from '#src/delivery/question-time.js'
import { askOracle } from '../support/byte-oracle.ts'
import { type MemoryRecord, memorySource } from '../support/memory-source.ts'
import { randomRequests, seededDraw } from '../support/random-runs.ts'

const test = suite('answers')
const KEY = { asset: '/a', ip: '192.0.2.1', userAgent: 'curl/8' }
const OPEN = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }
const T0 = Date.UTC(2020, 6, 31) / 1000

const sent = (first: number, last: number, epochSeconds = T0): MemoryRecord => ({
  ...KEY,
  first,
  last,
  epochSeconds,
})
const whole = (givenLength?: number): QueryTarget => ({ kind: 'whole', givenLength })
const bytes = (first: number, last: number): QueryTarget => ({
  kind: 'range',
  range: { start: first, end: last + 1 },
})

function ask(records: readonly MemoryRecord[], target: QueryTarget, extra: Partial<Query> = {}) {
  return askSource(memorySource(records), { key: KEY, window: OPEN, target, ...extra }).answer
}

test('the answer has exactly the documented fields, in their order', () => {
  const records = [sent(0, 289, T0 + 60_367), sent(290, 1446, T0 + 46_111), { ...sent(0, 9999), asset: '/b' }]
  assert.is(
    JSON.stringify(ask(records, bytes(10, 500))),
    '{"v":1,"asset":"/a","ip":"192.0.2.1","userAgent":"curl/8","range":[10,500],"delivered":true,' +
      '"verdict":"complete","requestedBytes":491,"coveredBytes":491,"covered":[[10,500]],"missing":[],"requests":2,' +
      '"firstAt":"2020-07-31T12:48:31Z","lastAt":"2020-07-31T16:46:07Z","completeAt":"2020-07-31T16:46:07Z",' +
      '"length":{"bytes":1447,"from":"observed"}}',
  )
})

test('random requests: verdict, covered, missing, counts and times agree with the byte-by-byte oracle', () => {
  const seen = new Map<string, number>()
  for (let seed = 1; seed <= 3000; seed++) {
    const draw = seededDraw(seed)
    const requests = randomRequests(draw, 12, 1 + draw(60))
    const first = draw(50)
    const last = first + draw(15)
    const windowed =
      draw(3) === 0 ? { since: T0 - 29_200 + draw(12), until: T0 - 29_200 + draw(30) } : undefined
    const window = { sinceEpochSeconds: windowed?.since, untilEpochSeconds: windowed?.until }
    const answer = ask(
      requests.map((r) => ({ ...KEY, ...r })),
      bytes(first, last),
      { window },
    )
    const expected = askOracle({ first, last }, requests, windowed)
    const time = (at: number | undefined) => (at === undefined ? null : formatInstant(at))
    const amount = expected.missing.length === 0 ? 'complete' : expected.coveredBytes > 0 ? 'partial' : 'none'
    const verdict = requests.length === 0 ? 'unknown' : amount
    const { covered, missing, coveredBytes, requests: requestCount } = expected
    const times = {
      firstAt: time(expected.firstAt),
      lastAt: time(expected.lastAt),
      completeAt: time(expected.completeAt),
    }
    const requestedBytes = last - first + 1
    const wanted = {
      verdict,
      requestedBytes,
      coveredBytes,
      covered,
      missing,
      requests: requestCount,
      ...times,
    }
    const found = Object.fromEntries(Object.keys(wanted).map((name) => [name, Reflect.get(answer, name)]))
    assert.equal(found, wanted, `seed ${seed}`)
    assert.is(answer.delivered, verdict === 'complete', `seed ${seed}`)
    seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
  }
  for (const verdict of ['complete', 'partial', 'none', 'unknown']) {
    assert.ok((seen.get(verdict) ?? 0) > 50, `the seeds reach ${verdict}: ${seen.get(verdict)} times`)
  }
})

test('none needs a known listener or a known asset; otherwise nothing is known', () => {
  assert.is(ask([{ ...sent(0, 9), asset: '/b' }], bytes(0, 9)).verdict, 'none')
  assert.is(ask([{ ...sent(0, 9), ip: '192.0.2.2' }], bytes(0, 9)).verdict, 'none')
  const stranger = ask([{ ...sent(0, 9), ip: '192.0.2.2', asset: '/b' }], bytes(0, 9))
  assert.equal([stranger.verdict, stranger.missing, stranger.length], ['unknown', [[0, 9]], null])
})

test('the whole is 0 to length - 1, by the given length before the observed one', () => {
  const records = [sent(0, 9), { ...sent(0, 19), ip: '192.0.2.2' }]
  const observed = ask(records, whole())
  assert.equal([observed.verdict, observed.range, observed.missing], ['partial', [0, 19], [[10, 19]]])
  assert.equal(observed.length, { bytes: 20, from: 'observed' })
  const given = ask(records, whole(10))
  assert.equal([given.verdict, given.range, given.length], ['complete', [0, 9], { bytes: 10, from: 'given' }])
})

test('the whole of nothing is never complete', () => {
  const empty = ask([sent(0, 9)], whole(0))
  assert.equal([empty.verdict, empty.delivered, empty.range, empty.requestedBytes], ['none', false, null, 0])
  const unknownLength = ask([{ ...sent(0, 9), asset: '/b' }], whole())
  assert.equal([unknownLength.verdict, unknownLength.range, unknownLength.length], ['none', null, null])
  assert.is(ask([], whole(0)).verdict, 'unknown')
})

test('both ends of the time window belong to it', () => {
  const records = [sent(0, 4, T0), sent(5, 9, T0 + 10)]
  const within = (sinceEpochSeconds: number, untilEpochSeconds: number) =>
    ask(records, bytes(0, 9), { window: { sinceEpochSeconds, untilEpochSeconds } })
  assert.equal(within(T0, T0 + 10).verdict, 'complete')
  assert.equal(within(T0 + 1, T0 + 10).missing, [[0, 4]])
  assert.equal(within(T0, T0 + 9).missing, [[5, 9]])
  assert.equal([within(T0 + 11, T0 + 20).verdict, within(T0 + 11, T0 + 20).requests], ['none', 0])
})

test('positions beyond 2^32 and next to 2^53 are exact', () => {
  const last = 2 ** 53 - 2
  const answer = ask([sent(2 ** 33 + 1, last)], bytes(2 ** 33, last))
  assert.equal([answer.covered, answer.missing], [[[2 ** 33 + 1, last]], [[2 ** 33, 2 ** 33]]])
  assert.is(answer.requestedBytes, last - 2 ** 33 + 1)
})

test.run()
