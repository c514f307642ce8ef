/** The `sql` command: DuckDB over a store, with the views `bytes` and `ranges`. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempted, Failure } from '../base/failure.ts'
import { SCHEMA } from '../delivery/schema.ts'
import { csvLine, csvText } from './csv.ts'
import { displayWidth, padText } from './display-width.ts'
import { openDuckdb, type SqlResult, type SqlSession } from './duckdb.ts'
import { isStore } from './enclosing-store.ts'
import { escapeText, toSafeJson } from './escape-text.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { SqlArguments } from './invocation.ts'
import { openLedger } from './library.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import type { ExitCode, Streams } from './streams.ts'
import { verifiedFiles } from './verified-files.ts'
import { writeOutput } from './write-output.ts'

const ALWAYS = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }

const INTERRUPT_INTERVAL_MS = 100

/** Nothing but space, semicolons and comments. */
const EMPTY_STATEMENT = /^(?:[\s;]|--[^\n]*|\/\*[\s\S]*?\*\/)*$/

/** What can tell of a view, or read it, without its name in the statement. */
const INDIRECT =
  /\b(?:show|describe|summarize|information_schema|duckdb_\w+|pragma\w*|query|query_table|execute)\b/i

/**
 * Answers a statement, the last where there are several; returns 0. Merged intervals are computed only for a
 * statement that names `ranges`, and files are read through only for one that may read `bytes`.
 */
export async function runSql(options: SqlArguments, streams: Streams): Promise<ExitCode> {
  const { store: path = DEFAULT_STORE, statement } = options
  if (options.json && options.csv) throw new Failure('USAGE', 'expected only one of --json and --csv')
  if (EMPTY_STATEMENT.test(statement))
    throw new Failure('USAGE', 'the statement is empty: expected SQL over the views bytes and ranges')
  const controller = new AbortController()
  const scratch = attempted(tmpdir(), 'make a directory in', () =>
    mkdtempSync(join(tmpdir(), 'byteledger-sql-')),
  )
  const removeScratch = (): void => rmSync(scratch, { recursive: true, force: true })
  const stopListening = abortOnInterrupt(controller, removeScratch)
  const store = await openLedger(path).catch((failure: unknown) => {
    removeScratch()
    throw failure
  })
  let session: SqlSession | undefined
  let interrupting: NodeJS.Timeout | undefined
  try {
    const namesRanges = /\branges\b/i.test(statement)
    // What is read for `ranges` is checked while it is read. DuckDB does not look at checksums.
    const readsBytes = /\bbytes\b/i.test(statement) || (!namesRanges && INDIRECT.test(statement))
    const files = readsBytes ? await verifiedFiles(path, controller.signal) : undefined
    const opened = await openDuckdb()
    session = opened
    controller.signal.addEventListener('abort', () => {
      opened.interrupt()
      // An interrupt that comes just before a statement begins is lost.
      interrupting = setInterval(() => opened.interrupt(), INTERRUPT_INTERVAL_MS)
    })
    if (files !== undefined) await session.run(`CREATE VIEW bytes AS ${selectBytes(files, isStore(path))}`)
    if (namesRanges) {
      const { exportRanges } = await import('../engine/export-ranges.ts')
      const file = join(scratch, 'ranges.parquet')
      const form = { format: 'parquet', head: '', textOf: () => '' } as const
      await exportRanges(
        await store.mergedRanges({ asset: undefined, window: ALWAYS }),
        file,
        form,
        controller.signal,
      )
      await session.run(`CREATE VIEW ranges AS SELECT * FROM read_parquet(${quote(file)})`)
    }
    throwIfAborted(controller.signal)
    await writeResult(await session.run(statement), { options, streams, signal: controller.signal })
    // The rows of a statement that was interrupted just end.
    throwIfAborted(controller.signal)
    return 0
  } catch (failure) {
    // What DuckDB says of a statement that was interrupted is no more than that.
    throwIfAborted(controller.signal)
    throw failure
  } finally {
    clearInterval(interrupting)
    session?.close()
    stopListening()
    store.close()
    removeScratch()
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
}

/** The rows of files; those of a store have their date in the name of their directory. */
function selectBytes(files: readonly string[], hasPartitions: boolean): string {
  const columns = SCHEMA.map(({ name }) => name).join(', ')
  if (files.length === 0) {
    const types = { INT32: 'DATE', INT64: 'BIGINT', BYTE_ARRAY: 'VARCHAR' }
    const empty = SCHEMA.map(({ name, physicalType }) => `NULL::${types[physicalType]} AS ${name}`)
    return `SELECT ${empty.join(', ')} WHERE false`
  }
  const list = files.map(quote).join(', ')
  return `SELECT ${columns} FROM read_parquet([${list}], hive_partitioning = ${hasPartitions})`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

async function writeResult(
  result: SqlResult,
  { options, streams, signal }: { options: SqlArguments; streams: Streams; signal: AbortSignal },
): Promise<void> {
  const pieces = options.json ? jsonPieces(result) : options.csv ? csvPieces(result) : tablePieces(result)
  for await (const piece of pieces) {
    if (signal.aborted || (await writeOutput(streams.stdout, piece)) === 'closed') return
  }
}

/** `{"v":1,"columns":[…],"rows":[[…]]}`. */
async function* jsonPieces({ columns, rows }: SqlResult): AsyncGenerator<string> {
  yield `{"v":1,"columns":${toSafeJson(columns)},"rows":[`
  let separator = '\n'
  for await (const piece of rows) {
    let text = ''
    for (const row of piece) {
      text += separator + toSafeJson(row)
      separator = ',\n'
    }
    yield text
  }
  yield '\n]}\n'
}

async function* csvPieces({ columns, rows }: SqlResult): AsyncGenerator<string> {
  yield csvLine(columns.map(csvText))
  for await (const piece of rows) {
    yield piece
      .map((row) => csvLine(row.map((cell) => csvText(isNumeric(cell) ? Number(cell) : textOf(cell)))))
      .join('')
  }
}

/** Whether a cell is a number that JSON writes as text only because it may be a large one. */
function isNumeric(cell: unknown): boolean {
  return typeof cell === 'string' && /^-?\d{1,15}$/.test(cell)
}

function textOf(cell: unknown): string {
  if (cell === null) return ''
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}

/**
 * Columns as wide as the first piece of the result needs. Nobody knows what comes: when a later piece has a wider
 * value its columns are wider from there on, with the header once more above them.
 */
async function* tablePieces({ columns, rows }: SqlResult): AsyncGenerator<string> {
  const names = columns.map(escapeText)
  let widths: readonly number[] | undefined
  for await (const piece of rows) {
    const texts = piece.map((row) => row.map((cell) => (cell === null ? 'NULL' : escapeText(textOf(cell)))))
    const before: readonly number[] = widths ?? names.map(displayWidth)
    const needed = before.map((width, i) =>
      texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? '')), width),
    )
    const isWider = needed.some((width, i) => width > (before[i] ?? 0))
    if (widths === undefined) yield tableLine(names, needed)
    else if (isWider) yield `\n${tableLine(names, needed)}`
    widths = needed
    yield texts.map((row) => tableLine(row, needed)).join('')
  }
  if (widths === undefined) yield tableLine(names, [])
}

function tableLine(cells: readonly string[], widths: readonly number[]): string {
  return `${cells
    .map((text, i) => padText(text, widths[i] ?? 0))
    .join('  ')
    .trimEnd()}\n`
}
