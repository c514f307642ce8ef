import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DEMONSTRATION } from '#src/interface/sample-questions.js'
import { endOf, runBuilt, startBuilt } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'

const test = suite('the program')
const directory = mkdtempSync(join(tmpdir(), 'cli-'))
const at = (name: string) => join(directory, name)
const sample = at('sample.parquet')

/** What `fixtures/make-sample.ts` states about the bundled log, by its own two oracles. */
interface SampleExpectation {
  readonly lines: number
  readonly kept: number
  readonly rows: number
  readonly questions: readonly { readonly name: string; readonly question: object; readonly answer: object }[]
}
const expectationText = readFileSync(new URL('../../fixtures/sample.expected.json', import.meta.url), 'utf8')
const expectation: SampleExpectation = JSON.parse(expectationText)

test.before(async () => {
  const { exitCode, stdout, stderr } = await runBuilt(['process', '--out', sample, '--json'])
  assert.is(exitCode, 0, stderr)
  assert.is(stderr, 'note: no input given: processing the bundled sample (- would read standard input)\n')
  const { lines, kept, rows } = expectation
  const { seconds, files, ...report } = JSON.parse(stdout)
  assert.type(seconds, 'number')
  assert.equal([report.v, report.lines, report.kept, report.rows], [1, lines, kept, rows])
  assert.equal(files, [{ path: sample, rows, bytes: readFileSync(sample).byteLength }])
})

test.after(() => rmSync(directory, { recursive: true }))

test('every question about the sample gets the answer that the oracles state, in order', async () => {
  const input = expectation.questions.map(({ question }) => `${JSON.stringify(question)}\n`).join('')
  const { exitCode, stdout, stderr } = await runBuilt(['query', '--store', sample, '--batch', '-'], { input })
  assert.equal([exitCode, stderr], [0, ''])
  const answers = stdout.trimEnd().split('\n')
  assert.is(answers.length, expectation.questions.length)
  for (const [i, { name, question, answer }] of expectation.questions.entries()) {
    const asked = { v: 1, ...question, ...answer }
    const { whole: _, ...wanted } = { whole: true, ...asked }
    assert.equal(JSON.parse(answers[i] ?? ''), wanted, name)
  }
})

test('0 for delivered, 1 for not, data on standard output, notes on standard error', async () => {
  const [yes, no] = await Promise.all([
    runBuilt(['query', '--store', sample, ...DEMONSTRATION]),
    runBuilt(['query', '--store', sample, ...DEMONSTRATION.slice(0, -1), '10-1447', '--json']),
  ])
  assert.match(yes.stdout, /^DELIVERED {2}all 491 bytes/)
  assert.equal([yes.exitCode, yes.stderr], [0, ''])
  assert.is(no.exitCode, 1)
  assert.is(JSON.parse(no.stdout).verdict, 'partial')
  assert.match(no.stderr, /^note: no request here went beyond byte 1446/)
})

test('wrong use, missing files and foreign files end with 2 and leave standard output empty', async () => {
  writeFileSync(at('text.parquet'), 'not a Parquet file at all\n')
  const query = (store: string) => ['query', '--store', store, ...DEMONSTRATION]
  const cases: [string[], RegExp][] = [
    [['query', '--rnage', '1-2'], /unknown option '--rnage'.*--range.*expected: .* --range 10-500\n/s],
    [['query', '--store', sample], /--asset is missing/],
    [query(at('nothing.parquet')), /no such file or directory/],
    [query(at('text.parquet')), /text\.parquet/],
    [['process', '--json', '--out', at('x.parquet'), '--store', at('x')], /exclude each other/],
    [['process', at('nothing.log'), '--out', at('x.parquet')], /nothing\.log/],
  ]
  const results = await Promise.all(cases.map(([words]) => runBuilt(words)))
  for (const [i, { exitCode, stdout, stderr }] of results.entries()) {
    const [words, pattern] = cases[i] ?? [[], /x/]
    assert.equal([exitCode, stdout], [2, ''], words.join(' '))
    assert.match(stderr, pattern)
    assert.not.match(stderr, /bug of byteledger| {4}at /)
  }
  assert.not.ok(readdirSync(directory).includes('x.parquet'))
})

test('text of a log reaches no terminal as control characters', async () => {
  const agent = 'evil\u001b]0;owned\u0007\u009b2J\u202e'
  const key = ['2020-07-31', '12:00:00', '192.0.2.1', agent, '/a\u001b[2J', '206', '0-9']
  await runBuilt(['process', '-', '--out', at('evil.parquet'), '--quiet'], { input: `${key.join('\t')}\n` })
  const question = ['--asset', '/a\u001b[2J', '--ip', '192.0.2.1', '--ua', agent, '--range', '0-9']
  for (const form of [[], ['--json']]) {
    const { exitCode, stdout, stderr } = await runBuilt([
      'query',
      '--store',
      at('evil.parquet'),
      ...question,
      ...form,
    ])
    assert.equal([exitCode, stderr], [0, ''])
    assert.not.match(stdout.replaceAll('\n', ''), /[\p{Cc}\u202e]/u)
    assert.match(stdout, 'evil\\u001b]0;owned\\u0007\\u009b2J\\u202e')
  }
})

test('an interrupt ends a run with 130 and leaves nothing behind', async () => {
  const before = readdirSync(directory)
  const child = startBuilt(['process', '-', '--out', at('never.parquet')])
  const ended = endOf(child)
  // More than a pipe holds: when all of it is written, the run has begun to read and listens to signals.
  const lines = '2020-07-31\t12:00:00\t192.0.2.1\tx\t/a\t206\t0-9\n'.repeat(20_000)
  await new Promise((resolve) => child.stdin.write(lines, resolve))
  child.kill('SIGINT')
  const { exitCode, stdout, stderr } = await ended
  assert.equal([exitCode, stdout], [130, ''])
  assert.match(stderr, /^byteledger: interrupted/m)
  assert.equal(readdirSync(directory), before)
})

test('a reader that goes away ends a batch quietly', async () => {
  const line = `${JSON.stringify({ asset: '/a', ip: '1', userAgent: '', range: [0, 9] })}\n`
  const child = startBuilt(['query', '--store', sample, '--batch', '-'])
  const ended = endOf(child)
  child.stdin.on('error', () => undefined)
  child.stdin.write(line.repeat(2000))
  child.stdout.once('data', () => child.stdout.destroy())
  const { exitCode, stderr } = await ended
  assert.equal([exitCode, stderr], [0, ''])
})

test('Ctrl-C ends a batch that waits for questions behind whole lines, and says so', async () => {
  const line = `${JSON.stringify({ asset: '/a', ip: '1', userAgent: '', range: [0, 9] })}\n`
  const child = startBuilt(['query', '--store', sample, '--batch', '-'])
  const ended = endOf(child)
  child.stdin.on('error', () => undefined)
  // Blank lines are no questions, but lines.
  child.stdin.write(`\n${line} \t\r\n\n{}\n`)
  child.stdout.once('data', () => child.kill('SIGINT'))
  const { exitCode, stdout, stderr } = await ended
  assert.equal([exitCode, stderr], [130, 'byteledger: interrupted\n'])
  assert.ok(stdout.endsWith('\n'))
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text))
  assert.is(answers[0].verdict, 'unknown')
  if (answers.length > 1) assert.equal([answers.length, answers[1].line], [2, 5])
})

test('the tour shows each kind of answer, and every command in it works when pasted', async () => {
  const { exitCode, stdout, stderr } = await runBuilt(['tour'], { directory })
  assert.equal(
    [exitCode, stderr],
    [0, 'note: no input given: processing the bundled sample (- would read standard input)\n'.repeat(2)],
  )
  const headlines = stdout.match(/^(DONE|DELIVERED|PARTLY DELIVERED|NOT DELIVERED) /gm)
  assert.equal(headlines, [
    'DONE ',
    'DELIVERED ',
    'PARTLY DELIVERED ',
    'NOT DELIVERED ',
    'DELIVERED ',
    'DONE ',
  ])
  const commands = stdout.match(/^\$ node .*$/gm) ?? []
  assert.is(commands.length, 6)
  assert.ok(
    commands.slice(1, -1).every((command) => command.includes(' query --store data/tour.parquet --asset ')),
  )
})

test('--version prints the version of the package', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(await runBuilt(['--version']), { exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

test('what cannot be written is exit 2 and one line, also of what is quickly said', () => {
  const full = openSync('/dev/full', 'w')
  for (const words of [['--version'], ['--help'], ['query', '--store', sample, ...DEMONSTRATION]]) {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.js'), ...words], {
      ...{ encoding: 'utf8', stdio: ['ignore', full, 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
    })
    assert.is(status, 2, words.join(' '))
    assert.match(stderr, /^byteledger: cannot write to standard output: ENOSPC.*\n$/)
  }
  closeSync(full)
})

test.run()
