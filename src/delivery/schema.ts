/**
 * The table: one row per delivered byte. Writer and reader share what is fixed here; a change of meaning
 * needs a new layout version.
 *
 * Layout 1. Inside a row group runs are ordered by (request, ip, user_agent, first position, epoch).
 * Every RLE run of the epoch column is ONE REQUEST: equal neighbours are not merged, so requests can be
 * told apart. Its dictionary is an ascending list U of epochs, in some row groups followed by an
 * ascending list C, a part of U: an entry of C means that the request goes on from the row before, as it
 * had more rows than a page or row group may hold. The border is the first entry that does not ascend.
 * Footer, page indexes and bloom filters hold checksums of their own (thrift-compact.ts) and the footer a
 * directory of its row groups (footer-directory.ts): a reader of ours refuses files without them.
 */

import type { ColumnSchema } from '../parquet/metadata.ts'
import type { ChunkKind } from '../parquet/row-group-table.ts'

/** The columns, in file order; all REQUIRED. */
export const SCHEMA: readonly ColumnSchema[] = [
  { name: 'date', physicalType: 'INT32', logicalType: 'DATE' },
  { name: 'epoch', physicalType: 'INT64', logicalType: 'INTEGER' },
  { name: 'ip', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'user_agent', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'user_agent_md5', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'request', physicalType: 'BYTE_ARRAY', logicalType: 'STRING' },
  { name: 'byte_num', physicalType: 'INT64', logicalType: 'INTEGER' },
]

/** The columns of a file in a store: the date is the name of its directory, `date=YYYY-MM-DD`. */
export const PARTITION_SCHEMA: readonly ColumnSchema[] = SCHEMA.filter(({ name }) => name !== 'date')

/** The name of every column in `SCHEMA`. */
export const COLUMN = {
  date: 'date',
  epoch: 'epoch',
  ip: 'ip',
  userAgent: 'user_agent',
  userAgentMd5: 'user_agent_md5',
  request: 'request',
  byteNum: 'byte_num',
} as const

/** See `COLUMN`. */
export type ColumnName = (typeof COLUMN)[keyof typeof COLUMN]

/** How the chunks of each column are encoded. */
export function chunkKinds(schema: readonly ColumnSchema[]): readonly ChunkKind[] {
  return schema.map(({ name }) =>
    name === COLUMN.byteNum
      ? { dataEncoding: 'DELTA_BINARY_PACKED', codec: 'ZSTD' }
      : { dataEncoding: 'RLE_DICTIONARY', codec: 'SNAPPY' },
  )
}

/** Where a column stands in a schema of ours; -1 where it does not. */
export function ordinalOf(schema: readonly ColumnSchema[], column: ColumnName): number {
  return schema.findIndex(({ name }) => name === column)
}

/** What rows ascend by inside a row group, as far as Parquet can say it. */
export const SORTING_COLUMNS: readonly ColumnName[] = [COLUMN.request, COLUMN.ip, COLUMN.userAgent]

/** The columns with bloom filters, in the order in which these stand behind each other. */
export const BLOOM_FILTER_COLUMNS: readonly ColumnName[] = [COLUMN.ip, COLUMN.userAgentMd5, COLUMN.request]

/** Names of the key-value metadata. */
export const LAYOUT_KEY = 'byteledger.layout'
export const SORT_KEY = 'byteledger.sort'
export const RUNS_KEY = 'byteledger.runs'
export const BYTES_KEY = 'byteledger.bytes'
/** Where the logged lengths are, see length-section.ts. */
export const LENGTHS_KEY = 'byteledger.lengths'
/** Where it is kept how far assets reach, see asset-ends.ts. */
export const ASSET_ENDS_KEY = 'byteledger.ends'
/** Says that user agents were decoded from percent-encoding, once: some logs encode them twice. */
export const USER_AGENTS_KEY = 'byteledger.user_agents'
/** Its value. */
export const DECODED_USER_AGENTS = 'percent-decoded'
/** The name of a store's data file, so that one that stands in the place of another is noticed. */
export const NAME_KEY = 'byteledger.name'
/** The layout version that this code writes and reads. */
export const LAYOUT_VERSION = '1'
/** What stands before the version in `created_by`. */
export const WRITER_NAME = 'byteledger'

/** How many requests a file has, as its key-value metadata say; undefined when they do not. */
export function runCountOf(keyValues: ReadonlyMap<string, string>): number | undefined {
  const text = keyValues.get(RUNS_KEY) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The key-value metadata of a file of so many requests and rows. */
export function fileKeyValues(totals: {
  readonly runCount: number
  readonly rows: number
  /** Whether all user agents came percent-encoded and were decoded once. */
  readonly decodesUserAgents?: boolean
  /** Where the logged lengths are, if there are any. */
  readonly lengths?: string | undefined
  /** Where it is kept how far assets reach, if there are row groups. */
  readonly ends?: string | undefined
  /** Of a data file of a store. */
  readonly name?: string | undefined
}): Map<string, string> {
  const decoded: [string, string][] =
    totals.decodesUserAgents === true ? [[USER_AGENTS_KEY, DECODED_USER_AGENTS]] : []
  const lengths: [string, string][] = totals.lengths === undefined ? [] : [[LENGTHS_KEY, totals.lengths]]
  const ends: [string, string][] = totals.ends === undefined ? [] : [[ASSET_ENDS_KEY, totals.ends]]
  const name: [string, string][] = totals.name === undefined ? [] : [[NAME_KEY, totals.name]]
  return new Map([
    ...decoded,
    ...name,
    ...lengths,
    ...ends,
    [LAYOUT_KEY, LAYOUT_VERSION],
    [SORT_KEY, 'request,ip,user_agent,byte_num,epoch'],
    [RUNS_KEY, String(totals.runCount)],
    [BYTES_KEY, String(totals.rows)],
  ])
}
