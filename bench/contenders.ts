/** The programs that are compared: byteledger, DuckDB in three ways, `wc -l` and a Node that does nothing. */
import type { Command } from './measure.ts'

/** Both sides get as many threads as the target machine has cores. */
const THREAD_COUNT = 2

/** What a run must have delivered, read back from what it wrote. */
export interface Delivery {
  readonly keptRequests: number
  readonly rows: number
}

/** Counts the lines of a log and does nothing else: the floor of what reading costs. */
export const lineCountCommand = (log: string): Command => ({ program: 'wc', args: ['-l', log] })

/** Starts Node and ends it: the floor of what any program in Node costs. */
export const idleNodeCommand: Command = { program: process.execPath, args: ['-e', '0'] }

/** Our own command line, built. */
export function byteledgerCommand(log: string, out: string): Command {
  const options = ['--out', out, '--threads', String(THREAD_COUNT), '--quiet', '--json']
  return { program: process.execPath, args: ['dist/cli.js', 'process', log, ...options] }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** A member of printed JSON that must be a number. */
export function numberAt(value: unknown, name: string): number {
  const found = isRecord(value) ? value[name] : undefined
  if (typeof found !== 'number') throw new Error(`expected a number '${name}', found ${String(found)}`)
  return found
}

/** Reads `kept` and `rows` of `process --json`. */
export function readByteledgerDelivery(stdout: string): Delivery {
  const counts: unknown = JSON.parse(stdout)
  return { keptRequests: numberAt(counts, 'kept'), rows: numberAt(counts, 'rows') }
}

/** Plain JavaScript, so that no loader is timed with it: runs statements, prints the last result's first row. */
const DUCKDB_PROGRAM = `
import { DuckDBInstance } from '@duckdb/node-api'
const connection = await (await DuckDBInstance.create(':memory:')).connect()
let rows = []
for (const statement of process.argv.slice(1)) rows = (await connection.runAndReadAll(statement)).getRowsJson()
console.log(JSON.stringify(rows[0] ?? []))
`

/** Runs statements in a process of its own and prints the first row of the last one. */
export function duckdbCommand(statements: readonly string[]): Command {
  const args = ['--input-type=module', '--eval', DUCKDB_PROGRAM, '--', ...statements]
  return { program: process.execPath, args }
}

/** A text as SQL. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The log as DuckDB reads it best: every option given, nothing sniffed. */
function readLogSql(log: string): string {
  const columns = `{date: 'DATE', time: 'TIME', ip: 'VARCHAR', user_agent: 'VARCHAR', request: 'VARCHAR', status: 'SMALLINT', byte_range: 'VARCHAR'}`
  const options = `delim = '\\t', header = false, comment = '#', quote = '', escape = '', auto_detect = false, columns = ${columns}`
  return `read_csv(${quote(log)}, ${options})`
}

function requestsSql(log: string): string {
  const split = (part: number): string => `split_part(byte_range, '-', ${part})::BIGINT`
  return `SELECT date, time, ip, user_agent, request, ${split(1)} AS first_byte, ${split(2)} AS last_byte
    FROM ${readLogSql(log)} WHERE status IN (200, 206)`
}

const copySql = (query: string, out: string): string =>
  `COPY (${query}) TO ${quote(out)} (FORMAT parquet, COMPRESSION snappy)`

/** Order of the input is not asked for, which lets DuckDB write in parallel without buffering. */
const settings = [`SET threads = ${THREAD_COUNT}`, 'SET preserve_insertion_order = false']

/** A row for each request, in whatever order comes out; no MD5 and no statistics of ours are asked of it. */
export const duckdbRequestsCommand = (log: string, out: string): Command =>
  duckdbCommand([...settings, copySql(requestsSql(log), out)])

/** A row for each request of a query, likewise. */
export const duckdbRequestsOfCommand = (query: string, out: string): Command =>
  duckdbCommand([...settings, copySql(query, out)])

/** The same, sorted as our files are: the like-for-like work. */
export const duckdbSortedCommand = (log: string, out: string): Command =>
  duckdbCommand([
    `SET threads = ${THREAD_COUNT}`,
    copySql(`${requestsSql(log)} ORDER BY request, ip, user_agent`, out),
  ])

/** A row for each delivered byte of the log: the replaced model, taken literally. */
export const duckdbBytesCommand = (log: string, out: string): Command =>
  duckdbCommand([
    ...settings,
    copySql(
      `SELECT date, time, ip, user_agent, request, unnest(range(first_byte, last_byte + 1)) AS byte_num
       FROM (${requestsSql(log)})`,
      out,
    ),
  ])

/** Counts what a Parquet file of requests holds. */
export const duckdbRequestTotalsCommand = (parquet: string): Command =>
  duckdbCommand([
    `SELECT count(*)::DOUBLE, sum(last_byte - first_byte + 1)::DOUBLE FROM read_parquet(${quote(parquet)})`,
  ])

/** Counts what a Parquet file of bytes holds, ours or DuckDB's. */
export const duckdbByteTotalsCommand = (parquet: string): Command =>
  duckdbCommand([`SELECT count(*)::DOUBLE FROM read_parquet(${quote(parquet)})`])

/** Says which DuckDB it is. */
export const duckdbVersionCommand: Command = duckdbCommand(['SELECT version()'])

/** Reads the one row that a DuckDB command printed. */
export function readDuckdbRow(stdout: string): readonly (string | number)[] {
  const row: unknown = JSON.parse(stdout)
  if (!Array.isArray(row)) throw new Error(`expected a row, found ${stdout}`)
  return row.map((value: unknown) => (typeof value === 'number' ? value : String(value)))
}
