/**
 * Makes tables for readers of others, and reads theirs. Prints one JSON object.
 *   interop-table.ts make DIRECTORY COUNT   COUNT more versions; the first brings two files with real rows
 *   interop-table.ts read DIRECTORY         what our reader says about the newest version
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TableAction } from '#src/table/actions.js'
import { commit, readSnapshot } from '#src/table/table.js'
import { writeDeliveryFile } from '../support/delivery-file.ts'

const FIRST_DAY_EPOCH = Date.UTC(2024, 4, 17) / 1000

/** A file of one day in its partition; its name has what a URI must encode. */
async function writeDay(directory: string, day: number): Promise<TableAction> {
  const epochSeconds = FIRST_DAY_EPOCH + day * 86_400
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10)
  const relativePath = `date=${date}/part é %${day}.parquet`
  const path = join(directory, relativePath)
  mkdirSync(join(directory, `date=${date}`), { recursive: true })
  const key = { asset: `/episodes/${day}.mp3`, ip: '192.0.2.1', userAgent: 'Hörbuch/1.0' }
  await writeDeliveryFile(path, [
    { ...key, first: 0, last: 499, epochSeconds },
    { ...key, first: 300, last: 899 + day, epochSeconds: epochSeconds + 60 },
  ])
  rmSync(`${path}.log`)
  return {
    add: {
      path: relativePath,
      partitionValues: { date },
      size: statSync(path).size,
      modificationTime: Date.now(),
      dataChange: true,
      stats: {
        numRecords: 500 + 600 + day,
        minValues: { byte_num: 0, epoch: epochSeconds },
        maxValues: { byte_num: 899 + day, epoch: epochSeconds + 60 },
        nullCount: { byte_num: 0 },
      },
    },
  }
}

async function makeVersions(directory: string, count: number): Promise<void> {
  let { version } = await readSnapshot(directory)
  for (let made = 0; made < count; made++) {
    const isFirst = version < 0
    const files = isFirst ? [await writeDay(directory, 0), await writeDay(directory, 1)] : []
    version = await commit(directory, {
      readVersion: version,
      actions: [{ txn: { appId: `sha256:${version + 1}`, version: 1 } }, ...files],
      operation: 'WRITE',
      operationParameters: { mode: 'Append', partitionBy: '["date"]' },
    })
  }
}

const [command, directory = '', count = '0'] = process.argv.slice(2)
if (command === 'make') await makeVersions(directory, Number(count))
const snapshot = await readSnapshot(directory)
const files = [...snapshot.files.values()].map(({ path, size, partitionValues, stats }) => {
  return [path, size, partitionValues.date, stats?.numRecords ?? null, stats?.maxValues['byte_num'] ?? null]
})
const answer = {
  version: snapshot.version,
  id: snapshot.metadata?.id,
  files: files.sort(),
  transactions: Object.fromEntries(snapshot.transactions),
  removed: [...snapshot.removed.keys()].sort(),
}
process.stdout.write(`${JSON.stringify(answer)}\n`)
