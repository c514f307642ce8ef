import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '#src/base/byte-writer.js'
import { encodeLengthEntry, type LengthEntry, mergeLengths } from '#src/delivery/length-entries.js'
import { findLengths, LengthCollector, readAllLengths } from '#src/delivery/length-section.js'
import { wantedAsset } from '#src/delivery/scan-key.js'
import { LENGTHS_KEY, SCHEMA } from '#src/delivery/schema.js'
import { openFile } from '#src/delivery/store.js'
import { ParquetOutput } from '#src/engine/parquet-output.js'
import { ANSWERED, ASKED } from '#src/log/scanned-runs.js'
import { xxhash64 } from '#src/parquet/xxhash64.js'
import { flipSection } from '../support/flip-section.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const test = suite('logged lengths in a file')
const folder = makeTempFolder()

function entry(asset: string, length: number, epoch: number, requests = 1): LengthEntry {
  const bytes = Buffer.from(asset)
  const { low, high } = xxhash64(bytes)
  return {
    hashLow: low,
    hashHigh: high,
    asset: bytes,
    length,
    firstEpoch: epoch,
    lastEpoch: epoch + 5,
    requests,
  }
}

/** A file without rows that holds these lengths; `parts` come one after the other, as those of shards. */
async function writeLengths(name: string, parts: readonly (readonly LengthEntry[])[]): Promise<string> {
  const path = join(folder, name)
  const output = await ParquetOutput.create(path, { schema: SCHEMA })
  for (const part of parts) {
    const writer = new ByteWriter()
    for (const each of part) encodeLengthEntry(each, writer)
    await output.appendLengths(writer.copy())
  }
  await output.finish(0)
  return path
}

/** What a file tells of an asset, as text. */
function tell(path: string, asset: string): string {
  const file = openFile(path)
  try {
    const wanted = wantedAsset(asset)
    assert.ok(wanted)
    return JSON.stringify(mergeLengths(findLengths(file, wanted)))
  } finally {
    file.close()
  }
}

/** The same from a plain map. */
function expectTold(entries: readonly LengthEntry[], asset: string): string {
  const mine = entries.filter((each) => Buffer.from(each.asset).toString() === asset && each.requests > 0)
  const asked = entries.filter(
    (each) => Buffer.from(each.asset).toString() === asset && each.requests === ASKED,
  )
  const answered = entries.filter(
    (each) => Buffer.from(each.asset).toString() === asset && each.requests === ANSWERED,
  )
  const lengths = [...new Set(mine.map(({ length }) => length))].sort((a, b) => a - b)
  return JSON.stringify({
    loggedLengths: lengths.map((bytes) => {
      const same = mine.filter(({ length }) => length === bytes)
      return {
        bytes,
        requests: same.reduce((sum, { requests }) => sum + requests, 0),
        firstEpochSeconds: Math.min(...same.map(({ firstEpoch }) => firstEpoch)),
        lastEpochSeconds: Math.max(...same.map(({ lastEpoch }) => lastEpoch)),
      }
    }),
    askedLength: Math.max(0, ...asked.map(({ length }) => length)),
    answeredLength: Math.max(0, ...answered.map(({ length }) => length)),
  })
}

/** What is told of an asset that is not there. */
const NOTHING = '{"loggedLengths":[],"askedLength":0,"answeredLength":0}'

function randomEntries(seed: number, count: number): LengthEntry[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () =>
    entry(
      `/asset/${random(300)}`,
      random(3) === 0 ? 2 ** 53 - 1 : 1 + random(9),
      random(1000),
      random(5) - 1,
    ),
  )
}

test('every length of every asset is found, however the entries came', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const entries = randomEntries(seed, 1000)
    const path = await writeLengths(`random-${seed}.parquet`, [entries.slice(0, 300), [], entries.slice(300)])
    for (let i = 0; i < 300; i += 7) {
      assert.is(tell(path, `/asset/${i}`), expectTold(entries, `/asset/${i}`), `seed ${seed}, asset ${i}`)
    }
    assert.is(tell(path, '/nowhere'), NOTHING)
  }
})

test('more assets than a block holds make several, and all are found', async () => {
  const count = 150_000
  const all = Array.from({ length: count }, (_, i) => entry(`/a/${i}`, i + 1, i))
  const path = await writeLengths('blocks.parquet', [all, [entry('/a/77', 5, 9)]])
  for (const i of [0, 1, 77, 65_535, 65_536, 131_072, count - 1]) {
    const extra = i === 77 ? [entry('/a/77', 5, 9)] : []
    assert.is(tell(path, `/a/${i}`), expectTold([entry(`/a/${i}`, i + 1, i), ...extra], `/a/${i}`))
  }
  const file = openFile(path)
  assert.is([...readAllLengths(file)].length, count + 1)
  file.close()
})

test('long assets bound a block by their bytes', () => {
  const collector = new LengthCollector()
  let added = 0
  while (!collector.isFull) collector.add(entry(`${'x'.repeat(60_000)}${added++}`, 1, 1))
  assert.ok(added < 300)
})

test('sections of several files merge into one that tells the same', async () => {
  const entries = randomEntries(9, 900)
  const paths = [
    await writeLengths('part-1.parquet', [entries.slice(0, 400)]),
    await writeLengths('part-2.parquet', [entries.slice(400)]),
  ]
  const merged: LengthEntry[] = []
  for (const path of paths) {
    const file = openFile(path)
    merged.push(...readAllLengths(file))
    file.close()
  }
  const whole = await writeLengths('whole.parquet', [merged])
  const direct = await writeLengths('direct.parquet', [entries])
  assert.ok(readFileSync(whole).equals(readFileSync(direct)))
})

test('a file without lengths has no section', async () => {
  const path = await writeLengths('none.parquet', [[]])
  const file = openFile(path)
  assert.is(file.footer.keyValues.get(LENGTHS_KEY), undefined)
  assert.equal([...readAllLengths(file)], [])
  file.close()
  assert.is(tell(path, '/a'), NOTHING)
})

test('a flipped bit in the section is never another length', async () => {
  const entries = randomEntries(3, 60)
  const path = await writeLengths('sound.parquet', [entries])
  const file = openFile(path)
  const place = file.footer.keyValues.get(LENGTHS_KEY)
  file.close()
  const asset = Buffer.from(entries[0]?.asset ?? []).toString()
  const expected = expectTold(entries, asset)
  const failures = flipSection(path, place, 13, (damaged, note) =>
    assert.is(tell(damaged, asset), expected, note),
  )
  assert.ok(failures > 100, `${failures} failures`)
})

test.run()
