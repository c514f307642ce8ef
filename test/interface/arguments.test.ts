import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { matchesName } from '#src/base/match-name.js'
import { parseArguments } from '#src/interface/arguments.js'
import { programName } from '#src/interface/help-text.js'
import type { ProcessArguments } from '#src/interface/invocation.js'
import { parseMaxRejects, readProcessSettings } from '#src/interface/process-settings.js'
import { describeFailure } from '#src/interface/report-failure.js'
import { resolveStore } from '#src/interface/resolve-store.js'
import { seededDraw } from '../support/random-runs.ts'

const test = suite('command line')
const parse = (...words: string[]) => parseArguments(words, 'byteledger', () => '1.2.3')

function assertUsage(run: () => unknown, pattern: RegExp): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Failure && error.code === 'USAGE', String(error))
    assert.match(error.message, pattern)
    return
  }
  assert.unreachable(`expected a failure that matches ${pattern}`)
}

test('values pass unchanged, whatever they look like', () => {
  const words = [
    '--store',
    's',
    '--asset',
    '--json',
    '--ip',
    '-',
    '--ua',
    '-5',
    '--start',
    '-5',
    '--end',
    '',
    '--json',
  ]
  const found = parse('query', ...words)
  assert.ok(found.command === 'query')
  const { asset, ip, userAgent, start, end, json, whole } = found.options
  assert.equal(
    [asset, ip, userAgent, start, end, json, whole],
    ['--json', ['-'], ['-5'], '-5', '', true, false],
  )
  const made = parse('process', 'a.log', '-', '--out', 'x.parquet', '--max-rejects', '2%', '--quiet')
  assert.ok(made.command === 'process')
  assert.equal(
    [made.options.inputs, made.options.maxRejects, made.options.quiet],
    [['a.log', '-'], '2%', true],
  )
})

test('--ua and --user-agent are the same option', () => {
  const found = parse('query', '--ua', 'x', '--user-agent', 'y')
  assert.equal(found.command === 'query' && found.options.userAgent, ['x', 'y'])
})

test('inspect takes one path and four switches', () => {
  const off = { files: false, verify: false, values: false, json: false }
  assert.equal(parse('inspect', 'a'), { command: 'inspect', options: { path: 'a', ...off } })
  assert.equal(parse('inspect', '--files', '--verify', '--values', '--json', 'a'), {
    command: 'inspect',
    options: { path: 'a', files: true, verify: true, values: true, json: true },
  })
  assertUsage(() => parse('inspect'), /missing required argument 'path'/)
  assertUsage(() => parse('inspect', 'a', 'b'), /too many arguments/)
})

test('wrong use is a failure that names what is wrong', () => {
  assertUsage(
    () => parse(),
    /which command\? expected process, query, report, export, sql, inspect, compact, vacuum, forget or tour/,
  )
  assertUsage(() => parse('quary'), /unknown command 'quary'.*query/)
  assertUsage(() => parse('query', '--rnage', '1-2'), /unknown option '--rnage'.*--range/)
  assertUsage(() => parse('query', '--range'), /--range <first-last>.*argument missing/)
  assertUsage(() => parse('query', 'extra'), /too many arguments/)
  assertUsage(() => parse('query', '--range', '1-2', '--range', '3-4'), /given twice/)
  assertUsage(() => parse('process', '--format', 'cloudtop'), /Allowed choices are auto, delivery, /)
})

test('help and version are text, with examples', () => {
  for (const words of [['--help'], ['help', 'query'], ['query', '--help'], ['process', '-h']]) {
    const found = parse(...words)
    assert.ok(found.command === 'text')
    assert.match(found.text, /Usage: byteledger/)
    assert.match(found.text, /Examples:\n {2}byteledger /)
  }
  const version = parse('--version')
  assert.is(version.command === 'text' && version.text, '1.2.3\n')
})

test('the name in the examples is how the program was called', () => {
  assert.is(programName('/usr/local/bin/byteledger', '/home'), 'byteledger')
  assert.is(programName('/home/x/dist/cli.js', '/home/x'), 'node dist/cli.js')
  assert.is(programName('/opt/my app/dist/cli.js', '/home/x'), "node '/opt/my app/dist/cli.js'")
})

test('failures end with 2, wrong use shows the right form, an interrupt ends with 130', () => {
  const usage = describeFailure(new Failure('USAGE', 'bad \u001b[31m'), 'query', 'byteledger')
  assert.is(usage.exitCode, 2)
  assert.match(
    usage.text,
    /^byteledger: bad \\u001b\[31m\nexpected: byteledger query --store .*\nall options: byteledger query --help\n$/,
  )
  const disk = describeFailure(
    new Failure('ENVIRONMENT', 'cannot write x', { cause: new Error('ENOSPC') }),
    'process',
    'b',
  )
  assert.equal(disk, { exitCode: 2, text: 'byteledger: cannot write x\nbecause: ENOSPC\n' })
  assert.is(describeFailure(new Failure('INTERRUPTED', 'stopped'), undefined, 'b').exitCode, 130)
  assert.match(
    describeFailure(new TypeError('x is undefined'), 'query', 'b').text,
    /bug of byteledger.*x is undefined.*at /s,
  )
})

const NO_OPTIONS: ProcessArguments = {
  inputs: ['a.log'],
  out: 'x.parquet',
  store: undefined,
  format: undefined,
  fields: undefined,
  logFormat: undefined,
  asset: undefined,
  client: undefined,
  trustRequested: false,
  maxInflate: undefined,
  threads: undefined,
  s3Endpoint: undefined,
  rejects: undefined,
  maxRejects: undefined,
  force: false,
  json: false,
  quiet: false,
}

test('limits of rejects: a share or a number', () => {
  assert.equal(parseMaxRejects('1%'), { kind: 'share', share: 0.01 })
  assert.equal(parseMaxRejects('0'), { kind: 'count', count: 0 })
  assert.equal(readProcessSettings(NO_OPTIONS).maxRejects, { kind: 'share', share: 0.01 })
  for (const text of ['', '%', '-1', '101%', '1e3', '5 %', '0x5'])
    assertUsage(() => parseMaxRejects(text), /like 1% or a number/)
})

test('process refuses to write over what it reads, and names the file to give', () => {
  const directory = mkdtempSync(join(tmpdir(), 'arguments-'))
  try {
    const log = join(directory, 'a.parquet')
    writeFileSync(log, '')
    symlinkSync(log, join(directory, 'link.parquet'))
    const settings = (changes: Partial<ProcessArguments>) => () =>
      readProcessSettings({ ...NO_OPTIONS, ...changes })
    assertUsage(settings({ inputs: [log], rejects: join(directory, 'link.parquet') }), /written over/)
    assertUsage(
      settings({ inputs: [log], rejects: join(directory, '.', 'a.parquet') }),
      /--rejects .* written over/,
    )
    assertUsage(
      settings({ out: join(directory, 'new.parquet'), rejects: join(directory, 'x', '..', 'new.parquet') }),
      /written over/,
    )
    for (const s3Endpoint of ['', 'objects.example', 'ftp://objects.example', 'http://'])
      assertUsage(settings({ s3Endpoint }), /--s3-endpoint expects a URL like https/)
    for (const s3Endpoint of ['https://me:secret@objects.example', 'me:secret@objects.example'])
      assertUsage(settings({ s3Endpoint }), /without user name and password; found one with an @$/)
    assert.is(settings({ s3Endpoint: 'http://127.0.0.1:9' })().s3Endpoint, 'http://127.0.0.1:9')
    assertUsage(settings({ store: 'data' }), /--out and --store exclude each other/)
    assertUsage(settings({ out: undefined, store: '' }), /--store is empty: expected a directory/)
    assertUsage(settings({ force: true }), /--force is for a store/)
    assert.equal(settings({ out: undefined })().target, {
      kind: 'store',
      store: 'data/delivery',
      force: false,
    })
    assertUsage(settings({ out: 'x.csv' }), /ending in \.parquet/)
    assertUsage(settings({ inputs: ['-', '-'] }), /twice/)
    assertUsage(settings({ threads: '0' }), /--threads expects a number from 1/)
    assert.is(settings({ threads: '3' })().threads, 3)
    assert.match(settings({ inputs: [] })().inputs[0] ?? '', /fixtures\/sample\.log$/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a store is a file, a directory or a glob; hidden and unfinished files are none', () => {
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  const at = (path: string) => join(directory, path)
  try {
    for (const name of ['date=1', 'date=2/deep', '_delta_log']) mkdirSync(at(name), { recursive: true })
    const files = [
      'a.parquet',
      'b.txt',
      '.c.parquet',
      '_d.parquet',
      'date=1/e.parquet',
      'date=2/deep/f.parquet',
      '_delta_log/g.parquet',
      'w*.parquet',
    ]
    for (const name of files) writeFileSync(at(name), '')
    symlinkSync(at('a.parquet'), at('z.parquet'))
    const found = (pattern: string) =>
      resolveStore(at(pattern)).map((path) => path.slice(directory.length + 1))
    const all = ['a.parquet', 'date=1/e.parquet', 'date=2/deep/f.parquet', 'w*.parquet']
    assert.equal(
      resolveStore(directory).map((path) => path.slice(directory.length + 1)),
      all,
    )
    assert.equal(found('**/*.parquet'), all)
    assert.equal(found('date=*/*.parquet'), ['date=1/e.parquet'])
    assert.equal(found('date=?'), ['date=1/e.parquet', 'date=2/deep/f.parquet'])
    assert.equal(found('w*.parquet'), ['w*.parquet'])
    assert.equal(found('b.txt'), ['b.txt'])
    assertUsage(() => found('nothing/*.parquet'), /no \.parquet file matches/)
    assertUsage(() => found('a.parquet/*'), /no \.parquet file matches/)
    assertUsage(
      () => found('missing.parquet'),
      /no such file or directory: .*missing\.parquet; --store expects a store, a \.parquet file/,
    )
    mkdirSync(at('empty'))
    assertUsage(() => found('empty'), /holds no \.parquet file/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('names match as the equivalent regular expression does, in linear time', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const draw = seededDraw(seed)
    const text = (letters: string, length: number) =>
      Array.from({ length: draw(length) }, () => letters[draw(letters.length)]).join('')
    const pattern = text('ab*?', 7)
    const name = text('ab', 7)
    const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
    assert.is(matchesName(pattern, name), expression.test(name), `seed ${seed}: ${pattern} ${name}`)
  }
  assert.is(matchesName(`${'*a'.repeat(50)}*c`, 'a'.repeat(5000)), false)
  assert.not.ok(matchesName('*', '.hidden'))
})

test.run()
