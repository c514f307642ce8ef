/** The inputs of a run through the shards into a sink: planned, encoded, counted, in order. */

import { Failure } from '../base/failure.ts'
import type { EncodedBatch } from '../delivery/run-encoder.ts'
import type { PieceCounts } from '../log/scanned-runs.ts'
import type { LogInput } from './inputs.ts'
import { type MaxRejects, Rejects, RejectsFile } from './rejects.ts'
import type { PieceReport, Shard } from './shard.ts'
import { type ChoosePart, planShards, takeWhole } from './shard-plan.ts'
import type { ShardRun, ShardRunner } from './shard-runner.ts'

/** Bytes of log a shard has: enough that its dictionaries pay, few enough for threads to share the work. */
const DEFAULT_SHARD_BYTE_LENGTH = 32 * 1024 * 1024
const MIN_SHARD_BYTE_LENGTH = 1
/** Smaller inputs are encoded in this thread: starting others takes longer than it saves. */
const THREADS_FROM_BYTE_LENGTH = 96 * 1024 * 1024
/** A shard that shows no progress for so long is given up. */
const DEFAULT_DEADLINE_MS = 5 * 60 * 1000
const PROGRESS_INTERVAL_MS = 100

/** How far a run has come. */
export interface ProcessProgress {
  readonly bytesRead: number
  /** Undefined when an input has no known size. */
  readonly bytesTotal: number | undefined
  readonly lines: number
  readonly rows: number
}

/** How inputs are encoded. */
export interface EncodeOptions {
  /** Threads to encode on; by default as many as the machine runs at once. */
  readonly threads?: number
  readonly shardByteLength?: number
  readonly maxRejects: MaxRejects
  /** Where rejected lines are listed, one JSON object a line. */
  readonly rejectsPath?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ProcessProgress) => void
  /** How long a shard may go without progress. */
  readonly deadlineMs?: number
  /** Inputs of fewer bytes together are encoded without threads. */
  readonly threadsFromByteLength?: number
  /** The module that threads run, see pool.ts. */
  readonly workerUrl?: string
}

/** Where row groups go. */
export interface RowGroupSink {
  /** Whether each day's row groups come apart from the others, without a date column. */
  readonly splitsByDay: boolean
  /** Rows appended so far. */
  readonly rowCount: number
  append(encoded: EncodedBatch): Promise<void>
}

/** What there is to encode, and where to. */
export interface EncodeTask {
  readonly inputs: readonly LogInput[]
  readonly sink: RowGroupSink
  /** By default inputs are taken whole. */
  readonly choosePart?: ChoosePart
}

/** Counts over all lines that were taken. Always lines = comments + blank + kept + skipped + rejected. */
export interface LineTotals {
  readonly lines: number
  readonly comments: number
  readonly blank: number
  readonly kept: number
  readonly skipped: { readonly status: number }
  readonly rejected: Readonly<Record<string, number>>
}

/**
 * Encodes inputs into the sink. Throws a `Failure`: REJECTED when more lines than allowed were rejected,
 * INTERRUPTED when `signal` aborts, otherwise what the environment or the input did wrong.
 */
export async function encodeInputs(task: EncodeTask, options: EncodeOptions): Promise<LineTotals> {
  const { rejectsPath } = options
  const rejectsFile = rejectsPath === undefined ? undefined : await RejectsFile.create(rejectsPath)
  try {
    const totals = new Totals()
    const rejects = new Rejects(
      task.inputs.map(({ path }) => path),
      rejectsFile,
    )
    const runner = await createRunner(task, options)
    try {
      await encodeShards({ ...task, runner, totals, rejects, options })
    } finally {
      await runner.close()
    }
    rejects.check(options.maxRejects, totals.lines)
    throwIfAborted(options.signal)
    const { lines, comments, blank, kept, skippedStatus } = totals
    return {
      lines,
      comments,
      blank,
      kept,
      skipped: { status: skippedStatus },
      rejected: Object.fromEntries(rejects.counts),
    }
  } finally {
    await rejectsFile?.close()
  }
}

/** A shard that was started and is not written yet. */
interface UnderWay {
  readonly run: ShardRun
  /** What it reads from plain files; streams are counted where they are read. */
  readonly fileByteLength: number
}

function fileByteLength(shard: Shard): number {
  return shard.pieces.reduce((sum, piece) => sum + (piece.kind === 'file' ? piece.end - piece.start : 0), 0)
}

/** Sums over all pieces. */
class Totals {
  fileBytesRead = 0
  lines = 0
  comments = 0
  blank = 0
  kept = 0
  skippedStatus = 0

  add(piece: PieceCounts): void {
    this.lines += piece.lines
    this.comments += piece.comments
    this.blank += piece.blank
    this.kept += piece.kept
    this.skippedStatus += piece.skippedStatus
  }
}

/** Everything that one run works with. */
interface Work extends EncodeTask {
  readonly runner: ShardRunner
  readonly totals: Totals
  readonly rejects: Rejects
  readonly options: EncodeOptions
}

/**
 * Starts shards as they are cut, a few ahead of the one whose row groups are being written; row groups
 * go into the file in shard order, so the output does not depend on which worker is quick.
 */
async function encodeShards(work: Work): Promise<void> {
  const { inputs, runner, totals, rejects, choosePart = takeWhole, options } = work
  const shards = planShards(
    inputs,
    Math.max(MIN_SHARD_BYTE_LENGTH, options.shardByteLength ?? DEFAULT_SHARD_BYTE_LENGTH),
    async (input, inputIndex) => {
      const part = await choosePart(input, inputIndex)
      if (part !== undefined) rejects.skipLines(inputIndex, part.linesBefore)
      return part
    },
  )
  const underWay: UnderWay[] = []
  const progress = startProgress(work, underWay)
  try {
    let isPlanned = false
    while (!isPlanned || underWay.length > 0) {
      throwIfAborted(options.signal)
      if (!isPlanned && underWay.length <= runner.concurrency) {
        const { done, value } = await shards.next()
        if (done === true) isPlanned = true
        else underWay.push({ run: runner.start(value), fileByteLength: fileByteLength(value) })
        continue
      }
      const [first] = underWay
      if (first === undefined) break
      await writeShard(first.run, work)
      totals.fileBytesRead += first.fileByteLength
      underWay.shift()
    }
  } finally {
    for (const { run } of underWay) run.end()
    await shards.return(undefined)
    progress.stop()
  }
}

async function writeShard(run: ShardRun, work: Work): Promise<void> {
  for (;;) {
    const message = await unlessAborted(run.next(), work.options.signal)
    if (message.kind === 'failed') throw new Failure(message.code, message.message)
    if (message.kind === 'done') {
      for (const piece of message.pieces) await countPiece(piece, work)
      run.end()
      return
    }
    await work.sink.append(message)
    run.batchWritten(message.batch.pages.buffer)
    throwIfAborted(work.options.signal)
  }
}

async function countPiece(piece: PieceReport, { totals, rejects }: Work): Promise<void> {
  totals.add(piece)
  await rejects.add(piece)
}

async function createRunner({ inputs, sink }: EncodeTask, options: EncodeOptions): Promise<ShardRunner> {
  const shardOptions = {
    keepRejectedText: options.rejectsPath !== undefined,
    splitByDay: sink.splitsByDay,
  }
  const threads = options.threads ?? (await availableThreads())
  const byteLength = inputs.reduce((sum, input) => sum + (input.byteLength ?? Number.POSITIVE_INFINITY), 0)
  if (threads <= 1 || byteLength < (options.threadsFromByteLength ?? THREADS_FROM_BYTE_LENGTH)) {
    // The encoder is loaded where it works: in this thread, or in the others.
    const { createInlineRunner } = await import('./shard-runner.ts')
    return createInlineRunner(shardOptions)
  }
  const { createPoolRunner } = await import('./pool.ts')
  return createPoolRunner({
    threadCount: threads,
    shardOptions,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    ...(options.workerUrl === undefined ? {} : { workerUrl: options.workerUrl }),
  })
}

async function availableThreads(): Promise<number> {
  const { availableParallelism } = await import('node:os')
  return availableParallelism()
}

function startProgress(work: Work, underWay: readonly UnderWay[]): { stop(): void } {
  const { onProgress } = work.options
  if (onProgress === undefined) return { stop: () => undefined }
  const sizes = work.inputs.map(({ byteLength }) => byteLength)
  const bytesTotal = sizes.reduce(
    (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  )
  const tell = (): void => {
    let bytesRead = work.totals.fileBytesRead
    for (const { run, fileByteLength: most } of underWay) bytesRead += Math.min(run.bytesRead, most)
    for (const input of work.inputs) if (input.kind === 'streamed') bytesRead += input.bytesTaken()
    onProgress({ bytesRead, bytesTotal, lines: work.totals.lines, rows: work.sink.rowCount })
  }
  const timer = setInterval(tell, PROGRESS_INTERVAL_MS)
  return { stop: () => clearInterval(timer) }
}

/** What was read of an input, as stored. */
export function storedBytes(input: LogInput): number {
  return input.kind === 'plain' ? input.byteLength : input.bytesTaken()
}

/** Fails as INTERRUPTED when the signal has come. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Failure('INTERRUPTED', 'interrupted; nothing was written')
}

/** Waits for `promise`, but no longer than until the signal. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  throwIfAborted(signal)
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Failure('INTERRUPTED', 'interrupted; nothing was written'))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}
