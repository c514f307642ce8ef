import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reportCompletion } from '#src/delivery/report-completion.js'
import { reportGaps, reportNever } from '#src/delivery/report-gaps.js'
import type { Report, ReportScope } from '#src/delivery/report-model.js'
import { reportRetention } from '#src/delivery/report-retention.js'
import { reportSummary } from '#src/delivery/report-summary.js'
import { reportWaste } from '#src/delivery/report-waste.js'
import { type DeliveryStore, openStore } from '#src/delivery/store.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
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

function randomRecords(seed: number, count: number, span: number): MemoryRecord[] {
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
function bytesOf(records: readonly MemoryRecord[], scope: ReportScope) {
  const assets = new Map<string, { length: number; listeners: Map<string, ByteListener> }>()
  for (const record of records) {
    const asset = assets.get(record.asset) ?? { length: 0, listeners: new Map<string, ByteListener>() }
    assets.set(record.asset, asset)
    asset.length = scope.givenLength ?? Math.max(asset.length, record.last + 1)
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
  check: (store: DeliveryStore, records: MemoryRecord[], scope: ReportScope, what: string) => void,
) {
  for (const [seed, count, span] of [
    [1, 12, 40],
    [2, 60, 100],
    [3, 300, 1000],
    [4, 500, 163],
  ] as const) {
    const records = randomRecords(seed, count, span)
    const paths = [0, 1].map((i) => scratch.path(`${seed}-${i}.parquet`))
    for (const [i, path] of paths.entries())
      await writeDeliveryFile(
        path,
        records.filter((_, at) => at % 2 === i),
        3000,
      )
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
    const expected = [...bytesOf(records, scope)].map(([asset, { length, listeners }]) => {
      const shares = [...listeners.values()].map(({ bytes }) => bytes.size / length)
      const count = (isIn: (share: number) => boolean) => shares.filter(isIn).length
      const requests = [...listeners.values()].reduce((sum, listener) => sum + listener.requests, 0)
      return [
        ...[asset, length, shares.length, count((s) => s === 1), count((s) => s >= 0.9 && s < 1)],
        ...[count((s) => s >= 0.5 && s < 0.9), count((s) => s < 0.5), requests],
      ]
    })
    assert.equal(sorted(reportCompletion(store, scope).rows), sorted(expected), what)
  }))

test('retention gives the share of listeners who hold every byte of each hundredth', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].map(([asset, { length, listeners }]) => {
      const partCount = Math.min(100, length)
      const curve = Array.from({ length: partCount }, (_, part) => {
        const start = Math.floor((length * part) / partCount)
        const end = Math.floor((length * (part + 1)) / partCount)
        const holders = [...listeners.values()].filter(({ bytes }) =>
          Array.from({ length: end - start }, (_, i) => start + i).every((byte) => bytes.has(byte)),
        )
        return holders.length / listeners.size
      })
      return [asset, length, listeners.size, curve]
    })
    assert.equal(sorted(reportRetention(store, scope).rows), sorted(expected), what)
  }))

test('gaps lists every listener who lacks a byte, and which', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].flatMap(([asset, { length, listeners }]) =>
      [...listeners.values()]
        .filter(({ bytes }) => bytes.size < length)
        .map(({ ip, userAgent, bytes, requests }) => {
          const gaps = rangesWhere(length, (byte) => !bytes.has(byte))
          return [asset, ip, userAgent, length, bytes.size / length, length - bytes.size, gaps, requests]
        }),
    )
    const found = Array.from(reportGaps(store, scope).rows, (row) => row.slice(0, 8))
    assert.equal(sorted(found), sorted(expected), what)
  }))

test('never lists the bytes that no listener has', () =>
  eachStore((store, records, scope, what) => {
    const expected = [...bytesOf(records, scope)].flatMap(([asset, { length, listeners }]) => {
      const flat = rangesWhere(length, (byte) =>
        [...listeners.values()].every(({ bytes }) => !bytes.has(byte)),
      )
      return Array.from({ length: flat.length / 2 }, (_, i) => {
        const [first = 0, last = 0] = flat.slice(2 * i)
        const bytes = last - first + 1
        return [asset, length, first, last, bytes, bytes / length, listeners.size]
      })
    })
    assert.equal(sorted(reportNever(store, scope).rows), sorted(expected), what)
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
      const report = reportWaste(store, scope, by)
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
    const report = reportSummary(store, scope)
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
  const { rows } = reportSummary(store, ALL)
  assert.equal(Array.from(rows), [
    ['2024-01-01', 3, 3, 3, '5-6 8-23'],
    ['2024-01-02', 0, 0, 0, '0-23'],
    ['2024-01-03', 1, 1, 1, '0-1'],
  ])
  store.close()
})

test.run()
