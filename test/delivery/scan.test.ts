import fs, { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { fileKeyValues, SCHEMA } from '#src/delivery/schema.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { encodeFooter } from '#src/parquet/file-footer-writer.js'
import type { FileMetadata } from '#src/parquet/metadata.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'

const test = suite('scan')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000
const KEY = { asset: '/a', ip: '10.0.0.1', userAgent: 'curl/8' }

/** A file without row groups, as `encodeFooter` makes it of `metadata`. */
function writeEmptyFile(name: string, metadata: Partial<FileMetadata>): string {
  const path = scratch.path(name)
  const footer = encodeFooter({
    schema: SCHEMA,
    rowCount: 0,
    rowGroups: [],
    keyValues: fileKeyValues({ runCount: 0, rows: 0 }),
    createdBy: 'byteledger version 0',
    ...metadata,
  })
  writeFileSync(path, Buffer.concat([Buffer.from('PAR1'), footer]))
  return path
}

async function writeByDuckDb(path: string): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (SELECT DATE '2020-07-31' AS date, 1596200000::BIGINT AS epoch, '10.0.0.1' AS ip,
    'curl/8' AS user_agent, md5('curl/8') AS user_agent_md5, '/a' AS request, range AS byte_num FROM range(500))
    TO '${path}' (FORMAT parquet, KV_METADATA {"byteledger.layout": '1'})`)
  connection.closeSync()
}

function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('expected a Failure')
}

function ask(path: string): unknown {
  const store = openStore([path])
  try {
    return store.findEvidence(KEY, { start: 0, end: 10 })
  } finally {
    store.close()
  }
}

test('a file that is not ours is refused with what it is, by every question', async () => {
  const foreign = scratch.path('duckdb.parquet')
  await writeByDuckDb(foreign)
  const text = scratch.path('text.parquet')
  writeFileSync(text, 'date\tepoch\tip\n'.repeat(20))
  const halves = scratch.path('halves.parquet')
  writeFileSync(halves, Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100), Buffer.from('PARE')]))
  const empty = scratch.path('empty.parquet')
  writeFileSync(empty, '')
  const longFooter = scratch.path('long-footer.parquet')
  writeFileSync(longFooter, Buffer.from('PAR1\xff\xff\xff\x7fPAR1', 'latin1'))
  const [first, ...others] = SCHEMA
  if (first === undefined) throw new Error('no schema')
  const keyValues = new Map([...fileKeyValues({ runCount: 0, rows: 0 }), ['byteledger.layout', '2']])
  const renamed = [...others, { ...first, name: 'day' }]
  const table: [string, RegExp][] = [
    [foreign, /expected a file of byteledger.*found one by DuckDB/],
    [text, /expected a Parquet file, PAR1 at both ends, found none at its start/],
    [halves, /PAR1 at both ends, found none at its end/],
    [empty, /expected a Parquet file, found a file of 0 bytes/],
    [longFooter, /expected a footer within 12 bytes, found one of 2147483647/],
    [
      writeEmptyFile('layout.parquet', { keyValues }),
      /expected a byteledger file of layout 1, found layout 2 by byteledger version 0/,
    ],
    [
      writeEmptyFile('no-layout.parquet', { keyValues: new Map() }),
      /found layout none by byteledger version 0/,
    ],
    [
      writeEmptyFile('columns.parquet', { schema: renamed }),
      /expected the columns date, epoch.*found epoch, ip.*day/,
    ],
    [writeEmptyFile('fewer.parquet', { schema: others.slice(1) }), /expected the columns date, epoch/],
    [
      writeEmptyFile('type.parquet', { schema: [{ ...first, logicalType: 'INTEGER' }, ...others] }),
      /expected the columns/,
    ],
  ]
  for (const [path, message] of table) {
    const failure = failureOf(() => ask(path))
    assert.is(failure.code, 'DAMAGED', path)
    assert.match(failure.message, message)
    assert.ok(failure.message.startsWith(path), failure.message)
  }
  assert.equal(ask(writeEmptyFile('ours.parquet', {})), { runs: [], assetKnown: false, listenerKnown: false })
})

test('a file that cannot be read is the environment’s fault', () => {
  const directory = scratch.path('directory.parquet')
  mkdirSync(directory)
  for (const path of [scratch.path('nowhere.parquet'), directory]) {
    const failure = failureOf(() => ask(path))
    assert.is(failure.code, 'ENVIRONMENT')
    assert.ok(failure.message.includes(path))
  }
})

test('hyparquet reads the page indexes that we write', async () => {
  const path = scratch.path('indexes.parquet')
  const long = { ...KEY, first: 2 ** 40, last: 2 ** 40 + 3 * 2 ** 20, epochSeconds: EPOCH }
  await writeDeliveryFile(path, [{ ...KEY, first: 5, last: 9, epochSeconds: EPOCH }, long])
  const bytes = readFileSync(path)
  const buffer = Uint8Array.from(bytes).buffer
  const metadata = parquetMetadata(buffer)
  const chunk = metadata.row_groups[0]?.columns[6]
  const schema = metadata.schema[7]
  if (chunk === undefined || schema === undefined) throw new Error('no chunk')
  const readerAt = (offset: bigint | undefined) => ({ view: new DataView(buffer, Number(offset)), offset: 0 })
  const { page_locations: locations } = readOffsetIndex(readerAt(chunk.offset_index_offset))
  const index = readColumnIndex(readerAt(chunk.column_index_offset), schema)
  const file = openFile(path)
  const positions = file.positions(0, 'byte_num')
  assert.is(locations.length, positions.pageCount)
  locations.forEach((location, page) => {
    assert.is(Number(location.first_row_index), positions.firstRows[page])
    assert.is(Number(index.min_values[page]), positions.bounds.minOf(page))
    assert.is(Number(index.max_values[page]), positions.bounds.maxOf(page))
    assert.is(index.null_pages[page], false)
    assert.is(bytes[Number(location.offset)], 0x15, 'a page header stands there')
  })
  file.close()
})

test('DuckDB finds in our bloom filters what is there, and little else', async () => {
  const path = scratch.path('bloom.parquet')
  await writeDeliveryFile(
    path,
    Array.from({ length: 300 }, (_, i) => ({
      ...KEY,
      ip: `10.0.0.${i}`,
      first: 0,
      last: 9,
      epochSeconds: EPOCH,
    })),
  )
  const connection = await (await DuckDBInstance.create()).connect()
  const excludes = async (column: string, value: string): Promise<boolean> => {
    const reader = await connection.runAndReadAll(
      `FROM parquet_bloom_probe('${path}', '${column}', '${value}')`,
    )
    return reader.getRowObjects().every((row) => row['bloom_filter_excludes'] === true)
  }
  for (let i = 0; i < 300; i += 7) assert.is(await excludes('ip', `10.0.0.${i}`), false, `10.0.0.${i}`)
  let excluded = 0
  for (let i = 0; i < 60; i++) if (await excludes('ip', `10.1.0.${i}`)) excluded++
  assert.ok(excluded >= 55, `${excluded} of 60`)
  assert.is(await excludes('request', '/a'), false)
  assert.is(await excludes('request', '/b'), true)
  connection.closeSync()
})

/** Bytes and calls that `act` takes from files. */
function countReads(act: () => void): { byteCount: number; callCount: number } {
  const counted = { byteCount: 0, callCount: 0 }
  const { readSync } = fs
  const counting = (...args: Parameters<typeof readSync>): number => {
    const count = readSync(...args)
    counted.callCount++
    counted.byteCount += count
    return count
  }
  Object.assign(fs, { readSync: counting })
  syncBuiltinESMExports()
  try {
    act()
  } finally {
    Object.assign(fs, { readSync })
    syncBuiltinESMExports()
  }
  return counted
}

test('a narrow question reads the pages that matter and no others', async () => {
  // 2,000 requests of 70,000 positions, each with a page of its own, in row groups of 1,024; and one long one.
  const records: MemoryRecord[] = Array.from({ length: 2000 }, (_, i) => ({
    asset: `/asset/${i % 50}`,
    ip: `10.0.${i % 40}.${i % 7}`,
    userAgent: `agent ${i % 3}`,
    first: i * 100,
    last: i * 100 + 70_000,
    epochSeconds: EPOCH + i,
  }))
  records.push({ ...KEY, first: 0, last: 2 ** 33, epochSeconds: EPOCH })
  const path = scratch.path('many.parquet')
  await writeDeliveryFile(path, records)
  const fileByteLength = readFileSync(path).length
  const [record] = records
  if (record === undefined) throw new Error('no record')
  const store = openStore([path])
  // The first read of a file is its end, 64 KiB.
  const cold = countReads(() => store.findEvidence(record, { start: 10, end: 20 }))
  assert.ok(cold.byteCount < 64 * 1024 + 120_000, `${cold.byteCount} of ${fileByteLength} bytes`)
  assert.ok(cold.callCount <= 20, `${cold.callCount} reads`)
  const again = countReads(() => store.findEvidence(record, { start: 10, end: 20 }))
  assert.equal(again, { byteCount: 0, callCount: 0 }, 'what was read is kept')
  // Wholly within one request of 8 billion rows the page index says it all.
  const long = countReads(() => {
    const { runs } = store.findEvidence(KEY, { start: 2 ** 32, end: 2 ** 32 + 1 })
    assert.is(runs.length, 1)
  })
  assert.ok(long.byteCount < 100_000, `${long.byteCount} bytes`)
  store.close()
})

test.run()
