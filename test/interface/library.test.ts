import { execFileSync, type StdioOptions } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openStore, type Question } from 'byteledger'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { REPORT_KINDS } from '#src/delivery/report-model.js'
import { askOracle } from '../support/byte-oracle.ts'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { storeAt } from '../support/library-store.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('the library')
const scratch = makeScratch()
test.after(() => scratch.remove())
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EPOCH = 1_596_200_000
const path = scratch.path('library.parquet')

const random = seededRandom(11)
const records: readonly MemoryRecord[] = Array.from({ length: 3000 }, () => {
  const first = random(900)
  return {
    ...{ asset: `/asset/${random(5)}`, ip: `10.0.${random(2)}.${random(5)}`, userAgent: `VLC/${random(3)}` },
    ...{ first, last: first + random(300), epochSeconds: EPOCH + random(50) },
  }
})

const withStore = storeAt(path)

test.before(() => writeDeliveryFile(path, records, 30_000))

test('questions, one by one and together, are answered as the oracle answers them', () =>
  withStore(async (store) => {
    const questions = Array.from({ length: 400 }, (): Question => {
      const first = random(1000)
      return {
        ...{
          asset: `/asset/${random(5)}`,
          ip: `10.0.${random(2)}.${random(5)}`,
          userAgent: `VLC/${random(3)}`,
        },
        range: [first, first + random(200)],
        since: String(EPOCH + random(10)),
      }
    })
    const together = await store.askMany(questions)
    for (const [i, question] of questions.entries()) {
      if (!('range' in question)) continue
      const { asset, ip, userAgent, range, since } = question
      const own = records.filter((r) => r.asset === asset && r.ip === ip && r.userAgent === userAgent)
      const expected = askOracle({ first: range[0], last: range[1] }, own, { since: Number(since) })
      const answer = await store.ask(question)
      assert.equal(
        [answer.covered, answer.missing, answer.requests],
        [...[expected.covered, expected.missing, expected.requests]],
      )
      assert.is(answer.delivered, expected.missing.length === 0)
      assert.equal(together[i], answer)
    }
  }))

test('listeners, ranges and selections are iterators over everything', () =>
  withStore(async (store) => {
    let requestCount = 0
    const keys: string[] = []
    for await (const { asset, ip, userAgent, requests } of store.listeners({ asset: '/asset/1' })) {
      requestCount += requests.length
      keys.push(`${asset} ${ip} ${userAgent}`)
      assert.match(requests[0]?.at ?? '', /^2020-07-31T/)
    }
    assert.is(requestCount, records.filter((r) => r.asset === '/asset/1').length)
    assert.equal(keys, [...new Set(keys)].sort())
    const bytes = new Set(
      records
        .filter((r) => r.asset === '/asset/1')
        .flatMap((r) =>
          Array.from({ length: r.last - r.first + 1 }, (_, i) => `${r.ip} ${r.userAgent} ${r.first + i}`),
        ),
    )
    let byteCount = 0
    for await (const { firstByte, lastByte } of store.ranges({ asset: '/asset/1' }))
      byteCount += lastByte - firstByte + 1
    assert.is(byteCount, bytes.size)
    const selected: string[] = []
    for await (const answer of store.askListeners({
      asset: '/asset/1',
      ip: '10.0.1.0/24',
      userAgent: ['VLC/*'],
      whole: true,
    }))
      selected.push(`${answer.asset} ${answer.ip} ${answer.userAgent}`)
    assert.equal(
      selected,
      keys.filter((key) => key.includes(' 10.0.1.')),
    )
  }))

test('every report is there, as objects', () =>
  withStore(async (store) => {
    for (const kind of REPORT_KINDS) {
      const { title, facts, rows } = await store.report(kind)
      assert.ok(title.length > 5 && Object.keys(facts).length > 0, kind)
      let rowCount = 0
      for await (const row of rows) {
        rowCount++
        assert.ok(Object.keys(row).length >= 3, kind)
      }
      assert.ok(rowCount > 0 || kind === 'never', kind)
    }
  }))

test('what is no question, no store or no setting is an error with a code', async () => {
  const codeOf = (act: Promise<unknown>): Promise<string> =>
    act.then(
      () => 'no error',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
    )
  assert.is(await codeOf(openStore(scratch.path('nowhere'))), 'USAGE')
  writeFileSync(scratch.path('text.parquet'), 'no Parquet at all\n')
  const key = { asset: '/a', ip: '1', userAgent: '' }
  const foreign = await openStore(scratch.path('text.parquet'))
  assert.is(await codeOf(foreign.ask({ ...key, range: [0, 9] })), 'DAMAGED')
  await withStore(async (store) => {
    for (const range of [
      [5, 2],
      [-1, 2],
      [0.5, 2],
      [0, 2 ** 53],
      [Number.NaN, 1],
    ] as const) {
      assert.is(await codeOf(store.ask({ ...key, range })), 'USAGE', String(range))
    }
    assert.is(await codeOf(store.ask({ ...key, range: [0, 1], since: 'today' })), 'USAGE')
    assert.is(await codeOf(store.report('gaps', { by: 'ip' })), 'USAGE')
    assert.is(await codeOf(store.report('gaps', { length: 5 })), 'USAGE')
    assert.is(await codeOf(store.askListeners({ ...key, ip: '1/2', whole: true }).next()), 'USAGE')
  })
})

test('the packed package is imported by its name, with types, from a program of its own', () => {
  const home = scratch.path('consumer')
  mkdirSync(`${home}/node_modules/byteledger`, { recursive: true })
  const packing = ['pack', '--ignore-scripts', '--pack-destination', home]
  const stdio: StdioOptions = ['ignore', 'pipe', 'ignore']
  const filename = execFileSync('npm', packing, { cwd: ROOT, encoding: 'utf8', stdio }).trim()
  execFileSync('tar', [
    '-xzf',
    `${home}/${filename}`,
    '-C',
    `${home}/node_modules/byteledger`,
    '--strip-components=1',
  ])
  for (const name of ['thrift', 'node-int64', 'snappyjs', 'commander', 'piscina', '@types', 'undici-types'])
    symlinkSync(`${ROOT}node_modules/${name}`, `${home}/node_modules/${name}`)
  const program = `import { openStore, type Answer } from 'byteledger'
const store = await openStore(${JSON.stringify(path)})
const answer: Answer = await store.ask({ asset: '/asset/1', ip: '10.0.1.1', userAgent: 'VLC/1', whole: true })
const covered: number = answer.coveredBytes
console.log(JSON.stringify({ covered, verdict: answer.verdict }))
store.close()
`
  writeFileSync(`${home}/program.mts`, program)
  writeFileSync(`${home}/package.json`, '{"type":"module"}')
  const options = { module: 'nodenext', strict: true, skipLibCheck: false, target: 'es2023', types: ['node'] }
  writeFileSync(`${home}/tsconfig.json`, JSON.stringify({ compilerOptions: options, include: ['*.mts'] }))
  const environment = { ...process.env, NODE_OPTIONS: '' }
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, words, { cwd: home, encoding: 'utf8', env: environment })
  run(`${ROOT}node_modules/typescript/bin/tsc`, '-p', home)
  const found = JSON.parse(run(`${home}/program.mjs`))
  const own = records.filter((r) => r.asset === '/asset/1' && r.ip === '10.0.1.1' && r.userAgent === 'VLC/1')
  const length = Math.max(...records.filter((r) => r.asset === '/asset/1').map((r) => r.last + 1))
  assert.is(found.covered, askOracle({ first: 0, last: length - 1 }, own).coveredBytes)
  assert.ok(readFileSync(`${home}/node_modules/byteledger/README.md`, 'utf8').includes("from 'byteledger'"))
})

test.run()
