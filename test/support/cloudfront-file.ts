/** Logs whose user agents come percent-encoded, and the files made from them. */
import { writeFileSync } from 'node:fs'
import { AUTOMATIC } from '#src/engine/input-format.js'
import { processLogs } from '#src/engine/process-logs.js'
import type { MemoryRecord } from './memory-source.ts'

/** A text as CloudFront writes it, so many times over. */
export function encoded(text: string, times: number): string {
  if (times === 0) return text
  const once = [...Buffer.from(text)]
    .map((byte) => (byte > 32 && byte < 127 && byte !== 0x25 ? String.fromCharCode(byte) : `%${hex(byte)}`))
    .join('')
  return encoded(once, times - 1)
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

/** The records as a CloudFront log, whose user agents come encoded once more than they are stored. */
export async function writeCloudfrontFile(path: string, records: readonly MemoryRecord[]): Promise<void> {
  const fields =
    '#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent) sc-range-start sc-range-end'
  const lines = records.map(({ asset, ip, userAgent, first, last, epochSeconds }) => {
    const [date, time] = new Date(epochSeconds * 1000).toISOString().split(/[TZ.]/)
    return [date, time, ip, 'GET', asset, 206, encoded(userAgent, 1), first, last].join('\t')
  })
  writeFileSync(`${path}.log`, `${[fields, ...lines].join('\n')}\n`)
  await processLogs({
    inputs: [`${path}.log`],
    out: path,
    threads: 1,
    formatRequest: { ...AUTOMATIC, format: 'cloudfront', trustRequested: true },
    maxRejects: { kind: 'count', count: 0 },
  })
}
