import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { REPORT_KINDS } from '#src/delivery/report-model.js'
import { parseArguments } from '#src/interface/arguments.js'
import { escapeHtml } from '#src/interface/render-report-page.js'
import { runReport } from '#src/interface/run-report.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { captureStream } from '../support/text-streams.ts'

const test = suite('reports as people and programs see them')
const scratch = makeScratch()
test.after(() => scratch.remove())
const path = scratch.path('report.parquet')

const sent = (asset: string, userAgent: string, first: number, last: number): MemoryRecord => ({
  ...{ asset, ip: '10.0.0.1', userAgent, first, last },
  epochSeconds: 1_596_200_000,
})
const HOSTILE = '=cmd|" /C calc"!A0,\u001b[2J<script>alert(1)</script>'
test.before(() =>
  writeDeliveryFile(path, [
    sent('/a', 'VLC/3', 0, 999),
    sent('/a', HOSTILE, 0, 499),
    sent('/a', HOSTILE, 400, 599),
    sent('/b', '@x', 0, 99),
    sent('/b', '-y', 50, 199),
    sent('/c', 'x', 10, 19),
  ]),
)

async function report(...words: string[]): Promise<string> {
  return (await reportWithNotes(...words)).text
}

async function reportWithNotes(
  ...words: string[]
): Promise<{ readonly text: string; readonly notes: string }> {
  const invocation = parseArguments(['report', ...words, '--store', path], 'b', () => '')
  if (invocation.command !== 'report') throw new Error('expected a report')
  const stdout = captureStream()
  const stderr = captureStream()
  const streams = { stdin: Readable.from([]), stdout, stderr, environment: {}, program: 'b' }
  assert.is(await runReport(invocation.options, streams), 0)
  return { text: stdout.text(), notes: stderr.text() }
}

/** The fields of RFC 4180, read by a loop over characters. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  let [field, isQuoted] = ['', false]
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? ''
    if (isQuoted && character === '"' && text[i + 1] === '"') {
      field += '"'
      i++
    } else if (character === '"') isQuoted = !isQuoted
    else if (isQuoted || !/[,\r\n]/.test(character)) field += character
    else if (character !== '\r') {
      rows.at(-1)?.push(field)
      field = ''
      if (character === '\n') rows.push([])
    }
  }
  assert.equal(rows.pop(), [], 'the last record ends with a line break')
  return rows
}

test('every report says the same in JSON, in CSV, as a table and as a page', async () => {
  for (const kind of REPORT_KINDS) {
    const json = JSON.parse(await report(kind, '--json'))
    assert.equal([json.v, json.report], [1, kind])
    const csv = readCsv(await report(kind, '--csv'))
    assert.is(csv.length, json.rows.length + 1, kind)
    if (kind !== 'retention') assert.equal(csv[0], Object.keys(json.rows[0] ?? {}), kind)
    assert.ok(csv.every((row) => row.length === csv[0]?.length))
    const table = await report(kind)
    assert.match(table, new RegExp(`^${json.title}\n`))
    assert.not.match(table.replaceAll('\n', ''), /\p{Cc}/u, kind)
    const page = await report(kind, '--html')
    assert.match(page, /^<!doctype html>\n.*<svg .*<\/svg>.*<\/html>\n$/s)
    assert.not.match(page, /<script|<img|<link|https?:/i, kind)
    assert.not.match(page.replaceAll('\n', ''), /\p{Cc}/u, kind)
    for (const name of Object.keys(json.facts)) assert.ok(page.includes(escapeHtml(name)), name)
  }
})

test('an asset that nobody asked for is told from one without gaps', async () => {
  for (const kind of ['gaps', 'never', 'completion']) {
    assert.is((await reportWithNotes(kind, '--asset', '/a')).notes, '')
    assert.is(
      (await reportWithNotes(kind, '--asset', '/aa')).notes,
      'note: no request for this asset is in the store: /aa\nnote: nearest known: --asset /a\n',
    )
  }
})

test('what waste counts as listeners is said where it is not the plain thing', async () => {
  assert.not.match(await report('waste'), /counted for each asset/)
  for (const by of ['ip', 'user-agent'])
    assert.match(await report('waste', '--by', by), /listeners +counted for each asset/)
})

test('no cell of a CSV is a formula, and no text is lost', async () => {
  const csv = readCsv(await report('gaps', '--csv'))
  const agents = csv.slice(1).map((row) => row[2])
  assert.equal(
    agents.toSorted(),
    [`'=cmd|" /C calc"!A0,\\u001b[2J<script>alert(1)</script>`, "'-y", "'@x", 'x'].toSorted(),
  )
  const json = JSON.parse(await report('gaps', '--json'))
  const rows: { user_agent: string; gaps: number[][] }[] = json.rows
  assert.equal(rows.find((row) => row.user_agent === HOSTILE)?.gaps, [[600, 999]])
})

test('the table is cut at the limit and says so; options that mean nothing are refused', async () => {
  assert.match(await report('gaps', '--limit', '1'), /and 3 more \(--limit N shows more, --csv all\)\n$/)
  assert.match(await report('gaps', '--asset', '/none'), /\n {2}nothing\n$/)
  const table: [string[], RegExp][] = [
    [['nonsense'], /no report 'nonsense': expected one of completion, retention, gaps/],
    [['gaps', '--json', '--csv'], /only one of --json, --csv and --html/],
    [['gaps', '--by', 'ip'], /--by goes with report waste and downloads, not with gaps/],
    [['waste', '--by', 'day'], /--by expects one of asset, user-agent, ip; found 'day'/],
    [
      ['downloads', '--bitrate', 'fast'],
      /--bitrate expects bits a second, like 128k or 128000; found 'fast'/,
    ],
    [['downloads', '--header-bytes', '5'], /--header-bytes goes with --bitrate/],
    [['downloads', '--window', 'week'], /--window expects one of calendar, first-touch, last-touch/],
    [['gaps', '--length', '5'], /--length is of one asset: expected --asset/],
    [['gaps', '--asset', '/a', '--length', '-5'], /--length expects a whole number, like 1447; found '-5'/],
    [['gaps', '--asset', ''], /--asset is empty: expected a request path as logged/],
    [['gaps', '--limit', 'all'], /--limit expects a whole number/],
    [['gaps', '--since', 'today'], /--since expects 2020-07-31/],
  ]
  for (const [words, message] of table) {
    await report(...words).then(
      () => assert.unreachable(words.join(' ')),
      (error: unknown) => {
        assert.ok(error instanceof Failure && error.code === 'USAGE', String(error))
        assert.match(error.message, message)
      },
    )
  }
})

test('downloads print each rule with its setting', async () => {
  const text = await report('downloads', '--bitrate', '8k', '--header-bytes', '40', '--window', 'first-touch')
  for (const part of [
    /60 s at 8000 bits a second and 40 bytes before/,
    /24 hours, first-touch/,
    /byteledger bots/,
  ])
    assert.match(text, part)
})

test.run()
