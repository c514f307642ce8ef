/** Law: what is written to standard output about a whole store is whole or not there. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { REPORT_KINDS } from '#src/delivery/report-model.js'
import { parseArguments } from '#src/interface/arguments.js'
import { writeWhole } from '#src/interface/held-output.js'
import { runQuery } from '#src/interface/run-query.js'
import { runReport } from '#src/interface/run-report.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { captureStream } from '../support/text-streams.ts'

const test = suite('held output')
const scratch = makeScratch()
test.after(() => scratch.remove())
const path = scratch.path('damaged.parquet')

/** Runs a command in this process; gives what it wrote and the code of its failure. */
async function run(...words: string[]): Promise<{ readonly stdout: string; readonly code: string }> {
  const invocation = parseArguments([...words, '--store', path], 'b', () => '')
  const stdout = captureStream()
  const streams = { stdin: Readable.from([]), stdout, stderr: captureStream(), environment: {}, program: 'b' }
  try {
    if (invocation.command === 'report') await runReport(invocation.options, streams)
    else if (invocation.command === 'query') await runQuery(invocation.options, streams)
    else throw new Error('expected a report or a query')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { stdout: stdout.text(), code: error.code }
  }
  return { stdout: stdout.text(), code: 'none' }
}

test('a report on a damaged store, or an answer about many listeners, writes nothing, whatever its form', async () => {
  const records = Array.from({ length: 6000 }, (_, i): MemoryRecord => {
    const ip = `10.0.${i >> 8}.${i & 255}`
    return {
      asset: `/${i % 40}`,
      ip,
      userAgent: `agent ${i % 50}`,
      first: 0,
      last: i % 999,
      epochSeconds: 1.6e9 + i,
    }
  })
  await writeDeliveryFile(path, records, 60_000)
  const whole = await run('report', 'gaps', '--csv')
  assert.ok(whole.stdout.length > 300_000, 'more than is written at once')
  const bytes = readFileSync(path)
  // In the last of its row groups: all the others have given their rows by then.
  bytes.fill(0xa5, Math.floor(bytes.length * 0.6), Math.floor(bytes.length * 0.6) + 4000)
  writeFileSync(path, bytes)
  for (const kind of REPORT_KINDS) {
    for (const form of [[], ['--csv'], ['--json'], ['--html']]) {
      assert.equal(await run('report', kind, ...form), { stdout: '', code: 'DAMAGED' }, `${kind} ${form}`)
    }
  }
  const block = ['--ip', '10.0.0.0/8', '--user-agent', '*', '--range', '0-9']
  const codes = Array.from({ length: 40 }, async (_, i) => {
    const { stdout, code } = await run('query', '--asset', `/${i}`, ...block, '--json')
    assert.is(code === 'none', stdout !== '', `asset ${i}`)
    return code
  })
  assert.ok((await Promise.all(codes)).includes('DAMAGED'), 'so does a question about many listeners')
})

async function* pieces(count: number, fails: boolean): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    await Promise.resolve()
    yield `${i} €\n`.repeat(10)
  }
  if (fails) throw new Failure('DAMAGED', 'the last is not whole')
}

test('much output is held in a file that has no name, little in memory; both come out as they went in', async () => {
  let expected = ''
  for await (const piece of pieces(50_000, false)) expected += piece
  const place = scratch.path('temporary')
  mkdirSync(place)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = place
  try {
    for (const memoryByteLength of [0, 1_000_000, 100_000_000]) {
      const stream = captureStream()
      let made = 0
      await writeWhole(stream, pieces(50_000, false), () => made++, memoryByteLength)
      assert.ok(stream.text() === expected, `${memoryByteLength} bytes in memory`)
      assert.is(made, 1)
      const failing = captureStream()
      const failure = writeWhole(failing, pieces(50_000, true), () => made++, memoryByteLength)
      assert.is(await failure.catch(({ code }: Failure) => code), 'DAMAGED')
      assert.equal([failing.text(), made, readdirSync(place)], ['', 1, []])
    }
    rmSync(place, { recursive: true })
    const lost = writeWhole(captureStream(), pieces(50_000, false), undefined, 0)
    assert.match(await lost.catch(({ message }: Failure) => message), /cannot make a temporary directory in /)
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, 'TMPDIR')
    else process.env['TMPDIR'] = before
  }
})

test.run()
