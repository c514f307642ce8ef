/** `compact`, `vacuum` and `forget` as typed: what they print, and how they end. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDuration } from '#src/interface/run-upkeep.js'
import type { MemoryRecord } from '../support/memory-source.ts'
import { ROOT } from '../support/source-tree.ts'
import { expectedLines, linesOf, makeStore, putFile, startBuilt } from '../support/store-samples.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('the commands that keep a store')
const CLI = join(ROOT, 'dist', 'cli.js')

/** Three files of one day and one of another. */
const RECORDS: readonly MemoryRecord[] = [0, 1, 2, 3].map((i) => ({
  asset: '/a',
  ip: `192.0.2.${i}`,
  userAgent: 'curl/8',
  first: 0,
  last: 9,
  epochSeconds: Date.UTC(2024, 4, i === 3 ? 18 : 17) / 1000,
}))
let made: Promise<string> | undefined

async function freshStore(): Promise<string> {
  made ??= makeStore(RECORDS, 4)
  const store = join(makeTempFolder(), 'store')
  cpSync(await made, store, { recursive: true, preserveTimestamps: true })
  return store
}

const run = (...words: string[]) => startBuilt(words).end

async function json(...words: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await run(...words, '--json')
  assert.equal([exitCode, stderr], [0, ''], words.join(' '))
  assert.is(stdout.indexOf('\n'), stdout.length - 1, 'one line')
  return JSON.parse(stdout)
}

test('--json has the documented members, in their order', async () => {
  const store = await freshStore()
  const compact = await json('compact', '--store', store)
  assert.equal(Object.keys(compact), ['v', 'store', 'compacted', 'seconds'])
  assert.equal([compact['v'], compact['store']], [1, { path: store, version: 4 }])
  const [day, ...others] = Array.isArray(compact['compacted']) ? compact['compacted'] : []
  assert.equal(others, [])
  assert.equal(Object.keys(day), ['date', 'filesBefore', 'bytesBefore', 'rows', 'bytes'])
  assert.equal([day.date, day.filesBefore, day.rows], ['2024-05-17', 3, 30])
  assert.ok(day.bytes > 0 && day.bytesBefore > day.bytes)

  const dry = await json('vacuum', '--store', store, '--retain', '0s', '--dry-run')
  assert.equal(Object.keys(dry), ['v', 'store', 'dryRun', 'deleted', 'bytes', 'kept'])
  assert.equal(
    [dry['v'], dry['store'], dry['dryRun'], dry['kept']],
    [1, { path: store, version: 4 }, true, 0],
  )
  assert.is(dry['bytes'], day.bytesBefore)
  const vacuum = await json('vacuum', '--store', store, '--retain', '0s')
  assert.equal(vacuum, { ...dry, dryRun: false })

  const forget = await json('forget', '--store', store, '--ip', '192.0.2.1')
  const { seconds, ...rest } = forget
  assert.ok(typeof seconds === 'number')
  assert.equal(rest, {
    v: 1,
    store: { path: store, version: 5 },
    requests: 1,
    filesRewritten: 1,
    filesDeleted: 6,
    mentions: 0,
  })
  assert.equal(await linesOf(store), expectedLines(RECORDS.filter(({ ip }) => ip !== '192.0.2.1')))
})

test('without --json people read what was done, on standard output', async () => {
  const store = await freshStore()
  const compact = await run('compact', '--store', store)
  assert.equal([compact.exitCode, compact.stderr], [0, ''])
  assert.match(compact.stdout, /^ {2}2024-05-17 {2}3 files of [\d.,]+ \w+ -> 1 of [\d.,]+ \w+, 30 rows\n/)
  assert.match(compact.stdout, `store ${store}: version 4, `)
  assert.match((await run('compact', '--store', store)).stdout, /every date was one sorted file already/)
  const young = await run('vacuum', '--store', store)
  assert.match(young.stdout, /^deleted 0 files, 0 B; 3 unreferenced files younger than --retain\n/)
  const dry = await run('vacuum', '--store', store, '--retain', '0s', '--dry-run')
  assert.match(dry.stdout, /\nwould delete 3 files, /)
  for (let i = 0; i < 30; i++) putFile(join(store, 'date=2024-05-17', `part-${i}\u001b[31m.parquet`))
  const vacuum = await run('vacuum', '--store', store, '--retain', '0s')
  assert.match(vacuum.stdout, / {2}and 13 more files\ndeleted 33 files, /)
  assert.not.ok(vacuum.stdout.includes('\u001b'), 'names are escaped')
  const forget = await run('forget', '--store', store, '--ip', '192.0.2.1')
  assert.equal([forget.exitCode, forget.stderr], [0, ''])
  assert.match(forget.stdout, /^forgot 1 request: rewrote 1 data file, deleted 6 files of older versions\n/)
})

test('wrong use ends with 2, says what is expected, and changes nothing', async () => {
  const store = await freshStore()
  const stranger = makeTempFolder()
  writeFileSync(join(stranger, 'a.txt'), 'x')
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['compact', '--store', store, '--date', 'today'], /--date expects a day like 2024-05-17; found 'today'/],
    [
      ['compact', '--store', store, '--date', '2024-05-19'],
      /no files of 2024-05-19: expected one of 2024-05-17 to 2024-05-18/,
    ],
    [['compact', '--store', join(stranger, 'none')], /none is not a store/],
    [['compact', '--store', stranger], /holds "a.txt" and has no _delta_log/],
    [['compact', '--store', join(stranger, 'a.txt')], /is not a Delta table/],
    [['compact', store], /too many arguments/],
    [['vacuum', '--store', store, '--retain', '24'], /--retain expects a duration like 36h/],
    [['vacuum', '--store', store, '--retain=-1h'], /--retain expects a duration/],
    [['vacuum', '--store', store, '--retain', '30d'], /--retain expects at most 7d/],
    [['vacuum', '--store', store, '--retain', '1h', '--retain', '2h'], /given twice/],
    [['vacuum', '--store', join(stranger, 'none')], /none is not a store/],
    [['forget', '--store', store], /--ip is missing/],
    [['forget', '--store', store, '--ip', ''], /--ip is missing/],
    [['forget', '--store', join(stranger, 'none'), '--ip', '192.0.2.1'], /none is not a store/],
    [['forget', '--store', store, '--ip', '192.0.2.1', '--dry-run'], /unknown option '--dry-run'/],
  ]
  await Promise.all(
    cases.map(async ([words, message]) => {
      const { exitCode, stdout, stderr } = await run(...words)
      assert.equal([exitCode, stdout], [2, ''], words.join(' '))
      assert.match(stderr, message)
      assert.match(stderr, /\nexpected: .*\nall options: /, words.join(' '))
    }),
  )
  assert.equal(await linesOf(store), expectedLines(RECORDS))
})

test('a store whose log or data is damaged ends with 2', async () => {
  for (const [words, name] of [
    [['compact'], '_delta_log/00000000000000000001.json'],
    [['vacuum'], '_delta_log/00000000000000000001.json'],
    [['forget', '--ip', '192.0.2.1'], '_delta_log/00000000000000000001.json'],
  ] as const) {
    const store = await freshStore()
    writeFileSync(join(store, name), '{')
    const { exitCode, stdout, stderr } = await run(...words, '--store', store)
    assert.equal([exitCode, stdout], [2, ''])
    assert.match(stderr, '00000000000000000001.json')
  }
})

test('durations are whole numbers of seconds, minutes, hours or days', () => {
  const found = ['0s', '90s', '30m', '36h', '7d'].map(parseDuration)
  assert.equal(found, [0, 90_000, 1_800_000, 129_600_000, 604_800_000])
  for (const text of ['', '7', 'd', '1.5h', '-1h', '1 h', '1w', '1234567s', '1H', '7d ', '\u0661d'])
    assert.throws(() => parseDuration(text), /--retain expects/, text)
})

test('the examples of the help work when pasted, in a folder where the sample was processed', () => {
  const folder = makeTempFolder()
  mkdirSync(join(folder, 'data'))
  // The program as it is built: what runs these tests from source is not found from another folder.
  const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const
  const made = spawnSync('node', [CLI, 'process', '--store', 'data/delivery', '--quiet'], options)
  assert.is(made.status, 0, made.stderr)
  for (const command of ['compact', 'vacuum', 'forget']) {
    const help = spawnSync('node', [CLI, command, '--help'], options)
    assert.is(help.status, 0)
    const examples = help.stdout
      .slice(help.stdout.indexOf('Examples:\n'))
      .split('\n')
      .slice(1)
      .filter(Boolean)
    assert.ok(examples.length >= 2, help.stdout)
    for (const example of examples) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', example], options)
      assert.is(status, 0, `${example}: ${stderr}`)
      assert.match(stdout, /data\/delivery/)
    }
  }
})

test.run()
