/** Law: a path in the log means one file inside the table, and a day is a day of the calendar. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dateOfPath, decodeDataPath, encodeDataPath, isDate, problemOfPath } from '#src/table/data-path.js'

const SEED = 20240517
const test = suite('data paths')

test('names of every kind survive the log', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  let keptCount = 0
  fc.assert(
    fc.property(path, (original) => {
      if (problemOfPath(original) !== undefined) return
      keptCount++
      const encoded = encodeDataPath(original)
      assert.match(encoded, /^[A-Za-z0-9\-_.!~*'()=%/]+$/)
      assert.equal(decodeDataPath(encoded), { path: original })
    }),
    { seed: SEED, numRuns: 500 },
  )
  assert.ok(keptCount > 100, `only ${keptCount} paths were allowed (seed ${SEED})`)
})

test('a partition keeps its equals sign, and what a URI cannot hold is encoded', () => {
  assert.is(encodeDataPath('date=2024-05-17/a b%é.parquet'), 'date=2024-05-17/a%20b%25%C3%A9.parquet')
})

for (const [encoded, problem] of [
  ['', /empty/],
  ['/etc/passwd', /absolute/],
  ['%2Fetc/passwd', /absolute/],
  ['../x.parquet', /segment '\.\.'/],
  ['date=2024-05-17/../../x', /segment '\.\.'/],
  ['date=2024-05-17/%2e%2e/x', /segment '\.\.'/],
  ['a/..', /segment '\.\.'/],
  ['a/.', /segment '\.'/],
  ['./a', /segment '\.'/],
  ['a//b', /segment ''/],
  ['a/', /segment ''/],
  ['s3://bucket/x', /scheme/],
  ['file:/x', /scheme/],
  ['a\\..\\b', /backslash/],
  ['a%00b', /control/],
  ['a%0Ab', /control/],
  ['_delta_log/00000000000000000000.json', /hidden/],
  ['.hidden/x', /hidden/],
  ['a%zz', /percent/],
  ['a%ff', /percent/],
  ['x'.repeat(5000), /5000 characters/],
] as const) {
  test(`refused: ${encoded.slice(0, 40)}`, () => {
    const decoded = decodeDataPath(encoded)
    assert.ok('problem' in decoded)
    assert.match('problem' in decoded ? decoded.problem : '', problem)
  })
}

test('dots inside of names are only dots', () => {
  for (const path of ['a..b', 'a/b..', 'a./b', '...a'.slice(3), 'date=2024-05-17/part..parquet', 'x%3Ay']) {
    assert.ok('path' in decodeDataPath(path), path)
  }
})

test('only days of the calendar are dates', () => {
  for (const date of ['2024-02-29', '2000-02-29', '1970-01-01', '9999-12-31']) assert.ok(isDate(date), date)
  for (const date of [
    '2023-02-29',
    '1900-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-04-31',
    '2024-01-00',
    '24-01-01',
    '2024-1-1',
    '2024-01-01T',
    '',
    '__HIVE_DEFAULT_PARTITION__',
  ]) {
    assert.not.ok(isDate(date), date)
  }
})

test('the date of a Hive-style path is its first directory', () => {
  assert.is(dateOfPath('date=2024-05-17/x.parquet'), '2024-05-17')
  assert.is(dateOfPath('x/date=2024-05-17/y'), undefined)
  assert.is(dateOfPath('date=2024-05-170/y'), undefined)
})

test.run()
