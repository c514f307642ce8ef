import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { parseArguments } from '#src/interface/arguments.js'
import { openDuckdb } from '#src/interface/duckdb.js'
import { runExport } from '#src/interface/run-export.js'
import { runSql } from '#src/interface/run-sql.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { endOf, startBuilt } from '../support/run-built.ts'
import { captureStream } from '../support/text-streams.ts'

const test = suite('export and sql')
const scratch = makeScratch()
test.after(() => scratch.remove())
const path = scratch.path('store.parquet')

test.before(() =>
  writeDeliveryFile(
    path,
    [
      [0, 9],
      [5, 19],
      [30, 39],
    ].map(([first = 0, last = 0], i) => ({
      ...{ asset: '/a', ip: '10.0.0.1', userAgent: '=1+1 "x"', first, last },
      epochSeconds: 1_596_200_000 + i,
    })),
  ),
)

async function run(...words: string[]): Promise<string> {
  const store = words.includes('--store') ? [] : ['--store', path]
  const invocation = parseArguments([...words, ...store], 'b', () => '')
  const [stdout, stderr] = [captureStream(), captureStream()]
  const streams = { stdin: Readable.from([]), stdout, stderr, environment: {}, program: 'b' }
  if (invocation.command === 'export') assert.is(await runExport(invocation.options, streams), 0)
  else if (invocation.command === 'sql') assert.is(await runSql(invocation.options, streams), 0)
  else throw new Error('expected export or sql')
  return stdout.text() + stderr.text()
}

async function failureOf(...words: string[]): Promise<Failure> {
  try {
    await run(...words)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('expected a failure')
}

test('CSV and NDJSON hold a row for each merged interval', async () => {
  const csv = scratch.path('ranges.csv')
  assert.match(await run('export', '--ranges', csv), /ranges\.csv: 2 rows, \d+ B\n$/)
  assert.is(
    readFileSync(csv, 'utf8'),
    'asset,ip,user_agent,first_byte,last_byte,first_epoch,last_epoch,requests\r\n' +
      '/a,10.0.0.1,"\'=1+1 ""x""",0,19,1596200000,1596200001,2\r\n' +
      '/a,10.0.0.1,"\'=1+1 ""x""",30,39,1596200002,1596200002,1\r\n',
  )
  const ndjson = scratch.path('ranges.ndjson')
  await run('export', '--ranges', ndjson, '--until', '1596200000', '--asset', '/a')
  assert.equal(JSON.parse(readFileSync(ndjson, 'utf8')), {
    ...{ asset: '/a', ip: '10.0.0.1', user_agent: '=1+1 "x"', first_byte: 0, last_byte: 9 },
    ...{ first_epoch: 1_596_200_000, last_epoch: 1_596_200_000, requests: 1 },
  })
})

test('wrong use shows the right form and writes nothing', async () => {
  assert.match((await failureOf('export')).message, /--ranges is missing: expected FILE\.parquet/)
  const wrong = scratch.path('ranges.xlsx')
  const failure = await failureOf('export', '--ranges', wrong)
  assert.match(failure.message, /--ranges expects FILE\.parquet, FILE\.csv or FILE\.ndjson; found/)
  assert.not.ok(existsSync(wrong))
  assert.match(
    (await failureOf('sql', 'select 1', '--json', '--csv')).message,
    /only one of --json and --csv/,
  )
})

test('an export does not replace what it is made of', async () => {
  const own = scratch.path('own.parquet')
  copyFileSync(path, own)
  const link = scratch.path('link.parquet')
  symlinkSync(own, link)
  for (const [store, ranges] of [
    [own, own],
    [own, link],
    [link, own],
  ] as const) {
    const failure = await failureOf('export', '--store', store, '--ranges', ranges)
    assert.match(failure.message, /is one of the inputs; name another file/)
  }
  assert.equal(readFileSync(own), readFileSync(path))
})

test('an empty asset is no asset', async () => {
  const failure = await failureOf('export', '--asset', '', '--ranges', scratch.path('none.csv'))
  assert.match(failure.message, /^--asset is empty: expected a request path as logged/)
})

test('sql answers from no file that has a changed bit', async () => {
  const bytes = readFileSync(path)
  const damagedPath = scratch.path('damaged.parquet')
  for (let at = 0; at < bytes.length; at += 3) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
    writeFileSync(damagedPath, damaged)
    const failure = await failureOf('sql', 'select count(*) from bytes', '--store', damagedPath)
    assert.is(failure.code, 'DAMAGED', `byte ${at}: ${failure.message}`)
  }
})

test('sql reads nothing of a store for a statement that does not', async () => {
  const damagedPath = scratch.path('damaged-page.parquet')
  const damaged = readFileSync(path)
  damaged[100] = (damaged[100] ?? 0) ^ 1
  writeFileSync(damagedPath, damaged)
  assert.is(await run('sql', 'select 41 + 1 as answer', '--csv', '--store', damagedPath), 'answer\r\n42\r\n')
  for (const statement of ['show tables', "select * from query_table('by' || 'tes')", 'FROM "bytes"'])
    assert.is((await failureOf('sql', statement, '--store', damagedPath)).code, 'DAMAGED', statement)
  assert.match(await run('sql', 'show tables', '--csv', '--store', path), /bytes/)
})

test('what sql says of ranges in a file that has a changed bit is damage or the truth', async () => {
  const bytes = readFileSync(path)
  const damagedPath = scratch.path('damaged-ranges.parquet')
  const statement = 'select * from ranges order by all'
  const truth = await run('sql', statement, '--csv', '--store', path)
  let damageCount = 0
  let truthCount = 0
  for (let at = 0; at < bytes.length; at += 31) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
    writeFileSync(damagedPath, damaged)
    try {
      assert.is(await run('sql', statement, '--csv', '--store', damagedPath), truth, `byte ${at}`)
      truthCount++
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure
      assert.is(failure.code, 'DAMAGED', `byte ${at}: ${failure.message}`)
      damageCount++
    }
  }
  // What no answer needs, such as bloom filters, is not read; what one needs is.
  assert.ok(truthCount > 0 && damageCount > truthCount, `${damageCount} damaged, ${truthCount} not`)
})

test('numbers of sql stay numbers in CSV', async () => {
  assert.is(await run('sql', "select -5 a, -1.5 b, '-5' c, '=1' d", '--csv'), "a,b,c,d\r\n-5,-1.5,-5,'=1\r\n")
})

test('of several statements the last gives the rows, of none there is nothing to ask', async () => {
  const made = 'create temp table t as select count(*) as n from bytes; select n + 1 as m from t;'
  assert.is(await run('sql', made), 'm\n36\n')
  assert.is(await run('sql', 'pivot (select 1 as a) on a using count(*)'), '1\n1\n')
  for (const lost of [
    'select 1; select 2',
    'select * from range(1000000000000); select 2',
    'call pragma_version(); from t',
  ]) {
    const { code, message } = await failureOf('sql', lost)
    assert.is(code, 'USAGE')
    assert.match(message, /^statement 1 of 2 gives rows, which nobody would see: expected only the last/)
  }
  for (const empty of ['', ' \n;', ' -- nothing', '/* no * thing */;']) {
    const { code, message } = await failureOf('sql', empty)
    assert.is(code, 'USAGE')
    assert.match(message, /^the statement is empty: expected SQL over the views bytes and ranges/)
  }
})

test('Ctrl-C ends a statement soon, whether it gives rows or computes', async () => {
  for (const statement of [
    'select * from range(100000000000)',
    'select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = -1',
  ]) {
    const folder = scratch.path('temporary')
    mkdirSync(folder, { recursive: true })
    const child = startBuilt(['sql', statement, '--store', path], { environment: { TMPDIR: folder } })
    const end = endOf(child)
    while (readdirSync(folder).length === 0) await setTimeout(20)
    await setTimeout(500)
    const startedAt = performance.now()
    child.kill('SIGINT')
    const { exitCode, stderr } = await end
    assert.equal([exitCode, stderr], [130, 'byteledger: interrupted\n'], statement)
    assert.ok(performance.now() - startedAt < 20_000, statement)
    assert.equal(readdirSync(folder), [], 'nothing is left')
  }
})

test('sql has the views bytes and ranges', async () => {
  const counts =
    'select (select count(*) from bytes) b, (select count(distinct byte_num) from bytes) d, count(*) r, sum(last_byte - first_byte + 1) s from ranges'
  assert.equal(JSON.parse(await run('sql', counts, '--json')), {
    ...{ v: 1, columns: ['b', 'd', 'r', 's'], rows: [['35', '30', '2', '30']] },
  })
  assert.is(
    await run('sql', 'select user_agent, first_byte from ranges order by first_byte', '--csv'),
    'user_agent,first_byte\r\n"\'=1+1 ""x""",0\r\n"\'=1+1 ""x""",30\r\n',
  )
  assert.is(
    await run('sql', "select 'a\u001b[2J' as x, null as y, 1 as z"),
    'x           y     z\na\\u001b[2J  NULL  1\n',
  )
  assert.is(await run('sql', 'select 1 as x where false'), 'x\n')
})

test('a table of sql stays aligned: wide letters take two columns, wider values later a header of their own', async () => {
  assert.is(
    await run('sql', "select * from (values ('日本', 1), ('e\u0301', 2), ('ab', 3)) t(x, y)"),
    'x     y\n日本  1\ne\u0301     2\nab    3\n',
  )
  const long = await run(
    'sql',
    "select case when i = 5000 then 'wide value' else 'x' end as a, i from range(5001) t(i)",
  )
  const lines = long.split('\n')
  const last = lines.at(-2) ?? ''
  assert.match(last, /^wide value {2}5000$/)
  const header = lines.lastIndexOf('a           i')
  assert.ok(header > 0, 'the header stands once more above wider rows')
  assert.is(lines[header - 1], '')
  for (const line of lines.slice(header + 1, -2)) assert.match(line, /^x {11}\d+$/)
  for (const line of lines.slice(1, header - 1)) assert.match(line, /^x {2}\d+$/)
})

test('a statement that DuckDB refuses is wrong use, without DuckDB the message says what to install', async () => {
  const refused = await failureOf('sql', 'selekt 1')
  assert.equal([refused.code, /^DuckDB: .*syntax error/is.test(refused.message)], ['USAGE', true])
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  await openDuckdb(() => Promise.reject(missing)).then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.ok(error instanceof Failure && error.code === 'ENVIRONMENT')
      assert.match(error.message, /npm install @duckdb\/node-api/)
    },
  )
})

test.run()
