/** A question's key as the columns hold it. */

import { createHash } from 'node:crypto'
import type { Hash64 } from '../parquet/bloom-filter.ts'
import { xxhash64 } from '../parquet/xxhash64.ts'
import type { DeliveryKey } from './evidence.ts'
import { COLUMN, type ColumnName } from './schema.ts'

/** A value that rows are asked for, with what a bloom filter wants to know of it. */
export interface Wanted {
  readonly column: ColumnName
  readonly bytes: Uint8Array
  readonly hash: Hash64
}

/** The values of a key, column by column. */
export interface ScanKey {
  readonly request: Wanted
  readonly ip: Wanted
  readonly userAgent: Wanted
  /** Only prunes: the user agent itself decides. */
  readonly userAgentMd5: Wanted
}

/** The values to look for; undefined when no log can hold such a key. */
export function scanKeyOf(key: DeliveryKey): ScanKey | undefined {
  const request = wantedText(COLUMN.request, key.asset)
  const ip = wantedText(COLUMN.ip, key.ip)
  const userAgent = wantedText(COLUMN.userAgent, key.userAgent)
  if (request === undefined || ip === undefined || userAgent === undefined) return undefined
  const md5 = createHash('md5').update(userAgent.bytes).digest('hex')
  return { request, ip, userAgent, userAgentMd5: wanted(COLUMN.userAgentMd5, Buffer.from(md5)) }
}

/** The asset to look for, alone; undefined when no log can hold it. */
export function wantedAsset(asset: string): Wanted | undefined {
  return wantedText(COLUMN.request, asset)
}

function wantedText(column: ColumnName, text: string): Wanted | undefined {
  const bytes = Buffer.from(text, 'utf8')
  // Half a surrogate pair turns into U+FFFD, which is another text than the one asked for.
  return bytes.toString('utf8') === text ? wanted(column, bytes) : undefined
}

function wanted(column: ColumnName, bytes: Uint8Array): Wanted {
  return { column, bytes, hash: xxhash64(bytes) }
}
