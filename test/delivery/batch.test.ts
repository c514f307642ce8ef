import { Readable } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { type Answer, askSource } from '#src/delivery/answer.js'
import { answerBatch } from '#src/delivery/batch.js'
import { MAX_LINE_BYTES } from '#src/delivery/batch-lines.js'
import { type LineProblem, readJsonQuestion } from '#src/delivery/batch-question.js'
import type { Query } from '#src/delivery/question.js'
import { memorySource } from '../support/memory-source.ts'
import { seededDraw } from '../support/random-runs.ts'

const test = suite('batches of questions')
const OPEN = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }
const UA = 'Mozilla/5.0 (X11; "Linux", x86_64)\r\nline two'
const source = memorySource([
  { asset: '/a', ip: '192.0.2.1', userAgent: UA, first: 0, last: 99, epochSeconds: 1e9 },
])
const ask = (queries: readonly Query[]): readonly (Answer | LineProblem)[] =>
  queries.map((query) => askSource(source, query).answer)

function pieces(bytes: Uint8Array, byteLength: number): AsyncIterable<Uint8Array> {
  const count = Math.ceil(bytes.byteLength / byteLength)
  return Readable.from(
    Array.from({ length: count }, (_, i) => bytes.subarray(i * byteLength, (i + 1) * byteLength)),
  )
}

async function run(input: string | Uint8Array, pieceByteLength = 1 << 16, answer = ask): Promise<string[]> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const results: string[] = []
  for await (const result of answerBatch(pieces(bytes, pieceByteLength), OPEN, answer)) {
    results.push('error' in result ? `line ${result.line}: ${result.error.code}` : result.verdict)
  }
  return results
}

const json = (fields: object) => JSON.stringify({ asset: '/a', ip: '192.0.2.1', userAgent: UA, ...fields })
const csvAgent = `"${UA.replaceAll('"', '""')}"`

test('a bad line gives its error in its place; the lines after it are answered', async () => {
  const input = [
    'no json',
    json({ range: [0, 99] }),
    '',
    json({ range: [50, 100] }),
    '[1]',
    json({ range: [5, 2] }),
    json({ range: ['0', '9'] }),
    json({ range: [0, 2 ** 53 - 1] }),
    json({ range: [0.5, 1] }),
    json({ range: [0, 1], since: 0 }),
    json({ range: [0, 1], whole: true }),
    json({}),
    json({ range: [0, 1], ip: 7 }),
    json({ whole: true }),
    json({ whole: true, length: 101 }),
    json({ range: [0, 9], asset: '__proto__' }),
  ]
  const bad = (line: number, code = 'BAD_QUESTION') => `line ${line}: ${code}`
  const expected = [
    bad(1, 'BAD_JSON'),
    'complete',
    'partial',
    bad(5, 'BAD_JSON'),
    ...[6, 7, 8, 9, 10, 11, 12, 13].map((n) => bad(n)),
  ]
  expected.push('complete', 'partial', 'none')
  for (const separator of ['\n', '\r\n']) assert.equal(await run(input.join(separator)), expected)
  assert.equal(await run(`\ufeff${input.join('\n')}\n\n`), expected)
})

test('a CSV without its header is told that it needs one', () => {
  const problem = (text: string): string => JSON.stringify(readJsonQuestion(text, OPEN))
  assert.match(
    problem('/a,192.0.2.1,UA,0,99'),
    /BAD_JSON.*a CSV begins with the header asset,ip,user_agent,first/,
  )
  assert.not.match(problem('{"asset":'), /header/)
})

test('CSV: quotes, commas and line breaks in fields, CRLF, BOM, columns by name, no final newline', async () => {
  const rows = [
    `/a,192.0.2.1,${csvAgent},0,99`,
    `/a,192.0.2.1,${csvAgent},90,100`,
    '/a,192.0.2.1,,0,9',
    '"/x",192.0.2.9,y,0,9',
  ]
  const expected = ['complete', 'partial', 'none', 'unknown']
  for (const separator of ['\n', '\r\n']) {
    const text = ['asset,ip,user_agent,first_byte,last_byte', ...rows].join(separator)
    assert.equal(await run(text), expected)
    assert.equal(await run(`\ufeff${text}${separator}`), expected)
  }
  assert.equal(await run(`last_byte,first_byte,ip,asset,user_agent\n9,0,192.0.2.1,/a,${csvAgent}`), [
    'complete',
  ])
})

test('CSV: a stray quote costs its own line only', async () => {
  const rows = [
    '/a,192.0.2.1,x"y,0,9',
    '/a,192.0.2.1,z,0,9',
    '/a,192.0.2.1,"never closed,0,9',
    '/a,192.0.2.1,z,0,9',
    'a,b',
    '/a,192.0.2.1,z,,9',
  ]
  const found = await run(['asset,ip,user_agent,first_byte,last_byte', ...rows].join('\n'))
  const end = ['line 6: BAD_CSV', 'line 7: BAD_QUESTION']
  assert.equal(found, ['line 2: BAD_CSV', 'none', 'line 4: BAD_CSV', 'none', ...end])
})

test('a CSV header with other columns is refused as a whole', async () => {
  try {
    await run('asset,ip,ua,first,last\n/a,192.0.2.1,x,0,9\n')
    assert.unreachable()
  } catch (error) {
    assert.ok(error instanceof Failure && error.code === 'USAGE', String(error))
    assert.match(String(error), /asset,ip,user_agent,first_byte,last_byte/)
  }
})

test('the result does not depend on how the stream is cut', async () => {
  const csv = `asset,ip,user_agent,first_byte,last_byte\r\n/a,192.0.2.1,${csvAgent},0,99\r\n\r\n"/é",192.0.2.1,"${'"'},0,1\r\n/a,1,,0,1`
  const ndjson = `${json({ range: [0, 9] })}\r\n${json({ asset: '/é€😀', range: [0, 9] })}\nx`
  for (const text of [csv, ndjson]) {
    const expected = await run(text)
    for (let length = 1; length < 40; length++)
      assert.equal(await run(text, length), expected, `pieces of ${length}`)
  }
})

test('bytes that are not UTF-8 and lines without end are errors of their line, in bounded memory', async () => {
  const good = Buffer.from(`${json({ range: [0, 9] })}\n`)
  const invalid = Buffer.from(good)
  invalid[12] = 0xff
  const endless = Buffer.alloc(MAX_LINE_BYTES * 4, 'x')
  const found = await run(Buffer.concat([good, invalid, endless, Buffer.from('\n'), good]))
  assert.equal(found, ['complete', 'line 2: BAD_UTF8', 'line 3: LINE_TOO_LONG', 'complete'])
  const blankLines = await run(
    `asset,ip,user_agent,first_byte,last_byte\n"${'         \n'.repeat(MAX_LINE_BYTES / 10 + 5)}`,
  )
  assert.equal(blankLines, ['line 2: BAD_CSV'])
})

test('random text never breaks the stream: one result for each line that is not blank', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const draw = seededDraw(seed)
    const letters = '{}[]",:ab01\\\r\n \u0000é'
    const lines = Array.from({ length: 8 }, () =>
      Array.from({ length: draw(12) }, () => letters[draw(letters.length)])
        .join('')
        .replaceAll('\n', ''),
    )
    const wanted = lines.filter((line) => /[^ \t\r]/.test(line)).length
    assert.is((await run(lines.join('\n'))).length, wanted, `seed ${seed}`)
  }
})

test('damage met while answering stands in the line, a bug of ours does not hide there', async () => {
  const input = `${json({ range: [0, 9] })}\n`
  const damagedStore = () => [{ code: 'DAMAGED', message: 'page 3 of x.parquet' } as const]
  assert.equal(await run(input, 99, damagedStore), ['line 1: DAMAGED'])
  try {
    await run(input, 99, () => {
      throw new Error('bug')
    })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'bug')
  }
})

test('no more is read ahead of the consumer than is answered together', async () => {
  let read = 0
  async function* endless() {
    for (;;) {
      await setImmediate()
      read++
      yield Buffer.from(`${json({ range: [0, 9] })}\n`)
    }
  }
  let answered = 0
  for await (const _ of answerBatch(endless(), OPEN, ask, { questionLimit: 8, idleMs: 1000 })) {
    answered++
    assert.ok(read <= answered + 9, `${read} chunks read for ${answered} answers`)
    if (answered === 50) break
  }
})

test('who waits for an answer before asking again gets it, and all questions of a pause are put together', async () => {
  let answered = 0
  const togetherCounts: number[] = []
  async function* patient() {
    for (let asked = 0; asked < 9; asked += 3) {
      yield Buffer.from(`${json({ range: [0, 9] })}\n`.repeat(3))
      while (answered < asked + 3) await setTimeout(1)
    }
  }
  const askTogether = (queries: readonly Query[]) => {
    togetherCounts.push(queries.length)
    return ask(queries)
  }
  for await (const _ of answerBatch(patient(), OPEN, askTogether)) answered++
  assert.equal([answered, togetherCounts], [9, [3, 3, 3]])
})

test('a consumer that stops while a question is awaited neither waits nor fails', async () => {
  const input = new Readable({ read: () => undefined })
  input.push(`${json({ range: [0, 9] })}\n`)
  for await (const _ of answerBatch(input, OPEN, ask)) break
  input.destroy(new Error('gone'))
  await setImmediate()
})

test.run()
