import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { mergedRanges, type RangeRow } from '#src/delivery/merged-ranges.js'
import { openStore } from '#src/delivery/store.js'
import { exportRanges } from '#src/engine/export-ranges.js'
import { encodeFooter } from '#src/parquet/file-footer-writer.js'
import { encodeFlatRowGroup } from '#src/parquet/flat-row-group.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('exported ranges')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const ALWAYS = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }

function randomRecords(seed: number, count: number, span: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(span)
    return {
      asset: `/asset/${random(4)}`,
      ip: `10.0.0.${random(6)}`,
      userAgent: ['', 'curl/8', 'Hörbuch ☂'][random(3)] ?? '',
      first,
      last: first + random(30),
      epochSeconds: EPOCH + random(40),
    }
  })
}

type Row = readonly (string | number)[]

/** Marks single bytes with the requests that sent them, then reads off the intervals. */
function expectedRows(records: readonly MemoryRecord[]): Row[] {
  const listeners = new Map<string, MemoryRecord[]>()
  for (const record of records) {
    const key = JSON.stringify([record.asset, record.ip, record.userAgent])
    listeners.set(key, [...(listeners.get(key) ?? []), record])
  }
  return [...listeners].flatMap(([key, requests]) => {
    const [asset, ip, userAgent]: [string, string, string] = JSON.parse(key)
    const bytes = new Set<number>()
    for (const { first, last } of requests) for (let byte = first; byte <= last; byte++) bytes.add(byte)
    const starts = [...bytes].filter((byte) => !bytes.has(byte - 1)).sort((a, b) => a - b)
    return starts.map((start) => {
      let end = start
      while (bytes.has(end + 1)) end++
      const inside = requests.filter(({ first }) => first >= start && first <= end)
      const epochs = inside.map(({ epochSeconds }) => epochSeconds)
      return [asset, ip, userAgent, start, end, Math.min(...epochs), Math.max(...epochs), inside.length]
    })
  })
}

const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

function valuesOf(row: RangeRow): Row {
  const { asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests } = row
  return [asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests]
}

async function duckdbRows(path: string, columns = '*'): Promise<Row[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet('${path}')`)
  const rows = reader
    .getRows()
    .map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : String(cell))))
  connection.closeSync()
  return rows
}

test('merged intervals are those of single bytes, in a file that DuckDB and hyparquet read', async () => {
  for (const [seed, count, span] of [
    [1, 5, 40],
    [2, 400, 300],
    [3, 3000, 2000],
  ] as const) {
    const records = randomRecords(seed, count, span)
    const path = scratch.path(`${seed}.parquet`)
    await writeDeliveryFile(path, records, 20_000)
    const store = openStore([path])
    const expected = expectedRows(records)
    const rows = [...mergedRanges(store, { asset: undefined, window: ALWAYS })]
    assert.equal(sorted(rows.map(valuesOf)), sorted(expected), `seed ${seed}`)
    const out = scratch.path(`${seed}-ranges.parquet`)
    const form = { format: 'parquet', head: '', textOf: () => '' } as const
    const written = await exportRanges(rows, out, form)
    assert.equal(written, { rows: expected.length, bytes: readFileSync(out).length })
    store.close()
    assert.equal(sorted(await duckdbRows(out)), sorted(expected), `seed ${seed}, read by DuckDB`)
    const objects = await parquetReadObjects({ file: Uint8Array.from(readFileSync(out)).buffer })
    const read = objects.map((row) =>
      Object.values(row).map((cell) => (typeof cell === 'bigint' ? Number(cell) : String(cell))),
    )
    assert.equal(sorted(read), sorted(expected), `seed ${seed}, read by hyparquet`)
  }
})

test('index pages of every width and every mixture of runs and singles are read by DuckDB as written', async () => {
  const schema = [
    { name: 't', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
    { name: 'n', physicalType: 'INT64', logicalType: 'INTEGER' },
  ] as const
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed)
    const valueCount = 1 + random(2 ** random(12))
    const rowCount = 1 + random(3000)
    const indexes = new Uint32Array(rowCount)
    for (let row = 0; row < rowCount; ) {
      const value = random(valueCount)
      for (let left = 1 + random(random(2) === 0 ? 3 : 40); left > 0 && row < rowCount; left--)
        indexes[row++] = value
    }
    const values = Array.from({ length: valueCount }, (_, i) => Buffer.from(`${i} ü`))
    const numbers = Float64Array.from(indexes, (index, row) =>
      row % 7 === 0 ? -index : index * 2 ** 40 + row,
    )
    const columns = [
      { kind: 'text', values, indexes },
      { kind: 'integer', values: numbers },
    ] as const
    const { bytes, metadata } = encodeFlatRowGroup(columns, rowCount, 4)
    const footer = encodeFooter({
      schema,
      rowCount,
      rowGroups: [metadata],
      keyValues: new Map(),
      createdBy: 'test',
    })
    const path = scratch.path('flat.parquet')
    writeFileSync(path, Buffer.concat([Buffer.from('PAR1'), bytes, footer]))
    const found = await duckdbRows(path)
    assert.equal(
      found,
      Array.from(indexes, (index, row) => [`${index} ü`, numbers[row] ?? 0]),
      `seed ${seed}`,
    )
    const bounds = await duckdbRows(path, "count(*) FILTER (t = '0 ü'), min(n), max(n)")
    assert.equal(bounds, [
      [
        indexes.filter((index) => index === 0).length,
        numbers.reduce((a, b) => Math.min(a, b)),
        numbers.reduce((a, b) => Math.max(a, b)),
      ],
    ])
  }
})

test('a file of no rows is a file, and a failure leaves what was there before', async () => {
  const out = scratch.path('empty-ranges.parquet')
  const form = { format: 'parquet', head: '', textOf: () => '' } as const
  await exportRanges([], out, form)
  assert.equal(await duckdbRows(out), [])
  const before = readFileSync(out)
  function* failing(): Generator<RangeRow> {
    yield {
      asset: '/a',
      ip: '1',
      userAgent: '',
      firstByte: 0,
      lastByte: 1,
      firstEpoch: 2,
      lastEpoch: 3,
      requests: 1,
    }
    throw new Error('disk on fire')
  }
  await exportRanges(failing(), out, form).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), 'disk on fire'),
  )
  assert.is(Buffer.compare(readFileSync(out), before), 0)
  assert.equal(
    readdirSync(scratch.path('.')).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('Ctrl-C is heard while rows are computed, and before the file appears', async () => {
  const row = {
    asset: '/a',
    ip: '192.0.2.1',
    userAgent: 'x',
    firstEpoch: EPOCH,
    lastEpoch: EPOCH,
    requests: 1,
  }
  function* slowRows(count: number): Generator<RangeRow> {
    for (let i = 0; i < count; i++) {
      const until = performance.now() + 20
      while (performance.now() < until);
      yield { ...row, firstByte: 2 * i, lastByte: 2 * i }
    }
  }
  const text = { head: '', textOf: () => 'row\n' }
  for (const format of ['parquet', 'ndjson'] as const) {
    // One comes in the middle, one behind the last row.
    for (const [count, afterMs] of [
      [1000, 100],
      [2, 10],
    ] as const) {
      const folder = makeTempFolder()
      const controller = new AbortController()
      setTimeout(() => controller.abort(), afterMs)
      const startedAt = performance.now()
      try {
        await exportRanges(slowRows(count), `${folder}/out`, { format, ...text }, controller.signal)
        assert.unreachable('it is interrupted')
      } catch (error) {
        assert.instance(error, Failure)
        assert.match(String(error), /interrupted; nothing was written/)
      }
      assert.ok(performance.now() - startedAt < 5000)
      assert.equal(readdirSync(folder), [])
    }
  }
})

test.run()
