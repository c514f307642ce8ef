/** Law: nothing is written where it would not be meant, and wrong use is told before anything is read. */

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runBuilt, twoAtATime } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import { addTo, assertHolds, logLine, newStore, onlyInput, writeLog } from '../support/store-runs.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const test = suite('where to write')
const LOG = logLine('/a', '0-9')
const log = writeLog(LOG)
const QUESTION = ['--asset', '/a', '--ip', '192.0.2.1', '--user-agent', 'agent', '--range', '0-9']

test('a URL is no place for a store or a file', async () => {
  const directory = makeTempFolder()
  const commands = [
    ['process', log, '--store', 's3://bucket/store'],
    ['process', log, '--store', 'https://host/store'],
    ['process', log, '--out', 's3://bucket/x.parquet'],
    ['process', log, '--out', 'x.parquet', '--rejects', 'file:///tmp/rejects'],
    ['query', '--store', 's3://bucket/store', ...QUESTION],
  ]
  await twoAtATime(commands, async (words) => {
    const { exitCode, stderr } = await runBuilt(words, { directory })
    assert.is(exitCode, 2, `${words}`)
    assert.match(stderr, /expects a path on this machine; found the URL '/, `${words}`)
  })
  assert.equal(readdirSync(directory), [])
})

test("a store is no place for a file of one's own", async () => {
  const store = newStore()
  await addTo(store, [log])
  const before = namesIn(store)
  const commands = [
    ['process', log, '--out', join(store, 'x.parquet')],
    ['process', log, '--out', join(store, 'date=2024-05-17', 'x.parquet')],
    ['process', log, '--store', newStore(), '--rejects', join(store, 'rejects')],
    ['export', '--store', store, '--ranges', join(store, 'ranges.csv')],
  ]
  await twoAtATime(commands, async (words) => {
    const { exitCode, stderr } = await runBuilt(words)
    assert.is(exitCode, 2, `${words}`)
    assert.match(stderr, /leads into the store .*: write it elsewhere/, `${words}`)
  })
  assert.equal(namesIn(store), before)
})

test('a directory in the place of a file is told before anything is read', async () => {
  const directory = makeTempFolder()
  for (const name of ['d.parquet', 'd.csv', 'd']) mkdirSync(join(directory, name))
  await runBuilt(['process', log, '--out', 'a.parquet'], { directory })
  const commands: readonly (readonly [words: string[], option: string])[] = [
    [['process', log, '--out', 'd.parquet'], '--out expects a file to write'],
    [['process', log, '--out', 'x.parquet', '--rejects', 'd'], '--rejects expects a file to write'],
    [['export', '--store', 'a.parquet', '--ranges', 'd.csv'], '--ranges expects a file to write'],
    [
      ['query', '--store', 'a.parquet', '--batch', 'd'],
      '--batch expects a file of questions, or - for standard input',
    ],
  ]
  await twoAtATime(commands, async ([words, told]) => {
    const { exitCode, stderr } = await runBuilt(words, { directory })
    assert.is(exitCode, 2, `${words}`)
    assert.ok(stderr.includes(`${told}, found the directory 'd`), stderr)
    assert.match(stderr, /give the name of the file as well/)
  })
  assert.equal(readdirSync(directory).sort(), ['a.parquet', 'd', 'd.csv', 'd.parquet'])
})

test('endings mean the same in any case', async () => {
  const directory = makeTempFolder()
  const act = async (...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runBuilt(words, { directory })
    assert.is(exitCode, 0, stderr)
    return stdout
  }
  await act('process', log, '--out', 'A.PARQUET')
  for (const store of ['A.PARQUET', '.', '*.PARQUET'])
    assert.match(await act('query', '--store', store, ...QUESTION), /^DELIVERED/)
  for (const ranges of ['R.CSV', 'r.NdJson', 'R.Parquet'])
    await act('export', '--store', 'A.PARQUET', '--ranges', ranges)
  assert.match(readFileSync(join(directory, 'R.CSV'), 'utf8'), /^asset,ip/)
  assert.is(JSON.parse(readFileSync(join(directory, 'r.NdJson'), 'utf8')).asset, '/a')
  assert.is(readFileSync(join(directory, 'R.Parquet')).toString('latin1', 0, 4), 'PAR1')
})

test('a store below the directory of logs is passed over, and rejects do not take its place', async () => {
  const logs = makeTempFolder()
  cpSync(log, join(logs, 'a.log'))
  const store = join(logs, 'store')
  for (const note of ['', `note: passed over, as stores: ${store}\n`]) {
    const { exitCode, stderr } = await runBuilt(['process', logs, '--store', store, '--format', 'delivery'])
    assert.equal([exitCode, stderr], [0, note])
  }
  const fresh = newStore()
  const { exitCode, stderr } = await runBuilt(['process', log, '--store', fresh, '--rejects', fresh])
  assert.is(exitCode, 2)
  assert.match(stderr, /is an input or the output/)
})

test('the bundled sample goes into a store of its own, and never among other logs', async () => {
  const directory = makeTempFolder()
  for (const status of ['new', 'known']) {
    const { exitCode, stdout, stderr } = await runBuilt(['process', '--json'], { directory })
    assert.is(exitCode, 0, stderr)
    assert.is(onlyInput(JSON.parse(stdout)).status, status)
  }
  const store = newStore()
  await addTo(store, [log])
  for (const words of [
    ['process', '--store', store],
    ['process', '--store', store, '--quiet', '--force'],
  ]) {
    const { exitCode, stderr } = await runBuilt(words)
    assert.is(exitCode, 2)
    assert.match(stderr, /no input is given, and .* holds logs beside which the bundled sample has no place/)
  }
  await assertHolds(store, [LOG])
})

test('many files are read with few descriptors', () => {
  const folder = makeTempFolder()
  execFileSync(process.execPath, [
    join(ROOT, 'dist', 'cli.js'),
    'process',
    log,
    '--out',
    join(folder, 'a.parquet'),
  ])
  for (let i = 0; i < 300; i++) cpSync(join(folder, 'a.parquet'), join(folder, `${i}.parquet`))
  const words = ['query', '--store', folder, ...QUESTION, '--json']
  const script = 'ulimit -n 64; exec "$0" "$@"'
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['-c', script, process.execPath, join(ROOT, 'dist', 'cli.js'), ...words],
    { encoding: 'utf8' },
  )
  assert.is(status, 0, stderr)
  assert.is(JSON.parse(stdout).requests, 301)
})

test('a log of many days is added with few descriptors', async () => {
  const day = (i: number): string => new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10)
  const days = Array.from({ length: 150 }, (_, i) => logLine('/a', '0-9', { date: day(i) })).join('')
  const store = newStore()
  const words = [join(ROOT, 'dist', 'cli.js'), 'process', writeLog(days), '--store', store, '--quiet']
  const script = 'ulimit -n 90; exec "$0" "$@"'
  const { stderr, status } = spawnSync('bash', ['-c', script, process.execPath, ...words], {
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
  await assertHolds(store, [days])
})

test('forget and compact refuse what is no address and no day, and change nothing', async () => {
  const store = newStore()
  await addTo(store, [log])
  await addTo(store, [writeLog(logLine('/b', '0-9'))])
  const before = namesIn(store)
  for (const ip of ['2001:db8::7%eth0', '192.0.2.0/24', '192.0.2.*', '192.0.2', '192.0.2.1 ', 'localhost']) {
    const { exitCode, stderr } = await runBuilt(['forget', '--store', store, '--ip', ip])
    assert.is(exitCode, 2, ip)
    assert.match(stderr, /expects one address, like .*nothing was changed/, ip)
  }
  for (const date of ['2024-02-30', '2024-13-01', '2024-5-1', 'today']) {
    const { exitCode, stderr } = await runBuilt(['compact', '--store', store, '--date', date])
    assert.is(exitCode, 2, date)
    assert.match(stderr, /--date expects a day like 2024-05-17; found/, date)
  }
  assert.equal(namesIn(store), before)
})

test.run()
