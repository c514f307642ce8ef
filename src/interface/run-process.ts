/** The `process` command: logs into a store or one Parquet file, and a report. */

import { statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Failure } from '../base/failure.ts'
import type { EncodeOptions } from '../engine/encode-inputs.ts'
import type { FormatDecision } from '../engine/input-format.ts'
import type { StoreRunReport } from '../engine/process-into-store.ts'
import type { ProcessReport } from '../engine/process-logs.ts'
import { toSafeJson } from './escape-text.ts'
import { formatNoun } from './format-figures.ts'
import { commandLine } from './help-text.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { ProcessArguments } from './invocation.ts'
import { type ProcessSettings, type ProcessTarget, readProcessSettings } from './process-settings.ts'
import { openProgressLine } from './progress.ts'
import { renderReport } from './render-report.ts'
import { resolveInputs } from './resolve-inputs.ts'
import { DEMONSTRATION } from './sample-questions.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/** Most files of so many bytes are read by several threads. */
const LARGE_BYTE_LENGTH = 96 * 1024 * 1024

/** Returns 0; fails as the engine does, with everything unfinished taken away again. */
export async function runProcess(options: ProcessArguments, streams: Streams): Promise<ExitCode> {
  const named = readProcessSettings(options)
  const { inputs, notes } = resolveInputs(named.inputs)
  const settings = { ...named, inputs }
  if (!options.quiet) for (const note of notes) writeNote(streams, note)
  const isSample = options.inputs.length === 0
  if (isSample && settings.target.kind === 'store') {
    const { refuseSample } = await import('./sample-place.ts')
    await refuseSample(settings.target.store)
  }
  if (isSample && !options.quiet)
    writeNote(streams, 'no input given: processing the bundled sample (- would read standard input)')
  const controller = new AbortController()
  const stopListening = abortOnInterrupt(controller)
  if (settings.inputs.includes('-')) stopReadingOnAbort(streams.stdin, controller.signal)
  const isShowingProgress = streams.stderr.isTTY === true && !options.quiet && !options.json
  const progress = isShowingProgress ? openProgressLine(streams.stderr) : undefined
  const formats = new FormatNotes(options.quiet || isSample ? undefined : streams)
  try {
    const report = await run(
      settings,
      {
        signal: controller.signal,
        onFormat: (decision) => formats.tell(decision),
        ...(progress === undefined ? {} : { onProgress: progress.update }),
      },
      (note) => {
        if (!options.quiet) writeNote(streams, note)
      },
    )
    progress?.finish()
    formats.conclude(report)
    if (options.json) {
      await writeOutput(streams.stdout, `${toSafeJson(report)}\n`)
    } else if (!options.quiet) {
      const question = isSample
        ? DEMONSTRATION
        : ['--asset', 'ASSET', '--ip', 'IP', '--user-agent', 'AGENT', '--whole']
      const next = commandLine(streams.program, [
        'query',
        '--store',
        targetPath(settings.target),
        ...question,
      ])
      const style = styleFor(streams.stdout, streams.environment)
      await writeOutput(streams.stdout, renderReport(report, next, style))
    }
    return 0
  } finally {
    progress?.finish()
    stopListening()
  }
}

/** Begins to load the engine for a run, while its arguments are still read. */
export function loadEngine(words: readonly string[]): void {
  const loads: Promise<unknown>[] = [
    words.includes('--out') ? import('../engine/process-logs.ts') : import('../engine/process-into-store.ts'),
  ]
  // A large log is encoded in threads, which load the encoder for themselves.
  if (!words.some(isLargeFile)) loads.push(import('../engine/shard-runner.ts'))
  for (const load of loads) load.catch(() => undefined)
}

function isLargeFile(path: string): boolean {
  try {
    return statSync(path).size >= LARGE_BYTE_LENGTH
  } catch {
    // An option, or a file that cannot be read: whoever opens it says so.
    return false
  }
}

type Surroundings = Pick<EncodeOptions, 'signal' | 'onProgress' | 'onFormat'>

async function run(
  { target, ...settings }: ProcessSettings,
  surroundings: Surroundings,
  onNote: (note: string) => void,
): Promise<ProcessReport | StoreRunReport> {
  if (target.kind === 'file') {
    const { processLogs } = await import('../engine/process-logs.ts')
    return await processLogs({ ...settings, ...surroundings, out: target.out, onNote })
  }
  const { processIntoStore } = await import('../engine/process-into-store.ts')
  const { store, force } = target
  return await processIntoStore({ ...settings, ...surroundings, store, force, onNote })
}

function targetPath(target: ProcessTarget): string {
  return target.kind === 'file' ? target.out : target.store
}

/** Says what inputs were found to be, once for each format and for the first that none recognised: there may be thousands of inputs. */
class FormatNotes {
  private readonly streams: Streams | undefined
  private readonly told = new Set<string>()
  /** By format, the fields that say how much was sent. */
  private readonly sentFields = new Map<string, string>()

  constructor(streams: Streams | undefined) {
    this.streams = streams
  }

  tell({ path, format, isGuess, isGiven, sentFields }: FormatDecision): void {
    if (sentFields !== undefined) this.sentFields.set(format, sentFields)
    const what = isGuess ? `${format} as a guess` : format
    if (this.streams === undefined || isGiven || this.told.has(what)) return
    this.told.add(what)
    const why = isGuess ? ': no format was recognised, --format NAME says which it is' : ''
    writeNote(this.streams, `${path}: read as ${format}${why}`)
  }

  /** Says what was missing in the logs. */
  conclude({ unmeasured }: ProcessReport): void {
    if (this.streams === undefined || unmeasured === 0) return
    const fields = [...this.sentFields].map(([format, names]) => `${names} (${format})`)
    writeNote(
      this.streams,
      `${formatNoun(unmeasured, 'request')} counted for the range alone, as nothing on the line says how much was ` +
        `sent: a transfer that was cut off reads as whole; log ${fields.join(', or ')}`,
    )
  }
}

/** A read that waits for a terminal or a pipe knows nothing of the signal: it ends when the stream does. */
function stopReadingOnAbort(stdin: Readable, signal: AbortSignal): void {
  stdin.on('error', () => undefined)
  const stop = (): void => {
    stdin.destroy(new Failure('INTERRUPTED', 'interrupted; nothing was written'))
  }
  signal.addEventListener('abort', stop, { once: true })
}
