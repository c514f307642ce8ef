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
import {
  PENDING_BATCHES_CELL,
  READ_KIB_CELL,
  type Shard,
  type ShardIdentifiers,
  type ShardMessage,
  type ShardOptions,
} from './shard.ts'
import type { RunMessage, ShardRun, ShardRunner } from './shard-runner.ts'

const CELLS_BYTE_LENGTH = 8
const POLL_MS = 250
/** So long tasks may take to end before threads are: Piscina throws when one reports to a pool that is gone. */
const SETTLE_MS = 200

/** How a pool is made. */
export interface PoolOptions {
  readonly threadCount: number
  readonly shardOptions: ShardOptions
  /** How long a shard may go without a sign of progress. */
  readonly deadlineMs: number
  /** The module that each thread runs; by default the one that encodes shards. */
  readonly workerUrl?: string
}

/** A runner on threads. */
export function createPoolRunner({
  threadCount,
  shardOptions,
  deadlineMs,
  workerUrl,
}: PoolOptions): ShardRunner {
  // The coordinator starts few more shards than there are threads; more in the queue is a bug.
  const maxQueue = 4 * threadCount
  const pool = openPool({
    workerUrl: workerUrl ?? import.meta.resolve('#workers/shard-thread.js'),
    ...{ threadCount, maxQueue },
  })
  const runs = new Set<PoolRun>()
  const tasks = new Set<Promise<void>>()
  return {
    concurrency: threadCount,
    start(shard, onIdentifiers) {
      const run = new PoolRun(pool, shard, shardOptions, deadlineMs, {
        onIdentifiers,
        onEnd: () => runs.delete(run),
      })
      runs.add(run)
      tasks.add(run.settled)
      void run.settled.then(() => tasks.delete(run.settled))
      return run
    },
    async close() {
      for (const run of runs) run.end()
      await closePool(pool, tasks)
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
}

/** Threads for tasks that send what they find over a port of their own. */
export interface Threads {
  /** Resolves when the task is done, fails when its thread died or it threw: that error is without its class. */
  run(task: object, transferList: readonly MessagePort[]): Promise<void>
  close(): Promise<void>
}

/** See `Threads`. */
export function createThreads(options: ThreadOptions): Threads {
  const pool = openPool(options)
  const tasks = new Set<Promise<void>>()
  return {
    async run(task, transferList) {
      const settled = pool.run(task, { transferList: [...transferList] }).then(() => undefined)
      const ended = settled.catch(() => undefined)
      tasks.add(ended)
      await settled.finally(() => tasks.delete(ended))
    },
    close: () => closePool(pool, tasks),
  }
}

function openPool({ workerUrl, threadCount, maxQueue }: ThreadOptions): Piscina {
  return new Piscina({
    ...{ filename: workerUrl, minThreads: threadCount, maxThreads: threadCount, maxQueue },
    ...{ idleTimeout: Number.POSITIVE_INFINITY, workerHistogram: false, recordTiming: false },
  })
}

async function closePool(pool: Piscina, tasks: ReadonlySet<Promise<void>>): Promise<void> {
  const patience = new AbortController()
  await Promise.race([Promise.all(tasks), delay(SETTLE_MS, patience.signal)])
  patience.abort()
  await pool.destroy()
}

/** Resolves after a time, or when it is called off. */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined)
}

class PoolRun implements ShardRun {
  private readonly cells = new Int32Array(new SharedArrayBuffer(CELLS_BYTE_LENGTH))
  private readonly channel = new MessageChannel()
  private readonly messages = new MessageQueue<RunMessage>()
  private readonly watch: NodeJS.Timeout
  /** Resolves when the thread is done with it, however it ended. */
  readonly settled: Promise<void>
  private lastProgress = -1
  private lastProgressAt = performance.now()

  private readonly onEnd: () => void

  constructor(
    pool: Piscina,
    shard: Shard,
    options: ShardOptions,
    deadlineMs: number,
    hears: { readonly onIdentifiers: (message: ShardIdentifiers) => void; readonly onEnd: () => void },
  ) {
    this.onEnd = hears.onEnd
    const { port1, port2 } = this.channel
    port1.on('message', (message: ShardMessage) => {
      this.lastProgressAt = performance.now()
      if (message.kind === 'identifiers') {
        hears.onIdentifiers(message)
        return
      }
      this.messages.push(message)
    })
    const texts = shard.pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text.buffer] : []))
    this.settled = pool
      .run({ shard, options, port: port2, cells: this.cells.buffer }, { transferList: [port2, ...texts] })
      .then(() => undefined)
      .catch((error: unknown) => {
        this.messages.fail(
          new Failure('CRASHED', `a worker thread died: ${messageOf(error)}`, { cause: error }),
        )
      })
    this.watch = setInterval(() => this.checkDeadline(deadlineMs), Math.min(POLL_MS, deadlineMs))
  }

  get bytesRead(): number {
    return Atomics.load(this.cells, READ_KIB_CELL) * 1024
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
    clearInterval(this.watch)
    this.channel.port1.close()
    this.onEnd()
  }

  /**
   * Reading and sending batches are progress. A shard that no thread has taken yet, or whose batches wait
   * to be written, is not late.
   */
  private checkDeadline(deadlineMs: number): void {
    const progress = Atomics.load(this.cells, READ_KIB_CELL)
    const isWaiting = Atomics.load(this.cells, PENDING_BATCHES_CELL) > 0 || progress === 0
    if (progress !== this.lastProgress || isWaiting) {
      this.lastProgress = progress
      this.lastProgressAt = performance.now()
    }
    if (performance.now() - this.lastProgressAt > deadlineMs) {
      this.messages.fail(
        new Failure(
          'TIMEOUT',
          `a shard made no progress for ${Math.round(deadlineMs / 1000)} s; nothing was written`,
        ),
      )
    }
  }
}
