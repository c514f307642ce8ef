/**
 * Law: what is no whole store gives exit 2 and says what is wrong, never an answer; and what is inside a store
 * is none.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { committedFiles } from '#src/interface/committed-files.js'
import { markFirstRun } from '#src/table/first-run.js'
import { runBuilt, twoAtATime } from '../support/run-built.ts'
import { addTo, assertHolds, logLine, newStore, writeLog } from '../support/store-runs.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const bad = suite('bad stores')
const LOG = ['2024-05-16', '2024-05-17', '2024-05-18'].map((date) => logLine('/a', '0-9', { date })).join('')
const OTHER = logLine('/a', '10-19', { date: '2024-05-18' })
const QUESTION = ['--asset', '/a', '--ip', '192.0.2.1', '--user-agent', 'agent', '--range', '0-9']
const input = writeLog(OTHER)
const template = newStore()

function copy(): string {
  const store = newStore()
  cpSync(template, store, { recursive: true })
  return store
}

const query = (path: string, directory?: string) =>
  runBuilt(['query', '--store', path, ...QUESTION], directory === undefined ? {} : { directory })
const add = (store: string) => runBuilt(['process', input, '--store', store])

bad.before(async () => {
  await addTo(template, [writeLog(LOG)])
})

bad('the store as it is answers', async () => {
  const { exitCode, stdout } = await query(template)
  assert.is(exitCode, 0)
  assert.match(stdout, /DELIVERED/)
})

/** What is done to a store, whether it can be added to still, and what is said then. */
const DAMAGE: readonly {
  what: string
  damage: (store: string, files: readonly string[]) => void
  says: RegExp
  isLog: boolean
}[] = [
  {
    what: 'a data file is missing',
    damage: (_, [file = '']) => unlinkSync(file),
    says: /date=2024-05-16\S+: expected a data file of \d+ bytes.*no such file/,
    isLog: false,
  },
  {
    what: 'a data file is cut',
    damage: (_, [file = '']) => truncateSync(file, statSync(file).size - 1),
    says: /expected a data file of \d+ bytes.*found one of \d+/,
    isLog: false,
  },
  {
    what: 'a data file is longer',
    damage: (_, [file = '']) => writeFileSync(file, 'x', { flag: 'a' }),
    says: /expected a data file/,
    isLog: false,
  },
  {
    what: 'a data file is empty',
    damage: (_, [file = '']) => truncateSync(file, 0),
    says: /expected a data file/,
    isLog: false,
  },
  {
    what: 'two data files of one size are swapped',
    damage: (_, [a = '', b = '']) => {
      assert.is(statSync(a).size, statSync(b).size, 'the size alone does not tell')
      renameSync(a, `${a}.x`)
      renameSync(b, a)
      renameSync(`${a}.x`, b)
    },
    says: /expected the data file of that name, as the store's log has it, found one that was part-/,
    isLog: false,
  },
  {
    what: 'a data file is overwritten with rubbish of its size',
    damage: (_, [file = '']) => writeFileSync(file, Buffer.alloc(statSync(file).size, 'x')),
    says: /date=2024-05-16\S+: expected/,
    isLog: false,
  },
  {
    what: 'a byte of the log has changed',
    damage: (store) => {
      const path = join(store, '_delta_log', '0'.repeat(20).concat('.json'))
      writeFileSync(path, readFileSync(path, 'utf8').replace('date=2024-05-16', 'date=2024-05-15'))
    },
    says: /_delta_log\S+: expected/,
    isLog: true,
  },
  {
    what: 'the log is cut',
    damage: (store) => {
      const path = join(store, '_delta_log', '0'.repeat(20).concat('.json'))
      truncateSync(path, statSync(path).size - 100)
    },
    says: /_delta_log\S+: expected/,
    isLog: true,
  },
  {
    what: 'the first commit is missing',
    damage: (store) => {
      const log = join(store, '_delta_log')
      renameSync(join(log, '0'.repeat(20).concat('.json')), join(log, '1'.padStart(20, '0').concat('.json')))
    },
    says: /expected the commit of version 0, found no such file/,
    isLog: true,
  },
  {
    what: 'the log is lost',
    damage: (store) => rmSync(join(store, '_delta_log'), { recursive: true }),
    says: /expected the log of a store .* data files without one, like \S+part-\S+\.parquet; restore the log/,
    isLog: true,
  },
  {
    what: 'the log is empty',
    damage: (store) => {
      rmSync(join(store, '_delta_log'), { recursive: true })
      mkdirSync(join(store, '_delta_log'))
    },
    says: /expected the log of a store .* data files without one/,
    isLog: true,
  },
  {
    what: 'a data file is a named pipe',
    damage: (_, [file = '']) => {
      rmSync(file)
      execFileSync('mkfifo', [file])
    },
    says: /date=2024-05-16\S+: expected a data file of \d+ bytes, as the store's log has it, found a named pipe/,
    isLog: false,
  },
]

bad('damage of a store is exit 2 and says what is wrong', () =>
  twoAtATime(DAMAGE, async ({ what, damage, says, isLog }) => {
    const store = copy()
    const files = [...(await committedFiles(store))].sort()
    damage(store, files)
    const asked = await query(store)
    assert.equal([asked.exitCode, asked.stdout], [2, ''], what)
    assert.match(asked.stderr, says, what)
    assert.not.match(asked.stderr, /bug/)
    const names = JSON.stringify(readdirSync(store, { recursive: true }).sort())
    for (const command of [
      ['compact'],
      ['forget', '--ip', '192.0.2.1'],
      ['sql', 'select count(*) from bytes'],
    ]) {
      const { exitCode, stdout, stderr } = await runBuilt([...command, '--store', store])
      assert.equal([exitCode, stdout], [2, ''], `${what}: ${command}`)
      assert.match(stderr, says, `${what}: ${command}`)
      assert.is(JSON.stringify(readdirSync(store, { recursive: true }).sort()), names, 'and changes nothing')
    }
    const added = await add(store)
    if (!isLog) return
    assert.is(added.exitCode, 2, what)
    assert.match(added.stderr, says, what)
    assert.is(JSON.stringify(readdirSync(store, { recursive: true }).sort()), names, 'and leaves nothing')
  }),
)

bad('compact and forget take no file that is not the one of the log', async () => {
  const store = copy()
  await addTo(store, [input])
  const other = newStore()
  await addTo(other, [writeLog(logLine('/never', '0-999', { date: '2024-05-18' }))])
  const [stranger = ''] = await committedFiles(other)
  const [file = ''] = (await committedFiles(store)).filter((path) => path.includes('date=2024-05-18'))
  cpSync(stranger, file)
  for (const command of [['compact'], ['compact', '--date', '2024-05-18'], ['forget', '--ip', '192.0.2.1']]) {
    const { exitCode, stderr } = await runBuilt([...command, '--store', store])
    assert.is(exitCode, 2, stderr)
    assert.match(stderr, /date=2024-05-18\S+: expected .* as the store's log has it, found/)
    const asked = await query(store)
    assert.equal([asked.exitCode, asked.stdout], [2, ''])
  }
})

bad('files of a store without its log are read by no door, but for a copy of one elsewhere', async () => {
  const store = copy()
  const [file = ''] = await committedFiles(store)
  assert.match((await query(file)).stderr, /leads into the store .*: give --store /)
  rmSync(join(store, '_delta_log'), { recursive: true })
  const doors = [store, join(store, '..'), `${store}/date=*/*.parquet`, join(store, 'date=2024-05-16'), file]
  await twoAtATime(doors, async (path) => {
    const { exitCode, stdout, stderr } = await query(path)
    assert.equal([exitCode, stdout], [2, ''], path)
    assert.match(stderr, /expected the log of a store .* found data files without one/, path)
  })
  const elsewhere = join(makeTempFolder(), 'salvaged.parquet')
  cpSync(file, elsewhere)
  assert.match((await query(elsewhere)).stdout, /DELIVERED/)
})

bad('a data file in the place of one that looks the same is no evidence', async () => {
  const made = await Promise.all(
    ['192.0.2.1', '192.0.2.2'].map(async (ip) => {
      const store = newStore()
      await addTo(store, [writeLog(logLine('/a', '0-999', { ip }))])
      return { store, file: (await committedFiles(store))[0] ?? '' }
    }),
  )
  const [a, b] = made
  assert.ok(a && b)
  assert.is(statSync(a.file).size, statSync(b.file).size)
  cpSync(b.file, a.file)
  for (const words of [
    ['query', ...QUESTION.map((word) => (word === '192.0.2.1' ? '192.0.2.2' : word))],
    ['report', 'summary'],
    ['compact'],
    ['forget', '--ip', '192.0.2.1'],
    ['sql', 'select count(*) from bytes'],
    ['sql', 'select count(*) from ranges'],
  ]) {
    const { exitCode, stdout, stderr } = await runBuilt([...words, '--store', a.store])
    assert.equal([exitCode, stdout], [2, ''], `${words}`)
    assert.match(stderr, /expected the data file of that name, .* found one that was part-/)
  }
  const inspected = await runBuilt(['inspect', a.store])
  assert.is(inspected.exitCode, 2)
  assert.match(inspected.stdout, /expected the data file of that name/)
})

bad('what a killed first run leaves is vacuumed, and does not hide that a log is lost later', async () => {
  const store = copy()
  rmSync(join(store, '_delta_log'), { recursive: true })
  await markFirstRun(store)
  const before = namesIn(store).length
  assert.ok(before > 3)
  const kept = await runBuilt(['vacuum', '--store', store])
  assert.is(kept.exitCode, 0, kept.stderr)
  assert.is(namesIn(store).length, before)
  const gone = await runBuilt(['vacuum', '--store', store, '--retain', '0s', '--json'])
  assert.equal([gone.exitCode, JSON.parse(gone.stdout).store.version], [0, null], gone.stderr)
  assert.equal(
    namesIn(store).filter((name) => !name.startsWith('_delta_log')),
    [],
  )
  // A mark that was left does not outlive the first commit.
  await markFirstRun(store)
  await addTo(store, [input])
  const log = join(store, '_delta_log')
  for (const name of readdirSync(log)) if (name.endsWith('.json')) unlinkSync(join(log, name))
  const added = await add(store)
  assert.is(added.exitCode, 2)
  assert.match(added.stderr, /expected the log of a store/)
})

bad('what is no store is refused by process and query, and left as it is', async () => {
  const folder = makeTempFolder()
  writeFileSync(join(folder, 'letter.txt'), 'dear')
  const empty = makeTempFolder()
  const file = writeLog(LOG)
  for (const path of [folder, file]) {
    const { exitCode, stderr } = await add(path)
    assert.is(exitCode, 2, stderr)
    assert.match(stderr, /not a Delta table/)
  }
  assert.equal(namesIn(folder), ['letter.txt'])
  for (const path of [folder, empty, file, join(folder, 'absent')]) {
    const { exitCode, stdout, stderr } = await query(path)
    assert.equal([exitCode, stdout], [2, ''], stderr)
  }
  mkdirSync(join(empty, '_delta_log'))
  const asked = await query(empty)
  assert.is(asked.exitCode, 2)
  assert.match(asked.stderr, /is not a store/)
})

bad('a path into a store is refused with the form to use', async () => {
  const store = copy()
  const partition = join(store, 'date=2024-05-17')
  const link = join(makeTempFolder(), 'link')
  symlinkSync(partition, link)
  const paths: [string, string?][] = [
    [partition],
    [`${partition}/`],
    [`${store}/**/*.parquet`],
    [`${store}/date=*`],
    ['.', partition],
    ['*.parquet', partition],
    ['../date=2024-05-16', partition],
    [link],
  ]
  await twoAtATime(paths, async ([path, directory]) => {
    const { exitCode, stdout, stderr } = await query(path, directory)
    assert.equal([exitCode, stdout], [2, ''], path)
    assert.match(stderr, /leads into the store .*: give --store /, path)
    assert.ok(stderr.includes(`--store ${store}`), stderr)
  })
})

bad('no store is made inside a store', async () => {
  const store = copy()
  for (const path of [
    join(store, 'date=2024-05-17'),
    join(store, 'date=2030-01-01'),
    join(store, '_delta_log'),
    join(store, 'new', 'deep'),
  ]) {
    const { exitCode, stderr } = await add(path)
    assert.is(exitCode, 2, path)
    assert.match(stderr, /store/)
  }
  assert.equal(namesIn(store), namesIn(template))
  await assertHolds(store, [LOG])
})

bad('a store on a disk that cannot be written is exit 2', async () => {
  const store = copy()
  const isRoot = process.getuid?.() === 0
  for (const path of [store, join(store, 'date=2024-05-18'), join(store, '_delta_log')])
    chmodSync(path, 0o555)
  const { exitCode, stderr } = await add(store)
  for (const path of [store, join(store, 'date=2024-05-18'), join(store, '_delta_log')])
    chmodSync(path, 0o755)
  // Whom the system lets write anyway has written.
  assert.is(exitCode, isRoot ? 0 : 2, stderr)
  if (!isRoot) assert.match(stderr, /cannot create .*EACCES/)
  await assertHolds(store, isRoot ? [LOG, OTHER] : [LOG])
})

bad.run()
