/**
 * Law: whatever way a log comes, and however often, each of its lines is in the store once.
 * The plain reader of logs (fixtures/log-oracle.ts) says what must be there.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTable } from '#src/table/table.js'
import { seededDraw } from '../support/random-runs.ts'
import {
  addTo,
  assertHolds,
  HEADER,
  logLine,
  makePipe,
  manyLines,
  newStore,
  onlyInput,
  randomStoreLog,
  writeLog,
} from '../support/store-runs.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const once = suite('exactly once')
const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

const SMALL = randomStoreLog(1, { lines: 60, days: [19_860, 19_861], longestRange: 50 })
/** Beyond what is read in one go. */
const LARGE = randomStoreLog(2, { lines: 4500, days: [19_860, 19_863], longestRange: 500 })
const FILLER = manyLines('filler', 4600)
assert.ok(SMALL.length < 256 * 1024 && LARGE.length > 300 * 1024 && FILLER.length > 260 * 1024)

/** Members of a gzip file, each of some lines. */
function gzipMembers(content: string): Buffer {
  const bytes = Buffer.from(content)
  const cut = bytes.length >> 1
  return Buffer.concat([gzipSync(bytes.subarray(0, cut)), gzipSync(bytes.subarray(cut))])
}

for (const [size, log] of [
  ['small', SMALL],
  ['large', LARGE],
] as const) {
  once(`a ${size} log again, renamed, gzipped, in members or twice in a run adds nothing`, async () => {
    const plain = writeLog(log)
    const forms = [
      plain,
      writeLog(log, 'renamed.txt'),
      writeLog(gzipSync(log), 'log.gz'),
      writeLog(gzipMembers(log), 'members.gz'),
    ]
    for (const form of forms) {
      const store = newStore()
      const first = await addTo(store, [form, form])
      assert.equal(
        first.store.inputs.map(({ status, sha256 }) => [status, sha256]),
        [
          ['new', sha256(log)],
          ['known', sha256(log)],
        ],
      )
      assert.is(onlyInput(await addTo(store, [form])).status, 'known')
      const again = await addTo(store, forms)
      assert.is(again.store.version, 0)
      assert.equal([again.lines, again.rows, again.bytesWritten, again.files], [0, 0, 0, []])
      for (const input of again.store.inputs) {
        const { status, bytes, pendingBytes } = input
        assert.equal(
          { status, bytes, pendingBytes, sha256: input.sha256 },
          { status: 'known', bytes: 0, pendingBytes: 0, sha256: sha256(log) },
        )
      }
      await assertHolds(store, [log])
    }
  })

  once(
    `a ${size} log that grew line by line, half a line at a time, ends as if it came at once`,
    async () => {
      const bytes = Buffer.from(log)
      for (const seed of [1, 2, 3]) {
        const draw = seededDraw(seed)
        const store = newStore()
        const path = writeLog('')
        let length = 0
        for (let step = 0; step < 12 || length < bytes.length; step++) {
          length = step >= 11 ? bytes.length : Math.min(bytes.length, length + draw(bytes.length >> 2))
          writeFileSync(path, bytes.subarray(0, length))
          const end = bytes.subarray(0, length).lastIndexOf(10) + 1
          const input = onlyInput(await addTo(store, [path]))
          assert.is(input.pendingBytes, length - end, `seed ${seed}`)
          assert.is(input.sha256, end === 0 ? null : sha256(bytes.subarray(0, end)))
          if (end > 0) await assertHolds(store, [bytes.subarray(0, end)], `seed ${seed}, step ${step}`)
        }
        assert.is(onlyInput(await addTo(store, [writeLog(gzipSync(log))])).status, 'known')
      }
    },
  )

  once(`a ${size} log: of a gzip file that has more, only the new lines are taken`, async () => {
    const more = `${log}${manyLines('more', 1000)}`
    for (const first of [writeLog(log), writeLog(gzipSync(log))]) {
      const store = newStore()
      await addTo(store, [first])
      const grown = onlyInput(await addTo(store, [writeLog(gzipMembers(more))]))
      assert.equal(
        [grown.status, grown.bytes, grown.sha256],
        ['grown', more.length === 0 ? 0 : Buffer.byteLength(more) - Buffer.byteLength(log), sha256(more)],
      )
      assert.is(onlyInput(await addTo(store, [writeLog(more)])).status, 'known')
      await assertHolds(store, [more])
    }
  })

  once(`a ${size} log whose last line is unfinished waits with it, whatever way it comes`, async () => {
    const cut = log.slice(0, -5)
    const whole = log.slice(0, cut.lastIndexOf('\n') + 1)
    for (const form of [writeLog(cut), writeLog(gzipSync(cut)), writeLog(gzipMembers(cut)), makePipe(cut)]) {
      const store = newStore()
      const waiting = onlyInput(await addTo(store, [form]))
      assert.equal([waiting.status, waiting.sha256], ['new', sha256(whole)], form)
      assert.is(waiting.pendingBytes, Buffer.byteLength(cut) - Buffer.byteLength(whole))
      await assertHolds(store, [whole])
      const known = onlyInput(await addTo(store, [writeLog(gzipSync(cut))]))
      assert.equal([known.status, known.pendingBytes], ['known', waiting.pendingBytes])
      const grown = onlyInput(await addTo(store, [writeLog(gzipSync(`${log}${logLine('/new', '1-5')}`))]))
      assert.equal([grown.status, grown.pendingBytes], ['grown', 0])
      await assertHolds(store, [log, logLine('/new', '1-5')])
      const forced = newStore()
      await addTo(forced, [form.endsWith('fifo') ? writeLog(cut) : form], { force: true })
      await assertHolds(forced, [whole])
    }
  })

  once(`a ${size} log: --force takes all of it once more`, async () => {
    const store = newStore()
    const path = writeLog(log)
    await addTo(store, [path])
    const forced = await addTo(store, [path], { force: true })
    assert.is(onlyInput(forced).status, 'new')
    assert.is(forced.store.version, 1)
    await assertHolds(store, [log, log])
    assert.is(onlyInput(await addTo(store, [path])).status, 'known')
  })
}

once('a line that is cut in its last field, the address, names nobody', async () => {
  const header = '#request\tstatus\tbyte_range\tuser_agent\ttimestamp\tdate\tip_address\n'
  const line = '/a\t206\t5-9\tagent\t23:59:59\t2024-02-29\t192.0.2.111'
  for (const filler of ['', '# filler\n'.repeat(40_000)]) {
    const cut = `${header}${filler}${line.slice(0, -2)}`
    for (const input of [writeLog(cut), writeLog(gzipSync(cut)), makePipe(cut)]) {
      const store = newStore()
      const report = await addTo(store, [input])
      assert.equal([report.kept, onlyInput(report).pendingBytes], [0, line.length - 2])
      await addTo(store, [writeLog(gzipSync(`${header}${filler}${line}\n`))])
      const usual = logLine('/a', '5-9', { date: '2024-02-29', time: '23:59:59', ip: '192.0.2.111' })
      await assertHolds(store, [usual])
    }
  }
})

once('a log of one unfinished line is empty until the line ends', async () => {
  const line = logLine('/a', '0-9')
  for (const filler of ['', 'x'.repeat(70_000)]) {
    const store = newStore()
    const cut = `${filler}${line.slice(0, -1)}`
    for (const input of [writeLog(cut), writeLog(gzipSync(cut)), makePipe(cut)]) {
      const { status, bytes, pendingBytes, sha256: digest } = onlyInput(await addTo(store, [input]))
      assert.equal([status, bytes, pendingBytes, digest], ['empty', 0, cut.length, null])
    }
    const { version, files } = await readTable(store)
    assert.equal([version, files.size], [0, 0])
  }
})

once('a line that is too long to be kept is rejected once, however it comes and goes on', async () => {
  const [before, after] = [logLine('/a', '0-9'), logLine('/b', '0-9')]
  const long = 'x'.repeat(3_000_000)
  for (const make of [makePipe, (text: string): string => writeLog(gzipSync(text))]) {
    const store = newStore()
    await addTo(store, [make(`${before}${long}`)])
    await addTo(store, [writeLog(`${before}${long}more\n${after}`)])
    await assertHolds(store, [before, after])
  }
})

once('a last line of JSON that is a whole object needs no line feed; half of one waits', async () => {
  const lineOf = (second: number): string =>
    JSON.stringify({
      ...{
        time: `2024-02-29T23:59:0${second}Z`,
        client_ip: '192.0.2.1',
        url: '/a',
        method: 'GET',
        status: 206,
      },
      ...{ user_agent: 'agent', content_range: 'bytes 5-9/1000', body_bytes: 5, completed: '1' },
    })
  const usual = (second: number): string =>
    logLine('/a', '5-9', { date: '2024-02-29', time: `23:59:0${second}` })
  for (const filler of ['', `${'{"x":1}\n'.repeat(40_000)}`]) {
    for (const make of [writeLog, makePipe, (text: string): string => writeLog(gzipSync(text))]) {
      const store = newStore()
      const log = `${lineOf(1)}\n${filler}${lineOf(2)}`
      assert.is(onlyInput(await addTo(store, [make(log)])).pendingBytes, 0)
      await assertHolds(store, [usual(1), usual(2)])
      assert.is(onlyInput(await addTo(store, [make(log)])).status, 'known')
      await addTo(store, [make(`${log}\n${lineOf(3).slice(0, -1)}`)])
      await assertHolds(store, [usual(1), usual(2)])
      await addTo(store, [make(`${log}\n${lineOf(3)}\n${lineOf(4)}\n`)])
      await assertHolds(store, [usual(1), usual(2), usual(3), usual(4)])
    }
  }
})

once('lines that end in CR LF, cut anywhere, are taken once', async () => {
  const lines = [logLine('/a', '0-9'), logLine('/b', '5-9')].map((line) => line.replace('\n', '\r\n'))
  const log = Buffer.from(lines.join(''))
  for (let length = log.length - 3; length <= log.length; length++) {
    for (const kind of ['plain', 'gzip']) {
      const store = newStore()
      const cut = log.subarray(0, length)
      await addTo(store, [writeLog(kind === 'gzip' ? gzipSync(cut) : cut)])
      await addTo(store, [writeLog(log)])
      await assertHolds(store, [log], `${kind} ${length}`)
    }
  }
})

once('empty logs make a store that knows nothing, and add no version to one that is there', async () => {
  const store = newStore()
  const empty = await addTo(store, [writeLog(''), writeLog(gzipSync(''))])
  for (const input of empty.store.inputs) {
    assert.equal([input.status, input.bytes, input.sha256], ['empty', 0, null])
  }
  assert.is(empty.store.version, 0)
  assert.is((await addTo(store, [writeLog('')])).store.version, 0)
  await assertHolds(store, [], 'nothing')
  for (const [i, log] of [HEADER, `${HEADER}rubbish\n\n# more\n${logLine('/a', '9-0')}`].entries()) {
    const report = await addTo(store, [writeLog(log)])
    assert.equal([report.store.version, report.kept, report.files], [i + 1, 0, []])
    assert.is(onlyInput(report).sha256, sha256(log))
    const again = await addTo(store, [writeLog(gzipSync(log))])
    assert.equal([onlyInput(again).status, again.store.version], ['known', i + 1])
    assert.is((await readTable(store)).transactions.size, i + 1)
  }
  assert.equal(namesIn(store), ['_delta_log'])
})

once('the header of a log applies to the lines that came later', async () => {
  for (const filler of ['', '# filler\n'.repeat(40_000)]) {
    const header = '# request\tstatus\tbyte_range\tuser_agent\tip_address\ttimestamp\tdate\n'
    const line = (asset: string): string => `${asset}\t206\t5-9\tagent\t192.0.2.1\t23:59:59\t2024-02-29\n`
    const path = writeLog(header)
    const store = newStore()
    for (const added of [filler, line('/a'), line('/b')]) {
      appendFileSync(path, added)
      await addTo(store, [path])
    }
    const usual = ['/a', '/b'].map((asset) => logLine(asset, '5-9', { date: '2024-02-29', time: '23:59:59' }))
    await assertHolds(store, usual)
  }
})

once('rejects of a log that grew stand where they are in the whole log', async () => {
  for (const filler of ['', FILLER]) {
    const log = `${filler}${logLine('/a', '0-9')}rubbish\n${logLine('/b', '0-9')}`
    const grown = `${log}\n${logLine('/c', '9-0')}${logLine('/d', '0-9')}`
    for (const make of [writeLog, (text: string): string => writeLog(gzipSync(text))]) {
      const store = newStore()
      await addTo(store, [writeLog(log)])
      const rejectsPath = join(makeTempFolder(), 'rejects')
      const input = make(grown)
      await addTo(store, [input], { rejectsPath, shardByteLength: 4096 })
      const [reject, ...others] = readFileSync(rejectsPath, 'utf8').trimEnd().split('\n')
      assert.equal(others, [])
      const { line, byteOffset, reason } = JSON.parse(reject ?? '')
      const before = grown.slice(0, grown.indexOf('/c')).lastIndexOf('\n') + 1
      assert.equal(
        { line, byteOffset, reason },
        { line: grown.slice(0, before).split('\n').length, byteOffset: before, reason: 'BAD_RANGE' },
      )
    }
  }
})

once('another header in what has grown is named by its line in the whole log', async () => {
  const store = newStore()
  const log = `${HEADER}${logLine('/a', '0-9')}`
  await addTo(store, [writeLog(log)])
  const swapped = HEADER.replace('user_agent\trequest', 'request\tuser_agent')
  const error = await addTo(store, [writeLog(`${log}${swapped}`)]).catch(String)
  assert.match(String(error), /line 3/)
  await assertHolds(store, [log])
})

once('the digest of what the store has is told also when lines wait or another log began alike', async () => {
  const common = logLine('/common/and/quite/long/so/that/the/head/is/shared', '0-9')
  const [a, b] = [`${common}${logLine('/a', '0-9')}`, `${common}${logLine('/b', '0-9')}`]
  for (const filler of ['', FILLER]) {
    const store = newStore()
    await addTo(store, [writeLog(filler + common)])
    await addTo(store, [writeLog(filler + a)])
    const waiting = onlyInput(await addTo(store, [writeLog(filler + b.trimEnd())]))
    assert.is(waiting.status, 'known')
    assert.ok(waiting.pendingBytes > 0)
    assert.is(waiting.sha256, sha256(filler + common))
    const known = onlyInput(await addTo(store, [writeLog(`${filler}${a}${b}`.slice(0, -1))]))
    assert.equal([known.status, known.sha256], ['grown', sha256(filler + a + common)])
  }
})

once('logs that share a beginning, in one run and in any order of growth, do not mix', async () => {
  for (const filler of ['', FILLER]) {
    const logs = ['/x', '/y'].map((asset) => `${HEADER}${filler}${logLine(asset, '0-9')}`)
    const store = newStore()
    const report = await addTo(
      store,
      [HEADER, ...logs].map((log) => writeLog(log)),
    )
    // What they share is taken once a log: of the second only what follows the part that it has in common
    // with a log that is in the store as a whole, here the header.
    assert.equal(
      report.store.inputs.map(({ status }) => status),
      ['new', 'grown', 'grown'],
    )
    await assertHolds(store, logs)
  }
})

once('the beginning of a log that came before it in a run adds nothing, then or later', async () => {
  for (const log of [SMALL, LARGE, `${HEADER}${FILLER}${manyLines('more', 100)}`]) {
    const end = log.indexOf('\n', log.length >> 1) + 1
    const beginning = log.slice(0, end)
    const unfinished = log.slice(0, end + 10)
    for (const longer of [writeLog(log), writeLog(gzipSync(log))]) {
      const shorter = [
        writeLog(beginning),
        writeLog(gzipMembers(beginning)),
        writeLog(unfinished),
        makePipe(beginning),
      ]
      for (const second of [...shorter, writeLog(gzipSync(unfinished))]) {
        const store = newStore()
        const report = await addTo(store, [longer, second])
        assert.equal(
          report.store.inputs.map(({ status, sha256: digest }) => [status, digest]),
          [
            ['new', sha256(log)],
            ['known', sha256(beginning)],
          ],
          second,
        )
        await assertHolds(store, [log])
        assert.is(onlyInput(await addTo(store, [writeLog(gzipSync(beginning))])).status, 'known')
        await assertHolds(store, [log])
      }
      const store = newStore()
      await addTo(store, [longer])
      assert.is((await addTo(store, [longer, writeLog(beginning)])).rows, 0, 'nor beside one that is known')
      const other = beginning.replace(/\d-\d+\n$/, '0-1\n')
      await addTo(store, [longer, writeLog(other)])
      await assertHolds(store, [log, other], 'what only begins alike is taken')
    }
  }
})

once('many small logs are known again one by one', async () => {
  const logs = Array.from({ length: 50 }, (_, i) => manyLines(`log-${i}`, 3))
  const inputs = logs.map((log, i) => writeLog(i % 2 === 0 ? log : gzipSync(log)))
  const store = newStore()
  const report = await addTo(store, inputs.slice(0, 20))
  assert.equal([report.store.version, report.files.length], [0, 1])
  const more = await addTo(store, inputs)
  assert.equal(
    more.store.inputs.map(({ status }) => status),
    inputs.map((_, i) => (i < 20 ? 'known' : 'new')),
  )
  assert.is(more.files.length, 1)
  await assertHolds(store, logs)
})

once.run()
