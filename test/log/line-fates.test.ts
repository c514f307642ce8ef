/** Every line has one fate, and the first check that fails is the reason. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { latin1, makeLine, SCANNERS, scanOnce } from './scan-text.ts'

type Fate = 'kept' | 'skipped' | 'comment' | 'blank' | string

const NUL = '\0'

const DATES: readonly [string, Fate][] = [
  ['1970-01-01', 'kept'],
  ['1969-12-31', 'BAD_DATE'],
  ['9999-12-31', 'kept'],
  ['0000-01-01', 'BAD_DATE'],
  ['2020-02-29', 'kept'],
  ['2021-02-29', 'BAD_DATE'],
  ['2100-02-29', 'BAD_DATE'],
  ['2000-02-29', 'kept'],
  ['2020-00-10', 'BAD_DATE'],
  ['2020-13-10', 'BAD_DATE'],
  ['2020-04-31', 'BAD_DATE'],
  ['2020-01-00', 'BAD_DATE'],
  ['2020/01/01', 'BAD_DATE'],
  ['2020-1-01', 'BAD_DATE'],
  ['2020-01-1', 'BAD_DATE'],
  ['2020-01-001', 'BAD_DATE'],
  ['+020-01-01', 'BAD_DATE'],
  ['2020-01-0:', 'BAD_DATE'],
  ['202\u00b20-01-01', 'BAD_DATE'],
  ['', 'BAD_DATE'],
]

const TIMES: readonly [string, Fate][] = [
  ['00:00:00', 'kept'],
  ['23:59:59', 'kept'],
  ['24:00:00', 'BAD_TIME'],
  ['23:60:00', 'BAD_TIME'],
  ['23:59:60', 'BAD_TIME'],
  ['1:00:00', 'BAD_TIME'],
  ['01:00', 'BAD_TIME'],
  ['01-00-00', 'BAD_TIME'],
  ['01:00:0x', 'BAD_TIME'],
  ['0\u00b1:00:00', 'BAD_TIME'],
  ['01;00:00', 'BAD_TIME'],
  ['01:00:00.1', 'kept'],
  ['01:00:00.123', 'kept'],
  ['01:00:00.123456789', 'kept'],
  ['01:00:00.1234567890', 'BAD_TIME'],
  ['01:00:00.', 'BAD_TIME'],
  ['01:00:00,123', 'BAD_TIME'],
  ['01:00:00.12x', 'BAD_TIME'],
  ['01:00:00Z', 'BAD_TIME'],
  ['01:00:60.123', 'BAD_TIME'],
  ['', 'BAD_TIME'],
]

const STATUSES: readonly [string, Fate][] = [
  ['200', 'kept'],
  ['206', 'kept'],
  ['000', 'skipped'],
  ['202', 'skipped'],
  ['204', 'skipped'],
  ['304', 'skipped'],
  ['999', 'skipped'],
  ['20', 'BAD_STATUS'],
  ['2060', 'BAD_STATUS'],
  ['', 'BAD_STATUS'],
  ['2o6', 'BAD_STATUS'],
  ['-06', 'BAD_STATUS'],
  ['20 ', 'BAD_STATUS'],
  ['20:', 'BAD_STATUS'],
  ['20/', 'BAD_STATUS'],
]

const RANGES: readonly [string, Fate][] = [
  ['0-0', 'kept'],
  ['9-0', 'BAD_RANGE'],
  ['-5', 'BAD_RANGE'],
  ['5-', 'BAD_RANGE'],
  ['-', 'BAD_RANGE'],
  ['', 'BAD_RANGE'],
  ['5', 'BAD_RANGE'],
  ['+1-5', 'BAD_RANGE'],
  ['1-+5', 'BAD_RANGE'],
  ['0x0-5', 'BAD_RANGE'],
  ['1e3-2e3', 'BAD_RANGE'],
  [' 1-2', 'BAD_RANGE'],
  ['1-2 ', 'BAD_RANGE'],
  ['1 -2', 'BAD_RANGE'],
  ['1--2', 'BAD_RANGE'],
  ['1-2-3', 'BAD_RANGE'],
  ['1-2,4-5', 'BAD_RANGE'],
  ['1-2/9', 'BAD_RANGE'],
  ['1-:', 'BAD_RANGE'],
  ['/-5', 'BAD_RANGE'],
  ['\u00b1-5', 'BAD_RANGE'],
  ['007-0010', 'kept'],
  ['12345678-12345678', 'kept'],
  ['123456789-123456790', 'kept'],
  ['0000000000000000-0000000000000000', 'kept'],
  ['00000000000000000-1', 'BAD_RANGE'],
  ['0-00000000000000000', 'BAD_RANGE'],
  ['9007199254740990-9007199254740990', 'kept'],
  ['9007199254740990-9007199254740991', 'BAD_RANGE'],
  ['9007199254740991-9007199254740991', 'BAD_RANGE'],
  ['9999999999999999-9999999999999999', 'BAD_RANGE'],
  ['1000000000000000-1000000000000001', 'kept'],
  ['0-274877906943', 'kept'],
  ['0-274877906944', 'HUGE_RANGE'],
  ['0-9007199254740990', 'HUGE_RANGE'],
  ['1-274877906944', 'kept'],
]

const KEYS: readonly [Partial<Record<'ip' | 'userAgent' | 'request', string>>, Fate][] = [
  [{ ip: '' }, 'EMPTY_KEY'],
  [{ request: '' }, 'EMPTY_KEY'],
  [{ userAgent: '' }, 'kept'],
  [{ userAgent: '-' }, 'kept'],
  [{ userAgent: '__proto__', ip: 'constructor', request: 'toString' }, 'kept'],
  [{ userAgent: '\x01\x02\x08\x0b\x1f\x7f' }, 'kept'],
  [{ userAgent: 'a\rb' }, 'kept'],
  [{ userAgent: '\xc3\xa9' }, 'kept'],
  [{ userAgent: '\xc3' }, 'BAD_UTF8'],
  [{ userAgent: '\xc3(' }, 'BAD_UTF8'],
  [{ userAgent: '\xa9' }, 'BAD_UTF8'],
  [{ userAgent: '\xc0\xaf' }, 'BAD_UTF8'],
  [{ userAgent: '\xc1\xbf' }, 'BAD_UTF8'],
  [{ userAgent: '\xe0\x9f\xbf' }, 'BAD_UTF8'],
  [{ userAgent: '\xe0\xa0\x80' }, 'kept'],
  [{ userAgent: '\xed\x9f\xbf' }, 'kept'],
  [{ userAgent: '\xed\xa0\x80' }, 'BAD_UTF8'],
  [{ userAgent: '\xed\xbf\xbf' }, 'BAD_UTF8'],
  [{ userAgent: '\xee\x80\x80\xef\xbf\xbf' }, 'kept'],
  [{ userAgent: '\xf0\x8f\xbf\xbf' }, 'BAD_UTF8'],
  [{ userAgent: '\xf0\x90\x80\x80' }, 'kept'],
  [{ userAgent: '\xf4\x8f\xbf\xbf' }, 'kept'],
  [{ userAgent: '\xf4\x90\x80\x80' }, 'BAD_UTF8'],
  [{ userAgent: '\xf5\x80\x80\x80' }, 'BAD_UTF8'],
  [{ userAgent: '\xf0\x9f\x8e\xa7 podcasts, thirty bytes and more \xf0\x9f\x8e' }, 'BAD_UTF8'],
  [{ userAgent: '\xf0\x9f\x8e\xa7 podcasts, thirty bytes and more \xf0\x9f\x8e\xa7' }, 'kept'],
  [{ request: '/\xff' }, 'BAD_UTF8'],
  [{ ip: '\x80' }, 'BAD_UTF8'],
]

const SHAPES: readonly [string, Fate][] = [
  ['', 'blank'],
  ['\r', 'blank'],
  ['\r\r', 'BAD_FIELDS'],
  [' ', 'BAD_FIELDS'],
  ['#', 'comment'],
  [`# ${NUL}`, 'comment'],
  ['# a\tb', 'comment'],
  [`#${makeLine()}`, 'comment'],
  [' # no comment', 'BAD_FIELDS'],
  ['\t', 'BAD_FIELDS'],
  ['\t\t\t\t\t', 'BAD_FIELDS'],
  ['\t\t\t\t\t\t', 'BAD_STATUS'],
  ['\t\t\t\t\t\t\t', 'BAD_FIELDS'],
  [`${makeLine()}\t`, 'BAD_FIELDS'],
  [`\t${makeLine()}`, 'BAD_FIELDS'],
  [makeLine({ userAgent: 'a\tb' }), 'BAD_FIELDS'],
  [`${makeLine()}\r`, 'kept'],
  [`${makeLine()}\r\r`, 'BAD_RANGE'],
  [makeLine({ userAgent: `a${NUL}b` }), 'NUL_BYTE'],
  [makeLine({ userAgent: 'a\x01b' }), 'kept'],
  [`${makeLine()}${NUL}`, 'NUL_BYTE'],
  [NUL, 'NUL_BYTE'],
]

const LONGEST = 65_536
const PADDING = LONGEST - makeLine({ request: '' }).length

/** Several things are wrong with each; the first in the order of reasons counts. */
const PRECEDENCE: readonly [string, Fate][] = [
  [`#${'x'.repeat(LONGEST)}`, 'comment'],
  ['x'.repeat(LONGEST), 'BAD_FIELDS'],
  ['x'.repeat(LONGEST + 1), 'LONG_LINE'],
  [`${NUL}${'\t'.repeat(LONGEST)}`, 'LONG_LINE'],
  ['\t'.repeat(LONGEST), 'BAD_FIELDS'],
  [makeLine({ request: 'r'.repeat(PADDING) }), 'kept'],
  [makeLine({ request: 'r'.repeat(PADDING + 1) }), 'LONG_LINE'],
  [`${makeLine({ request: 'r'.repeat(PADDING - 1) })}\r`, 'kept'],
  [`${makeLine({ request: 'r'.repeat(PADDING) })}\r`, 'LONG_LINE'],
  [`${NUL}\t`, 'NUL_BYTE'],
  [makeLine({ status: '', date: '', time: '', byteRange: '', ip: '' }), 'BAD_STATUS'],
  [makeLine({ status: '404', date: '', time: '', byteRange: '', ip: '', userAgent: '\xff' }), 'skipped'],
  [makeLine({ date: '', time: '', byteRange: '', ip: '' }), 'BAD_DATE'],
  [makeLine({ time: '', byteRange: '', ip: '' }), 'BAD_TIME'],
  [makeLine({ byteRange: '9-0', ip: '' }), 'BAD_RANGE'],
  [makeLine({ byteRange: '0-274877906944', ip: '' }), 'HUGE_RANGE'],
  [makeLine({ ip: '', userAgent: '\xff' }), 'EMPTY_KEY'],
]

const CASES: readonly [string, Fate][] = [
  ...DATES.map(([date, fate]): [string, Fate] => [makeLine({ date }), fate]),
  ...TIMES.map(([time, fate]): [string, Fate] => [makeLine({ time }), fate]),
  ...STATUSES.map(([status, fate]): [string, Fate] => [makeLine({ status }), fate]),
  ...RANGES.map(([byteRange, fate]): [string, Fate] => [makeLine({ byteRange }), fate]),
  ...KEYS.map(([keys, fate]): [string, Fate] => [makeLine(keys), fate]),
  ...SHAPES,
  ...PRECEDENCE,
]

function shorten(line: string): string {
  return JSON.stringify(line.length > 160 ? `${line.slice(0, 40)}... ${line.length} bytes` : line)
}

const fates = suite('line fates')

for (const { name, create } of SCANNERS) {
  fates(`${name}: each line alone has the fate that the table says`, () => {
    for (const [line, fate] of CASES) {
      const { counts } = scanOnce(create, latin1(`${line}\n`))
      const reason = counts.rejectedLines[0]?.reason
      const found =
        reason ??
        (counts.kept === 1
          ? 'kept'
          : counts.skippedStatus === 1
            ? 'skipped'
            : counts.comments === 1
              ? 'comment'
              : counts.blank === 1
                ? 'blank'
                : 'nothing')
      assert.is(found, fate, `${shorten(line)}: ${found}, expected ${fate}`)
      assert.is(counts.lines, 1)
    }
  })

  fates(`${name}: lines among others keep their fate, and rejects say where they stand`, () => {
    const text = CASES.map(([line]) => `${line}\n`).join('')
    const { counts, runs } = scanOnce(create, latin1(text), {}, { keepRejectedText: true })
    const expected = CASES.flatMap(([line, fate], lineIndex) => {
      if (['kept', 'skipped', 'comment', 'blank'].includes(fate)) return []
      const before = CASES.slice(0, lineIndex).reduce((sum, [other]) => sum + other.length + 1, 0)
      const text = latin1(line.slice(0, 1024))
      return [{ byteOffset: before, byteLength: line.length, lineIndex, reason: fate, text }]
    })
    assert.equal(counts.rejectedLines, expected)
    const tally = (fate: Fate): number => CASES.filter(([, own]) => own === fate).length
    assert.is(counts.kept, tally('kept'))
    assert.is(runs['first']?.length, tally('kept'))
    assert.is(counts.skippedStatus, tally('skipped'))
    assert.is(counts.comments, tally('comment'))
    assert.is(counts.blank, tally('blank'))
    for (const [reason, count] of Object.entries(counts.rejected)) assert.is(count, tally(reason), reason)
  })

  fates(`${name}: a value that is rejected leaves nothing in the tables`, () => {
    const text = [
      makeLine({ ip: '1', userAgent: 'u1', request: '/1' }),
      makeLine({ ip: '2', userAgent: '\xff', request: '/2' }),
      makeLine({ ip: '3', userAgent: 'u3', request: '/\xc3' }),
      makeLine({ ip: '\xed\xa0\x80', userAgent: 'u4', request: '/4' }),
      makeLine({ ip: '5', userAgent: '\xff', request: '/5', status: '404' }),
      makeLine({ ip: '1', userAgent: '\xff', request: '/1' }),
    ].join('\n')
    const { counts, runs } = scanOnce(create, latin1(text))
    assert.is(counts.rejected.BAD_UTF8, 4)
    assert.equal(runs['ips'], ['1'])
    assert.equal(runs['userAgents'], ['u1'])
    assert.equal(runs['requests'], ['/1'])
    assert.is(counts.rows, 491)
  })

  fates(`${name}: numbers are read exactly`, () => {
    const text = RANGES.filter(([, fate]) => fate === 'kept')
      .map(([byteRange], i) => makeLine({ byteRange, request: `/${String(i).padStart(3, '0')}` }))
      .join('\n')
    const { runs, counts } = scanOnce(create, latin1(text))
    assert.equal(
      runs['first'],
      [0, 7, 12_345_678, 123_456_789, 0, 9_007_199_254_740_990, 1_000_000_000_000_000, 0, 1],
    )
    assert.equal(
      runs['last'],
      [
        0, 10, 12_345_678, 123_456_790, 0, 9_007_199_254_740_990, 1_000_000_000_000_001, 274_877_906_943,
        274_877_906_944,
      ],
    )
    assert.equal(new Set(runs['epochSeconds']), new Set([Date.parse('2020-07-31T16:46:07Z') / 1000]))
    assert.is(counts.rows, 1 + 4 + 1 + 2 + 1 + 1 + 2 + 2 * 2 ** 38)
  })

  fates(`${name}: the largest range is an option`, () => {
    const line = latin1(makeLine({ byteRange: '10-19' }))
    assert.is(scanOnce(create, line, {}, { maxRangeByteLength: 10 }).counts.kept, 1)
    assert.is(scanOnce(create, line, {}, { maxRangeByteLength: 9 }).counts.rejected.HUGE_RANGE, 1)
  })

  fates(`${name}: a sum of rows that is not exact says so`, () => {
    const line = `${makeLine({ byteRange: '0-4503599627370495' })}\n`
    const options = { maxRangeByteLength: 2 ** 52 }
    const two = scanOnce(create, latin1(line.repeat(2)), {}, options).counts
    assert.equal([two.rows, two.rowsExact], [2 ** 53, true])
    const more = scanOnce(
      create,
      latin1(`${line.repeat(2)}${makeLine({ byteRange: '0-4' })}`),
      {},
      options,
    ).counts
    assert.equal([more.rows, more.rowsExact], [2 ** 53 + 4, false])
  })

  fates(`${name}: only the first rejects are listed, all are counted`, () => {
    const bad = [makeLine({ userAgent: '\xff' }), makeLine({ date: 'x' })]
    const text = latin1(Array.from({ length: 50 }, (_, i) => bad[i % 2]).join('\n'))
    const { counts } = scanOnce(create, text, {}, { rejectedLineLimit: 7, keepRejectedText: true })
    assert.equal(
      counts.rejectedLines.map((line) => [line.lineIndex, line.reason, line.text?.length]),
      Array.from({ length: 7 }, (_, i) => {
        const reason = i % 2 === 0 ? 'BAD_UTF8' : 'BAD_DATE'
        return [i, reason, bad[i % 2]?.length]
      }),
    )
    assert.is(counts.rejected.BAD_UTF8, 25)
    assert.is(counts.rejected.BAD_DATE, 25)
    assert.equal(scanOnce(create, text, {}, { rejectedLineLimit: 0 }).counts.rejectedLines, [])
  })

  fates(`${name}: a comment with a TAB that is not the header is reported`, () => {
    const header = '# date\ttimestamp'
    const comments = ['# plain', header, `${header}\r`, `${header} `, '#\t', header.slice(0, -1)]
    const { counts } = scanOnce(create, latin1(comments.join('\n')), { header: latin1(header) })
    assert.is(counts.comments, 6)
    assert.is(counts.otherHeaderCount, 3)
    assert.equal(counts.otherHeaders, [
      { byteOffset: 43, byteLength: 17, lineIndex: 3 },
      { byteOffset: 61, byteLength: 2, lineIndex: 4 },
      { byteOffset: 64, byteLength: 15, lineIndex: 5 },
    ])
    const many = scanOnce(create, latin1('#\t\n'.repeat(1100))).counts
    assert.equal([many.otherHeaderCount, many.otherHeaders.length], [1100, 1024])
  })
}

fates.run()
