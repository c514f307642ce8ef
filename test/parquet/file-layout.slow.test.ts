import { readFileSync, writeFileSync } from 'node:fs'
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { inOneGo } from '#src/base/steps.js'
import { readCheckedLayout } from '#src/delivery/checked-layout.js'
import { ASSET_ENDS_KEY } from '#src/delivery/schema.js'
import type { FileLayout } from '#src/parquet/file-layout.js'
import { type Layout, LayoutTally } from '#src/parquet/layout-tally.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { queryDuckdb } from '../support/foreign-readers.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { seededDraw } from '../support/random-runs.ts'

const test = suite('layout of a file')
const scratch = makeScratch()
test.after(() => scratch.remove())

const own = scratch.path('own.parquet')
const small = scratch.path('small.parquet')
const foreign = scratch.path('foreign.parquet')
const nested = scratch.path('nested.parquet')

test.before(async () => {
  const draw = seededDraw(7)
  const records: MemoryRecord[] = Array.from({ length: 600 }, (_, i) => {
    const first = draw(1000)
    return {
      asset: `/a/${draw(9)}`,
      ip: `192.0.2.${draw(40)}`,
      userAgent: `agent ${draw(5)}`,
      first,
      last: first + (i % 50 === 0 ? 3_000_000 : draw(2000)),
      epochSeconds: 1_596_200_000 + draw(200_000),
    }
  })
  await writeDeliveryFile(own, records, 8192)
  await writeDeliveryFile(small, records.slice(1, 9))
  await queryDuckdb(
    `COPY (SELECT i::INTEGER AS "day", (i * 3)::BIGINT AS big, 'text ' || (i % 7) AS word, i / 7.0::DOUBLE AS "real",
       CASE WHEN i % 3 = 0 THEN NULL ELSE i::UINTEGER END AS maybe, TIMESTAMP '2024-05-17' + INTERVAL (i) SECOND AS at
     FROM range(5000) t(i)) TO '${foreign}' (FORMAT parquet, ROW_GROUP_SIZE 2048, CODEC 'zstd')`,
  )
  await queryDuckdb(
    `COPY (SELECT i AS id, [i, i + 1] AS list, {'x': i, 'y': 'z'} AS struct FROM range(1000) t(i)) TO '${nested}' (FORMAT parquet)`,
  )
})

function inspect(path: string, verifiesPages = false): { file: FileLayout; layout: Layout } {
  const tally = new LayoutTally()
  const file = inOneGo(readCheckedLayout(path, tally, { verifiesPages }))
  return { file, layout: tally.layout() }
}

/** A column's figures in a form that DuckDB and we both give. */
interface ColumnFigures {
  readonly type: string
  readonly codecs: string
  readonly encodings: string
  readonly values: number
  readonly stored: number
  readonly plain: number
}

/** What DuckDB's `parquet_metadata` adds up to, by column. */
async function duckdbColumns(path: string): Promise<Map<string, ColumnFigures>> {
  const rows = await queryDuckdb(
    `SELECT replace(path_in_schema, ', ', '.'), any_value(type), any_value(compression), any_value(encodings),
       sum(num_values), sum(total_compressed_size), sum(total_uncompressed_size)
     FROM parquet_metadata('${path}') GROUP BY 1`,
  )
  return new Map(
    rows.map(([name = '', type = '', codecs = '', encodings = '', values, stored, plain]) => {
      const names = encodings.split(', ').sort().join(' ')
      const sums = { values: Number(values), stored: Number(stored), plain: Number(plain) }
      return [name, { type, codecs, encodings: names, ...sums }]
    }),
  )
}

test('rows, row groups, sizes, encodings and codecs are those that DuckDB reads, of any writer', async () => {
  for (const path of [own, small, foreign, nested]) {
    const { file, layout } = inspect(path)
    const [facts] = await queryDuckdb(
      `SELECT created_by, num_rows, num_row_groups, footer_size, file_size_bytes FROM parquet_file_metadata('${path}')`,
    )
    const found = [file.footer.createdBy, layout.rowCount, layout.rowGroupCount]
    assert.equal([...found, file.footerByteLength - 8, file.byteLength].map(String), facts, path)
    const ours = layout.columns.map(({ column, codecs, encodings, ...sums }): [string, ColumnFigures] => {
      const names = encodings.toSorted().join(' ')
      const { valueCount: values, compressedByteLength: stored, uncompressedByteLength: plain } = sums
      const type = column.physicalType
      return [column.name, { type, codecs: codecs.join(), encodings: names, values, stored, plain }]
    })
    assert.equal(new Map(ours.toSorted()), new Map([...(await duckdbColumns(path))].toSorted()), path)
  }
  assert.ok(inspect(own).layout.rowGroupCount > 3, 'several row groups are added up')
})

test('page counts, indexes and bloom filters are those that hyparquet reads', async () => {
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(own))
  const { layout } = inspect(own)
  const verified = inspect(own, true)
  const sum = (figures: (number | undefined)[]): number => figures.reduce<number>((a, b) => a + (b ?? 0), 0)
  layout.columns.forEach((found, ordinal) => {
    const chunks = metadata.row_groups.map(({ columns }) => columns[ordinal])
    const pages = (type: string): number =>
      sum(
        chunks.flatMap((chunk) =>
          (chunk?.meta_data?.encoding_stats ?? [])
            .filter(({ page_type }) => page_type === type)
            .map(({ count }) => count),
        ),
      )
    const name = found.column.name
    assert.is(found.dataPageCount, pages('DATA_PAGE'), name)
    assert.is(found.dictionaryPageCount, pages('DICTIONARY_PAGE'), name)
    assert.is(found.columnIndexes.byteLength, sum(chunks.map((chunk) => chunk?.column_index_length)), name)
    assert.is(found.offsetIndexes.byteLength, sum(chunks.map((chunk) => chunk?.offset_index_length)), name)
    assert.is(
      found.bloomFilters.byteLength,
      sum(chunks.map((chunk) => chunk?.meta_data?.bloom_filter_length)),
      name,
    )
  })
  assert.equal(verified.layout, layout, 'the pages that were read are those that are stated')
  assert.equal(layout.sortOrders, ['request, ip, user_agent'])
  // Nothing but the first magic number and our section is unaccounted for.
  const keyValues = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]))
  const [, parts = 0, directory = 0] = keyValues.get(ASSET_ENDS_KEY)?.split(' ').map(Number) ?? []
  assert.is(layout.byteShares.other, 4 + parts + directory)
})

test('bounds of numbers and texts are those of the rows', async () => {
  for (const [path, columns] of [
    [own, ['epoch', 'ip', 'request', 'byte_num']],
    [foreign, ['day', 'big', 'word', 'maybe', 'real']],
  ] as const) {
    const { layout } = inspect(path)
    for (const name of columns) {
      const [row] = await queryDuckdb(`SELECT min("${name}"), max("${name}") FROM '${path}'`)
      const found = layout.columns.find(({ column }) => column.name === name)?.bounds
      assert.equal(found?.map(String), row, name)
    }
  }
  const { layout } = inspect(own)
  assert.equal(layout.columns[0]?.bounds, ['2020-07-31', '2020-08-02'])
})

test('a file of another writer is shown and said to be one; nulls are counted, pages are walked', () => {
  const { file, layout } = inspect(foreign, true)
  assert.is(file.isSealed, false)
  assert.match(file.footer.createdBy ?? '', /DuckDB/)
  assert.equal(file.verification?.failures, [])
  assert.ok((file.verification?.pageCount ?? 0) >= 3 * 6)
  const maybe = layout.columns.find(({ column }) => column.name === 'maybe')
  assert.equal([maybe?.nullCount, maybe?.valueCount], [1667, 5000])
  assert.equal([maybe?.column.repetition, maybe?.column.logicalType], ['OPTIONAL', 'INTEGER(32,unsigned)'])
  const names = inspect(nested, true).layout.columns.map(({ column }) => column.name)
  assert.equal(names, ['id', 'list.list.element', 'struct.x', 'struct.y'])
})

/** The layout as text, or the code of the Failure; any other error is a bug and passes through. */
function textOrFailure(path: string, verifiesPages: boolean): string {
  try {
    const { file, layout } = inspect(path, verifiesPages)
    const { path: _, ...rest } = file
    const failures = file.verification?.failures ?? []
    return failures.length > 0
      ? 'DAMAGED'
      : JSON.stringify([{ ...rest, footer: rest.footer.columns }, layout])
  } catch (failure) {
    if (failure instanceof Failure) return failure.code
    throw failure
  }
}

test('with any bit flipped or the end cut off, a file of ours is refused or shown as it was', () => {
  const damagedPath = scratch.path('damaged.parquet')
  const bytes = readFileSync(small)
  const right = textOrFailure(small, false)
  const rightVerified = textOrFailure(small, true)
  const undetected: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      writeFileSync(damagedPath, bytes)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      const found = textOrFailure(damagedPath, false)
      assert.ok(found === 'DAMAGED' || found === right, `bit ${bit} of byte ${at}: ${found}`)
      const verified = textOrFailure(damagedPath, true)
      if (verified === rightVerified) undetected.push(`bit ${bit} of byte ${at}`)
      else assert.is(verified, 'DAMAGED', `bit ${bit} of byte ${at}`)
    }
  }
  assert.equal(undetected, [], 'reading every page finds every bit')
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(damagedPath, bytes.subarray(0, length))
    assert.is(textOrFailure(damagedPath, true), 'DAMAGED', `cut at ${length}`)
  }
})

test('with any byte of its footer changed, a file of another writer gives a layout or a Failure, soon', () => {
  const damagedPath = scratch.path('damaged-foreign.parquet')
  for (const path of [foreign, nested]) {
    const bytes = readFileSync(path)
    const { footerByteLength } = inspect(path).file
    const draw = seededDraw(11)
    for (let at = bytes.length - footerByteLength; at < bytes.length; at++) {
      const before = bytes[at] ?? 0
      for (const value of [before ^ (1 << draw(8)), draw(256), 0xff]) {
        bytes[at] = value
        writeFileSync(damagedPath, bytes)
        textOrFailure(damagedPath, true)
      }
      bytes[at] = before
    }
  }
})

test.run()
