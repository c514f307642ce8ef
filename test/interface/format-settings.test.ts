import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { parseArguments } from '#src/interface/arguments.js'
import { parseByteCount } from '#src/interface/format-settings.js'
import { readProcessSettings } from '#src/interface/process-settings.js'
import { runBuilt } from '../support/run-built.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('options about formats')

function settings(...words: string[]) {
  const found = parseArguments(['process', 'a.log', '--out', 'x.parquet', ...words], 'b', () => '1')
  if (found.command !== 'process') throw new Error('expected a process')
  return readProcessSettings(found.options)
}

function problem(...words: string[]): string {
  try {
    settings(...words)
  } catch (error) {
    if (error instanceof Failure && error.code === 'USAGE') return error.message
    throw error
  }
  return 'none'
}

test('options become a request to the engine', () => {
  assert.equal(settings().formatRequest, {
    format: undefined,
    fields: undefined,
    logFormat: undefined,
    asset: 'path',
    client: 'c-ip',
    trustRequested: false,
  })
  const words = [
    '--format',
    'json',
    '--fields',
    'ip=i',
    '--asset',
    'host+path',
    '--client',
    'x-forwarded-for',
  ]
  assert.equal(settings(...words, '--trust-requested', '--max-inflate', '2M').formatRequest, {
    format: 'json',
    fields: 'ip=i',
    logFormat: undefined,
    asset: 'host+path',
    client: 'x-forwarded-for',
    trustRequested: true,
  })
  assert.is(settings('--format', 'auto').formatRequest?.format, undefined)
  assert.is(settings('--max-inflate', '2M').maxInflateByteLength, 2 * 1024 * 1024)
})

test('what a format has no use for is refused', () => {
  assert.match(problem('--format', 'akamai', '--fields', 'x'), /--fields goes with .*found --format akamai/)
  assert.match(
    problem('--format', 'json', '--log-format', 'x'),
    /--log-format goes with the formats nginx, apache/,
  )
  assert.match(problem('--asset', 'name'), /--asset expects one of path, url.*found 'name'/)
  assert.match(problem('--client', 'me'), /--client expects one of c-ip, x-forwarded-for/)
  for (const text of ['', '0', '1k', '-1', '1.5G', '9999999999999T', 'x']) {
    assert.throws(() => parseByteCount('--max-inflate', text), /expects a number of bytes like 64G/)
  }
})

test('the program says what it found a log to be', async () => {
  const folder = makeTempFolder()
  const log = join(folder, 'a.log')
  const line = { reqTimeSec: '1715947200', cliIP: '192.0.2.1', statusCode: '206', reqMethod: 'GET' }
  writeFileSync(log, `${JSON.stringify({ ...line, reqPath: '/a', UA: 'x', range: '0-9', objSize: '10' })}\n`)
  const words = ['process', log, '--out', join(folder, 'a.parquet'), '--json']
  const told = await runBuilt(words)
  assert.equal([told.exitCode, told.stderr], [0, `note: ${log}: read as akamai\n`])
  assert.equal(JSON.parse(told.stdout).formats, ['akamai'])
  assert.is((await runBuilt([...words, '--format', 'akamai'])).stderr, '')
  assert.is((await runBuilt([...words, '--quiet'])).stderr, '')
  const wrong = await runBuilt([...words, '--format', 'w3c'])
  assert.is(wrong.exitCode, 2)
  assert.match(wrong.stderr, /\(w3c\): expected a comment that begins with #Fields:/)
})

test.run()
