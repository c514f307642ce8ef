import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assetEndIn } from '#src/delivery/asset-ends.js'
import { RunEncoder } from '#src/delivery/run-encoder.js'
import { wantedAsset } from '#src/delivery/scan-key.js'
import { ASSET_ENDS_KEY, SCHEMA } from '#src/delivery/schema.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { ParquetOutput } from '#src/engine/parquet-output.js'
import { DEFAULT_DELIVERY_LAYOUT } from '#src/log/delivery-layout.js'
import { createScanner } from '#src/log/scanner.js'
import { createPositionPageEncoder } from '#src/parquet/position-page-encoder.js'
import { xxhash64 } from '#src/parquet/xxhash64.js'
import { logOf, makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import { flipSection } from '../support/flip-section.ts'
import { type MemoryRecord, memorySource } from '../support/memory-source.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('ends of assets in a file')
const scratch = makeScratch()
test.after(() => scratch.remove())

const EPOCH = 1_596_200_000

function record(asset: string, first: number, last: number): MemoryRecord {
  return { asset, ip: '10.0.0.1', userAgent: 'curl/8', first, last, epochSeconds: EPOCH + (last % 1000) }
}

function randomRecords(seed: number, count: number, assetCount: number): MemoryRecord[] {
  const below = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = below(1_000_000)
    return record(`/a${below(assetCount)}`, first, first + below(70_000))
  })
}

/** What two sources say of the length of each asset, and of one that neither has. */
function compareLengths(path: string, records: readonly MemoryRecord[], note: string): void {
  const store = openStore([path])
  const plain = memorySource(records)
  for (const asset of new Set([...records.map((each) => each.asset), '/never'])) {
    assert.is(store.observedLength(asset), plain.observedLength(asset), `${note}, ${asset}`)
  }
  store.close()
}

/** The file of a log as one written before there were ends: its row groups come without. */
async function writeWithoutEnds(path: string, records: readonly MemoryRecord[]): Promise<void> {
  const scanner = await createScanner({})
  scanner.beginPiece(DEFAULT_DELIVERY_LAYOUT)
  const text = Buffer.from(logOf(records))
  scanner.reserve(text.length).set(text)
  scanner.commit(text.length)
  scanner.endPiece()
  const output = await ParquetOutput.create(path, { schema: SCHEMA })
  const encoder = new RunEncoder(SCHEMA, await createPositionPageEncoder())
  for (const { batch } of encoder.encode(scanner.finish(), () => undefined)) {
    await output.append({ ...batch, notes: new Uint8Array(0) })
  }
  await output.finish(records.length)
}

test('lengths are those of a plain maximum, in row groups and shards of any size', async () => {
  for (const [seed, count, assetCount, shardByteLength] of [
    [1, 300, 7, 2000],
    [2, 2000, 400, 9000],
    [3, 9000, 30, 1 << 20],
    [4, 5000, 5000, 1 << 20],
    [5, 40, 1, 500],
  ] as const) {
    const records = randomRecords(seed, count, assetCount)
    const path = scratch.path(`random-${seed}.parquet`)
    await writeDeliveryFile(path, records, shardByteLength)
    compareLengths(path, records, `seed ${seed}`)
  }
})

test('each part says how far the assets of its row group reach, and 0 of others', async () => {
  const path = scratch.path('parts.parquet')
  await writeDeliveryFile(path, [record('/a', 0, 9), record('/a', 5, 19), record('/b', 2, 3)])
  const file = openFile(path)
  const ends = ['/a', '/b', '/c'].map((asset) => {
    const wanted = wantedAsset(asset)
    assert.ok(wanted)
    return assetEndIn(file, 0, wanted)
  })
  assert.equal(ends, [20, 4, 0])
  file.close()
})

test('an asset whose half hash is that of a longer one keeps its own length', async () => {
  const [short, long] = ['/asset/55348', '/asset/56376']
  assert.is(xxhash64(Buffer.from(short)).low, xxhash64(Buffer.from(long)).low)
  const records = [record(short, 0, 9), record(long, 0, 999_999), record('/b', 0, 5)]
  const path = scratch.path('collision.parquet')
  await writeDeliveryFile(path, records)
  compareLengths(path, records, 'both there')
  const alone = scratch.path('collision-alone.parquet')
  await writeDeliveryFile(alone, records.slice(1))
  const store = openStore([alone])
  assert.is(store.observedLength(short), undefined)
  store.close()
})

test('a file without the section gives the same lengths', async () => {
  const records = randomRecords(6, 4000, 20)
  const path = scratch.path('without.parquet')
  await writeWithoutEnds(path, records)
  const file = openFile(path)
  assert.is(file.footer.keyValues.get(ASSET_ENDS_KEY), undefined)
  file.close()
  compareLengths(path, records, 'without')
})

test('a flipped bit in the section is never another length', async () => {
  const records = randomRecords(7, 60, 5)
  const path = scratch.path('sound.parquet')
  await writeDeliveryFile(path, records, 900)
  const file = openFile(path)
  const place = file.footer.keyValues.get(ASSET_ENDS_KEY)
  file.close()
  const failures = flipSection(path, place, 7, (damaged, note) => compareLengths(damaged, records, note))
  assert.ok(failures > 100, `${failures} failures`)
})

test.run()
