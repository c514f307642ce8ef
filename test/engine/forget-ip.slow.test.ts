/** What is forgotten is nowhere any more, and nothing else is missing. */

import { copyFileSync, linkSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compactStore } from '#src/engine/compact-store.js'
import { forgetIp } from '#src/engine/forget-ip.js'
import { vacuumStore } from '#src/engine/vacuum-store.js'
import { CHECKPOINT_INTERVAL, readTable } from '#src/table/table.js'
import { logOf } from '../support/delivery-file.ts'
import { countBloomHits, findText } from '../support/find-bytes.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  appendRecords,
  assertAnswers,
  duckdbRows,
  expectedLines,
  filesOf,
  linesOf,
  listTree,
  makeStore,
  putFile,
  randomRecords,
  startBuilt,
} from '../support/store-samples.ts'
import { commitQuickly, failureOf } from '../table/sample-table.ts'

const test = suite('forgetting an address')
const UUID = '01234567-89ab-cdef-0123-456789abcdef'
const EPOCH = 1_715_900_000

function request(ip: string, asset = '/a', epochSeconds = EPOCH): MemoryRecord {
  return { asset, ip, userAgent: 'curl/8', first: 0, last: 9, epochSeconds }
}

const without = (records: readonly MemoryRecord[], ip: string): MemoryRecord[] =>
  records.filter((r) => r.ip !== ip)

/** Fails unless the store has all of the records but the address's, and its bytes nowhere. */
async function assertForgotten(store: string, records: readonly MemoryRecord[], ip: string): Promise<void> {
  const rest = without(records, ip)
  assert.equal(findText(store, ip), [], `${ip} is found nowhere`)
  for (const path of await filesOf(store))
    assert.is(await countBloomHits(path, 'ip', ip), 0, `${ip} in ${path}`)
  assert.equal(await linesOf(store), expectedLines(rest), `all but ${ip}`)
  const { files, removed } = await readTable(store)
  const data = listTree(store).filter((name) => !name.startsWith('_delta_log/'))
  assert.equal(data, [...files.keys()].sort(), 'no file but those of the newest version')
  assert.ok(![...removed.keys()].some((path) => data.includes(path)))
}

test('random stores: an address is in no byte of any file, and the others are answered as before', async () => {
  for (const [seed, ip, isCompact] of [
    [31, '10.0.0.100', true],
    [33, '10.0.0.105', false],
    [34, '2001:db8::1', true],
  ] as const) {
    const records = randomRecords({ seed, count: 220, longest: 40, dayCount: seed === 33 ? 1 : 2 })
    const store = await makeStore(records)
    if (isCompact) await compactStore({ store })
    const kinds = new Set(findText(store, ip).map((place) => place.replace(/^.*: (row group \d+, )?/, '')))
    assert.ok(
      kinds.has('bytes') || kinds.has('ip, DICTIONARY_PAGE'),
      `the search finds it before: ${[...kinds]}`,
    )
    const others = (rows: readonly string[][]): string[][] => rows.slice(1).filter((row) => row[2] !== ip)
    const before = others(await duckdbRows(store))
    const report = await forgetIp({
      store,
      ip,
      limits: seed === 33 ? { fanIn: 6, batchRuns: 50 } : undefined,
    })
    assert.is(report.requests, records.length - without(records, ip).length, `seed ${seed}: requests`)
    assert.ok(report.requests > 10 && report.filesRewritten >= 3 && report.filesDeleted > 3)
    await assertForgotten(store, records, ip)
    assert.equal(others(await duckdbRows(store)), before, `seed ${seed}: DuckDB reads the others as before`)
    await assertAnswers(store, without(records, ip), { seed, count: 60, span: 150 })
    await compactStore({ store })
    assert.equal(findText(store, ip), [], 'nor does compaction bring it back')
    assert.equal(await linesOf(store), expectedLines(without(records, ip)))
  }
})

test('the search looks everywhere: it finds an address that only a page, a dictionary or a bound holds', async () => {
  const ips = ['198.51.100.1', '198.51.100.2', '198.51.100.3']
  const store = await makeStore(
    ips.map((ip, i) => request(ip, `/${i}`)),
    1,
    1 << 20,
  )
  const kinds = (ip: string): string[] => findText(store, ip).map((place) => place.replace(/^.*: /, ''))
  // The smallest and the largest are statistics, in the log as well.
  assert.ok(kinds(ips[0] ?? '').filter((kind) => kind === 'bytes').length === 2)
  assert.ok(kinds(ips[2] ?? '').filter((kind) => kind === 'bytes').length === 2)
  assert.ok(kinds(ips[1] ?? '').includes('row group 0, ip, DICTIONARY_PAGE'))
  assert.is(await countBloomHits((await filesOf(store))[0] ?? '', 'ip', ips[1] ?? ''), 1)
  assert.is(await countBloomHits((await filesOf(store))[0] ?? '', 'ip', '198.51.100.9'), 0)
})

test('only the dates that have the address are rewritten; a file of nothing else goes without a successor', async () => {
  const ip = '198.51.100.7'
  const day = (n: number): number => EPOCH + 86_400 * n
  const records = [
    request('10.0.0.1', '/a', day(0)),
    request(ip, '/b', day(1)),
    request('10.0.0.1', '/c', day(2)),
    request(ip, '/c', day(2)),
  ]
  const store = await makeStore(records, 1)
  const before = await filesOf(store)
  const report = await forgetIp({ store, ip })
  assert.equal([report.requests, report.filesRewritten, report.store.version], [2, 2, 2])
  await assertForgotten(store, records, ip)
  const after = await filesOf(store)
  assert.is(after.length, 2)
  assert.is(after[0], before[0], 'the first day is as it was')
  await forgetIp({ store, ip: '10.0.0.1' })
  assert.equal(await filesOf(store), [])
  assert.equal(await linesOf(store).catch(() => []), [])
  await appendRecords(store, [request('10.0.0.2')])
  assert.equal(await linesOf(store), expectedLines([request('10.0.0.2')]))
})

test('an address that nobody has changes no answer and no version; history goes, for it may have it', async () => {
  const records = randomRecords({ seed: 35, count: 50, longest: 9 })
  const store = await makeStore(records)
  const before = await filesOf(store)
  for (const ip of ['', '\ud800', "'; drop"])
    assert.match(await failureOf('USAGE', forgetIp({ store, ip })), /nothing was changed/, ip)
  assert.is((await readTable(store, 1)).version, 1)
  for (const ip of ['203.0.113.99', '10.0.0.10']) {
    const { requests, filesRewritten, store: after, mentions } = await forgetIp({ store, ip })
    assert.equal([requests, filesRewritten, after.version, mentions], [0, 0, 2, 0], ip)
  }
  assert.equal(await filesOf(store), before)
  assert.equal(await linesOf(store), expectedLines(records))
  assert.match(await failureOf('USAGE', readTable(store, 1)), /no longer has version 1/)
})

test('an address is forgotten in all spellings of it', async () => {
  const spellings = ['2001:db8::1', '2001:DB8:0::1', '2001:0db8:0:0:0:0:0:1']
  const mapped = ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201']
  for (const forms of [spellings, mapped]) {
    for (const ip of forms) {
      const records = [...forms, '2001:db8::2', '192.0.2.10'].map((text, i) => request(text, `/a${i}`))
      const store = await makeStore(records, 2)
      const { requests } = await forgetIp({ store, ip })
      assert.is(requests, forms.length, ip)
      assert.equal(await linesOf(store), expectedLines(records.slice(forms.length)), ip)
    }
  }
})

test('a text that stands for an address is forgotten, one that is not there is refused', async () => {
  const records = [request('3f0c-hash'), request('192.0.2.0/24'), request('192.0.2.10')]
  const store = await makeStore(records, 2)
  assert.is((await forgetIp({ store, ip: '3f0c-hash' })).requests, 1)
  assert.is((await forgetIp({ store, ip: '192.0.2.0/24' })).requests, 1)
  const { version } = await readTable(store)
  assert.match(await failureOf('USAGE', forgetIp({ store, ip: '192.0.2.0/24' })), /nothing was changed/)
  assert.is((await readTable(store)).version, version)
  assert.equal(await linesOf(store), expectedLines(records.slice(2)))
})

test('what only older versions, removed files, checkpoints and leftovers of the log hold goes too', async () => {
  const ip = '198.51.100.7'
  const records = [request(ip, '/a'), request('10.0.0.1', '/a'), request('10.0.0.1', '/b')]
  const store = await makeStore(records, 3)
  // A commit that died after its link, and a checkpoint that died before its rename, an hour ago and more.
  const log = join(store, '_delta_log')
  const temporary = join(log, `.commit-${UUID}.tmp`)
  linkSync(join(log, '00000000000000000000.json'), temporary)
  for (let i = 3; i <= CHECKPOINT_INTERVAL; i++) {
    await commitQuickly(store, i - 1, [{ txn: { appId: `sha256:${i}`, version: 1 } }])
  }
  assert.ok(readdirSync(log).includes('00000000000000000100.checkpoint.parquet'))
  const checkpoint = join(log, `.checkpoint-${UUID}.tmp`)
  copyFileSync(join(log, '00000000000000000100.checkpoint.parquet'), checkpoint)
  await compactStore({ store })
  assert.ok(findText(store, ip).some((place) => place.includes('checkpoint.parquet')))
  assert.match(
    await failureOf('ENVIRONMENT', forgetIp({ store, ip })),
    /uncommitted files .*vacuum --retain 0s/,
  )
  assert.equal(await linesOf(store), expectedLines(without(records, ip)), 'it is forgotten all the same')
  for (const path of [temporary, checkpoint])
    utimesSync(path, new Date(0), new Date(Date.now() - 2 * 3_600_000))
  const { requests } = await forgetIp({ store, ip })
  assert.is(requests, 0)
  await assertForgotten(store, records, ip)
})

test('a young file that no version has may be of a run under way: it stays, and that is told', async () => {
  const ip = '198.51.100.7'
  const records = [request(ip), request('10.0.0.1')]
  const store = await makeStore(records, 1)
  const [file = ''] = await filesOf(store)
  const young = putFile(join(store, 'date=2024-05-16', `part-${UUID}.parquet`))
  writeFileSync(young, readFileSync(file))
  const { exitCode, stdout, stderr } = await startBuilt(['forget', '--store', store, '--ip', ip]).end
  assert.equal([exitCode, stdout], [2, ''])
  assert.match(stderr, /has forgotten the address, but uncommitted files .* may still hold it/)
  assert.match(stderr, young)
  assert.not.equal(findText(store, ip), [])
  await vacuumStore({ store, retentionMs: 0 })
  await forgetIp({ store, ip })
  await assertForgotten(store, records, ip)
})

test('the same log again adds nothing, as the store remembers it; --force brings the address back', async () => {
  const ip = '198.51.100.7'
  const records = [request(ip), request('10.0.0.1')]
  const store = await makeStore([request('10.0.0.2')], 1)
  await appendRecords(store, records)
  await forgetIp({ store, ip })
  const again = await appendRecords(store, records)
  assert.equal(
    again.store.inputs.map(({ status }) => status),
    ['known'],
  )
  await assertForgotten(store, [...records, request('10.0.0.2')], ip)
  const log = putFile(join(store, '..', 'forced.log'), logOf(records))
  const forced = await startBuilt(['process', log, '--store', store, '--force']).end
  assert.is(forced.exitCode, 0, forced.stderr)
  assert.ok((await linesOf(store)).some((line) => line.includes(ip)))
})

test('user agents and requests of others that contain the address stay, and are counted', async () => {
  const ip = '198.51.100.7'
  const mention = { ...request('10.0.0.1', `/from/${ip}`), userAgent: `proxy for ${ip}` }
  const store = await makeStore([request(ip), mention, request('10.0.0.1')], 1)
  const { requests, mentions } = await forgetIp({ store, ip })
  assert.equal([requests, mentions], [1, 2])
  assert.equal(await linesOf(store), expectedLines([mention, request('10.0.0.1')]))
})

test('while others append the address again it is forgotten or told, and nothing of theirs is lost', async () => {
  const ip = '198.51.100.7'
  const records = randomRecords({ seed: 36, count: 500, longest: 30, dayCount: 1 })
  const store = await makeStore([...records, request(ip)], 2, 20_000)
  const added: MemoryRecord[] = []
  let isAppending = true
  const appends = (async () => {
    for (let i = 0; i < 6; i++) {
      const more = [request(ip, `/more/${i}`), request('10.0.0.1', `/more/${i}`)]
      await appendRecords(store, more)
      added.push(...more)
      await setTimeout(20)
    }
    isAppending = false
  })()
  // A run under way has young files, so some attempts say that.
  const ends: string[] = []
  while (isAppending) {
    await forgetIp({ store, ip }).then(
      () => ends.push('done'),
      (failure) => ends.push(String(failure.message)),
    )
  }
  await appends
  for (const end of ends) assert.match(end, /^done$|may still hold it|others add or replace files/)
  const others = (await linesOf(store)).filter((line) => !line.split(' ').includes(ip))
  assert.equal(others, expectedLines(without([...records, ...added], ip)))
  await forgetIp({ store, ip })
  await assertForgotten(store, [...records, ...added], ip)
})

test('killed at any moment the others are answered as before, and the next run completes it', async () => {
  const ip = '10.0.0.103'
  const records = randomRecords({ seed: 37, count: 6000, longest: 60, assetCount: 40, dayCount: 3 })
  const rest = expectedLines(without(records, ip)).join('\n')
  const store = await makeStore(records, 2, 20_000)
  const random = seededRandom(12)
  for (let i = 0; i < 4; i++) {
    const child = startBuilt(['forget', '--store', store, '--ip', ip])
    await setTimeout(150 + random(400))
    child.kill('SIGKILL')
    await child.end
    const lines = await linesOf(store)
    assert.ok(lines.filter((line) => !line.split(' ').includes(ip)).join('\n') === rest, `kill ${i}`)
    await vacuumStore({ store, retentionMs: 0 })
  }
  const last = startBuilt(['forget', '--store', store, '--ip', ip, '--json'])
  const { exitCode, stderr } = await last.end
  assert.is(exitCode, 0, stderr)
  await assertForgotten(store, records, ip)
})

test.run()
