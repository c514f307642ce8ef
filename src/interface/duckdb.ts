/** The one file that knows DuckDB, which is loaded when it is asked for and need not be there. */

import { Failure, messageOf } from '../base/failure.ts'
import { errorCode } from './write-output.ts'

/** The rows that a statement gives, a piece at a time; cells as DuckDB turns them into JSON. */
export interface SqlResult {
  readonly columns: readonly string[]
  readonly rows: AsyncIterable<readonly (readonly unknown[])[]>
}

/** An open database in memory. */
export interface SqlSession {
  /**
   * Runs statements; gives the rows of the last. Fails with `USAGE` when DuckDB does not take one, and when an earlier
   * one gives rows, as nobody would see them.
   */
  run(statements: string): Promise<SqlResult>
  /** Makes what runs fail, soon. */
  interrupt(): void
  close(): void
}

/** Opens a database in memory. Fails with `ENVIRONMENT`, saying how to install it, when DuckDB is not there. */
export async function openDuckdb(load: () => Promise<unknown> = loadDuckdb): Promise<SqlSession> {
  try {
    await load()
  } catch (cause) {
    if (errorCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Failure(
      'ENVIRONMENT',
      'sql needs DuckDB, which is not installed: npm install @duckdb/node-api (70 MB) beside byteledger',
      { cause },
    )
  }
  const { DuckDBInstance, ResultReturnType, StatementType } = await loadDuckdb()
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  return {
    async run(statements) {
      try {
        const extracted = await connection.extractStatements(statements)
        // Later ones may need what earlier ones make, so each is prepared when those before have run.
        for (let at = 0; at < extracted.count - 1; at++) {
          const prepared = await extracted.prepare(at)
          const isQuery = prepared.statementType === StatementType.SELECT
          if (isQuery || (await prepared.run()).returnType === ResultReturnType.QUERY_RESULT)
            throw rowsOfEarlier(at + 1, extracted.count)
        }
        const result = await (await extracted.prepare(extracted.count - 1)).stream()
        return { columns: result.columnNames(), rows: jsonRows(result) }
      } catch (cause) {
        if (cause instanceof Failure) throw cause
        throw new Failure('USAGE', `DuckDB: ${messageOf(cause)}`, { cause })
      }
    },
    interrupt: () => connection.interrupt(),
    close: () => connection.closeSync(),
  }
}

function rowsOfEarlier(ordinal: number, count: number): Failure {
  return new Failure(
    'USAGE',
    `statement ${ordinal} of ${count} gives rows, which nobody would see: expected only the last to give any`,
  )
}

function loadDuckdb(): Promise<typeof import('@duckdb/node-api')> {
  return import('@duckdb/node-api')
}

async function* jsonRows(
  result: Awaited<ReturnType<import('@duckdb/node-api').DuckDBConnection['stream']>>,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  try {
    for await (const rows of result.yieldRowsJson()) yield rows
  } catch (cause) {
    throw new Failure('USAGE', `DuckDB: ${messageOf(cause)}`, { cause })
  }
}
