/** The inputs of a run through the shards into a sink: planned, encoded, counted, in order. */

import { Failure } from '../base/failure.ts'
import type { EncodedBatch } from '../delivery/run-encoder.ts'
import type { PieceCounts } from '../log/scanned-runs.ts'
import { batchMemory } from '../parquet/row-group-table.ts'
import { Duplicates } from './duplicates.ts'
import type { FormatDecision, FormatRequest, InputLines } from './input-format.ts'
import type { InputOptions, LogInput } from './log-input.ts'
import type { Deadlines } from './progress-watch.ts'
import { type MaxRejects, Rejects, RejectsFile } from './rejects.ts'
import { hasIdentifiers, type PieceReport, type Shard, type ShardDone } from './shard.ts'
import { type ChoosePart, planShards, takeWhole } from './shard-plan.ts'
import type { ShardRun, ShardRunner } from './shard-runner.ts'

/** Bytes of log a shard has: enough that its dictionaries pay, few enough for threads to share the work. */
const DEFAULT_SHARD_BYTE_LENGTH = 32 * 1024 * 1024
const MIN_SHARD_BYTE_LENGTH = 1
/** Smaller inputs are encoded in this thread: starting others takes longer than it saves. */
const THREADS_FROM_BYTE_LENGTH = 96 * 1024 * 1024
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
export interface EncodeOptions extends Deadlines {
  /** Threads to encode on; by default as many as the machine runs at once. */
  readonly threads?: number
  readonly shardByteLength?: number
  readonly maxRejects: MaxRejects
  /** Where rejected lines are listed, one JSON object a line. */
  readonly rejectsPath?: string
  /** What is said about the format of the inputs; by default each is looked at. */
  readonly formatRequest?: FormatRequest
  /** Hears what each input was found to be, when it is opened. */
  readonly onFormat?: (decision: FormatDecision) => void
  /** Most bytes that may come out of one compressed input. */
  readonly maxInflateByteLength?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ProcessProgress) => void
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
  /** Takes the lengths that a shard's log told, after its row groups; as in length-entries.ts. */
  appendLengths(entries: Uint8Array): Promise<void>
}

/** What the inputs of a run were found to be. */
export class FoundFormats {
  /** The format of each input, as far as it was opened. */
  readonly names: string[] = []
  private readonly decodes: boolean[] = []
  private readonly guesses = new Set<number>()
  private readonly options: EncodeOptions

  constructor(options: EncodeOptions) {
    this.options = options
  }

  /**
   * Whether all have percent-encoded user agents, which are stored decoded. Where others are mixed in, other
   * spellings of a user agent might belong to somebody else.
   */
  get decodesUserAgents(): boolean {
    const opened = Object.values(this.decodes)
    return opened.length > 0 && opened.every((decodes) => decodes)
  }

  /** Whether no format recognised input `index`. */
  isGuess(index: number): boolean {
    return this.guesses.has(index)
  }

  /** How input `index` is opened. */
  optionsFor(index: number): InputOptions {
    const { formatRequest, maxInflateByteLength } = this.options
    return {
      ...(formatRequest === undefined ? {} : { request: formatRequest }),
      ...(maxInflateByteLength === undefined ? {} : { maxInflateByteLength }),
      onLines: (lines) => this.note(index, lines),
    }
  }

  private note(index: number, { decision, decodesUserAgents }: InputLines): void {
    const isNew = this.names[index] === undefined
    this.names[index] = decision.format
    this.decodes[index] = decodesUserAgents
    if (decision.isGuess) this.guesses.add(index)
    if (isNew) this.options.onFormat?.(decision)
  }
}

/** What there is to encode, and where to. */
export interface EncodeTask {
  readonly inputs: readonly LogInput[]
  /** What the inputs were found to be. */
  readonly formats: FoundFormats
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
  /** By reason: status, method, no proof of a range, requests of the network to itself, repeated lines. */
  readonly skipped: Readonly<Record<'status' | 'method' | 'unproven' | 'inner' | 'duplicate', number>>
  /** Requests of which less was sent than they claim, and the bytes that were not sent. */
  readonly clipped: { readonly requests: number; readonly bytes: number }
  /** Kept requests of formats that log what was sent, on whose lines nothing says it: their range alone counts. */
  readonly unmeasured: number
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
      await encodeShards({ ...task, runner, totals, rejects, options, spareText: [] })
    } finally {
      await runner.close()
    }
    rejects.check(options.maxRejects, totals.lines, (index) => task.formats.isGuess(index))
    throwIfAborted(options.signal)
    const { lines, comments, blank, kept, skipped, clipped, unmeasured } = totals
    return {
      lines,
      comments,
      blank,
      kept,
      skipped,
      clipped,
      unmeasured,
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
  unmeasured = 0
  readonly skipped = { status: 0, method: 0, unproven: 0, inner: 0, duplicate: 0 }
  readonly clipped = { requests: 0, bytes: 0 }

  add(piece: PieceCounts): void {
    this.lines += piece.lines
    this.comments += piece.comments
    this.blank += piece.blank
    this.kept += piece.kept
    this.skipped.status += piece.skippedStatus
    this.skipped.method += piece.skippedMethod
    this.skipped.unproven += piece.unproven
    this.skipped.inner += piece.skippedInner
    this.clipped.requests += piece.clippedRequests
    this.clipped.bytes += piece.clippedBytes
    this.unmeasured += piece.unmeasured
  }

  /** Lines that were counted as kept and are not. */
  takeDuplicates({ lines, clippedRequests, clippedBytes, unmeasured }: ShardDone['duplicates']): void {
    this.kept -= lines
    this.skipped.duplicate += lines
    this.clipped.requests -= clippedRequests
    this.clipped.bytes -= clippedBytes
    this.unmeasured -= unmeasured
  }
}

/** Everything that one run works with. */
interface Work extends EncodeTask {
  readonly runner: ShardRunner
  readonly totals: Totals
  readonly rejects: Rejects
  readonly options: EncodeOptions
  /** Memory of the text of shards that are done. */
  readonly spareText: ArrayBuffer[]
}

/**
 * Starts shards as they are cut, a few ahead of the one whose row groups are being written; row groups
 * go into the file in shard order, so the output does not depend on which worker is quick.
 */
async function encodeShards(work: Work): Promise<void> {
  const { inputs, runner, totals, rejects, choosePart = takeWhole, options } = work
  const shards = planShards(inputs, {
    shardByteLength: Math.max(MIN_SHARD_BYTE_LENGTH, options.shardByteLength ?? DEFAULT_SHARD_BYTE_LENGTH),
    async choosePart(input, inputIndex) {
      const part = await choosePart(input, inputIndex)
      if (part !== undefined) rejects.skipLines(inputIndex, part.linesBefore)
      return part
    },
    aheadCount: runner.concurrency,
    spareMemory: work.spareText,
  })
  const underWay: UnderWay[] = []
  const duplicates = new Duplicates()
  const progress = startProgress(work, underWay)
  try {
    let isPlanned = false
    while (!isPlanned || underWay.length > 0) {
      throwIfAborted(options.signal)
      if (!isPlanned && underWay.length <= runner.concurrency) {
        const { done, value } = await shards.next()
        if (done === true) isPlanned = true
        else
          underWay.push({ run: startShard(runner, value, duplicates), fileByteLength: fileByteLength(value) })
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

function startShard(runner: ShardRunner, shard: Shard, duplicates: Duplicates): ShardRun {
  const awaited = hasIdentifiers(shard) ? duplicates.await() : undefined
  return runner.start(shard, (message) => {
    if (awaited !== undefined) duplicates.offer(awaited, message)
  })
}

async function writeShard(run: ShardRun, work: Work): Promise<void> {
  for (;;) {
    const message = await unlessAborted(run.next(), work.options.signal)
    if (message.kind === 'failed') throw new Failure(message.code, message.message)
    if (message.kind === 'done') {
      for (const piece of message.pieces) await countPiece(piece, work)
      work.totals.takeDuplicates(message.duplicates)
      if (message.textMemory.byteLength > 0) work.spareText.push(message.textMemory)
      await work.sink.appendLengths(message.lengths)
      run.end()
      return
    }
    await work.sink.append(message)
    run.batchWritten(batchMemory(message.batch))
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
    deadlineMs: options.deadlineMs,
    startDeadlineMs: options.startDeadlineMs,
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
