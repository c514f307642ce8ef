/** Law: a damaged log is an error that names the file; it is never a table with some of its files. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { readSnapshot } from '#src/table/table.js'
import { DISK_FILES } from '#src/table/table-files.js'
import { writeCheckpoint } from '#src/table/write-checkpoint.js'
import { makeTempFolder } from '../support/temp-folder.ts'
import {
  changeFile,
  checkpointName,
  commitName,
  failureOf,
  logPath,
  makeTable,
  plainSnapshot,
  unguarded,
} from './sample-table.ts'

const test = suite('damaged log')

async function tableOf(count: number): Promise<string> {
  const directory = makeTempFolder()
  await makeTable(directory, count)
  return directory
}

/** Writes the checkpoint of a version. */
async function checkpointOf(directory: string, version: number): Promise<void> {
  await writeCheckpoint(DISK_FILES, await readSnapshot(directory, version))
}

test('a missing commit in the middle is named', async () => {
  const directory = await tableOf(4)
  rmSync(logPath(directory, commitName(2)))
  assert.match(
    await failureOf('DAMAGED', readSnapshot(directory)),
    /0002\.json: expected the commit of version 2/,
  )
  assert.is((await readSnapshot(directory, 1)).version, 1)
})

test('a commit in the place of another is named, though it is whole', async () => {
  for (const [from, to] of [
    [0, 2],
    [3, 2],
    [1, 3],
  ] as const) {
    const directory = await tableOf(4)
    cpSync(logPath(directory, commitName(from)), logPath(directory, commitName(to)))
    const message = await failureOf('DAMAGED', readSnapshot(directory))
    assert.ok(message.includes(`${commitName(to)}: expected the commit of its name`), message)
    assert.ok(message.endsWith(`found that of version ${from}`), message)
  }
})

test('what is named like a part of the log and is no file is refused, and never waited for', async () => {
  const kinds = [
    ['a named pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a directory', mkdirSync],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ] as const
  for (const [kind, make] of kinds) {
    for (const name of [commitName(1), checkpointName(3), '_last_checkpoint']) {
      const directory = await tableOf(4)
      await checkpointOf(directory, 3)
      if (name === commitName(1))
        for (const other of [checkpointName(3), '_last_checkpoint']) rmSync(logPath(directory, other))
      rmSync(logPath(directory, name))
      make(logPath(directory, name))
      const message = await failureOf('ENVIRONMENT', readSnapshot(directory))
      assert.ok(message.includes(`${name}: expected a file, found ${kind}`), message)
    }
  }
})

test('a log that begins later needs a checkpoint', async () => {
  const directory = await tableOf(3)
  rmSync(logPath(directory, commitName(0)))
  assert.match(
    await failureOf('DAMAGED', readSnapshot(directory)),
    /0000\.json: expected the commit of version 0/,
  )
})

test('a log that once reached a checkpoint reaches it still', async () => {
  const directory = await tableOf(4)
  await checkpointOf(directory, 3)
  for (const name of [checkpointName(3), commitName(3)]) rmSync(logPath(directory, name))
  assert.match(
    await failureOf('DAMAGED', readSnapshot(directory)),
    /_last_checkpoint: expected a log that reaches version 3/,
  )
})

test('every flipped bit of a commit is seen', async () => {
  const directory = await tableOf(1)
  const path = logPath(directory, commitName(0))
  const bytes = readFileSync(path)
  const before = plainSnapshot(await readSnapshot(directory))
  const bodyStart = bytes.indexOf(10) + 1
  let seenCount = 0
  for (let at = 0; at < bytes.length; at++) {
    const bit = 1 << (at % 8)
    bytes[at] = (bytes[at] ?? 0) ^ bit
    writeFileSync(path, bytes)
    bytes[at] = (bytes[at] ?? 0) ^ bit
    try {
      // The first line holds nothing that the table is made of: it may be read as if by another writer.
      assert.equal(plainSnapshot(await readSnapshot(directory)), before)
      assert.ok(at < bodyStart, `a change at ${at} was not seen`)
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure
      assert.is(failure.code, 'DAMAGED')
      seenCount++
    }
  }
  assert.ok(seenCount >= bytes.length - bodyStart)
})

test('a commit that lost its end, at whatever byte, is seen', async () => {
  const directory = await tableOf(1)
  const path = logPath(directory, commitName(0))
  for (let length = readFileSync(path).length - 1; length >= 0; length--) {
    truncateSync(path, length)
    await failureOf('DAMAGED', readSnapshot(directory))
  }
})

test('a commit that got more lines is seen', async () => {
  const directory = await tableOf(1)
  appendFileSync(logPath(directory, commitName(0)), '{"txn":{"appId":"x","version":1}}\n')
  assert.match(await failureOf('DAMAGED', readSnapshot(directory)), /bytes after the first line/)
})

test('a log without protocol or without metaData is no table', async () => {
  for (const action of ['protocol', 'metaData']) {
    const directory = await tableOf(1)
    changeFile(logPath(directory, commitName(0)), (bytes) =>
      unguarded(bytes)
        .split('\n')
        .filter((line) => !line.startsWith(`{"${action}"`))
        .join('\n'),
    )
    assert.match(
      await failureOf('DAMAGED', readSnapshot(directory)),
      new RegExp(`expected a ${action} action`),
    )
  }
})

test('a damaged checkpoint is passed over for an older one, then for the commits', async () => {
  const directory = await tableOf(7)
  const before = plainSnapshot(await readSnapshot(directory))
  for (const version of [2, 5]) await checkpointOf(directory, version)
  for (const version of [5, 2]) {
    changeFile(logPath(directory, checkpointName(version)), (bytes) => {
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4
      return bytes
    })
    assert.equal(plainSnapshot(await readSnapshot(directory)), before)
  }
  // Both are damaged now, so each of the commits counts.
  rmSync(logPath(directory, commitName(1)))
  const message = await failureOf('DAMAGED', readSnapshot(directory))
  assert.match(message, /0001\.json/)
  assert.match(message, /0005\.checkpoint\.parquet: expected a checkpoint that agrees with its checksums/)
  assert.match(message, /0002\.checkpoint\.parquet/)
})

test('with a good checkpoint the commits before it may be gone', async () => {
  const directory = await tableOf(6)
  const before = plainSnapshot(await readSnapshot(directory))
  await checkpointOf(directory, 4)
  for (let version = 0; version <= 4; version++) rmSync(logPath(directory, commitName(version)))
  assert.equal(plainSnapshot(await readSnapshot(directory)), before)
  assert.match(
    await failureOf('USAGE', readSnapshot(directory, 2)),
    /no longer has version 2.*checkpoint of version 4/,
  )
  rmSync(logPath(directory, checkpointName(4)))
  await failureOf('DAMAGED', readSnapshot(directory))
})

test('a version of which only a damaged checkpoint is left is not replaced by the one before', async () => {
  const directory = await tableOf(3)
  await checkpointOf(directory, 2)
  rmSync(logPath(directory, commitName(2)))
  assert.is((await readSnapshot(directory)).version, 2)
  writeFileSync(logPath(directory, checkpointName(2)), 'PAR1')
  assert.match(await failureOf('DAMAGED', readSnapshot(directory)), /0002\.json/)
})

test('a hint that says nothing is no damage', async () => {
  const directory = await tableOf(3)
  await checkpointOf(directory, 1)
  const before = plainSnapshot(await readSnapshot(directory))
  for (const hint of ['', '{', '{"version":"1"}', '{"version":1e300}', '[]', '{"version":0}']) {
    writeFileSync(logPath(directory, '_last_checkpoint'), hint)
    assert.equal(plainSnapshot(await readSnapshot(directory)), before)
  }
})

test('every flipped bit and every lost end of a checkpoint is seen or changes nothing', async () => {
  const directory = await tableOf(3)
  await checkpointOf(directory, 2)
  const before = plainSnapshot(await readSnapshot(directory))
  const path = logPath(directory, checkpointName(2))
  const bytes = readFileSync(path)
  const alone = makeTempFolder()
  cpSync(directory, alone, { recursive: true })
  for (let version = 0; version < 3; version++) rmSync(logPath(alone, commitName(version)))
  const target = logPath(alone, checkpointName(2))
  let seenCount = 0
  const look = async (what: string): Promise<void> => {
    try {
      assert.equal(plainSnapshot(await readSnapshot(alone)), before, what)
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure
      assert.is(failure.code, 'DAMAGED', `${what}: ${failure.message}`)
      seenCount++
    }
  }
  for (let at = 0; at < bytes.length; at += 7) {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
    writeFileSync(target, bytes)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
    await look(`bit flipped at ${at}`)
  }
  for (let length = 0; length < bytes.length; length += 197) {
    writeFileSync(target, bytes.subarray(0, length))
    await look(`cut at ${length}`)
  }
  // Only the seal itself and the four bytes that point at it may go unnoticed.
  assert.ok(seenCount > bytes.length / 7 + bytes.length / 197 - 6, `${seenCount} of ${bytes.length}`)
})

test.run()
