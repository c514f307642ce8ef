/** The `export` command: merged intervals into a file, for people who want SQL over intervals. */

import { Failure } from '../base/failure.ts'
import { RANGE_COLUMNS, type RangeRow } from '../delivery/merged-ranges.ts'
import { checkAsset } from '../delivery/question.ts'
import { parseTimeWindow } from '../delivery/question-time.ts'
import type { RangeFormat } from '../engine/export-ranges.ts'
import { refuseToOverwrite } from '../engine/refused-paths.ts'
import { findFiles } from './committed-files.ts'
import { csvLine, csvText } from './csv.ts'
import { toSafeJson } from './escape-text.ts'
import { hasEnding } from './file-ending.ts'
import { formatByteLength, formatNoun } from './format-figures.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { ExportArguments } from './invocation.ts'
import { openLedger } from './library.ts'
import { refuseLocation } from './output-location.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { noteUnknownAsset } from './unknown-asset.ts'

const FORMS = 'FILE.parquet, FILE.csv or FILE.ndjson'

/** Writes the file; returns 0. */
export async function runExport(options: ExportArguments, streams: Streams): Promise<ExitCode> {
  const { store: path = DEFAULT_STORE, ranges, asset } = options
  if (ranges === undefined) throw new Failure('USAGE', `--ranges is missing: expected ${FORMS}`)
  if (asset !== undefined) checkAsset(asset, '--asset')
  const format = formatOf(ranges)
  refuseLocation('--ranges', ranges)
  const window = parseTimeWindow(options.since, options.until)
  const { exportRanges } = await import('../engine/export-ranges.ts')
  refuseToOverwrite([{ option: '--ranges', path: ranges }], [...(await findFiles(path)).keys()])
  const store = await openLedger(path)
  const controller = new AbortController()
  const stopListening = abortOnInterrupt(controller)
  try {
    await noteUnknownAsset(store, asset, streams)
    const rows = await store.mergedRanges({ asset, window })
    const form = { format, head: format === 'csv' ? csvLine(RANGE_COLUMNS) : '', textOf: textOf(format) }
    const written = await exportRanges(rows, ranges, form, controller.signal)
    writeNote(streams, `${ranges}: ${formatNoun(written.rows, 'row')}, ${formatByteLength(written.bytes)}`)
    return 0
  } finally {
    stopListening()
    store.close()
  }
}

function formatOf(path: string): RangeFormat {
  const format = (['parquet', 'csv', 'ndjson'] as const).find((ending) => hasEnding(path, ending))
  return format ?? fail(`--ranges expects ${FORMS}; found '${path}'`)
}

function fail(message: string): never {
  throw new Failure('USAGE', message)
}

function textOf(format: RangeFormat): (row: RangeRow) => string {
  if (format === 'csv') return csvRow
  return ({ asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests }) => {
    const values = [asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests]
    return `${toSafeJson(Object.fromEntries(RANGE_COLUMNS.map((name, i) => [name, values[i]])))}\n`
  }
}

function csvRow(row: RangeRow): string {
  const { asset, ip, userAgent, firstByte, lastByte, firstEpoch, lastEpoch, requests } = row
  const numbers = [firstByte, lastByte, firstEpoch, lastEpoch, requests]
  return csvLine([...[asset, ip, userAgent].map(csvText), ...numbers.map(String)])
}
