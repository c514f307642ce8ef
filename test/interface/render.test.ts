import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askSource } from '#src/delivery/answer.js'
import type { LoggedLength, ToldLengths } from '#src/delivery/evidence.js'
import { parseQuery, type QueryText } from '#src/delivery/question.js'
import { coverageCells } from '#src/interface/coverage-bar.js'
import { formatByteLength, formatCount, formatSeconds, formatShare } from '#src/interface/format-figures.js'
import { describeProgress, openProgressLine } from '#src/interface/progress.js'
import { answerNotes, renderAnswer } from '#src/interface/render-answer.js'
import { renderReport } from '#src/interface/render-report.js'
import { styleFor } from '#src/interface/terminal.js'
import { type MemoryRecord, memorySource } from '../support/memory-source.ts'
import { seededDraw } from '../support/random-runs.ts'
import { captureStream } from '../support/text-streams.ts'

const test = suite('what people see')
const KEY = { asset: '/a', ip: '192.0.2.1', userAgent: 'curl/8' }
const PLAIN = styleFor(captureStream(), {})
const T0 = 1_596_200_000

const sent = (first: number, last: number, epochSeconds = T0): MemoryRecord => ({
  ...KEY,
  first,
  last,
  epochSeconds,
})

function show(
  records: readonly MemoryRecord[],
  text: Partial<QueryText>,
  window: { since?: string; until?: string } = {},
) {
  const query = parseQuery({ ...KEY, ...text }, { since: window.since, until: window.until })
  const { answer, facts } = askSource(memorySource(records), query)
  return {
    text: renderAnswer(answer, query, facts, PLAIN),
    notes: answerNotes(answer, query, facts).join('\n'),
  }
}

test('the verdict comes first and every figure of the proof follows', () => {
  const { text } = show([sent(0, 289, T0 + 9), sent(289, 1446)], { range: '10-500' })
  assert.match(text, /^DELIVERED {2}all 491 bytes of 10-500\n\n {2}█{60} {2}100%\n/)
  for (const part of [
    'covered +10-500 +491 B',
    'missing +nothing',
    '2 requests, from 2020-07-31T12:53:20Z to 2020-07-31T12:53:29Z',
  ]) {
    assert.match(text, new RegExp(part))
  }
  assert.match(
    text,
    /complete at +2020-07-31T12:53:29Z\n {2}length +1,447 bytes, as far as any request here reached\n$/,
  )
})

test('each verdict has its own headline, and only all of it is 100%', () => {
  const records = [sent(0, 99_998)]
  assert.match(
    show(records, { range: '0-99999' }).text,
    /^PARTLY DELIVERED {2}99,999 of 100,000 bytes of 0-99999 \(99\.9%\)\n/,
  )
  assert.match(
    show(records, { range: '99999-99999' }).text,
    /^NOT DELIVERED {2}no byte of 99999-99999; asset and listener are known here/,
  )
  assert.match(show(records, { range: '0-1', ip: '192.0.2.9', asset: '/x' }).text, /^NO EVIDENCE {2}neither/)
  assert.match(
    show(records, { range: '5-5' }).text,
    /^DELIVERED {2}the one byte asked for, 5-5\n\n {2}█ {2}100%/,
  )
})

test('long lists of ranges are cut after 20, and say so', () => {
  const records = Array.from({ length: 2000 }, (_, i) => sent(i * 10, i * 10 + 4))
  const { text } = show(records, { range: '0-19999' })
  assert.match(text, /190-194 +5 B\n +and 1,980 more \(--json lists all\)\n {2}missing/)
  assert.ok(text.split('\n').length < 60)
})

test('a note about lengths says whether logs disagree, or requests with logs', () => {
  const at = (bytes: number, day: number) => ({
    ...{ bytes, requests: 1, firstEpochSeconds: T0, lastEpochSeconds: T0 + day * 86_400 },
  })
  const notes = (...loggedLengths: readonly LoggedLength[]): string => {
    const query = parseQuery({ ...KEY, range: '0-9' }, { since: undefined, until: undefined })
    const source = {
      ...memorySource([sent(0, 29)]),
      toldOf: () => ({ loggedLengths, askedLength: 0, answeredLength: 0 }),
    }
    const { answer, facts } = askSource(source, query)
    return answerNotes(answer, query, facts).join('\n')
  }
  const [early, late] = ['(last at 2020-08-01T12:53:20Z)', '(last at 2020-08-02T12:53:20Z)']
  assert.is(notes(at(30, 1)), '')
  assert.is(
    notes(at(20, 1)),
    `logs tell one length, 20 ${early}, but requests reached 30 bytes: the asset may have changed`,
  )
  const disagree = 'logs disagree about the length, so the asset may have changed:'
  assert.is(notes(at(20, 2), at(30, 1)), `${disagree} 30 ${early}, 20 ${late}`)
  assert.is(notes(at(10, 1), at(20, 2)), `${disagree} 10 ${early}, 20 ${late}; and requests reached 30 bytes`)
})

test('the whole of an asset of which no row is here goes as far as logs tell, or as was asked', () => {
  const showTold = (told: Partial<ToldLengths>) => {
    const query = parseQuery({ ...KEY, whole: true }, { since: undefined, until: undefined })
    const toldOf = () => ({ loggedLengths: [], askedLength: 0, answeredLength: 0, ...told })
    const { answer, facts } = askSource({ ...memorySource([]), toldOf }, query)
    return [answer.range, answer.length, answerNotes(answer, query, facts).join('\n')]
  }
  const logged = { bytes: 100, requests: 1, firstEpochSeconds: T0, lastEpochSeconds: T0 }
  assert.equal(showTold({ loggedLengths: [logged] }), [[0, 99], { bytes: 100, from: 'logged' }, ''])
  for (const told of [{ askedLength: 300 }, { answeredLength: 300 }]) {
    const [range, length, notes] = showTold(told)
    assert.equal([range, length], [[0, 299], { bytes: 300, from: 'observed', sentBytes: 0 }])
    assert.match(String(notes), /^requests asked for bytes up to 299, of which none is proven/)
  }
})

test('notes say what a reader must know beside the answer', () => {
  assert.match(show([], { whole: true }).notes, /length of this asset is not known here/)
  assert.match(show([sent(0, 9)], { whole: true, length: '0' }).notes, /the length is 0/)
  assert.match(show([sent(0, 9)], { whole: true, length: '5' }).notes, /given, 5, is less than the 10 bytes/)
  assert.match(show([sent(0, 9)], { range: '0-10' }).notes, /went beyond byte 9: the asset may end there/)
  assert.is(show([sent(0, 9)], { range: '0-9' }).notes, '')
  assert.match(
    show([sent(0, 9)], { range: '0-9' }, { since: '2020-07-31', until: '2020-08-01' }).text,
    /requests +only from 2020-07-31T00:00:00Z on, up to 2020-08-01T23:59:59Z/,
  )
})

test('text of a log cannot reach the terminal as control characters', () => {
  const records = [sent(0, 9)]
  const { text } = show(records, {
    range: '0-1',
    userAgent: '\u001b]0;owned\u0007\u202e\n',
    asset: '/a\u009b2J',
  })
  assert.not.match(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
  assert.match(text, '\\u001b]0;owned\\u0007\\u202e\\u000a')
})

test('a cell of the bar is full only when all of it is proven, and empty only when nothing is', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const draw = seededDraw(seed)
    const first = draw(10)
    const last = first + draw(50)
    const isProven = Array.from({ length: last + 1 }, () => draw(4) > 0)
    const covered: [number, number][] = []
    for (let at = first; at <= last; at++) {
      const open = covered.at(-1)
      if (!isProven[at]) continue
      if (open?.[1] === at - 1) open[1] = at
      else covered.push([at, at])
    }
    const cells = coverageCells([first, last], covered, 1 + draw(20))
    const byteCount = last - first + 1
    let at = first
    for (const [i, cell] of cells.entries()) {
      // Cell i ends where the share (i + 1) / cells of the bytes ends; the bytes not yet dealt out are spread evenly.
      const base = Math.floor(byteCount / cells.length)
      const end = first + base * (i + 1) + Math.floor(((byteCount % cells.length) * (i + 1)) / cells.length)
      const part = isProven.slice(at, end)
      const expected = part.every(Boolean) ? 'full' : part.some(Boolean) ? 'part' : 'empty'
      assert.is(cell, expected, `seed ${seed}, cell ${i}`)
      at = end
    }
    assert.is(at, last + 1)
  }
  const whole = [0, 2 ** 53 - 2] as const
  assert.equal([...new Set(coverageCells(whole, [whole], 60))], ['full'])
})

test('figures are rounded for people without lying', () => {
  assert.equal([0, 999, 1000, 2948852, 1.4e12].map(formatCount), [
    '0',
    '999',
    '1,000',
    '2,948,852',
    '1,400,000,000,000',
  ])
  assert.equal([491, 1023, 1024, 1048570, 2 ** 40].map(formatByteLength), [
    '491 B',
    '1023 B',
    '1.0 KiB',
    '1.0 MiB',
    '1.0 TiB',
  ])
  const shares = [
    [0, 9],
    [9, 9],
    [1, 10 ** 6],
    [999_999, 10 ** 6],
    [1, 3],
    [2 ** 53 - 2, 2 ** 53 - 1],
  ] as const
  assert.equal(
    shares.map(([part, of]) => formatShare(part, of)),
    ['0%', '100%', '<0.1%', '99.9%', '33.3%', '99.9%'],
  )
  assert.equal([0.2149, 12.34, 200, 7500].map(formatSeconds), ['0.21 s', '12.3 s', '3 min 20 s', '2 h 5 min'])
})

test('the report adds up and names reasons and files', () => {
  const report = {
    v: 1,
    inputs: ['x'],
    lines: 10001,
    comments: 1,
    blank: 0,
    kept: 9900,
    skipped: { status: 100, method: 0, unproven: 0, inner: 0, duplicate: 0 },
    clipped: { requests: 0, bytes: 0 },
    unmeasured: 0,
    formats: ['delivery'],
    rejected: {},
    rows: 2948852,
    files: [{ path: 'a\u001b.parquet', rows: 2948852, bytes: 400_000 }],
    bytesRead: 1969186,
    bytesWritten: 400_000,
    seconds: 0.2,
  } as const
  const text = renderReport(
    { ...report, inputs: [...report.inputs], files: [...report.files] },
    'byteledger query …',
    PLAIN,
  )
  assert.match(text, /^DONE {2}1\.9 MiB of log in 0\.20 s, 9\.8 MB\/s\n/)
  for (const part of [
    /kept +9,900\n/,
    /skipped +100 +status 100\n/,
    /rows +2,948,852/,
    /a\\u001b\.parquet/,
    /Ask it:\n {2}byteledger query/,
  ]) {
    assert.match(text, part)
  }
})

test('progress is one line, redrawn at most ten times a second, within the width, and taken away at the end', () => {
  const stream = captureStream({ columns: 30 })
  let now = 0
  const line = openProgressLine(stream, () => now)
  for (now = 0; now < 1000; now += 10) line.update({ bytesRead: now, bytesTotal: 1000, lines: now, rows: 0 })
  line.finish()
  const frames = stream.text().split('\r\u001b[2K').slice(1)
  assert.is(frames.length, 11)
  assert.is(frames.at(-1), '')
  assert.ok(frames.every((frame) => frame.length < 30 && !frame.includes('\n')))
  const text = describeProgress({ bytesRead: 25e6, bytesTotal: 100e6, lines: 5000, rows: 9 }, 2)
  assert.is(text, ' 25%  12.5 MB/s  5,000 lines  9 rows  6.00 s left')
  assert.not.match(
    describeProgress({ bytesRead: 25e6, bytesTotal: undefined, lines: 1, rows: 1 }, 2),
    /%|left/,
  )
})

test('colour appears on a terminal only, and never with NO_COLOR', () => {
  const terminal = captureStream({ columns: 100 })
  assert.match(styleFor(terminal, {}).paint('green', 'x'), '\u001b[32m')
  assert.is(styleFor(terminal, {}).width, 100)
  for (const [stream, environment] of [
    [terminal, { NO_COLOR: '1' }],
    [terminal, { TERM: 'dumb' }],
    [captureStream(), {}],
  ] as const) {
    assert.is(styleFor(stream, environment).paint('green', 'x'), 'x')
  }
  assert.match(styleFor(terminal, { NO_COLOR: '' }).paint('green', 'x'), '\u001b[32m')
})

test.run()
