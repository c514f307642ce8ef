/**
 * Threads that encode shards. The only file that imports `piscina`.
 *
 * A worker sends its row groups over a port of its own as they are ready, and waits when the coordinator
 * falls behind; so memory is bounded by threads, not by what a shard turns into. The promise of a task
 * only tells that the worker died: an error thrown in a worker arrives without its class.
 */

import { setTimeout } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { Failure, messageOf } from '../base/failure.ts'
import { MessageQueue } from './message-queue.ts'
import { type Deadlines, ProgressWatch, type WatchedTask } from './progress-watch.ts'
import {
  PENDING_BATCHES_CELL,
  READ_KIB_CELL,
  type Shard,
  type ShardIdentifiers,
  type ShardMessage,
  type ShardOptions,
  type ShardTask,
} from './shard.ts'
import type { RunMessage, ShardRun, ShardRunner } from './shard-runner.ts'

const CELLS_BYTE_LENGTH = 8
/** So long tasks may take to end before threads are: Piscina throws when one reports to a pool that is gone. */
const SETTLE_MS = 200
/** So long a thread may take to end: one that hangs in the operating system cannot be ended at all. */
const DESTROY_MS = 5000

/** How a pool is made. */
export interface PoolOptions extends Deadlines {
  readonly threadCount: number
  readonly shardOptions: ShardOptions
  /** The module that each thread runs; by default the one that encodes shards. */
  readonly workerUrl?: string
}

/** A runner on threads. */
export function createPoolRunner({
  threadCount,
  shardOptions,
  workerUrl,
  ...deadlines
}: PoolOptions): ShardRunner {
  const watch = new ProgressWatch(deadlines)
  const threads = createThreads({
    workerUrl: workerUrl ?? import.meta.resolve('#workers/shard-thread.js'),
    threadCount,
    // The coordinator starts few more shards than there are threads; more in the queue is a bug.
    maxQueue: 4 * threadCount,
    onDeath: (failure) => watch.failAll(failure),
  })
  const runs = new Set<PoolRun>()
  return {
    concurrency: threadCount,
    start(shard, onIdentifiers) {
      const run = new PoolRun(threads, shard, shardOptions, {
        onIdentifiers,
        onEnd: () => {
          runs.delete(run)
          watch.remove(run)
        },
      })
      runs.add(run)
      watch.add(run)
      return run
    },
    async close() {
      watch.stop()
      for (const run of runs) run.end()
      await threads.close()
    },
  }
}

/** Which threads a pool has. */
export interface ThreadOptions {
  /** The module that each thread runs. */
  readonly workerUrl: string
  readonly threadCount: number
  /** Tasks that may wait for a thread. */
  readonly maxQueue: number
  /** Most memory for what a thread makes and forgets at once, in MiB; by default what V8 takes, some 48. */
  readonly youngMebibytes?: number
  /** Hears of a thread that died without a task: others may never come to theirs. */
  readonly onDeath: (failure: Failure) => void
}

/** Threads for tasks that send what they find over a port of their own. */
export interface Threads {
  /** Resolves when the task is done, fails as CRASHED when its thread died or it threw. Tasks start in order. */
  run(task: object, transferList: readonly (MessagePort | ArrayBuffer)[]): Promise<void>
  close(): Promise<void>
}

/** See `Threads`. */
export function createThreads(options: ThreadOptions): Threads {
  const pool = openPool(options)
  const tasks = new Set<Promise<void>>()
  return {
    async run(task, transferList) {
      const settled = pool.run(task, { transferList: [...transferList] }).then(
        () => undefined,
        (error: unknown) => {
          throw threadDied(error)
        },
      )
      const ended = settled.catch(() => undefined)
      tasks.add(ended)
      await settled.finally(() => tasks.delete(ended))
    },
    close: () => closePool(pool, tasks),
  }
}

function threadDied(error: unknown): Failure {
  return new Failure('CRASHED', `a worker thread died: ${messageOf(error)}`, { cause: error })
}

function openPool({ workerUrl, threadCount, maxQueue, youngMebibytes, onDeath }: ThreadOptions): Piscina {
  const pool = new Piscina({
    ...{ filename: workerUrl, minThreads: threadCount, maxThreads: threadCount, maxQueue },
    // Without it a task that finds no thread goes behind those that came later. A shard then gets a thread before
    // an earlier one, waits there for the earlier one's identifiers, and with all threads taken so both wait for ever.
    stricterFIFO: true,
    ...(youngMebibytes === undefined ? {} : { resourceLimits: { maxYoungGenerationSizeMb: youngMebibytes } }),
    ...{ idleTimeout: Number.POSITIVE_INFINITY, workerHistogram: false, recordTiming: false },
  })
  pool.on('error', (error) => onDeath(threadDied(error)))
  return pool
}

async function closePool(pool: Piscina, tasks: ReadonlySet<Promise<void>>): Promise<void> {
  await atMost(SETTLE_MS, Promise.all(tasks))
  await atMost(DESTROY_MS, pool.destroy())
}

/** Waits for something, but no longer than that. */
async function atMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const patience = new AbortController()
  await Promise.race([promise, delay(milliseconds, patience.signal)])
  patience.abort()
}

/** Resolves after a time, or when it is called off. */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined)
}

class PoolRun implements ShardRun, WatchedTask {
  private readonly cells = new Int32Array(new SharedArrayBuffer(CELLS_BYTE_LENGTH))
  private readonly channel = new MessageChannel()
  private readonly messages = new MessageQueue<RunMessage>()
  private readonly onEnd: () => void
  private heardCount = 0

  constructor(
    threads: Threads,
    shard: Shard,
    options: ShardOptions,
    hears: { readonly onIdentifiers: (message: ShardIdentifiers) => void; readonly onEnd: () => void },
  ) {
    this.onEnd = hears.onEnd
    const { port1, port2 } = this.channel
    port1.on('message', (message: ShardMessage) => {
      this.heardCount++
      if (message.kind === 'identifiers') hears.onIdentifiers(message)
      else this.messages.push(message)
    })
    const task: ShardTask = { shard, options, port: port2, cells: this.cells.buffer }
    threads.run(task, [port2, shard.text.buffer]).catch((failure: Failure) => this.fail(failure))
  }

  get bytesRead(): number {
    return Atomics.load(this.cells, READ_KIB_CELL) * 1024
  }

  get progress(): number {
    return Atomics.load(this.cells, READ_KIB_CELL) + this.heardCount
  }

  get isTaken(): boolean {
    return Atomics.load(this.cells, READ_KIB_CELL) > 0
  }

  get isAwaited(): boolean {
    return this.messages.isAwaited
  }

  fail(failure: Failure): void {
    this.messages.fail(failure)
  }

  next(): Promise<RunMessage> {
    return this.messages.next()
  }

  batchWritten(memory: ArrayBuffer): void {
    this.channel.port1.postMessage(memory, [memory])
    Atomics.sub(this.cells, PENDING_BATCHES_CELL, 1)
    Atomics.notify(this.cells, PENDING_BATCHES_CELL)
  }

  end(): void {
    this.channel.port1.close()
    this.onEnd()
  }
}
