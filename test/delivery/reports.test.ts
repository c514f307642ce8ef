import { writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { completionPass } from '#src/delivery/report-completion.js'
import { gapsPass, neverPass } from '#src/delivery/report-gaps.js'
import type { Report, ReportScope } from '#src/delivery/report-model.js'
import { retentionPass } from '#src/delivery/report-retention.js'
import { summaryPass } from '#src/delivery/report-summary.js'
import { wastePass } from '#src/delivery/report-waste.js'
import { RunBuffer } from '#src/delivery/run-buffer.js'
import { type DeliveryStore, openStore } from '#src/delivery/store.js'
import { processLogs } from '#src/engine/process-logs.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { reportOf } from '../support/report-rows.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('reports')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const ALL: ReportScope = {
  asset: undefined,
  window: { sinceEpochSeconds: undefined, untilEpochSeconds: undefined },
  givenLength: undefined,
}

/** A request, and the complete length that its line told, if it did. */
interface TellingRecord extends MemoryRecord {
  readonly told?: number
}

/** Requests whose lines tell lengths: some too short, some beyond what any request reached, some of nothing else. */
function tellingRecords(seed: number, count: number, span: number): TellingRecord[] {
  const random = seededRandom(seed + 1000)
  return Array.from({ length: count }, () => {
    const asset = random(5)
    const first = random(span)
    const last = Math.min(span - 1, first + random(span))
    const told = [last + 1, span + 20, span, span][asset] ?? last + 1 + random(3)
    return {
      ...{ asset: `/asset/${asset}`, ip: `10.0.0.${random(6)}`, userAgent: 'curl/8', first, last, told },
      epochSeconds: EPOCH + random(40) * 3600,
    }
  })
}

/** A log that tells lengths, and its file. */
async function writeTellingFile(path: string, records: readonly TellingRecord[]): Promise<void> {
  const lines = records.map(({ asset, ip, userAgent, first, last, told, epochSeconds }) =>
    JSON.stringify({
      ...{ reqTimeSec: `${epochSeconds}.5`, cliIP: ip, statusCode: '206', reqMethod: 'GET', reqPath: asset },
      ...{ UA: userAgent, range: `${first}-${last}`, bytes: `${last - first + 2}`, overheadBytes: '1' },
      objSize: `${told}`,
    }),
  )
  writeFileSync(`${path}.log`, `${lines.join('\n')}\n`)
  const maxRejects = { kind: 'count', count: 0 } as const
  await processLogs({ inputs: [`${path}.log`], out: path, threads: 1, shardByteLength: 3000, maxRejects })
}

function randomRecords(seed: number, count: number, span: number): TellingRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(span)
    return {
      asset: `/asset/${random(4)}`,
      ip: `10.0.0.${random(6)}`,
      userAgent: ['', 'curl/8', 'Hörbuch ☂'][random(3)] ?? '',
      first,
      last: Math.min(span - 1, first + random(span)),
      epochSeconds: EPOCH + random(40) * 3600,
    }
  })
}

/** Everything that the reports are about, byte by byte. */
interface ByteListener {
  readonly ip: string
  readonly userAgent: string
  readonly bytes: Set<number>
  sent: number
  requests: number
}

/** Of each asset its length and its listeners, by loops over single bytes. */
function bytesOf(records: readonly TellingRecord[], scope: ReportScope) {
  const assets = new Map<string, { length: number; from: string; listeners: Map<string, ByteListener> }>()
  for (const name of new Set(records.map((record) => record.asset))) {
    const ofAsset = records.filter((record) => record.asset === name)
    const told = Math.max(0, ...ofAsset.map((record) => record.told ?? 0))
    const reached = Math.max(...ofAsset.map((record) => record.last + 1))
    const length = scope.givenLength ?? Math.max(told, reached)
    const from = scope.givenLength !== undefined ? 'given' : told >= reached ? 'logged' : 'observed'
    assets.set(name, { length, from, listeners: new Map() })
  }
  for (const { asset: name, ip, userAgent, first, last, epochSeconds } of records) {
    const { sinceEpochSeconds = -Infinity, untilEpochSeconds = Infinity } = scope.window
    if (epochSeconds < sinceEpochSeconds || epochSeconds > untilEpochSeconds) continue
    const asset = assets.get(name)
    const known = asset?.listeners.get(`${ip}|${userAgent}`)
    const listener = known ?? { ip, userAgent, bytes: new Set<number>(), sent: 0, requests: 0 }
    asset?.listeners.set(`${ip}|${userAgent}`, listener)
    listener.requests++
    for (let byte = first; byte <= last; byte++) {
      listener.sent++
      if (byte < (asset?.length ?? 0)) listener.bytes.add(byte)
    }
  }
  for (const [name, { listeners }] of assets) {
    if (listeners.size === 0 || (scope.asset !== undefined && name !== scope.asset)) assets.delete(name)
  }
  return assets
}

/** The maximal ranges of bytes below `length` for which `isIn` holds, flat. */
function rangesWhere(length: number, isIn: (byte: number) => boolean): number[] {
  const flat: number[] = []
  for (let byte = 0; byte < length; byte++) {
    if (!isIn(byte)) continue
    if (flat.at(-1) === byte - 1) flat[flat.length - 1] = byte
    else flat.push(byte, byte)
  }
  return flat
}

function sorted(rows: Iterable<readonly unknown[]>): string[] {
  return Array.from(rows, (row) => JSON.stringify(row)).sort()
}

/** Calls `check` with stores of several files and with scopes of every kind. */
async function eachStore(
  check: (store: DeliveryStore, records: TellingRecord[], scope: ReportScope, what: string) => void,
) {
  for (const [seed, count, span] of [
    [1, 12, 40],
    [2, 60, 100],
    [3, 300, 1000],
    [4, 500, 163],
  ] as const) {
    const silent = randomRecords(seed, count, span)
    const telling = seed % 2 === 0 ? tellingRecords(seed, count / 2, span) : []
    const records = [...silent, ...telling]
    const paths = [0, 1].map((i) => scratch.path(`${seed}-${i}.parquet`))
    for (const [i, path] of paths.entries())
      await writeDeliveryFile(
        path,
        silent.filter((_, at) => at % 2 === i),
        3000,
      )
    if (telling.length > 0) {
      paths.push(scratch.path(`${seed}-telling.parquet`))
      await writeTellingFile(paths.at(-1) ?? '', telling)
    }
    const store = openStore(paths)
    const window = { sinceEpochSeconds: EPOCH + 5 * 3600, untilEpochSeconds: EPOCH + 20 * 3600 }
    const scopes: ReportScope[] = [ALL, { ...ALL, window }, { ...ALL, asset: '/asset/2' }]
    scopes.push({ asset: '/asset/1', window, givenLength: Math.floor(span / 2) })
    scopes.push({ ...ALL, asset: '/asset/1', givenLength: span * 2 })
    scopes.push({ ...ALL, asset: '/nowhere' })
    scopes.forEach((scope, i) => {
      check(
        store,
        scope.asset === undefined ? records : records.filter((r) => r.asset === scope.asset),
        scope,
        `seed ${seed}, scope ${i}`,
      )
    })
    store.close()
  }
}

test('completion counts the listeners by the share of bytes they hold', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].map(([asset, { length, from, listeners }]) => {
      const shares = [...listeners.values()].map(({ bytes }) => bytes.size / length)
      const count = (isIn: (share: number) => boolean) => shares.filter(isIn).length
      const requests = [...listeners.values()].reduce((sum, listener) => sum + listener.requests, 0)
      return [
        ...[asset, length, from, shares.length, count((s) => s === 1), count((s) => s >= 0.9 && s < 1)],
        ...[count((s) => s >= 0.5 && s < 0.9), count((s) => s < 0.5), requests],
      ]
    })
    assert.equal(sorted(reportOf(completionPass(scope), store).rows), sorted(expected), what)
  }))

test('retention gives the share of listeners who hold every byte of each hundredth', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].map(([asset, { length, from, listeners }]) => {
      const partCount = Math.min(100, length)
      const curve = Array.from({ length: partCount }, (_, part) => {
        const start = Math.floor((length * part) / partCount)
        const end = Math.floor((length * (part + 1)) / partCount)
        const holders = [...listeners.values()].filter(({ bytes }) =>
          Array.from({ length: end - start }, (_, i) => start + i).every((byte) => bytes.has(byte)),
        )
        return holders.length / listeners.size
      })
      return [asset, length, from, listeners.size, curve]
    })
    assert.equal(sorted(reportOf(retentionPass(scope), store).rows), sorted(expected), what)
  }))

test('gaps lists every listener who lacks a byte, and which', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].flatMap(([asset, { length, from, listeners }]) =>
      [...listeners.values()]
        .filter(({ bytes }) => bytes.size < length)
        .map(({ ip, userAgent, bytes, requests }) => {
          const gaps = rangesWhere(length, (byte) => !bytes.has(byte))
          const missing = length - bytes.size
          return [asset, ip, userAgent, length, from, bytes.size / length, missing, gaps, requests]
        }),
    )
    const found = Array.from(reportOf(gapsPass(scope), store).rows, (row) => row.slice(0, 9))
    assert.equal(sorted(found), sorted(expected), what)
  }))

test('never lists the bytes that no listener has', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].flatMap(([asset, { length, from, listeners }]) => {
      const flat = rangesWhere(length, (byte) =>
        [...listeners.values()].every(({ bytes }) => !bytes.has(byte)),
      )
      return Array.from({ length: flat.length / 2 }, (_, i) => {
        const [first = 0, last = 0] = flat.slice(2 * i)
        const bytes = last - first + 1
        return [asset, length, from, first, last, bytes, bytes / length, listeners.size]
      })
    })
    assert.equal(sorted(reportOf(neverPass(scope), store).rows), sorted(expected), what)
  }))

test('waste is what was sent less what each listener needed, however it is grouped', () =>
  eachStore((store, records, scope, what) => {
    const groups = [
      ['asset', (asset: string) => asset],
      ['ip', (_: string, { ip }: ByteListener) => ip],
      ['user-agent', (_: string, { userAgent }: ByteListener) => userAgent],
    ] as const
    for (const [by, nameOf] of groups) {
      const sums = new Map<string, number[]>()
      for (const [asset, { listeners }] of bytesOf(records, { ...scope, givenLength: undefined })) {
        for (const listener of listeners.values()) {
          const [sent = 0, needed = 0, requests = 0, count = 0] = sums.get(nameOf(asset, listener)) ?? []
          sums.set(nameOf(asset, listener), [
            ...[sent + listener.sent, needed + listener.bytes.size, requests + listener.requests, count + 1],
          ])
        }
      }
      const expected = [...sums].map(([name, [sent = 0, needed = 0, requests, count]]) => {
        return [name, sent - needed, (sent - needed) / sent, sent, needed, requests, count]
      })
      const report = reportOf(wastePass(scope, by), store)
      assert.equal(sorted(report.rows), sorted(expected), `${what}, by ${by}`)
      const wasted = Array.from(report.rows, (row) => Number(row[1]))
      assert.equal(
        wasted,
        wasted.toSorted((a, b) => b - a),
        'most waste first',
      )
    }
  }))

function factsOf({ facts }: Report): Record<string, string | number> {
  return Object.fromEntries(facts)
}

test('summary counts what is there, day by day, and the hours without logs', () =>
  eachStore((store, records, scope, what) => {
    const { window } = scope
    const kept = records.filter(
      ({ epochSeconds }) =>
        epochSeconds >= (window.sinceEpochSeconds ?? 0) &&
        epochSeconds <= (window.untilEpochSeconds ?? Infinity),
    )
    const report = reportOf(summaryPass(scope), store)
    const facts = factsOf(report)
    const distinct = (values: readonly unknown[]) => new Set(values).size
    const hours = [...new Set(kept.map(({ epochSeconds }) => Math.floor(epochSeconds / 3600)))].sort(
      (a, b) => a - b,
    )
    const [first = 0, last = -1] = [hours[0], hours.at(-1)]
    assert.equal(
      [
        facts['requests'],
        facts['rows, one for each byte sent'],
        facts['assets'],
        facts['listeners (address and user agent)'],
      ],
      [
        kept.length,
        kept.reduce((sum, r) => sum + r.last - r.first + 1, 0),
        distinct(kept.map((r) => r.asset)),
        distinct(kept.map((r) => `${r.ip}|${r.userAgent}`)),
      ],
      what,
    )
    assert.is(facts['hours without logs between the first and the last'], last - first + 1 - hours.length)
    const dayOf = (r: MemoryRecord) => new Date(r.epochSeconds * 1000).toISOString().slice(0, 10)
    for (const [day, requests, bytes, hourCount, silent] of report.rows) {
      const ofDay = kept.filter((r) => dayOf(r) === day)
      assert.is(requests, ofDay.length)
      assert.is(
        bytes,
        ofDay.reduce((sum, r) => sum + r.last - r.first + 1, 0),
      )
      assert.is(hourCount, distinct(ofDay.map((r) => Math.floor(r.epochSeconds / 3600))))
      assert.ok(silent === null || typeof silent === 'string')
    }
    assert.equal(
      Array.from(report.rows, ([day]) => day).filter((day) => kept.some((r) => dayOf(r) === day)),
      [...new Set(kept.map(dayOf))].sort(),
    )
  }))

test('silent hours are named, days without any log are listed', async () => {
  const at = (hour: number): MemoryRecord => ({
    ...{ asset: '/a', ip: '1', userAgent: '', first: 0, last: 0 },
    epochSeconds: Date.UTC(2024, 0, 1, hour) / 1000,
  })
  const path = scratch.path('silent.parquet')
  await writeDeliveryFile(path, [at(3), at(4), at(7), at(50)])
  const store = openStore([path])
  const { rows } = reportOf(summaryPass(ALL), store)
  assert.equal(Array.from(rows), [
    ['2024-01-01', 3, 3, 3, '5-6 8-23'],
    ['2024-01-02', 0, 0, 0, '0-23'],
    ['2024-01-03', 1, 1, 1, '0-1'],
  ])
  store.close()
})

test('facts say where lengths come from and how many assets they disagree about', () =>
  eachStore((store, records, scope, what) => {
    const told = records.filter((record) => record.told !== undefined)
    const conflicts = new Set(told.map((record) => record.asset)).size
    const differing = [...new Set(told.map((record) => record.asset))].filter(
      (asset) => new Set(told.flatMap((record) => (record.asset === asset ? record.told : []))).size > 1,
    )
    for (const pass of [completionPass(scope), retentionPass(scope), gapsPass(scope), neverPass(scope)]) {
      const facts = factsOf(reportOf(pass, store))
      const expected =
        scope.givenLength !== undefined
          ? `${scope.givenLength}, as given`
          : conflicts > 0
            ? 'the longest that logs tell; as far as any request reached where that is more, or none is told'
            : 'as far as any request reached'
      assert.is(facts['length'], expected, what)
      const count = facts['assets of which logs tell different lengths']
      const isTold = scope.givenLength === undefined && differing.length > 0
      assert.is(count, isTold ? differing.length : undefined, what)
    }
  }))

test('an asset with more requests than are held is looked up, and its rows are the same', () => {
  const listenerCount = 140_000
  let lookUps = 0
  const source = {
    toldLengths: () => new Map(),
    observedLength: () => {
      lookUps++
      return 30
    },
    *listeners() {
      const runs = new RunBuffer()
      for (const [asset, count] of [
        ['/small', 3],
        ['/large', listenerCount],
        ['/tiny', 1],
      ] as const) {
        for (let i = 0; i < count; i++) {
          runs.clear()
          runs.add(0, 10 + (i % 2) * 10, EPOCH)
          runs.add(10, 20 + (i % 3) * 5, EPOCH)
          yield { asset, ip: `${i}`, userAgent: '', runs }
        }
      }
    },
  }
  const { rows } = reportOf(gapsPass(ALL), source)
  assert.is(lookUps, 1)
  const lengths: Record<string, number> = { '/small': 30, '/large': 30, '/tiny': 20 }
  const expected = Object.entries({ '/small': 3, '/large': listenerCount, '/tiny': 1 }).flatMap(
    ([asset, count]) =>
      Array.from({ length: count }, (_, i) => [asset, `${i}`, (lengths[asset] ?? 0) - 20 - (i % 3) * 5]),
  )
  assert.equal(
    rows.map((row) => [row[0], row[1], row[6]]),
    expected.filter(([, , missing]) => Number(missing) > 0),
  )
})

test.run()
