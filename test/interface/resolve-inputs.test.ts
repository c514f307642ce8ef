import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { resolveInputs } from '#src/interface/resolve-inputs.js'
import { readLogPlainly } from '../../fixtures/log-oracle.ts'
import { runBuilt } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('where inputs come from')
const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'
const line = (i: number): string =>
  `2024-05-17\t00:00:01\t192.0.2.1\tagent\t/asset\t206\t${10 * i}-${10 * i + 9}\n`

/** A tree with logs in it, and with what is no log. */
function makeTree(): string {
  const root = mkdtempSync(join(makeTempFolder(), 'tree-'))
  for (const directory of ['a/deep', 'b', '.git', '_delta_log', 'empty/.hidden'])
    mkdirSync(join(root, directory), { recursive: true })
  const files = ['z.log', 'a.log', 'a/one.log', 'a/deep/two.log.gz', 'b/three.log', '.git/config', '_SUCCESS']
  for (const [i, name] of [...files, '_delta_log/0.json', 'a/.part.crc', 'empty/.hidden/x'].entries()) {
    const text = HEADER + line(i)
    writeFileSync(join(root, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return root
}

function inputsOf(...words: string[]): readonly string[] {
  return resolveInputs(words).inputs
}

function failureOf(...words: string[]): Failure {
  try {
    resolveInputs(words)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('expected a failure')
}

test('a directory gives the logs below it, sorted by path, without hidden names', () => {
  const root = makeTree()
  const names = ['a.log', 'a/deep/two.log.gz', 'a/one.log', 'b/three.log', 'z.log']
  assert.equal(
    inputsOf(root),
    names.map((name) => join(root, name)),
  )
  assert.equal(inputsOf(`${root}/`), inputsOf(root))
})

test('what a pipe of the shell or a named one brings is read as a stream', () => {
  const root = makeTree()
  const folder = makeTempFolder()
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const script =
    'cat "$1" > "$2" & exec "$0" dist/cli.js process <(cat "$1") <(gzip -c "$3") "$2" --out "$4" --json --quiet'
  const words = [join(root, 'a.log'), pipe, join(root, 'z.log'), join(folder, 'out.parquet')]
  const options = { cwd: ROOT, timeout: 30_000, env: { ...process.env, NODE_OPTIONS: '' } }
  const report = execFileSync('bash', ['-c', script, process.execPath, ...words], options)
  assert.is(JSON.parse(report.toString()).kept, 3)
})

test('words keep their order, standard input and servers stay what they are', () => {
  const root = makeTree()
  const [z, a] = [join(root, 'z.log'), join(root, 'a.log')]
  const words = [z, '-', 'https://logs.example/x*?y=1', a, 's3://bucket/prefix/']
  assert.equal(inputsOf(...words), words)
})

test('a glob gives what it matches, sorted, directories too; a file of that very name wins', () => {
  const root = makeTree()
  assert.equal(inputsOf(join(root, '*.log')), [join(root, 'a.log'), join(root, 'z.log')])
  assert.equal(
    inputsOf(join(root, '**', '*.log')).map((path) => basename(path)),
    ['a.log', 'one.log', 'three.log', 'z.log'],
  )
  assert.equal(
    inputsOf(join(root, '?')).map((path) => basename(path)),
    ['two.log.gz', 'one.log', 'three.log'],
  )
  writeFileSync(join(root, '*.log'), line(99))
  assert.equal(inputsOf(join(root, '*.log')), [join(root, '*.log')])
})

test('nothing to take is wrong use, and names what was looked for', () => {
  const root = makeTree()
  for (const word of [join(root, 'empty'), join(root, '*.none'), '']) {
    const failure = failureOf(word)
    assert.is(failure.code, 'USAGE')
    assert.match(failure.message, word === '' ? /an input is empty/ : word)
    assert.match(failure.message, /expected a log, a directory of logs, a glob in quotes/)
  }
  assert.match(failureOf(join(root, 'empty')).message, /begin with \. or _ are passed over/)
})

test('a file named twice, by its name, a glob or a link, is taken once, and that is said', () => {
  const root = makeTree()
  const link = join(root, 'link.log')
  symlinkSync(join(root, 'a.log'), link)
  const { inputs, notes } = resolveInputs([join(root, 'a.log'), root, join(root, 'a', '..', 'a.log')])
  assert.is(inputs.length, 5)
  assert.is(inputs[0], join(root, 'a.log'))
  assert.not.ok(inputs.includes(link))
  assert.is(notes.length, 1)
  assert.match(notes[0] ?? '', /^named more than once, taken once: .*a\.log, .*link\.log/)
  const many = resolveInputs([root, root])
  assert.is(many.inputs.length, 5)
  assert.match(many.notes[0] ?? '', / and 4 more$/)
})

test('links are followed to files and not to directories, so that a circle ends; dangling ones stay to fail', () => {
  const root = makeTree()
  symlinkSync(root, join(root, 'a', 'circle'))
  symlinkSync(join(root, 'nowhere'), join(root, 'b', 'dangling.log'))
  const { inputs, notes } = resolveInputs([root])
  assert.is(inputs.length, 6)
  assert.ok(inputs.includes(join(root, 'b', 'dangling.log')))
  assert.match(notes.join('\n'), /^links to directories are not followed: .*circle; name them to take them$/)
  const twice = resolveInputs([join(root, '**')]).notes.join('\n')
  assert.is(twice.split('circle').length, 2, 'what is found in several ways is named once')
  // A hard link is another name of a file as any other: content tells, for a store.
  linkSync(join(root, 'a.log'), join(root, 'hard.log'))
  assert.is(inputsOf(root).length, 7)
})

test('thousands of files in directories are processed, each once', async () => {
  const root = makeTempFolder()
  const fileCount = 3000
  for (let i = 0; i < fileCount; i++) {
    if (i % 100 === 0) mkdirSync(join(root, `d${i / 100}`))
    writeFileSync(join(root, `d${Math.floor(i / 100)}`, `${i}.log`), line(i))
  }
  const out = join(makeTempFolder(), 'out.parquet')
  // Few files may be open at once: were all opened together, this would fail.
  const { exitCode, stdout, stderr } = await runBuilt(['process', root, '--out', out, '--json'])
  assert.is(exitCode, 0, stderr)
  assert.match(stderr, /^note: .*0\.log: read as delivery\n$/)
  const report = JSON.parse(stdout)
  assert.equal([report.inputs.length, report.kept, report.rows], [fileCount, fileCount, 10 * fileCount])
})

test('an input inside the store, or equal to an output, is refused; stores below a directory are passed over', async () => {
  const root = makeTree()
  // With it the root would be a store itself.
  rmSync(join(root, '_delta_log'), { recursive: true })
  const store = join(root, 'store')
  const run = (...words: string[]) => runBuilt(['process', ...words, '--json'])
  assert.is((await run(join(root, 'a'), '--store', store)).exitCode, 0)
  const before = readdirSync(store, { recursive: true }).length
  const [whole, file] = await Promise.all([
    run(store, '--store', store),
    run(join(store, '_delta_log', '00000000000000000000.json'), '--store', `${store}/../store`),
  ])
  for (const { exitCode, stdout, stderr } of [whole, file]) {
    assert.equal([exitCode, stdout], [2, ''])
    assert.match(stderr, /lies inside the store .*store.*: expected logs that lie elsewhere/)
  }
  assert.match(
    (await run(root, '--store', join(root, 'other'))).stderr,
    /note: passed over, as stores: .*store\n/,
  )
  assert.is(readdirSync(store, { recursive: true }).length, before)
  const out = join(root, 'b', 'out.parquet')
  assert.is((await run(join(root, 'b'), '--out', out)).exitCode, 0)
  const again = await run(join(root, 'b'), '--out', out)
  assert.equal([again.exitCode, again.stdout], [2, ''])
  assert.match(again.stderr, /out\.parquet is one of the inputs/)
})

test('the rows of a directory are those of its logs', async () => {
  const root = makeTree()
  const out = join(makeTempFolder(), 'out.parquet')
  const { stdout, stderr } = await runBuilt(['process', root, '--out', out, '--json'])
  const requests = [0, 1, 2, 3, 4].flatMap((i) => readLogPlainly(Buffer.from(HEADER + line(i))).requests)
  const report = JSON.parse(stdout)
  assert.equal([report.kept, report.comments], [requests.length, 5])
  assert.match(stderr, /^note: .*a\.log: read as delivery\n$/)
  const key = ['--asset', '/asset', '--ip', '192.0.2.1', '--user-agent', 'agent']
  const answer = await runBuilt(['query', '--store', out, ...key, '--range', '0-69', '--json'])
  assert.equal(JSON.parse(answer.stdout).covered, [[0, 49]])
})

test.run()
