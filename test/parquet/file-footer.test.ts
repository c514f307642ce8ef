import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { decodeFooter, FileFooter, readCreatedBy } from '#src/parquet/file-footer.js'
import { encodeFooter } from '#src/parquet/file-footer-writer.js'
import { FooterDirectoryWriter } from '#src/parquet/footer-directory.js'
import type { FileMetadata } from '#src/parquet/metadata.js'
import { writeRowGroupMetadata } from '#src/parquet/row-group-metadata.js'
import { endWithChecksum } from '#src/parquet/thrift-compact.js'
import { sampleMetadata } from '../support/footer-samples.ts'
import {
  hexOf,
  plain,
  structOf,
  type ThriftStruct,
  type ThriftValue,
  thrift,
  thriftDecode,
  thriftEncode,
} from '../support/thrift-oracle.ts'

const test = suite('file footer')

const EXTENSION_FIELD = 32767
const place = (byteOffset: number) => ({ where: 'test', byteOffset })

/** The `FileMetaData` alone: without its length and `PAR1`. */
function structureOf(footer: Uint8Array): Uint8Array {
  return footer.subarray(0, footer.length - 8)
}

/** A footer with the fields of `struct`, its row groups found anew and a right directory and checksum. */
function seal(struct: ThriftStruct): Uint8Array {
  const whole = new Map(struct)
  whole.delete(EXTENSION_FIELD)
  const w = new ByteWriter()
  const directory = new FooterDirectoryWriter()
  const rowGroups = whole.get(4)?.value
  const before = thriftEncode(new Map([...whole].filter(([id]) => id < 4)))
  const elements =
    rowGroups !== undefined && typeof rowGroups === 'object' && 'elements' in rowGroups
      ? rowGroups.elements
      : []
  // Up to the list's header, then each row group by itself.
  let at = before.length + (elements.length < 15 ? 1 : 2)
  for (const { value } of elements) {
    const place = { byteOffset: at, leadingStatistics: 0 }
    directory.add(place, { rowCount: 1, columns: [], sortingColumns: [] })
    at += value instanceof Map ? thriftEncode(value).length : 0
  }
  w.append(thriftEncode(whole))
  w.length--
  endWithChecksum(w, directory.end(at))
  return w.copy()
}

/** `struct` with the value at `path` replaced by what `change` makes of it. */
function altered(
  struct: ThriftStruct,
  path: readonly number[],
  change: (value: ThriftValue) => ThriftValue | undefined,
): ThriftStruct {
  const [id = 0, ...rest] = path
  const fields = new Map(struct)
  const field = fields.get(id)
  if (field === undefined) throw new Error(`no field ${id}`)
  const next = alteredValue(field, rest, change)
  if (next === undefined) fields.delete(id)
  else fields.set(id, next)
  return fields
}

function alteredValue(
  field: ThriftValue,
  path: readonly number[],
  change: (value: ThriftValue) => ThriftValue | undefined,
): ThriftValue | undefined {
  if (path.length === 0) return change(field)
  const { type, value } = field
  if (value instanceof Map) return { type, value: altered(value, path, change) }
  if (typeof value !== 'object' || !('elements' in value)) throw new Error('no structure')
  const [index, ...rest] = path
  const elements = value.elements.flatMap((element, i) =>
    i === index ? (alteredValue(element, rest, change) ?? []) : [element],
  )
  return { type, value: { elementType: value.elementType, elements } }
}

function withoutViews(metadata: FileMetadata): unknown {
  return {
    ...metadata,
    keyValues: [...metadata.keyValues],
    rowGroups: metadata.rowGroups.map((rowGroup) => ({
      ...rowGroup,
      columns: rowGroup.columns.map((column) => ({
        ...column,
        min: hexOf(column.min),
        max: hexOf(column.max),
      })),
    })),
  }
}

test('a footer ends with its length and PAR1, and decodes to what was encoded', () => {
  for (const rowGroupCount of [0, 1, 2, 14, 15, 40]) {
    const { metadata, dataEnd } = sampleMetadata(rowGroupCount)
    const footer = encodeFooter(metadata)
    const tail = Buffer.from(footer.subarray(footer.length - 8))
    assert.is(tail.readUInt32LE(0), footer.length - 8)
    assert.is(tail.toString('latin1', 4), 'PAR1')
    assert.equal(withoutViews(decodeFooter(structureOf(footer), place(dataEnd))), withoutViews(metadata))
  }
})

test('thrift reads every field of the file, its schema and its key-values', () => {
  const { metadata } = sampleMetadata(2)
  const file = plain(thriftDecode(encodeFooter(metadata)))
  assert.equal(file[1], 1)
  assert.equal(file[2], [
    { 4: 'schema', 5: 7 },
    { 1: 1, 3: 0, 4: 'date', 6: 6, 10: { 6: {} } },
    { 1: 2, 3: 0, 4: 'epoch', 6: 18, 10: { 10: { 1: 64, 2: true } } },
    { 1: 6, 3: 0, 4: 'ip', 6: 0, 10: { 1: {} } },
    { 1: 6, 3: 0, 4: 'user_agent', 6: 0, 10: { 1: {} } },
    { 1: 6, 3: 0, 4: 'user_agent_md5', 6: 0, 10: { 1: {} } },
    { 1: 6, 3: 0, 4: 'request', 6: 0, 10: { 1: {} } },
    { 1: 2, 3: 0, 4: 'byte_num', 6: 18, 10: { 10: { 1: 64, 2: true } } },
  ])
  assert.is(file[3], 2 ** 31)
  assert.equal(file[5], [
    { 1: 'byteledger.layout', 2: '1' },
    { 1: Buffer.from('ключ').toString('latin1'), 2: '' },
  ])
  assert.is(file[6], 'byteledger version 0.1.0')
  assert.equal(file[7], Array(7).fill({ 1: {} }))
})

test('thrift reads every field of a row group and its column chunks', () => {
  const { metadata } = sampleMetadata(2)
  const file = plain(thriftDecode(encodeFooter(metadata)))
  const rowGroup = metadata.rowGroups[1]
  const expected = rowGroup?.columns.map((column, i) => ({
    2: 0,
    3: {
      1: [1, 2, 6, 6, 6, 6, 2][i],
      2: i === 6 ? [3, 5] : [0, 3, 8],
      3: [metadata.schema[i]?.name],
      4: i === 6 ? 6 : 1,
      5: 2 ** 30,
      6: 2 ** 33,
      7: 1000,
      9: column.dataPageOffset,
      ...(i === 6 ? {} : { 11: column.dictionaryPageOffset }),
      12: {
        3: 0,
        5: Buffer.from(column.max).toString('latin1'),
        6: Buffer.from(column.min).toString('latin1'),
        7: true,
        8: true,
      },
      13:
        i === 6
          ? [{ 1: 0, 2: 5, 3: 1024 }]
          : [
              { 1: 2, 2: 0, 3: 1 },
              { 1: 0, 2: 8, 3: 8 },
            ],
      ...(i === 2 ? { 14: column.bloomFilter?.byteOffset, 15: 100 } : {}),
    },
    4: column.offsetIndex?.byteOffset,
    5: 100,
    6: column.columnIndex?.byteOffset,
    7: 100,
  }))
  const found = file[4]
  assert.ok(Array.isArray(found))
  assert.equal(found[1], {
    1: expected,
    2: 7 * 2 ** 33,
    3: 2 ** 30,
    4: [5, 2, 3].map((column) => ({ 1: column, 2: false, 3: false })),
    5: rowGroup?.columns[0]?.dictionaryPageOffset,
    6: 7000,
    7: 1,
  })
})

test('the bytes are those that thrift writes for the same structure', () => {
  const structure = structureOf(encodeFooter(sampleMetadata(20).metadata))
  assert.is(hexOf(thriftEncode(thriftDecode(structure))), hexOf(structure))
})

test('the ordinal of a row group is left out where 16 bits cannot hold it', () => {
  const { metadata } = sampleMetadata(1)
  const [rowGroup] = metadata.rowGroups
  if (rowGroup === undefined) throw new Error('no row group')
  const ordinalOf = (ordinal: number) => {
    const w = new ByteWriter()
    writeRowGroupMetadata(w, rowGroup, metadata.schema, ordinal)
    return plain(thriftDecode(w.view()))[7]
  }
  assert.is(ordinalOf(32_767), 32_767)
  assert.is(ordinalOf(32_768), undefined)
})

test('a footer by thrift is read, fields that we never write skipped', () => {
  const { metadata, dataEnd } = sampleMetadata(3)
  const struct = thriftDecode(structureOf(encodeFooter(metadata)))
  const unknown = thrift.struct({
    1: thrift.list(12, [thrift.struct({ 3: thrift.text('x') })]),
    90: thrift.bool(true),
  })
  const extended = altered(struct, [4, 1, 1, 2, 3], (value) =>
    value.value instanceof Map ? { ...value, value: new Map([...value.value, [16, unknown]]) } : undefined,
  )
  const bytes = seal(new Map([...extended, [8, unknown]]))
  assert.equal(withoutViews(decodeFooter(bytes, place(dataEnd))), withoutViews(metadata))
})

test('a footer whose parts are missing, negative, outside or in disagreement is refused', () => {
  const { metadata, dataEnd } = sampleMetadata(2)
  const struct = thriftDecode(structureOf(encodeFooter(metadata)))
  assert.is(decodeFooter(seal(struct), place(dataEnd)).rowCount, metadata.rowCount)
  const i64 = (value: number) => () => thrift.i64(value)
  const i32 = (value: number) => () => thrift.i32(value)
  const gone = () => undefined
  const table: [string, number[], (value: ThriftValue) => ThriftValue | undefined][] = [
    ['another row count', [3], i64(5)],
    ['no row count', [3], gone],
    ['no schema', [2], gone],
    ['no row groups', [4], gone],
    ['no column orders', [7], gone],
    ['a column order less', [7, 0], gone],
    ['an optional column', [2, 1, 3], i32(1)],
    ['a column of doubles', [2, 1, 1], i32(5)],
    ['a column more', [2, 0, 5], i32(8)],
    ['a column in the row group less', [4, 1, 1, 6], gone],
    ['a chunk of another type', [4, 1, 1, 6, 3, 1], i32(1)],
    ['a chunk of another name', [4, 1, 1, 6, 3, 3, 0], () => thrift.text('byte_nun')],
    ['a chunk of another codec', [4, 1, 1, 6, 3, 4], i32(3)],
    ['a chunk of an unknown encoding', [4, 1, 1, 6, 3, 2, 0], i32(7)],
    [
      'a chunk in another file',
      [4, 1, 1, 6],
      (value) =>
        value.value instanceof Map
          ? { ...value, value: new Map([[1, thrift.text('a')], ...value.value]) }
          : undefined,
    ],
    ['other value counts', [4, 1, 1, 6, 3, 5], i64(2)],
    ['no statistics', [4, 1, 1, 6, 3, 12], gone],
    ['no minimum', [4, 1, 1, 6, 3, 12, 6], gone],
    ['nulls', [4, 1, 1, 6, 3, 12, 3], i64(1)],
    ['a negative size', [4, 1, 1, 6, 3, 7], i64(-1000)],
    ['a negative uncompressed size', [4, 1, 1, 6, 3, 6], i64(-1)],
    ['no data page', [4, 1, 1, 6, 3, 9], gone],
    ['pages at a negative offset', [4, 1, 1, 6, 3, 9], i64(-4)],
    ['pages before the data', [4, 1, 1, 6, 3, 9], i64(3)],
    ['pages behind the data', [4, 1, 1, 6, 3, 9], i64(dataEnd - 999)],
    ['data before the dictionary', [4, 1, 1, 0, 3, 9], i64(10)],
    ['a dictionary at a negative offset', [4, 1, 1, 0, 3, 11], i64(-2)],
    ['a bloom filter behind the data', [4, 1, 1, 2, 3, 14], i64(dataEnd)],
    ['a bloom filter without a length', [4, 1, 1, 2, 3, 15], gone],
    ['an index of a negative length', [4, 1, 1, 2, 7], i32(-1)],
    ['an index without an offset', [4, 1, 1, 2, 4], gone],
    ['an index behind the data', [4, 1, 1, 2, 4], i64(2 ** 52)],
    ['rows in descending order', [4, 1, 4, 0, 2], () => thrift.bool(true)],
    ['a row group without rows', [4, 1, 3], i64(0)],
    ['a row group of negative rows', [4, 1, 3], i64(-(2 ** 30))],
  ]
  for (const [name, path, change] of table) {
    const bytes = seal(altered(struct, path, change))
    assert.throws(() => decodeFooter(bytes, place(dataEnd)), /test.*expected/, name)
  }
})

test('list sizes, string lengths and nesting beyond the bytes are refused before memory is taken', () => {
  const raw: Record<string, number[]> = {
    'a schema of 2^31-1 elements': [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07],
    'row groups of 2^31-1': [0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07],
    'an unknown list of 2^31-1 bool': [0x59, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07],
    'an unknown map of 2^31-1': [0x5b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x88],
    'a creator of 2^31-1 bytes': [0x68, 0xff, 0xff, 0xff, 0xff, 0x07],
    'a varint that never ends': [0x36, ...Array(40).fill(0xff)],
    'structures in structures': Array(5000).fill(0x1c),
    'lists in lists': [0x99, ...Array(5000).fill(0x19)],
    'a row count beyond 2^53': [0x36, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  }
  for (const [name, bytes] of Object.entries(raw)) {
    const w = new ByteWriter()
    w.append(Uint8Array.from(bytes))
    endWithChecksum(w, new FooterDirectoryWriter().end(w.length))
    assert.throws(() => decodeFooter(w.copy(), place(1000)), /test.*expected/, name)
    if (name !== 'a row count beyond 2^53')
      assert.throws(() => readCreatedBy(w.copy(), 'test'), /test.*expected/, name)
  }
})

test('a directory that does not match the row groups is refused', () => {
  const { metadata, dataEnd } = sampleMetadata(2)
  const footer = encodeFooter(metadata)
  const contentLength = 2 * 20 + 8
  const end = footer.length - 8 - 9
  const listEnd = Buffer.from(footer).readUInt32LE(end - 8)
  const reseal = (change: (directory: Buffer) => unknown): Uint8Array => {
    const directory = Buffer.from(footer.subarray(end - contentLength, end))
    change(directory)
    const w = new ByteWriter()
    w.append(footer.subarray(0, end - contentLength - 5))
    endWithChecksum(w, directory)
    return w.copy()
  }
  assert.is(hexOf(reseal((directory) => directory)), hexOf(structureOf(footer)))
  const table: Record<string, (directory: Buffer) => unknown> = {
    'a row group more': (directory) => directory.writeUInt32LE(3, 44),
    '2^32 - 1 row groups': (directory) => directory.writeUInt32LE(0xffff_ffff, 44),
    'a row group less': (directory) => directory.writeUInt32LE(1, 44),
    'a later first row group': (directory) => directory.writeUInt32LE(directory.readUInt32LE(0) + 1, 0),
    'a later second row group': (directory) => directory.writeUInt32LE(directory.readUInt32LE(20) + 1, 20),
    'a second before the first': (directory) => directory.writeUInt32LE(0, 20),
    'an earlier end': (directory) => directory.writeUInt32LE(listEnd - 1, 40),
    'an end far away': (directory) => directory.writeUInt32LE(0xffff_fff0, 40),
  }
  for (const [name, change] of Object.entries(table)) {
    assert.throws(() => decodeFooter(reseal(change), place(dataEnd)), /test.*expected/, name)
  }
})

test('the bounds of the leading sorting column are found without decoding a row group', () => {
  const { metadata, dataEnd } = sampleMetadata(3)
  const structure = structureOf(encodeFooter(metadata))
  const footer = new FileFooter(structure, place(dataEnd))
  const request = metadata.rowGroups[1]?.columns[5]
  if (request === undefined) throw new Error('no request')
  const changed = (bytes: Uint8Array, at: number, by: number) =>
    bytes.map((byte, i) => (i === at ? byte + by : byte))
  assert.ok(footer.mayLeadWith(1, request.min))
  assert.ok(footer.mayLeadWith(1, request.max))
  assert.ok(footer.mayLeadWith(1, changed(request.min, 29, 1)))
  assert.ok(footer.mayLeadWith(1, Buffer.concat([request.min, Buffer.from([0])])))
  assert.not(footer.mayLeadWith(1, request.min.subarray(0, -1)))
  assert.not(footer.mayLeadWith(1, changed(request.min, 1, -1)))
  assert.not(footer.mayLeadWith(1, changed(request.max, 29, 1)))
  assert.not(footer.mayLeadWith(1, Buffer.concat([request.max, Buffer.from([0])])))
  const unsorted = {
    ...metadata,
    rowGroups: metadata.rowGroups.map((group) => ({ ...group, sortingColumns: [] })),
  }
  const other = new FileFooter(structureOf(encodeFooter(unsorted)), place(dataEnd))
  assert.ok(other.mayLeadWith(1, Uint8Array.of()))
})

test('no flipped bit and no truncation passes for a footer', () => {
  const { metadata, dataEnd } = sampleMetadata(2)
  const footer = structureOf(encodeFooter(metadata))
  for (let bit = 0; bit < footer.length * 8; bit++) {
    footer[bit >>> 3] = (footer[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => decodeFooter(footer, place(dataEnd)), /expected/, `bit ${bit}`)
    footer[bit >>> 3] = (footer[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
  }
  for (let length = 0; length < footer.length; length++) {
    assert.throws(() => decodeFooter(footer.subarray(0, length), place(dataEnd)), /expected/)
  }
})

test('who wrote a file is found without understanding anything else of it', () => {
  const foreign = structOf({
    1: thrift.i32(2),
    2: thrift.list(12, [thrift.struct({ 4: thrift.text('root'), 5: thrift.i32(0) })]),
    3: thrift.i64(0),
    4: thrift.list(12, []),
    6: thrift.text('parquet-cpp-arrow version 17'),
  })
  assert.is(readCreatedBy(thriftEncode(foreign), 'test'), 'parquet-cpp-arrow version 17')
  assert.is(readCreatedBy(thriftEncode(structOf({ 1: thrift.i32(2) })), 'test'), undefined)
  assert.throws(() => decodeFooter(thriftEncode(foreign), place(100)), /a checksum at its end, found none/)
})

test.run()
