/** The coordinator: logs in, one Parquet file out. */

import { SCHEMA } from '../delivery/schema.ts'
import {
  type EncodeOptions,
  encodeInputs,
  FoundFormats,
  type LineTotals,
  type RowGroupSink,
  storedBytes,
  throwIfAborted,
} from './encode-inputs.ts'
import { type OpenOptions, openInputs } from './open-inputs.ts'
import { ParquetOutput } from './parquet-output.ts'
import { refuseToOverwrite } from './refused-paths.ts'

/** What a run is given. */
export interface ProcessOptions extends EncodeOptions, OpenOptions {
  /** Paths and URLs; `-` is standard input. */
  readonly inputs: readonly string[]
  /** The Parquet file to write, or to replace. */
  readonly out: string
}

/** What a run did, as `process --json` prints it. */
export interface ProcessReport extends LineTotals {
  readonly v: 1
  readonly inputs: readonly string[]
  /** The format of each input. */
  readonly formats: readonly string[]
  readonly rows: number
  readonly files: readonly WrittenFile[]
  /** Bytes of the inputs as stored. */
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly seconds: number
}

/** A Parquet file that a run has written. */
export interface WrittenFile {
  readonly path: string
  readonly rows: number
  readonly bytes: number
}

/**
 * Encodes the inputs into one Parquet file, which appears whole or not at all. Fails as `encodeInputs` does.
 */
export async function processLogs(options: ProcessOptions): Promise<ProcessReport> {
  const startedAt = performance.now()
  const outputs = [{ option: '--out', path: options.out }]
  if (options.rejectsPath !== undefined) outputs.push({ option: '--rejects', path: options.rejectsPath })
  refuseToOverwrite(outputs, options.inputs)
  const formats = new FoundFormats(options)
  const { inputs, names } = await openInputs(options.inputs, options, (index) => formats.optionsFor(index))
  throwIfAborted(options.signal)
  const output = await ParquetOutput.create(options.out, { schema: SCHEMA })
  try {
    const totals = await encodeInputs({ inputs, formats, sink: sinkInto(output) }, options)
    await output.finish(totals.kept, formats.decodesUserAgents)
    return {
      v: 1,
      inputs: names,
      formats: formats.names,
      ...totals,
      rows: output.rowCount,
      files: [{ path: output.path, rows: output.rowCount, bytes: output.byteLength }],
      bytesRead: inputs.reduce((sum, input) => sum + storedBytes(input), 0),
      bytesWritten: output.byteLength,
      seconds: secondsSince(startedAt),
    }
  } finally {
    await output.discard()
  }
}

/** Seconds since a time of `performance.now()`, to the millisecond. */
export function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000
}

function sinkInto(output: ParquetOutput): RowGroupSink {
  return {
    splitsByDay: false,
    get rowCount() {
      return output.rowCount
    },
    append: ({ batch }) => output.append(batch),
    appendLengths: (entries) => output.appendLengths(entries),
  }
}
