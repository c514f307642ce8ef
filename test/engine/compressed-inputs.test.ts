import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { processIntoStore, type StoreRunReport } from '#src/engine/process-into-store.js'
import { processLogs } from '#src/engine/process-logs.js'
import { contentOf, readZstdFixture, ZSTD_FIXTURES } from '../../fixtures/zstd-fixtures.ts'
import { runBuilt } from '../support/run-built.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { ROOT } from '../support/source-tree.ts'
import { makeTempFolder, namesIn } from '../support/temp-folder.ts'

const test = suite('compressed inputs')
/** The fixtures end in the middle of a line. */
const OPTIONS = { threads: 1, maxRejects: { kind: 'count', count: 1 } } as const
let fileCount = 0

function writeInput(content: Uint8Array): string {
  const path = join(makeTempFolder(), `input-${fileCount++}`)
  writeFileSync(path, content)
  return path
}

function fixtureContent(name: string): Buffer {
  const fixture = ZSTD_FIXTURES.find((one) => one.name === name)
  assert.ok(fixture)
  return contentOf(fixture)
}

async function outputOf(content: Uint8Array): Promise<Buffer> {
  const out = join(makeTempFolder(), 'out.parquet')
  await processLogs({ ...OPTIONS, inputs: [writeInput(content)], out, shardByteLength: 100_000 })
  return readFileSync(out)
}

function intoStore(store: string, content: Uint8Array): Promise<StoreRunReport> {
  return processIntoStore({ ...OPTIONS, inputs: [writeInput(content)], store })
}

test('zstd is told by content, and gives the very file that the plain log gives', async () => {
  for (const name of ['fast', 'usual', 'unchecked', 'small']) {
    const plain = await outputOf(fixtureContent(name))
    assert.ok((await outputOf(readZstdFixture(name))).equals(plain), name)
  }
  const { stdout, exitCode, stderr } = await runBuilt(
    ['process', '-', '--out', join(makeTempFolder(), 'o.parquet'), '--json', '--max-rejects', '1'],
    { input: readZstdFixture('fast') },
  )
  assert.is(exitCode, 0, stderr)
  assert.is(JSON.parse(stdout).bytesRead, readZstdFixture('fast').length)
})

/** Logs of some bytes each, as archives of about 1 KB, 30 KB and 1.5 MB, in turns. */
function writeArchives(folder: string, count: number): { plain: string[]; archives: string[] } {
  const text = readFileSync(join(ROOT, 'fixtures', 'sample.log'))
  const header = text.subarray(0, text.indexOf('\n') + 1)
  const random = seededRandom(5)
  const plain: string[] = []
  const archives: string[] = []
  for (let i = 0; i < count; i++) {
    const from = text.indexOf('\n', random(100_000)) + 1
    const to = text.lastIndexOf('\n', from + ([5000, 300_000, 1_500_000][i % 3] ?? 0)) + 1
    const content = Buffer.concat([header, text.subarray(from, to)])
    plain.push(join(folder, `${i}.log`))
    archives.push(join(folder, `${i}.gz`))
    writeFileSync(join(folder, `${i}.log`), content)
    writeFileSync(join(folder, `${i}.gz`), gzipSync(content, { level: i % 3 === 2 ? 0 : 1 }))
  }
  return { plain, archives }
}

test('many archives, inflated side by side, give the very file that the plain logs give', async () => {
  const folder = makeTempFolder()
  const { plain, archives } = writeArchives(folder, 12)
  const sizes = archives.map((path) => statSync(path).size)
  for (const [least, most] of [
    [0, 16_000],
    [17_000, 260_000],
    [263_000, 2_000_000],
  ] as const)
    assert.ok(
      sizes.some((size) => size > least && size < most),
      `${sizes}`,
    )
  const options = { maxRejects: OPTIONS.maxRejects, shardByteLength: 400_000, threadsFromByteLength: 0 }
  const expected = join(folder, 'plain.parquet')
  await processLogs({ ...options, inputs: plain, out: expected, threads: 1 })
  for (const threads of [1, 3]) {
    const out = join(folder, `${threads}.parquet`)
    const { bytesRead } = await processLogs({ ...options, inputs: archives, out, threads })
    assert.ok(readFileSync(out).equals(readFileSync(expected)), `${threads} threads`)
    assert.is(
      bytesRead,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  }
})

test('an archive that is damaged fails the run under its own name, also when it was begun before its turn', async () => {
  const folder = makeTempFolder()
  const { archives } = writeArchives(folder, 9)
  for (const damaged of [4, 5]) {
    const path = archives[damaged] ?? ''
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, whole.length - 100))
    const out = join(folder, 'out.parquet')
    try {
      await processLogs({ ...OPTIONS, inputs: archives, out, threads: 3, threadsFromByteLength: 0 })
      assert.unreachable('it fails')
    } catch (error) {
      assert.instance(error, Failure)
      assert.match(String(error), new RegExp(`/${damaged}\\.gz: expected a whole gzip file`))
    }
    assert.not.ok(existsSync(out))
    writeFileSync(path, whole)
  }
})

test('a store knows a log again however it is compressed', async () => {
  const store = join(makeTempFolder(), 'store')
  const first = await intoStore(store, readZstdFixture('fast'))
  assert.is(first.store.inputs[0]?.status, 'new')
  for (const content of [readZstdFixture('fast'), gzipSync(fixtureContent('fast'))]) {
    const again = await intoStore(store, content)
    assert.equal(
      [again.store.inputs[0]?.status, again.rows, again.store.version],
      ['known', 0, first.store.version],
    )
  }
})

test('nothing of an archive that is damaged, cut off or followed by something is written', async () => {
  const zstd = readZstdFixture('fast')
  const gzip = gzipSync(fixtureContent('fast'))
  const late = (archive: Buffer): Buffer => {
    const damaged = Buffer.from(archive)
    damaged[archive.length - 2] = (damaged[archive.length - 2] ?? 0) ^ 1
    return damaged
  }
  const broken: readonly [string, Buffer][] = [
    ['checksum of zstd', late(zstd)],
    ['cut zstd', zstd.subarray(0, -1)],
    ['bytes behind zstd', Buffer.concat([zstd, Buffer.from('more')])],
    ['second frame cut', Buffer.concat([zstd, zstd.subarray(0, 20_000)])],
    ['length in gzip', late(gzip)],
    ['cut gzip', gzip.subarray(0, -1)],
    ['second member cut', Buffer.concat([gzip, gzip.subarray(0, 20_000)])],
    ['bytes behind gzip', Buffer.concat([gzip, Buffer.from('more')])],
    ['one byte behind gzip', Buffer.concat([gzip, Buffer.from('m')])],
    ['a log behind padding', Buffer.concat([gzip, Buffer.alloc(3), gzip])],
    ['small, behind padding', Buffer.concat([gzipSync('# one\n'), Buffer.alloc(1), gzipSync('# two\n')])],
  ]
  for (const [name, content] of broken) {
    const folder = makeTempFolder()
    const store = join(folder, 'store')
    const before = await intoStore(store, fixtureContent('small'))
    const names = namesIn(store)
    const runs = [
      () => processLogs({ ...OPTIONS, inputs: [writeInput(content)], out: join(folder, 'o.parquet') }),
      () => intoStore(store, content),
    ]
    for (const run of runs) {
      const failure = await run().then(
        () => assert.unreachable(`${name}: expected a failure`),
        (error: unknown) => error,
      )
      assert.instance(failure, Failure, name)
      if (failure instanceof Failure) assert.is(failure.code, 'DAMAGED', `${name}: ${failure.message}`)
    }
    assert.equal(namesIn(folder), ['store'], name)
    assert.equal(namesIn(store), names, name)
    const after = await intoStore(store, fixtureContent('small'))
    assert.is(after.store.version, before.store.version, name)
  }
})

test('gzip with padding of zeros is whole, in one go and as a stream', async () => {
  const text = fixtureContent('fast')
  const plain = await outputOf(text)
  // What does not compress well is too long to be read in one go.
  const stored = gzipSync(text, { level: 0 })
  assert.ok(stored.length > 256 * 1024)
  for (const archive of [gzipSync(text), stored])
    assert.ok((await outputOf(Buffer.concat([archive, Buffer.alloc(512)]))).equals(plain))
  const behind = Buffer.concat([stored, Buffer.alloc(2_000_000), Buffer.from('x')])
  const failure = await outputOf(behind).then(
    () => assert.unreachable('expected a failure'),
    (error: unknown) => error,
  )
  assert.match(
    failure instanceof Failure ? failure.message : '',
    /expected the end of the gzip archive or padding/,
  )
})

test.run()
