import { randomUUID } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TableAction } from '#src/table/actions.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { queryDuckdb } from '../support/foreign-readers.ts'
import { runBuilt } from '../support/run-built.ts'
import { ROOT } from '../support/source-tree.ts'
import { commitQuickly } from '../table/sample-table.ts'

const test = suite('inspect')
const scratch = makeScratch()
test.after(() => scratch.remove())
const at = scratch.path
const IP = '192.0.2.77'
const AGENT = 'SecretPlayer/1.0'
const EPOCH = Date.UTC(2024, 4, 17) / 1000

async function inspect(...words: string[]) {
  const { exitCode, stdout, stderr } = await runBuilt(['inspect', ...words])
  return {
    exitCode,
    stdout,
    stderr,
    json: words.includes('--json') && stdout !== '' ? JSON.parse(stdout) : {},
  }
}

/** A file of so many rows in a date's directory; written without the date when it is to be as in a store. */
async function writeDay(
  directory: string,
  day: number,
  rows: number,
  hasDate: boolean,
): Promise<TableAction> {
  const date = new Date((EPOCH + day * 86_400) * 1000).toISOString().slice(0, 10)
  const path = `date=${date}/part-${day}-${rows}.parquet`
  mkdirSync(join(directory, `date=${date}`), { recursive: true })
  const target = join(directory, path)
  const whole = at(`day-${day}-${rows}.parquet`)
  await writeDeliveryFile(whole, [
    { asset: '/a', ip: IP, userAgent: AGENT, first: 0, last: rows - 1, epochSeconds: EPOCH + day * 86_400 },
  ])
  if (hasDate) cpSync(whole, target)
  else
    await queryDuckdb(
      `COPY (SELECT * EXCLUDE ("date") FROM read_parquet('${whole}')) TO '${target}' (FORMAT parquet)`,
    )
  const { size } = statSync(target)
  const stats = { numRecords: rows, minValues: {}, maxValues: {}, nullCount: {} }
  return { add: { path, partitionValues: { date }, size, modificationTime: 0, dataChange: true, stats } }
}

async function makeStore(name: string): Promise<string> {
  const directory = at(name)
  const first = await writeDay(directory, 0, 100, true)
  const txn = (appId: string): TableAction => ({ txn: { appId, version: 1 } })
  await commitQuickly(directory, -1, [txn('sha256:a'), first, await writeDay(directory, 0, 50, true)])
  await commitQuickly(directory, 0, [txn('sha256:b'), await writeDay(directory, 1, 7, false)])
  return directory
}

test.before(async () => {
  await writeDeliveryFile(at('a.parquet'), [
    { asset: '/a', ip: IP, userAgent: AGENT, first: 0, last: 999, epochSeconds: EPOCH },
  ])
})

test('a file: its rows, columns, checksums; bounds of texts only when asked for', async () => {
  const { exitCode, stderr, json } = await inspect(at('a.parquet'), '--json', '--verify')
  assert.equal([exitCode, stderr], [0, ''])
  assert.equal(
    [json.v, json.kind, json.rows, json.byteledger, json.footerChecksum],
    [1, 'file', 1000, true, 'holds'],
  )
  assert.equal(json.bytes, statSync(at('a.parquet')).size)
  assert.equal(json.verified, { pages: 13, bytes: json.byteShares.pages, pagesWithoutChecksum: 0 })
  assert.equal([json.keyValues['byteledger.layout'], json.keyValues['byteledger.runs']], ['1', '1'])
  assert.equal(json.sortOrders, ['request, ip, user_agent'])
  const names = ['date', 'epoch', 'ip', 'user_agent', 'user_agent_md5', 'request', 'byte_num']
  assert.equal(
    json.columns.map(({ name }: { name: string }) => name),
    names,
  )
  const hidden = names.filter((_, i) => json.columns[i].boundsHidden)
  assert.equal(hidden, ['ip', 'user_agent', 'user_agent_md5', 'request'])
  assert.equal(json.columns[6].bounds, [0, 999])
  for (const form of [[], ['--json']]) {
    const shy = await inspect(at('a.parquet'), ...form)
    assert.not.match(shy.stdout, /192\.0\.2\.77|SecretPlayer/)
    const open = await inspect(at('a.parquet'), '--values', ...form)
    assert.match(open.stdout, /192\.0\.2\.77[\s\S]*SecretPlayer/)
  }
  const text = await inspect(at('a.parquet'))
  assert.match(text.stdout, /written by {4}byteledger version/)
  assert.match(text.stdout, /checksum holds\n {2}rows {10}1,000\n/)
})

test('a file of another writer is shown as that; a damaged one, an absent one and no Parquet end with 2', async () => {
  await queryDuckdb(`COPY (SELECT i AS n FROM range(10) t(i)) TO '${at('other.parquet')}' (FORMAT parquet)`)
  const other = await inspect(at('other.parquet'))
  assert.is(other.exitCode, 0)
  assert.match(other.stdout, /DuckDB.*\(not written by byteledger\)/)
  const bytes = readFileSync(at('a.parquet'))
  writeFileSync(at('short.parquet'), bytes.subarray(0, -20))
  bytes[40] = (bytes[40] ?? 0) ^ 1
  writeFileSync(at('page.parquet'), bytes)
  writeFileSync(at('text.parquet'), 'no Parquet at all, only text\n')
  mkdirSync(at('empty'))
  for (const [path, pattern] of [
    ['short.parquet', /PAR1 at both ends/],
    ['text.parquet', /PAR1 at both ends/],
    ['nothing.parquet', /no such file or directory.*expected a \.parquet file/],
    ['empty', /holds no \.parquet file/],
  ] as const) {
    const { exitCode, stdout, stderr } = await inspect(at(path))
    assert.equal([exitCode, stdout], [2, ''], path)
    assert.match(stderr, pattern)
  }
  assert.is((await inspect(at('page.parquet'))).exitCode, 0, 'pages are not read unless asked for')
  const page = await inspect(at('page.parquet'), '--verify', '--json')
  assert.is(page.exitCode, 2)
  assert.match(page.json.problems[0].message, /row group 0, date, page 1: expected a body of CRC/)
  assert.is((await inspect()).exitCode, 2)
})

test('a store: version, dates, inputs, leftovers, files with and without the date', async () => {
  const store = await makeStore('store')
  writeFileSync(join(store, 'date=2024-05-17', '.part.tmp'), 'half')
  const { exitCode, json, stderr } = await inspect(store, '--json', '--files', '--verify')
  assert.equal([exitCode, stderr], [0, ''])
  assert.equal([json.kind, json.rows, json.files], ['store', 157, 3])
  const { id, ...table } = json.table
  assert.match(id, /^[0-9a-f-]{36}$/)
  const protocol = { minReaderVersion: 1, minWriterVersion: 2 }
  assert.equal(table, { version: 1, ...protocol, partitionColumns: ['date'], files: 3, inputs: 2 })
  assert.equal([json.log.commits, json.log.checkpoint], [2, null])
  assert.equal(
    json.dates.map(({ bytes: _, ...date }: { bytes: number }) => date),
    [
      { date: '2024-05-17', files: 2, rows: 150 },
      { date: '2024-05-18', files: 1, rows: 7 },
    ],
  )
  assert.equal(json.leftovers, { removed: { files: 0, bytes: 0 }, unknown: { files: 1, bytes: 4 } })
  assert.is(json.fileList.length, 3)
  const bytes = json.fileList.map((file: { bytes: number }) => file.bytes)
  assert.is(
    bytes.reduce((sum: number, size: number) => sum + size, 0),
    json.bytes,
  )
  const columns = json.columns.filter(({ name }: { name: string }) => name === 'date')
  assert.equal(
    columns.map(({ values }: { values: number }) => values),
    [150],
    'the third file has no date',
  )
  const text = await inspect(store, '--files')
  assert.match(text.stdout, /version {7}1\n/)
  assert.match(text.stdout, /2024-05-17 +2 +150 /)
  assert.match(text.stdout, /date=2024-05-18\/part-1-7\.parquet +7 /)
})

test('data files that no version knows are noted, unless a run under way may have written them', async () => {
  const store = await makeStore('orphans')
  const orphan = join(store, 'date=2024-05-18', `part-${randomUUID()}.parquet`)
  writeFileSync(orphan, 'whole, and in no version')
  assert.is((await inspect(store)).stderr, '')
  const hoursAgo = new Date(Date.now() - 2 * 3_600_000)
  utimesSync(orphan, hoursAgo, hoursAgo)
  const { exitCode, stderr } = await inspect(store, '--json')
  assert.is(exitCode, 0)
  assert.match(
    stderr,
    /^note: 1 data file of more than an hour ago is in no version: .* restore it before vacuum/,
  )
})

test('a store with a missing and a shortened file is shown with its problems, and ends with 2', async () => {
  const store = await makeStore('broken')
  rmSync(join(store, 'date=2024-05-18/part-1-7.parquet'))
  truncateSync(join(store, 'date=2024-05-17/part-0-50.parquet'), 60)
  const { exitCode, json } = await inspect(store, '--json')
  assert.is(exitCode, 2)
  assert.equal([json.files, json.table.files, json.problems.length], [1, 3, 2])
  assert.match((await inspect(store)).stdout, /problems\n.*part-0-50\.parquet.*\n.*part-1-7\.parquet/)
  writeFileSync(join(store, '_delta_log', `${'1'.padStart(20, '0')}.json`), 'not json\n')
  const corrupt = await inspect(store)
  assert.equal([corrupt.exitCode, corrupt.stdout], [2, ''])
})

test('tables of other writers: their log is shown, and that their files are not here', async () => {
  const expected: Record<string, { version: number; files: unknown[]; transactions: object }> = JSON.parse(
    readFileSync(join(ROOT, 'test/table/foreign/expected.json'), 'utf8'),
  )
  for (const [name, { version, files, transactions }] of Object.entries(expected)) {
    const directory = join(ROOT, 'test/table/foreign', name)
    const { exitCode, json } = await inspect(directory, '--json')
    assert.is(exitCode, 2, name)
    assert.equal([json.table.version, json.table.files], [version, files.length], name)
    assert.ok(json.table.inputs >= Object.keys(transactions).length, name)
    assert.is(json.problems.length, files.length, name)
  }
})

test('a directory of files and a glob are added up; two columns of one name and other types stand apart', async () => {
  mkdirSync(at('days'))
  for (const name of ['x', 'y']) cpSync(at('a.parquet'), at(`days/${name}.parquet`))
  const { exitCode, json } = await inspect(at('days'), '--json', '--files')
  assert.equal(
    [exitCode, json.kind, json.files, json.rows, json.fileList.length],
    [0, 'directory', 2, 2000, 2],
  )
  assert.equal(json.rowGroups.count, 2)
  const glob = await inspect(at('days/*.parquet'), '--json')
  assert.equal([glob.json.rows, glob.json.columns.length], [2000, 7])
  await queryDuckdb(`COPY (SELECT 'x' AS byte_num) TO '${at('days/z.parquet')}' (FORMAT parquet)`)
  const mixed = await inspect(at('days'), '--json')
  assert.equal([mixed.json.rows, mixed.json.columns.length], [2001, 8])
})

test('the example in the README is what the bundled sample gives', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const example = /```text\n(sample\.parquet\n[^`]+)```/.exec(readme)?.[1] ?? ''
  assert.ok(example.includes('rows each'))
  await runBuilt(['process', '--out', 'sample.parquet', '--quiet'], { directory: at('') })
  const { stdout } = await runBuilt(['inspect', 'sample.parquet'], { directory: at('') })
  assert.is(stdout.slice(0, example.length), example)
})

test.run()
