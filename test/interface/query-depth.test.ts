import { mkdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseArguments } from '#src/interface/arguments.js'
import { runQuery } from '#src/interface/run-query.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { captureStream } from '../support/text-streams.ts'

const test = suite('query in depth')
const scratch = makeScratch()
test.after(() => scratch.remove())
const path = scratch.path('depth.parquet')

const sent = (ip: string, userAgent: string, first: number, last: number, second = 0): MemoryRecord => ({
  ...{ asset: '/a', ip, userAgent, first, last },
  epochSeconds: 1_596_200_000 + second,
})
test.before(() =>
  writeDeliveryFile(path, [
    sent('10.0.0.1', 'VLC/3', 0, 499),
    sent('10.0.0.1', 'VLC/3', 400, 999, 5),
    sent('10.0.0.2', 'VLC/4', 500, 699),
    sent('10.0.0.2', 'evil\u001b[2J', 0, 99),
    sent('10.9.0.1', 'VLC/3', 0, 999),
  ]),
)

interface Asked {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

function ask(...words: string[]): Promise<Asked> {
  return askOf(path, '--asset', '/a', ...words)
}

async function askOf(store: string, ...words: string[]): Promise<Asked> {
  const invocation = parseArguments(['query', '--store', store, ...words], 'b', () => '')
  if (invocation.command !== 'query') throw new Error('expected a query')
  const [stdout, stderr] = [captureStream(), captureStream()]
  const streams = { stdin: Readable.from([]), stdout, stderr, environment: {}, program: 'b' }
  const exitCode = await runQuery(invocation.options, streams)
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}

const ONE = ['--ip', '10.0.0.1', '--ua', 'VLC/3', '--range', '450-899']

test('--requests and --explain add members of their own and change nothing else', async () => {
  const plain = JSON.parse((await ask(...ONE, '--json')).stdout)
  const { requestList, explain, ...rest } = JSON.parse(
    (await ask(...ONE, '--json', '--requests', '--explain')).stdout,
  )
  assert.equal(rest, plain)
  assert.equal(requestList, [
    { range: [0, 499], at: '2020-07-31T12:53:20Z' },
    { range: [400, 999], at: '2020-07-31T12:53:25Z' },
  ])
  assert.is(explain.files, 1)
  assert.equal(explain.rowGroups, { considered: 1, pruned: 0, read: 1 })
  assert.is(explain.pages.considered, explain.pages.pruned + explain.pages.read)
  assert.ok(explain.pages.read >= 5 && explain.reads >= 5 && explain.bytesRead > 100)
})

test('--explain tells what was pruned', async () => {
  const { stdout, exitCode } = await ask('--ip', '203.0.113.1', '--ua', 'x', '--range', '0-1', '--explain')
  assert.is(exitCode, 1)
  assert.match(stdout, /row groups +1 read, 0 pruned, of 1\n/)
  assert.match(stdout, /files +1 read, 0 pruned, of 1\n/)
  const other = await ask('--ip', '1', '--ua', 'x', '--range', '0-1', '--explain', '--json')
  assert.is(JSON.parse(other.stdout).verdict, 'none')
})

test('--explain counts files that were pruned, by their day or by what is in them', async () => {
  const directory = scratch.path('days')
  const days: readonly (readonly [day: string, asset: string])[] = [
    ['2020-07-30', '/a'],
    ['2020-07-31', '/a'],
    ['2020-08-01', '/b'],
    ['2020-08-02', '/c'],
  ]
  for (const [day, asset] of days) {
    mkdirSync(`${directory}/date=${day}`, { recursive: true })
    const epochSeconds = Date.parse(`${day}T12:00:00Z`) / 1000
    await writeDeliveryFile(`${directory}/date=${day}/part.parquet`, [
      { ...sent('10.0.0.1', 'x', 0, 99), asset, epochSeconds },
    ])
  }
  const table: [words: string[], read: number][] = [
    [['--asset', '/a', '--ip', '10.0.0.1', '--range', '0-9'], 2],
    [['--asset', '/b', '--ip', '10.0.0.1', '--range', '0-9'], 1],
    [['--asset', '/none', '--ip', '2', '--range', '0-9'], 0],
    [['--asset', '/a', '--ip', '0.0.0.0/0', '--range', '0-9'], 2],
  ]
  for (const [words, read] of table) {
    const { stdout } = await askOf(directory, ...words, '--ua', 'x', '--explain', '--json')
    const { explain } = JSON.parse(stdout)
    assert.equal(explain.storeFiles, { considered: 4, pruned: 4 - read, read }, words.join(' '))
    assert.ok(explain.files >= read && explain.files <= 4)
    const people = await askOf(directory, ...words, '--ua', 'x', '--explain')
    assert.match(people.stdout, new RegExp(`files +${read} read, ${4 - read} pruned, of 4\\n`))
  }
})

test('people see the requests below the answer', async () => {
  const { stdout } = await ask(...ONE, '--requests', '--explain')
  assert.match(
    stdout,
    /^DELIVERED.*\n\n {2}2020-07-31T12:53:20Z {2}0-499 +500 B\n {2}2020-07-31T12:53:25Z {2}400-999 +600 B\n/s,
  )
  assert.match(stdout, /bytes read +[\d.]+ KiB in \d+ reads\n$/)
})

test('a block and a pattern give one answer a listener and the union', async () => {
  const words = ['--ip', '10.0.0.0/24', '--ua', 'VLC/*', '--ua', 'evil*', '--range', '0-999']
  const { exitCode, stdout } = await ask(...words, '--json', '--requests', '--explain')
  assert.is(exitCode, 1, 'not every listener has it all')
  const { v, asset, answers, listeners, complete, union, explain } = JSON.parse(stdout)
  assert.equal([v, asset, listeners, complete, explain.files], [1, '/a', 3, 1, 1])
  assert.equal(
    answers.map((a: { ip: string; userAgent: string; verdict: string; requestList: unknown[] }) => [
      ...[a.ip, a.userAgent, a.verdict, a.requestList.length],
    ]),
    [
      ['10.0.0.1', 'VLC/3', 'complete', 2],
      ['10.0.0.2', 'VLC/4', 'partial', 1],
      ['10.0.0.2', 'evil\u001b[2J', 'partial', 1],
    ],
  )
  assert.equal([union.verdict, union.covered, union.requests], ['complete', [[0, 999]], 4])
  assert.is(union.completeAt, '2020-07-31T12:53:25Z')
  const people = await ask(...words, '--requests')
  assert.match(people.stdout, /^DELIVERED TO SOME {2}1 of 3 listeners hold all of 0-999\n/)
  assert.match(people.stdout, /10\.0\.0\.2 {2}evil\\u001b\[2J\n/)
  assert.not.match(people.stdout.replaceAll('\n', ''), /\p{Cc}/u)
})

test('0 when each of several listeners has every byte', async () => {
  const { exitCode, stdout } = await ask('--ip', '10.0.0.1', '--ip', '10.9.0.1', '--ua', 'VLC/3', '--whole')
  assert.is(exitCode, 0)
  assert.match(stdout, /^DELIVERED {2}2 of 2 listeners/)
})

test('a value that no listener goes by is named, and never read as delivered', async () => {
  const range = ['--range', '0-99']
  const cases: [string[], string[], string[]][] = [
    [['--ip', '10.9.0.1', '--ip', '9.9.9.9', '--ua', 'VLC*'], ['9.9.9.9'], []],
    [['--ip', '10.9.0.1', '--ip', '9.9.9.0/24', '--ua', 'VLC/3'], ['9.9.9.0/24'], []],
    [['--ip', '10.9.0.1', '--ua', 'VLC/3', '--ua', 'Nope*'], [], ['Nope*']],
    [['--ip', '10.9.0.0/24', '--ua', 'VLC/3', '--ua', 'Nope'], [], ['Nope']],
  ]
  for (const [words, ips, userAgents] of cases) {
    const { exitCode, stdout, stderr } = await ask(...words, ...range, '--json')
    const { listeners, complete, unmatched } = JSON.parse(stdout)
    assert.equal([exitCode, listeners, complete, unmatched], [1, 1, 1, { ips, userAgents }], words.join(' '))
    assert.match(stderr, /no listener of this asset is meant by --(ip|user-agent) /)
    const { stdout: text } = await ask(...words, ...range)
    assert.match(text, /^DELIVERED TO SOME {2}1 of 1 listener hold/)
    assert.match(text, new RegExp(`\\n {2}nobody is +${[...ips, ...userAgents][0]?.replace('*', '\\*')}\\n`))
  }
  const { exitCode, stdout, stderr } = await ask(
    '--ip',
    '10.9.0.1',
    '--ua',
    'VLC*',
    '--ua',
    'VLC/3',
    ...range,
    '--json',
  )
  assert.equal([exitCode, JSON.parse(stdout).unmatched, stderr], [0, undefined, ''])
})

test('a selection without listeners is no evidence, and still one JSON object', async () => {
  const words = ['--ip', '192.0.2.0/24', '--ua', '*', '--range', '0-9']
  const { exitCode, stdout } = await ask(...words, '--json')
  assert.is(exitCode, 1)
  const nothing = { requestedBytes: 10, coveredBytes: 0, covered: [], missing: [[0, 9]], requests: 0 }
  const union = {
    ...{ range: [0, 9], verdict: 'none', ...nothing, firstAt: null, lastAt: null, completeAt: null },
    length: { bytes: 1000, from: 'observed' },
  }
  assert.equal(JSON.parse(stdout), {
    ...{ v: 1, asset: '/a', answers: [], listeners: 0, complete: 0, union },
    unmatched: { ips: ['192.0.2.0/24'], userAgents: ['*'] },
  })
  const unknown = await askOf(path, '--asset', '/x', ...words.slice(0, 4), '--whole', '--json')
  assert.equal(JSON.parse(unknown.stdout).union, {
    ...{ ...union, range: null, verdict: 'unknown', requestedBytes: 0, missing: [], length: null },
  })
  assert.match((await ask(...words)).stdout, /^NO EVIDENCE/)
})

test('the length of an asset is no matter of time', async () => {
  for (const ip of ['10.0.0.2', '10.0.0.2/32']) {
    const { stdout } = await ask('--ip', ip, '--ua', 'VLC/4', '--whole', '--until', '2000-01-01', '--json')
    const { answers: [answer] = [JSON.parse(stdout)] } = JSON.parse(stdout)
    assert.equal([answer.range, answer.verdict], [[0, 999], 'none'], ip)
    assert.equal(answer.length, { bytes: 1000, from: 'observed' }, ip)
  }
})

test('a question that finds nothing names what it may have meant', async () => {
  const { stderr } = await ask('--ip', '10.0.0.1', '--ua', 'VLC', '--range', '0-9')
  assert.match(stderr, /note: nearest known: --user-agent VLC\/3\n/)
  const hostile = await ask('--ip', '10.0.0.2', '--ua', 'evil', '--range', '0-9')
  assert.match(hostile.stderr, /--user-agent \$'evil\\u001b\[2J'/)
})

test('so does a question about several listeners, unless one of them has other bytes or other times', async () => {
  const note = /note: nearest known: --ip 10\.9\.0\.1 or --ip 10\.0\.0\.1\n/
  for (const json of [[], ['--json']]) {
    const words = [...json, '--ua', 'VLC/3', '--range', '0-9']
    assert.match((await ask('--ip', '10.9.0.8/29', ...words)).stderr, note)
    assert.match((await ask('--ip', '10.9.0.8', '--ip', '10.9.0.9', ...words)).stderr, note)
  }
  const found = ['--ip', '10.0.0.0/30', '--ua', 'VLC/3', '--range']
  assert.is((await ask(...found, '0-9')).stderr, '')
  assert.is((await ask(...found, '5000-5009')).stderr, '')
  assert.is((await ask(...found, '0-9', '--since', '2021-01-01')).stderr, '')
})

test.run()
