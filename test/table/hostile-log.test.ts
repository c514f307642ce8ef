/** Law: what a log says is checked before it is believed, and a table of others is refused with a reason. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSnapshot } from '#src/table/table.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import { changeFile, commitName, failureOf, logPath, makeTable, unguarded } from './sample-table.ts'

const test = suite('hostile log')

/** A table as others write it: version 0 of ours without its check, version 1 of these lines. */
async function tableWith(...lines: readonly unknown[]): Promise<string> {
  const directory = makeTempFolder()
  await makeTable(directory, 1)
  changeFile(logPath(directory, commitName(0)), unguarded)
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  writeFileSync(logPath(directory, commitName(1)), text)
  return directory
}

const ADD = {
  path: 'date=2024-05-17/x.parquet',
  partitionValues: { date: '2024-05-17' },
  size: 1,
  modificationTime: 1,
  dataChange: true,
}

for (const [what, line, expected] of [
  ['text that is not JSON', '{"add":', /line 1: expected an action as a JSON object/],
  ['a list', '[1]', /an action as a JSON object/],
  [
    'a path that climbs out',
    { add: { ...ADD, path: 'date=2024-05-17/../../x' } },
    /inside the table.*segment/,
  ],
  ['an absolute path', { add: { ...ADD, path: '/x' } }, /absolute path/],
  ['a path elsewhere', { add: { ...ADD, path: 's3://b/x' } }, /scheme/],
  ['a remove that climbs out', { remove: { path: '../x', dataChange: true } }, /inside the table/],
  ['a number as path', { add: { ...ADD, path: 5 } }, /a text path/],
  ['no partition', { add: { ...ADD, partitionValues: {} } }, /a date as partition/],
  ['a null partition', { add: { ...ADD, partitionValues: { date: null } } }, /a date as partition/],
  [
    'a day that is none',
    { add: { ...ADD, path: 'x', partitionValues: { date: '2023-02-29' } } },
    /a date as partition/,
  ],
  [
    'a path of another day',
    { add: { ...ADD, partitionValues: { date: '2024-05-18' } } },
    /below date=2024-05-18/,
  ],
  ['a negative size', { add: { ...ADD, size: -1 } }, /size of 0 or more/],
  ['a size that no number holds', '{"add":{"path":"x","size":9007199254740993}}', /a date|an integer/],
  ['a text as size', { add: { ...ADD, size: '1' } }, /an integer size/],
  ['no dataChange', { add: { ...ADD, dataChange: undefined } }, /dataChange/],
  ['stats that are none', { add: { ...ADD, stats: '{' } }, /stats as the JSON/],
  ['negative rows', { add: { ...ADD, stats: '{"numRecords":-1}' } }, /numRecords of 0 or more/],
  ['a deletion vector', { add: { ...ADD, deletionVector: { storageType: 'u' } } }, /no deletion vector/],
  ['a txn without a name', { txn: { version: 1 } }, /a text appId/],
  ['a txn without a version', { txn: { appId: 'a', version: 1.5 } }, /an integer version/],
  ['nothing at all', '', /at least one action/],
  ['a line of 17 million characters', `{"x":"${'y'.repeat(17_000_000)}"}`, /at most \d+ characters/],
] as const) {
  test(`damaged, with file and line: ${what}`, async () => {
    const directory = await tableWith(line)
    const message = await failureOf('DAMAGED', readSnapshot(directory))
    assert.match(message, expected)
    assert.match(message, /00000000000000000001\.json/)
    assert.ok(message.length < 1000)
  })
}

test('one path is added or removed by a commit, once', async () => {
  const remove = { remove: { path: ADD.path, dataChange: true, deletionTimestamp: 1 } }
  for (const lines of [
    [{ add: ADD }, remove],
    [remove, { add: ADD }],
    [{ add: ADD }, { add: ADD }],
  ]) {
    assert.match(await failureOf('DAMAGED', readSnapshot(await tableWith(...lines))), /add.* of a path/)
  }
})

test('bytes that are not UTF-8 are damage', async () => {
  const directory = await tableWith({ add: ADD })
  changeFile(logPath(directory, commitName(1)), (bytes) => {
    bytes[bytes.indexOf('x.parquet')] = 0xff
    return bytes
  })
  assert.match(await failureOf('DAMAGED', readSnapshot(directory)), /valid UTF-8/)
})

test('what others write and we do not need is ignored', async () => {
  const directory = await tableWith(
    { commitInfo: { operation: 'WRITE', anything: [1, { a: null }] } },
    { cdc: { path: '/x' } },
    { domainMetadata: { domain: 'x' } },
    '',
    { add: { ...ADD, tags: null, stats: null, deletionVector: null, baseRowId: null } },
    { add: null, remove: null, txn: { appId: 'app', version: -5, lastUpdated: null } },
    '{"__proto__":{"add":{"path":"x"}}}',
  )
  const snapshot = await readSnapshot(directory)
  assert.is(snapshot.files.size, 2)
  assert.is(snapshot.transactions.get('app'), -5)
})

test('statistics keep what is a bound and drop what is rounded', async () => {
  const stats =
    '{"numRecords":3,"minValues":{"byte_num":9007199254740993,"ip":"a","__proto__":"z"},"maxValues":{"byte_num":5,"epoch":1.5}}'
  const snapshot = await readSnapshot(await tableWith({ add: { ...ADD, stats } }))
  const found = snapshot.files.get(ADD.path)?.stats
  assert.equal(Object.entries(found?.minValues ?? {}), [
    ['ip', 'a'],
    ['__proto__', 'z'],
  ])
  assert.equal({ ...found?.maxValues }, { byte_num: 5 })
  const without = await readSnapshot(await tableWith({ add: { ...ADD, stats: '{"minValues":{"ip":"a"}}' } }))
  assert.is(without.files.get(ADD.path)?.stats, undefined)
})

const METADATA = {
  id: 'x',
  format: { provider: 'parquet', options: {} },
  schemaString: '',
  partitionColumns: ['date'],
  configuration: {},
}
const SCHEMA = {
  type: 'struct',
  fields: [
    ['date', 'date'],
    ['epoch', 'long'],
    ['ip', 'string'],
    ['user_agent', 'string'],
    ['user_agent_md5', 'string'],
    ['request', 'string'],
    ['byte_num', 'long'],
  ].map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
}

test('columns that may be null are still ours', async () => {
  const schemaString = JSON.stringify(SCHEMA)
  const directory = await tableWith({ metaData: { ...METADATA, schemaString } }, { add: ADD })
  assert.is((await readSnapshot(directory)).metadata?.id, 'x')
})

for (const [what, metaData, expected] of [
  [
    'other columns',
    { schemaString: JSON.stringify({ ...SCHEMA, fields: SCHEMA.fields.slice(1) }) },
    /the columns date date/,
  ],
  [
    'a nested column',
    { schemaString: JSON.stringify({ fields: [{ name: 'date', type: {} }] }) },
    /found date nested/,
  ],
  [
    'a constraint',
    {
      schemaString: JSON.stringify({
        fields: SCHEMA.fields.map((field) => ({ ...field, metadata: { 'delta.invariants': 'x' } })),
      }),
    },
    /delta\.invariants/,
  ],
  ['a schema that is none', { schemaString: 'null' }, /an unknown schema/],
  ['no partition', { partitionColumns: [] }, /partition column date, found none/],
  ['another partition', { partitionColumns: ['date', 'ip'] }, /found date, ip/],
  ['mapped columns', { configuration: { 'delta.columnMapping.mode': 'name' } }, /column mapping name/],
  ['rows that may not go', { configuration: { 'delta.appendOnly': 'true' } }, /appendOnly/],
] as const) {
  test(`a table of another kind is refused before its files are looked at: ${what}`, async () => {
    const wanted = { ...METADATA, schemaString: JSON.stringify(SCHEMA), ...metaData }
    const directory = await tableWith({ add: { path: '/nonsense' } }, { metaData: wanted })
    const message = await failureOf('USAGE', readSnapshot(directory))
    assert.match(message, expected)
    assert.match(message, /is not a byteledger store/)
  })
}

test('a protocol that demands more is refused, whatever else the commit says', async () => {
  for (const [minReaderVersion, minWriterVersion] of [
    [2, 2],
    [1, 3],
    [3, 7],
  ]) {
    const directory = await tableWith(
      { add: { ...ADD, deletionVector: {} } },
      { protocol: { minReaderVersion, minWriterVersion } },
    )
    const message = await failureOf('USAGE', readSnapshot(directory))
    assert.match(message, new RegExp(`demands reader ${minReaderVersion} and writer ${minWriterVersion}`))
    // The version before is what it was.
    assert.is((await readSnapshot(directory, 0)).files.size, 1)
  }
})

test('a file in the place of the log is no table', async () => {
  const directory = makeTempFolder()
  writeFileSync(join(directory, '_delta_log'), '')
  assert.match(await failureOf('USAGE', readSnapshot(directory)), /not a Delta table/)
  const odd = await tableWith({ add: ADD })
  mkdirSync(logPath(odd, commitName(2)))
  assert.match(
    await failureOf('ENVIRONMENT', readSnapshot(odd)),
    /cannot read .*0002\.json: expected a file, found a directory/,
  )
})

test.run()
