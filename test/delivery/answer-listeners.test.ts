import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { AnswerUnion, answerListeners } from '#src/delivery/answer-listeners.js'
import { parseIpSelector, parseUserAgentSelector } from '#src/delivery/listener-selector.js'
import { openStore } from '#src/delivery/store.js'
import { askOracle } from '../support/byte-oracle.ts'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('questions about several listeners')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const LENGTH = 3000

function randomRecords(seed: number, count: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(LENGTH)
    return {
      asset: `/asset/${random(3)}`,
      ip: random(2) === 0 ? `10.0.${random(3)}.${random(4)}` : `2001:db8:${random(3)}::${random(4)}`,
      userAgent: ['VLC/3', 'VLC/4 x', 'curl', '', 'not VLC/3'][random(5)] ?? '',
      first,
      last: Math.min(LENGTH - 1, first + random(1500)),
      epochSeconds: EPOCH + random(20),
    }
  })
}

/** Membership by the bits of the addresses above, which need no general parser. */
function isSelected(ip: string, userAgent: string): boolean {
  const isIpSelected = ip.startsWith('10.0.2.') || ip === '10.0.1.3' || ip.startsWith('2001:db8:1::')
  return isIpSelected && (userAgent.startsWith('VLC/') || userAgent === '')
}

const SELECTION = {
  asset: '/asset/1',
  ips: ['10.0.2.77/24', '10.0.1.3', '2001:db8:1::/48'].map(parseIpSelector),
  userAgents: ['VLC/*', ''].map(parseUserAgentSelector),
}

test('every selected listener gets the oracle’s answer, and the union is that of all their bytes', async () => {
  let unionCount = 0
  for (const [seed, count] of [
    [1, 20],
    [2, 300],
    [3, 2000],
  ] as const) {
    const records = randomRecords(seed, count)
    const paths = [scratch.path(`${seed}-a.parquet`), scratch.path(`${seed}-b.parquet`)]
    for (const [i, path] of paths.entries())
      await writeDeliveryFile(
        path,
        records.filter((_, at) => at % 2 === i),
        3000,
      )
    const store = openStore(paths)
    const window = { sinceEpochSeconds: EPOCH + 3, untilEpochSeconds: EPOCH + 17 }
    const oracleWindow = { since: EPOCH + 3, until: EPOCH + 17 }
    const asked = { first: 100, last: 2500 }
    const union = new AnswerUnion()
    const target = { kind: 'range', range: { start: asked.first, end: asked.last + 1 } } as const
    const found: string[] = []
    for (const listener of answerListeners(store, { ...SELECTION, target, window })) {
      const { answer, runs } = listener
      union.add(listener)
      const key = `${answer.ip} ${answer.userAgent}`
      const own = records.filter((r) => r.asset === '/asset/1' && `${r.ip} ${r.userAgent}` === key)
      const expected = askOracle(asked, own, oracleWindow)
      const { covered, missing, coveredBytes, requests } = answer
      const what = `seed ${seed}: ${key}`
      assert.equal({ covered, missing, coveredBytes, requests }, pick(expected), what)
      assert.is(answer.delivered, expected.missing.length === 0, what)
      assert.is(runs.length, expected.requests, what)
      found.push(key)
    }
    store.close()
    const selected = records.filter((r) => r.asset === '/asset/1' && isSelected(r.ip, r.userAgent))
    const keys = [...new Set(selected.map((r) => `${r.ip} ${r.userAgent}`))]
    assert.equal(found.toSorted(), keys.toSorted(), `seed ${seed}`)
    const together = askOracle(asked, selected, oracleWindow)
    const result = union.result()
    if (result === undefined) {
      assert.is(selected.length, 0, `seed ${seed}`)
      continue
    }
    const { covered, missing, coveredBytes, requests } = result
    assert.equal({ covered, missing, coveredBytes, requests }, pick(together), `seed ${seed}, together`)
    assert.is(result.verdict, together.missing.length === 0 ? 'complete' : 'partial')
    const { completeAt } = together
    const expectedAt = completeAt === undefined ? null : new Date(completeAt * 1000).toISOString()
    assert.is(result.completeAt, expectedAt?.replace('.000Z', 'Z') ?? null, `seed ${seed}, together`)
    unionCount++
  }
  assert.is(unionCount, 2)
})

function pick({ covered, missing, coveredBytes, requests }: ReturnType<typeof askOracle>): object {
  return { covered, missing, coveredBytes, requests }
}

test('values without a pattern get an answer each, known or not', async () => {
  const path = scratch.path('exact.parquet')
  await writeDeliveryFile(path, [
    { asset: '/a', ip: '10.0.0.1', userAgent: 'x', first: 0, last: 9, epochSeconds: EPOCH },
  ])
  const store = openStore([path])
  const selection = {
    asset: '/a',
    ips: ['10.0.0.1', '10.0.0.2', '10.0.0.1'].map(parseIpSelector),
    userAgents: ['x'].map(parseUserAgentSelector),
    target: { kind: 'whole', givenLength: undefined },
    window: { sinceEpochSeconds: undefined, untilEpochSeconds: undefined },
  } as const
  const verdicts = Array.from(answerListeners(store, selection), ({ answer }) => [answer.ip, answer.verdict])
  store.close()
  assert.equal(verdicts, [
    ['10.0.0.1', 'complete'],
    ['10.0.0.2', 'none'],
  ])
})

test('blocks of addresses select by their bits, texts that are none only themselves', () => {
  const table: [string, string[], string[]][] = [
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1', 'x', '']],
    ['10.128.0.0/9', ['10.128.0.0', '10.255.255.255'], ['10.127.255.255', '11.0.0.0']],
    ['192.0.2.7/32', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['2001:db8::/33', ['2001:db8:7fff::1', '2001:0DB8:0::1'], ['2001:db8:8000::', '10.0.0.1']],
    ['192.0.2.0/24', ['192.0.2.0/24'], ['192.0.2.0/25', '192.0.2.']],
    ['unknown', ['unknown'], ['Unknown', '']],
    // What is logged as IPv4 is in a block of IPv6 only where that says so; the other way round it is the same address.
    ['::/0', ['::1', '2001:db8::', '::ffff:192.0.2.1'], ['192.0.2.1', '']],
    ['::/80', ['::ffff:192.0.2.1'], ['192.0.2.1', '1::']],
    ['::ffff:0:0/96', ['::ffff:192.0.2.1', '192.0.2.1'], ['::1']],
    ['::ffff:192.0.2.0/120', ['192.0.2.1'], ['192.0.3.1']],
    ['192.0.2.0/24', ['::ffff:192.0.2.1'], ['::ffff:192.0.3.1']],
  ]
  for (const [text, inside, outside] of table) {
    const selector = parseIpSelector(text)
    for (const ip of inside) assert.ok(selector.matches(ip), `${ip} in ${text}`)
    for (const ip of outside) assert.not.ok(selector.matches(ip), `${ip} not in ${text}`)
  }
  for (const bad of [
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/8x',
    'fe80::1%eth0/64',
  ]) {
    assert.throws(
      () => parseIpSelector(bad),
      (error: unknown) =>
        error instanceof Failure && error.code === 'USAGE' && /192\.0\.2\.0\/24/.test(error.message),
    )
  }
})

test('a star stands for any characters, as in a regular expression that says the same', () => {
  const random = seededRandom(7)
  const letters = ['a', 'b', '(', '.', '*']
  const word = (limit: number): string =>
    Array.from({ length: random(limit) }, () => letters[random(4)]).join('')
  for (let i = 0; i < 3000; i++) {
    const parts = Array.from({ length: 2 + random(3) }, () => word(3))
    const text = word(9)
    const expected = new RegExp(`^${parts.map((part) => part.replace(/[(.]/g, '\\$&')).join('.*')}$`, 's')
    assert.is(
      parseUserAgentSelector(parts.join('*')).matches(text),
      expected.test(text),
      `'${text}' like '${parts.join('*')}'`,
    )
  }
  assert.is(parseUserAgentSelector('a\\*b').exact, 'a*b')
  assert.is(parseUserAgentSelector('a?b').exact, 'a?b')
})

test.run()
