/** Delivery logs and the files made from them, for tests that read these back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processLogs } from '#src/engine/process-logs.js'
import type { MemoryRecord } from './memory-source.ts'

/** A directory of its own for one test file; `remove` when done. */
export interface Scratch {
  readonly path: (name: string) => string
  readonly remove: () => void
}

/** Makes a directory in the system's place for temporary files. */
export function makeScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'byteledger-test-'))
  return {
    path: (name) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** One line of a delivery log a record. */
export function logOf(records: readonly MemoryRecord[]): string {
  const lines = records.map(({ asset, ip, userAgent, first, last, epochSeconds }) => {
    const [date, time] = new Date(epochSeconds * 1000).toISOString().split(/[TZ.]/)
    return [date, time, ip, userAgent, asset, 206, `${first}-${last}`].join('\t')
  })
  return `${lines.join('\n')}\n`
}

/** Writes the file of the records at `path`; a shard of the log becomes one row group or more. */
export async function writeDeliveryFile(
  path: string,
  records: readonly MemoryRecord[],
  shardByteLength = 1 << 20,
): Promise<void> {
  writeFileSync(`${path}.log`, records.length === 0 ? '' : logOf(records))
  await processLogs({
    inputs: [`${path}.log`],
    out: path,
    threads: 1,
    shardByteLength,
    maxRejects: { kind: 'count', count: 0 },
  })
}
