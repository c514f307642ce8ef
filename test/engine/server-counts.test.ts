/** What nginx 1.22 and Apache 2.4.71 logged of transfers, as test:interop saw them; and what they may prove. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile } from '#src/delivery/store.js'
import type { FormatRequest } from '#src/engine/input-format.js'
import { ask, run, write } from '../support/format-runs.ts'
import { seededRandom } from '../support/seeded-random.ts'

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
    ['chunks', 200, '5879 "-" "-" "-" "OK"', [[0, 975]]],
    ['stalled in chunks', 200, '663435 "-" "-" "-" ""', [[0, 110_568]]],
    // A byte in a chunk of its own, a hundred times, and the last chunk.
    ['chunks of a byte', 200, '605 "-" "-" "-" "OK"', [[0, 96]]],
    ['chunks of a byte, stalled', 200, '60 "-" "-" "-" ""', [[0, 6]]],
    // The head of a chunk may be all.
    ['a head', 200, '18 "-" "-" "-" ""', []],
    ['a range in chunks', 206, '112 "bytes=0-99" "bytes 0-99/500" "-" "OK"', [[0, 99]]],
    ['a range in chunks, stalled', 206, '112 "bytes=0-99" "bytes 0-99/500" "-" ""', [[0, 14]]],
    ['a range in chunks, not told', 206, '120 "bytes=0-99" "-" "-" "OK"', [[0, 16]]],
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
    ['chunks', 200, '62048 "-" "-" "OK"', [[0, 9996]]],
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

/** With a content length, or with none: then it may be chunks that went over the wire. */
const APACHE: readonly (readonly [...Case, inChunks: readonly (readonly [number, number])[]])[] = [
  ['whole', 200, '20000 20249 -', [[0, 19_999]], [[0, 19_999]]],
  ['a range', 206, '100 396 -', [[100, 199]], [[100, 199]]],
  ['TLS', 200, '8000000 8024952 +', [[0, 7_999_999]], [[0, 7_999_999]]],
  // 1024098 bytes were received.
  ['left', 200, '60000000 1089412 X', [[0, 920_467]], [[0, 153_407]]],
  ['left at once', 200, '60000000 113152 X', [[0, 66_239]], [[0, 11_036]]],
  ['stalled in a range', 206, '7999000 791640 X', [[1000, 660_916]], [[1000, 110_982]]],
  ['small and left', 206, '20000 9000 X', [], []],
  ['fewer bytes than were offered', 200, '20000 19000 -', [], []],
]
const APACHE_RANGES = new Map([
  ['a range', 'bytes 100-199/20000'],
  ['stalled in a range', 'bytes 1000-7999999/8000000'],
  ['small and left', 'bytes 0-19999/20000'],
])

test('Apache: the size of a response proves nothing of what was sent', async () => {
  const contentRange = (what: string): string => APACHE_RANGES.get(what) ?? '-'
  await check(
    APACHE.map(([what, status, rest, covered]): Case => [what, status, rest, covered]),
    (what, status, rest) =>
      `${head(status, 1)}"${what}" "bytes=1-" "${contentRange(what)}" "${rest.split(' ')[0]}" ${rest}`,
  )
  const unknown = APACHE.map(([what, status, rest, , covered]): Case => [what, status, rest, covered])
  const withoutLength = (what: string, status: number, rest: string): string =>
    `${head(status, 1)}"${what}" "bytes=1-" "${contentRange(what)}"`.concat(' ', rest)
  await check(unknown, withoutLength)
  const formatted =
    '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Range}i" "%{Content-Range}o" "%{Content-Length}o" %B %O %X'
  await check(
    unknown,
    (what, status, rest) => `${head(status, 1)}"${what}" "bytes=1-" "${contentRange(what)}" "-" ${rest}`,
    { format: 'apache', logFormat: formatted },
  )
})

test('a user may have any name: no line is lost for it, and none says another thing', async () => {
  const names = [
    'a [b',
    ' [',
    '] [',
    'x [10/Oct/2000:13:55:36 -0700',
    'x [10/Oct/2000:13:55:36 -0700] y',
    '[10/Oct/2000:13:55:36 -0700] \\x22GET /b HTTP/1.1\\x22 206 9',
    'e \\x5C',
  ]
  const ends = {
    nginx: '200 10 "-" "curl/8"',
    apache: '200 10 "-" "curl/8" "-" "bytes 0-9/10" "10" 10 300 -',
  }
  for (const [format, end] of Object.entries(ends)) {
    const lines = names.map(
      (name) => `192.0.2.1 - ${name} [24/Nov/2026:11:24:17 +0000] "GET /a HTTP/1.1" ${end}\n`,
    )
    const report = await run([write(lines.join(''))], { format })
    assert.equal([report.kept, report.rejected, report.rows], [names.length, {}, 10 * names.length], format)
    const answer = ask([report], 'curl/8')
    assert.equal([answer.firstAt, answer.lastAt], ['2026-11-24T11:24:17Z', '2026-11-24T11:24:17Z'])
    // With quotes that are not escaped, which no server writes by itself, nothing is sure.
    const forged = `192.0.2.1 - x [10/Oct/2000:13:55:36 -0700] "GET /b HTTP/1.1" ${end} [24/Nov/2026:11:24:17 +0000] "GET /a HTTP/1.1" ${end}\n`
    assert.equal((await run([write(lines[0] + forged)], { format })).rejected, { BAD_FIELDS: 1 }, format)
  }
})

test('a range that was asked for beyond the end of the asset proves no byte that is not there', async () => {
  const counted =
    '$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent "$http_referer" "$http_user_agent" "$http_range" "$request_completion"'
  // Assets of 300 and of 4000 bytes, with 500 of headers: what was asked for is less than was counted.
  const cases: Case[] = [
    ['short', 206, '800 "bytes=0-700" "OK"', []],
    ['longer', 206, '4500 "bytes=0-4400" "OK"', [[0, 4500 - 563 - 2048]]],
    ['longer, cut off', 206, '4500 "bytes=0-4400" ""', [[0, 4500 - 563 - 2048]]],
  ]
  const write = (what: string, status: number, rest: string): string => {
    const [count = '', ...fields] = rest.split(' ')
    return `${head(status, Number(count))}"${what}" ${fields.join(' ')}`
  }
  await check(cases, write, { format: 'nginx', logFormat: counted })
  const told: Case[] = [['short', 206, '800 "bytes=0-700" "bytes 0-299/300" "OK"', [[0, 299]]]]
  const logFormat = counted.replace('"$http_range"', '"$http_range" "$sent_http_content_range"')
  await check(told, write, { format: 'nginx', logFormat })
})

/** The wire of a body in chunks of these sizes, as how much of the body each byte of it ends. */
function chunkedWire(sizes: readonly number[]): Uint32Array {
  const sent: number[] = []
  let body = 0
  for (const size of [...sizes, 0]) {
    for (let i = size.toString(16).length + 2; i > 0; i--) sent.push(body)
    for (let i = 0; i < size; i++) sent.push(++body)
    sent.push(body, body)
  }
  return Uint32Array.from(sent)
}

test('of chunks of any size, cut off anywhere, no byte is proven that was not sent', async () => {
  const random = seededRandom(7)
  const wires = [
    Array.from({ length: 400 }, () => 1),
    [70_000],
    Array.from({ length: 30 }, () => 16),
    ...Array.from({ length: 40 }, () =>
      Array.from({ length: 1 + random(60) }, () => 1 + (random(2) === 0 ? random(3) : random(5000))),
    ),
  ].map(chunkedWire)
  const lines: string[] = []
  const bodies: number[] = []
  const add = (wire: Uint32Array, count: number): void => {
    bodies.push(wire[count - 1] ?? 0)
    lines.push(
      `${head(200, count)}"${lines.length}" 1795519457.000 "-" "-" "-" "${count === wire.length ? 'OK' : ''}"\n`,
    )
  }
  for (const wire of wires) {
    for (let count = 1; count <= Math.min(wire.length, 300); count++) add(wire, count)
    for (let i = 0; i < 20; i++) add(wire, 1 + random(wire.length))
    add(wire, wire.length)
  }
  const report = await run([write(lines.join(''))])
  const [file] = report.files
  assert.ok(file)
  const parquet = openFile(file.path)
  let provenCount = 0
  for (const { userAgent, start, end } of scanAllRuns(parquet)) {
    assert.is(start, 0)
    assert.ok(end <= (bodies[Number(userAgent)] ?? 0), lines[Number(userAgent)])
    provenCount++
  }
  parquet.close()
  assert.ok(provenCount > 2000, `${provenCount} of ${lines.length} prove something`)
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
