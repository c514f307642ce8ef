/**
 * Three Parquet readers that others wrote, asked the same things in the same way: DuckDB, parquet-wasm
 * (arrow-rs) and hyparquet. What we wrote is right only when all of them read what we meant.
 */
import { openAsBlob } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Table, tableFromIPC } from 'apache-arrow'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ParquetFile } from 'parquet-wasm'

/** One delivered byte as a reader sees it. */
export interface DeliveredRow {
  /** YYYY-MM-DD */
  readonly date: string
  readonly epoch: number
  readonly ip: string
  readonly userAgent: string
  readonly userAgentMd5: string
  readonly request: string
  readonly byteNum: number
}

/** The column `byte_num` of a whole file; zeros for a file without rows. */
export interface ByteTotals {
  readonly rowCount: number
  readonly sum: bigint
  readonly distinctCount: number
  readonly min: number
  readonly max: number
}

/** The replaced solution's own question; positions are inclusive. */
export interface PointQuestion {
  readonly ip: string
  readonly userAgentMd5: string
  readonly request: string
  readonly first: number
  readonly last: number
}

/** A reader of somebody else. Each function fails when the reader does. */
export interface ForeignReader {
  readonly name: string
  /** Decodes the whole column `byte_num`; for up to some 50 million rows. */
  readTotals(path: string): Promise<ByteTotals>
  /** Number of distinct delivered bytes in the range. */
  countDelivered(path: string, question: PointQuestion): Promise<number>
  /** Every row in file order; for up to some 100,000 rows. */
  readRows(path: string): Promise<DeliveredRow[]>
}

/** Collects one column of positions in pieces, without a JavaScript object for each. */
class ByteTally {
  readonly #pieces: BigInt64Array[] = []

  add(values: unknown): void {
    if (values instanceof BigInt64Array) this.#pieces.push(values)
    else if (Array.isArray(values)) this.#pieces.push(BigInt64Array.from(values, (value) => BigInt(value)))
    else throw new Error('expected byte_num as a list of 64-bit integers')
  }

  totals(): ByteTotals {
    let rowCount = 0
    let sum = 0n
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (const piece of this.#pieces) {
      rowCount += piece.length
      for (const value of piece) {
        sum += value
        const position = Number(value)
        if (position < min) min = position
        if (position > max) max = position
      }
    }
    if (rowCount === 0) return { rowCount, sum, distinctCount: 0, min: 0, max: 0 }
    return { rowCount, sum, distinctCount: this.#countDistinct(min, max), min, max }
  }

  #countDistinct(min: number, max: number): number {
    if (max - min >= 2 ** 31) return new Set(this.#pieces.flatMap((piece) => [...piece])).size
    const isSeen = new Uint8Array(max - min + 1)
    let count = 0
    for (const piece of this.#pieces) {
      for (const value of piece) {
        const at = Number(value) - min
        if (isSeen[at] === 0) count++
        isSeen[at] = 1
      }
    }
    return count
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Runs one statement in a fresh DuckDB; every value comes as text. */
export async function queryDuckdb(sql: string): Promise<string[][]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  try {
    const connection = await instance.connect()
    const reader = await connection.runAndReadAll(sql)
    connection.closeSync()
    return reader.getRowsJson().map((row) => row.map(String))
  } finally {
    instance.closeSync()
  }
}

const duckdb: ForeignReader = {
  name: 'DuckDB',
  async readTotals(path) {
    const byteNum =
      'coalesce(sum(byte_num), 0), count(DISTINCT byte_num), coalesce(min(byte_num), 0), coalesce(max(byte_num), 0)'
    const [row = []] = await queryDuckdb(`SELECT count(*), ${byteNum} FROM read_parquet(${quote(path)})`)
    const [rowCount = '', sum = '', distinctCount = '', min = '', max = ''] = row
    return {
      rowCount: Number(rowCount),
      sum: BigInt(sum),
      distinctCount: Number(distinctCount),
      min: Number(min),
      max: Number(max),
    }
  },
  async countDelivered(path, { ip, userAgentMd5, request, first, last }) {
    const [row] = await queryDuckdb(
      `SELECT count(DISTINCT byte_num) FROM read_parquet(${quote(path)}) WHERE ip = ${quote(ip)}
       AND user_agent_md5 = ${quote(userAgentMd5)} AND request = ${quote(request)} AND byte_num BETWEEN ${first} AND ${last}`,
    )
    return Number(row?.[0])
  },
  async readRows(path) {
    const rows = await queryDuckdb(
      `SELECT date::VARCHAR, epoch, ip, user_agent, user_agent_md5, request, byte_num FROM read_parquet(${quote(path)})`,
    )
    return rows.map(
      ([date = '', epoch, ip = '', userAgent = '', userAgentMd5 = '', request = '', byteNum]) => {
        return { date, epoch: Number(epoch), ip, userAgent, userAgentMd5, request, byteNum: Number(byteNum) }
      },
    )
  },
}

/** Streams some columns of a file as Arrow tables of up to 65,536 rows. */
async function* streamArrow(path: string, columns: readonly string[]): AsyncGenerator<Table> {
  const file = await ParquetFile.fromFile(await openAsBlob(path))
  try {
    const stream = await file.stream({ columns: [...columns], batchSize: 65_536 })
    const reader = stream.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield tableFromIPC(next.value.intoIPCStream())
    }
  } finally {
    file.free()
  }
}

const parquetWasm: ForeignReader = {
  name: 'parquet-wasm',
  async readTotals(path) {
    const tally = new ByteTally()
    for await (const table of streamArrow(path, ['byte_num']))
      tally.add(table.getChild('byte_num')?.toArray())
    return tally.totals()
  },
  async countDelivered(path, question) {
    const found = new Set<number>()
    for await (const table of streamArrow(path, ['ip', 'user_agent_md5', 'request', 'byte_num'])) {
      const [ip, userAgentMd5, request] = ['ip', 'user_agent_md5', 'request'].map((name) =>
        table.getChild(name),
      )
      const byteNums: unknown = table.getChild('byte_num')?.toArray()
      if (!(byteNums instanceof BigInt64Array)) throw new Error('expected byte_num as 64-bit integers')
      for (const [row, byteNum] of byteNums.entries()) {
        // Numbers are compared before any text is decoded.
        if (byteNum < question.first || byteNum > question.last) continue
        if (request?.get(row) !== question.request || ip?.get(row) !== question.ip) continue
        if (userAgentMd5?.get(row) === question.userAgentMd5) found.add(Number(byteNum))
      }
    }
    return found.size
  },
  async readRows(path) {
    const rows: DeliveredRow[] = []
    for await (const table of streamArrow(path, COLUMNS)) {
      for (const row of table) {
        rows.push(toRow(COLUMNS.map((name) => row[name])))
      }
    }
    return rows
  },
}

const COLUMNS: readonly string[] = [
  'date',
  'epoch',
  'ip',
  'user_agent',
  'user_agent_md5',
  'request',
  'byte_num',
]

/** Days come as milliseconds or as a Date, 64-bit integers as bigint. */
function toRow(values: readonly unknown[]): DeliveredRow {
  const [date, epoch, ip, userAgent, userAgentMd5, request, byteNum] = values
  return {
    date: new Date(date instanceof Date ? date : Number(date)).toISOString().slice(0, 10),
    epoch: Number(epoch),
    ip: String(ip),
    userAgent: String(userAgent),
    userAgentMd5: String(userAgentMd5),
    request: String(request),
    byteNum: Number(byteNum),
  }
}

const hyparquet: ForeignReader = {
  name: 'hyparquet',
  async readTotals(path) {
    const tally = new ByteTally()
    const file = await asyncBufferFromFile(path)
    await parquetRead({
      file,
      compressors,
      columns: ['byte_num'],
      onChunk: ({ columnData }) => tally.add(columnData),
    })
    return tally.totals()
  },
  async countDelivered(path, { ip, userAgentMd5, request, first, last }) {
    const found = await parquetReadObjects({
      file: await asyncBufferFromFile(path),
      compressors,
      columns: ['byte_num'],
      // It prunes by our bloom filters, column indexes and offset indexes, so it checks them as well.
      useBloomFilters: true,
      usePageIndex: true,
      useOffsetIndex: true,
      filter: {
        ip: { $eq: ip },
        user_agent_md5: { $eq: userAgentMd5 },
        request: { $eq: request },
        byte_num: { $gte: BigInt(first), $lte: BigInt(last) },
      },
    })
    return new Set(found.map((row) => Number(row['byte_num']))).size
  },
  async readRows(path) {
    const rows = await parquetReadObjects({
      file: await asyncBufferFromFile(path),
      compressors,
      columns: [...COLUMNS],
    })
    return rows.map((row) => toRow(COLUMNS.map((name) => row[name])))
  },
}

/** All of them, to loop over. */
export const FOREIGN_READERS: readonly ForeignReader[] = [duckdb, parquetWasm, hyparquet]

/** How many row groups a file has, according to hyparquet. */
export async function countRowGroups(path: string): Promise<number> {
  return (await parquetMetadataAsync(await asyncBufferFromFile(path))).row_groups.length
}

/** The names of a file's columns in order, according to hyparquet. */
export async function readColumnNames(path: string): Promise<string[]> {
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path))
  return schema.slice(1).map(({ name }) => name)
}
