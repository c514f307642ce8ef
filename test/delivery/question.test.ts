import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { MAX_POSITION } from '#src/base/positions.js'
import { parseQuery, type QueryText } from '#src/delivery/question.js'
import { formatInstant, parseInstant, parseTimeWindow } from '#src/delivery/question-time.js'

const test = suite('questions')
const KEY = { asset: '/a', ip: '192.0.2.1', userAgent: '' }
const NO_WINDOW = { since: undefined, until: undefined }

function target(text: Partial<QueryText>) {
  return parseQuery({ ...KEY, ...text }, NO_WINDOW).target
}

function assertUsage(run: () => unknown, pattern: RegExp): void {
  try {
    run()
  } catch (error) {
    assert.instance(error, Failure)
    assert.is(error instanceof Failure && error.code, 'USAGE')
    assert.match(String(error), pattern)
    return
  }
  assert.unreachable(`expected a failure that matches ${pattern}`)
}

test('inclusive positions outside are half-open inside, up to 2^53 - 2', () => {
  assert.equal(target({ range: '10-500' }), { kind: 'range', range: { start: 10, end: 501 } })
  assert.equal(target({ start: '7', end: '7' }), { kind: 'range', range: { start: 7, end: 8 } })
  const last = String(MAX_POSITION)
  assert.equal(target({ range: `${last}-${last}` }), {
    kind: 'range',
    range: { start: 2 ** 53 - 2, end: 2 ** 53 - 1 },
  })
  assert.equal(target({ whole: true }), { kind: 'whole', givenLength: undefined })
  assert.equal(target({ whole: true, length: '0' }), { kind: 'whole', givenLength: 0 })
})

test('what is not exactly a range is refused, and the message shows the right form', () => {
  for (const range of [
    '10',
    '10-',
    '-5',
    '5-10-15',
    '+1-5',
    '0x0-5',
    '1e3-5',
    ' 1-5',
    '1-5 ',
    '1–5',
    '',
    '1.5-3',
  ]) {
    assertUsage(() => target({ range }), /--range expects FIRST-LAST, both inclusive, like 10-500/)
  }
  assertUsage(() => target({ range: '9-0' }), /first position comes before the last, like 0-9; found 9-0/)
  assertUsage(
    () => target({ range: '0-9007199254740993' }),
    /from 0 to 9007199254740990, .* 9007199254740993$/,
  )
  assertUsage(() => target({ whole: true, length: '99999999999999999999' }), /found 99999999999999999999$/)
  assertUsage(() => target({ start: '-5', end: '9' }), /--start expects a byte position, like 10; found '-5'/)
  assertUsage(() => target({ start: '', end: '9' }), /--start expects a byte position/)
  assertUsage(() => target({ start: '5' }), /--start needs --end/)
  assertUsage(() => target({ end: '5' }), /--end needs --start/)
  assertUsage(() => target({}), /which bytes\? expected one of: --range 10-500/)
  assertUsage(() => target({ range: '1-2', whole: true }), /given in two ways/)
  assertUsage(() => target({ range: '1-2', length: '9' }), /--length goes with --whole/)
  assertUsage(() => target({ whole: true, length: '12k' }), /--length expects a number of bytes/)
})

test('a key is compared exactly: missing and empty parts and half surrogates are refused', () => {
  const ask = (key: Partial<QueryText>) => () => parseQuery({ ...KEY, range: '0-1', ...key }, NO_WINDOW)
  assertUsage(ask({ asset: undefined }), /--asset is missing/)
  assertUsage(ask({ userAgent: undefined }), /--user-agent is missing/)
  assertUsage(ask({ ip: '' }), /--ip is empty/)
  assertUsage(ask({ asset: '/\ud800' }), /surrogate/)
  assert.is(ask({ userAgent: '__proto__' })().key.userAgent, '__proto__')
})

test('times: dates, date-times in any zone, epoch seconds', () => {
  const day = Date.UTC(2020, 6, 31) / 1000
  const table: [string, number, number][] = [
    ['2020-07-31', day, day + 86_399],
    ['2020-07-31T16:46:07Z', day + 60_367, day + 60_367],
    ['2020-07-31 16:46:07', day + 60_367, day + 60_367],
    ['2020-07-31T16:46', day + 60_360, day + 60_360],
    ['2020-07-31T16:46:07+02:00', day + 53_167, day + 53_167],
    ['2020-07-31T16:46:07-0130', day + 65_767, day + 65_767],
    ['2020-07-31T16:46:07.5Z', day + 60_368, day + 60_367],
    ['2020-02-29', Date.UTC(2020, 1, 29) / 1000, Date.UTC(2020, 1, 29) / 1000 + 86_399],
    ['1596213967', 1_596_213_967, 1_596_213_967],
    ['0', 0, 0],
  ]
  for (const [text, since, until] of table) {
    assert.is(parseInstant(text, 'since'), since, `since ${text}`)
    assert.is(parseInstant(text, 'until'), until, `until ${text}`)
  }
  assert.is(formatInstant(day + 60_367), '2020-07-31T16:46:07Z')
})

test('what is no time is refused', () => {
  const wrong = [
    '',
    '2020-02-30',
    '2021-02-29',
    '2020-13-01',
    '2020-00-10',
    '2020-7-1',
    '2020-07-31T24:00:00Z',
  ]
  for (const text of [
    ...wrong,
    '2020-07-31T10:60Z',
    'yesterday',
    '1596213967000',
    '2025',
    '202501',
    '20250101',
    '-5',
    '2020-07-31Z',
    '1e9',
  ]) {
    assertUsage(() => parseInstant(text, 'since'), /--since expects .*; found '/)
  }
  assertUsage(() => parseTimeWindow('2020-08-01', '2020-07-31'), /later than --until/)
  assert.not.throws(() => parseTimeWindow('2020-07-31', '2020-07-31'))
})

test.run()
