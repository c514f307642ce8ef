/**
 * Makes reports, on several threads where that is worth it. The assets are cut into spans, which threads pass
 * over; what they find, span after span, is what one thread finds, so that a report is the same for any number
 * of threads.
 */

import { availableParallelism } from 'node:os'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { Failure } from '../base/failure.ts'
import { Turns } from '../base/steps.ts'
import type { AssetSpan } from '../delivery/asset-spans.ts'
import type { LoggedFiles } from '../delivery/committed-file.ts'
import { partOfStore } from '../delivery/part-of-store.ts'
import type { Finding, Report, ReportPass } from '../delivery/report-model.ts'
import { passOf, type ReportPlan } from '../delivery/report-plan.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import { MessageQueue } from './message-queue.ts'
import { createThreads, type Threads } from './pool.ts'
import { type Deadlines, ProgressWatch, type WatchedTask } from './progress-watch.ts'
import {
  PASSED_CELL,
  PENDING_CELL,
  type ReportMessage,
  type ReportTask,
  STOPPED,
  TAKEN_CELL,
} from './report-task.ts'

/** How a report is made. */
export interface ReportRun extends Deadlines {
  /** Undefined: as many as there are processors, if there are requests enough. */
  readonly threadCount?: number | undefined
  /** Hears from time to time how many requests were passed over, and of how many. */
  readonly onProgress?: ((passedRequests: number, requestCount: number) => void) | undefined
  /** The module that each thread runs. */
  readonly workerUrl?: string | undefined
  /** Makes the report, or the reading of its rows, fail as INTERRUPTED, soon. */
  readonly signal?: AbortSignal | undefined
}

/** Threads take a tenth of a second to start: so many requests take one thread four times as long. */
const MIN_REQUESTS = 400_000
/** So do so many bytes of files: few requests may be long. */
const MIN_BYTE_LENGTH = 64 * 1024 * 1024
/** More spans than threads, so that none waits long for the others; each costs the row groups at its ends. */
const SPANS_PER_THREAD = 2
/** Each thread opens all files: of more, a process may not have so many open. */
const MAX_OPEN_FILES = 800
const PROGRESS_MS = 100
/** A pass keeps little of what it decodes: more memory for it makes threads larger, and hardly faster. */
const YOUNG_MEBIBYTES = 12
const CELLS_BYTE_LENGTH = 12

/** A store and its files. */
export interface ReportedStore {
  readonly store: DeliveryStore
  readonly files: LoggedFiles
}

/**
 * Makes a report. Fails as the store does, as CRASHED when a thread dies, as TIMEOUT when all stand still, and as
 * INTERRUPTED.
 */
export async function makeReport(
  { store, files }: ReportedStore,
  plan: ReportPlan,
  run: ReportRun = {},
): Promise<Report> {
  const pass = passOf(plan)
  const threadCount = countThreads(store, plan, run)
  const spans = threadCount > 1 ? store.assetSpans(threadCount * SPANS_PER_THREAD) : []
  if (spans.length < 2) return await reportHere(pass, store, run)
  return await reportOf(pass, store, () => {
    return new ReportThreads({ plan, files, spans, threadCount, run, requestCount: store.requestCount })
  })
}

function countThreads(store: DeliveryStore, { scope }: ReportPlan, { threadCount }: ReportRun): number {
  // An asset is never cut.
  if (scope.asset !== undefined) return 1
  const isSmall = store.requestCount < MIN_REQUESTS && store.byteLength < MIN_BYTE_LENGTH
  if (threadCount === undefined && isSmall) return 1
  const most = Math.floor(MAX_OPEN_FILES / Math.max(1, store.paths.length))
  return Math.min(threadCount ?? availableParallelism(), most)
}

/** In this thread, which takes a turn for others now and then. */
async function reportHere(
  pass: ReportPass,
  store: DeliveryStore,
  { onProgress, signal }: ReportRun,
): Promise<Report> {
  let passedRequests = 0
  const source = partOfStore(store, undefined, (count) => {
    passedRequests += count
    onProgress?.(passedRequests, store.requestCount)
  })
  const findings = inTurns(pass.find(source), signal)
  if (pass.findsRows) return { ...pass.finish([], store), rows: findings }
  const found: Finding[] = []
  for await (const finding of findings) found.push(finding)
  return pass.finish(found, store)
}

async function* inTurns(
  findings: Iterable<Finding>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding, void, void> {
  const turns = new Turns(signal)
  for (const finding of findings) {
    yield finding
    if (turns.isDue) await turns.give()
  }
  await turns.give()
}

function interrupted(): Failure {
  return new Failure('INTERRUPTED', 'interrupted')
}

async function reportOf(pass: ReportPass, store: DeliveryStore, start: () => ReportThreads): Promise<Report> {
  if (pass.findsRows) return { ...pass.finish([], store), rows: findInOrder(start) }
  const threads = start()
  try {
    return pass.finish(await threads.findAll(), store)
  } finally {
    await threads.close()
  }
}

/** Threads start with the first row that is asked for, and end with the last, or when nobody wants more. */
async function* findInOrder(start: () => ReportThreads): AsyncGenerator<Finding, void, void> {
  const threads = start()
  try {
    for (const run of threads.runs) {
      for (let found = await run.next(); found !== undefined; found = await run.next()) yield* found
    }
  } finally {
    await threads.close()
  }
}

/** All spans, each with its task. */
class ReportThreads {
  readonly runs: readonly SpanRun[]
  private readonly threads: Threads
  private readonly watch: ProgressWatch
  private readonly telling: NodeJS.Timeout | undefined
  private readonly signal: AbortSignal | undefined
  private readonly interrupt = (): void => this.watch.failAll(interrupted())

  constructor(job: {
    readonly plan: ReportPlan
    readonly files: LoggedFiles
    readonly spans: readonly AssetSpan[]
    readonly threadCount: number
    readonly requestCount: number
    readonly run: ReportRun
  }) {
    const { plan, files, spans, run, requestCount } = job
    const { onProgress } = run
    this.signal = run.signal
    this.watch = new ProgressWatch(run)
    this.threads = createThreads({
      workerUrl: run.workerUrl ?? import.meta.resolve('#workers/report-thread.js'),
      threadCount: Math.min(job.threadCount, spans.length),
      maxQueue: spans.length,
      youngMebibytes: YOUNG_MEBIBYTES,
      onDeath: (failure) => this.watch.failAll(failure),
    })
    this.runs = spans.map((span) => new SpanRun(this.threads, { plan, files, span }))
    for (const each of this.runs) this.watch.add(each)
    run.signal?.addEventListener('abort', this.interrupt)
    if (run.signal?.aborted === true) this.interrupt()
    if (onProgress !== undefined) {
      const tell = (): void => {
        onProgress(
          this.runs.reduce((sum, { passedRequests }) => sum + passedRequests, 0),
          requestCount,
        )
      }
      this.telling = setInterval(tell, PROGRESS_MS)
    }
  }

  /** Everything, kept as it comes: a thread never waits for another. */
  async findAll(): Promise<Finding[]> {
    const found = await Promise.all(
      this.runs.map(async (run) => {
        const batches: (readonly Finding[])[] = []
        for (let batch = await run.next(); batch !== undefined; batch = await run.next()) batches.push(batch)
        return batches
      }),
    )
    const findings: Finding[] = []
    for (const batches of found) for (const batch of batches) for (const each of batch) findings.push(each)
    return findings
  }

  async close(): Promise<void> {
    clearInterval(this.telling)
    this.signal?.removeEventListener('abort', this.interrupt)
    this.watch.stop()
    for (const run of this.runs) run.stop()
    await this.threads.close()
  }
}

/** One span in a thread. */
class SpanRun implements WatchedTask {
  private readonly cells = new Int32Array(new SharedArrayBuffer(CELLS_BYTE_LENGTH))
  private readonly channel = new MessageChannel()
  private readonly messages = new MessageQueue<ReportMessage>()
  private heardCount = 0

  constructor(threads: Threads, job: Pick<ReportTask, 'plan' | 'files' | 'span'>) {
    const { port1, port2 } = this.channel
    port1.on('message', (message: ReportMessage) => {
      this.heardCount++
      this.messages.push(message)
    })
    const task: ReportTask = { ...job, port: port2, cells: this.cells.buffer }
    threads
      .run(task, [port2])
      .then(() => {
        // All that the thread sent is here already, though not all of it may have been heard.
        for (let sent = receiveMessageOnPort(port1); sent !== undefined; sent = receiveMessageOnPort(port1)) {
          this.messages.push(sent.message)
        }
        this.messages.fail(new Failure('CRASHED', 'a thread ended without having finished its task'))
      })
      .catch((failure: Failure) => this.fail(failure))
  }

  get progress(): number {
    return Atomics.load(this.cells, PASSED_CELL) + this.heardCount
  }

  get isTaken(): boolean {
    return Atomics.load(this.cells, TAKEN_CELL) > 0
  }

  get isAwaited(): boolean {
    return this.messages.isAwaited
  }

  fail(failure: Failure): void {
    this.messages.fail(failure)
  }

  get passedRequests(): number {
    return Atomics.load(this.cells, PASSED_CELL) * 1024
  }

  /** The next findings; undefined behind the last. Fails as the thread did. */
  async next(): Promise<readonly Finding[] | undefined> {
    const message = await this.messages.next()
    switch (message.kind) {
      case 'findings':
        Atomics.sub(this.cells, PENDING_CELL, 1)
        Atomics.notify(this.cells, PENDING_CELL)
        return message.findings
      case 'end':
        return undefined
      case 'failed':
        throw new Failure(message.code, message.message)
    }
  }

  stop(): void {
    Atomics.store(this.cells, PENDING_CELL, STOPPED)
    Atomics.notify(this.cells, PENDING_CELL)
    this.channel.port1.close()
  }
}
