/** What nginx 1.22 and Apache 2.4.71 logged of transfers, as test:interop saw them; and what they may prove. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FormatRequest } from '#src/engine/input-format.js'
import { ask, run, write } from '../support/format-runs.ts'

const test = suite('counts of real servers')

/** A line by what stands behind its user agent, which names the case; and what is covered then. */
type Case = readonly [
  what: string,
  status: number,
  rest: string,
  covered: readonly (readonly [number, number])[],
]

const head = (status: number, count: number, protocol = 'HTTP/1.1'): string =>
  `192.0.2.1 - - [24/Nov/2026:11:24:17 +0000] "GET /a ${protocol}" ${status} ${count} "-" `

async function check(
  cases: readonly Case[],
  lineOf: (what: string, status: number, rest: string) => string,
  request: Partial<FormatRequest> = {},
): Promise<void> {
  const report = await run(
    [write(cases.map(([what, status, rest]) => `${lineOf(what, status, rest)}\n`).join(''))],
    request,
  )
  assert.equal(report.rejected, {})
  for (const [what, , , covered] of cases) assert.equal(ask([report], what).covered, covered, what)
}

test('nginx: body bytes count to the byte, but for chunks, which have no content length', async () => {
  const cases: Case[] = [
    ['whole', 200, '20000 "-" "-" "20000" "OK"', [[0, 19_999]]],
    ['stalled', 200, '451584 "-" "-" "8000000" ""', [[0, 451_583]]],
    [
      'stalled in a range',
      206,
      '366104 "bytes=1000-" "bytes 1000-7999999/8000000" "7999000" ""',
      [[1000, 367_103]],
    ],
    ['answered whole', 200, '20000 "bytes=0-99" "-" "20000" "OK"', [[0, 19_999]]],
    ['ranges', 206, '436 "bytes=100-199,300-399" "-" "436" "OK"', []],
    // 5866 bytes in chunks; how many, the log does not tell.
    ['chunks', 200, '5879 "-" "-" "-" "OK"', [[0, 978]]],
    ['stalled in chunks', 200, '663435 "-" "-" "-" ""', [[0, 110_571]]],
    // A byte in a chunk of its own, a hundred times, and the last chunk.
    ['chunks of a byte', 200, '605 "-" "-" "-" "OK"', [[0, 99]]],
    ['chunks of a byte, stalled', 200, '60 "-" "-" "-" ""', [[0, 9]]],
    ['a range in chunks', 206, '112 "bytes=0-99" "bytes 0-99/500" "-" "OK"', [[0, 99]]],
    ['a range in chunks, stalled', 206, '112 "bytes=0-99" "bytes 0-99/500" "-" ""', [[0, 17]]],
    ['a range in chunks, not told', 206, '120 "bytes=0-99" "-" "-" "OK"', [[0, 19]]],
  ]
  await check(cases, (what, status, rest) => {
    const [count = '', ...fields] = rest.split(' ')
    return `${head(status, Number(count))}"${what}" 1795519457.000 ${fields.join(' ')}`
  })
})

test('nginx: a count with headers has the frames of HTTP/2, too', async () => {
  const logFormat =
    '$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent "$http_referer" "$http_user_agent" "$sent_http_content_range" "$sent_http_content_length" "$request_completion"'
  const cases: Case[] = [
    ['whole', 200, '8008924 "-" "8000000" "OK"', [[0, 7_999_999]]],
    // 1048560 bytes of the body.
    ['left', 200, '1049843 "-" "8000000" ""', [[0, 916_564]]],
    // Of chunks, too: at most a sixth is the body.
    ['chunks', 200, '62048 "-" "-" "OK"', [[0, 9999]]],
    ['a range in chunks', 206, '700 "bytes 0-99/500" "-" "OK"', [[0, 99]]],
  ]
  await check(
    cases,
    (what, status, rest) => {
      const [count = '', ...fields] = rest.split(' ')
      return `${head(status, Number(count), 'HTTP/2.0')}"${what}" ${fields.join(' ')}`
    },
    { format: 'nginx', logFormat },
  )
})

test('Apache: the size of a response proves nothing of what was sent', async () => {
  const cases: Case[] = [
    ['whole', 200, '"-" "-" 20000 20249 -', [[0, 19_999]]],
    ['a range', 206, '"bytes=100-199" "bytes 100-199/20000" 100 396 -', [[100, 199]]],
    ['TLS', 200, '"-" "-" 8000000 8024952 +', [[0, 7_999_999]]],
    // 1024098 bytes were received.
    ['left', 200, '"-" "-" 60000000 1089412 X', [[0, 920_467]]],
    ['left at once', 200, '"-" "-" 60000000 113152 X', [[0, 66_239]]],
    [
      'stalled in a range',
      206,
      '"bytes=1000-" "bytes 1000-7999999/8000000" 7999000 791640 X',
      [[1000, 660_916]],
    ],
    ['small and left', 206, '"bytes=0-" "bytes 0-19999/20000" 20000 9000 X', []],
    ['fewer bytes than were offered', 200, '"-" "-" 20000 19000 -', []],
  ]
  await check(cases, (what, status, rest) => `${head(status, 1)}"${what}" ${rest}`)
})

test('Apache: without what was sent, only transfers that were not aborted are proven', async () => {
  const cases: Case[] = [
    ['whole', 200, '"-" "-" 20000 -', [[0, 19_999]]],
    ['left', 200, '"-" "-" 60000000 X', []],
    ['a range, left', 206, '"bytes=0-99" "bytes 0-99/20000" 100 X', []],
    ['fewer than the range', 206, '"bytes=0-99" "bytes 0-99/20000" 50 +', [[0, 49]]],
  ]
  await check(cases, (what, status, rest) => `${head(status, 1)}"${what}" ${rest}`)
})

test.run()
