/**
 * Threads that encode shards. The only file that imports `piscina`.
 *
 * A worker sends its row groups over a port of its own as they are ready, and waits when the coordinator
 * falls behind; so memory is bounded by threads, not by what a shard turns into. The promise of a task
 * only tells that the worker died: an error thrown in a worker arrives without its class.
 */

import { setTimeout } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { Failure, messageOf } from '../base/failure.ts'
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
  const pool = new Piscina({
    filename: workerUrl ?? import.meta.resolve('#workers/shard-thread.js'),
    minThreads: threadCount,
    maxThreads: threadCount,
    // The coordinator starts few more shards than there are threads; more in the queue is a bug.
    maxQueue: 4 * threadCount,
    idleTimeout: Number.POSITIVE_INFINITY,
    workerHistogram: false,
    recordTiming: false,
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
      const patience = new AbortController()
      await Promise.race([Promise.all(tasks), delay(SETTLE_MS, patience.signal)])
      patience.abort()
      await pool.destroy()
    },
  }
}

/** Resolves after a time, or when it is called off. */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined)
}

class PoolRun implements ShardRun {
  private readonly cells = new Int32Array(new SharedArrayBuffer(CELLS_BYTE_LENGTH))
  private readonly channel = new MessageChannel()
  private readonly waiting: RunMessage[] = []
  private wake: (() => void) | undefined
  private failure: Failure | undefined
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
      this.waiting.push(message)
      this.wake?.()
    })
    const texts = shard.pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text.buffer] : []))
    this.settled = pool
      .run({ shard, options, port: port2, cells: this.cells.buffer }, { transferList: [port2, ...texts] })
      .then(() => undefined)
      .catch((error: unknown) => {
        this.fail(new Failure('CRASHED', `a worker thread died: ${messageOf(error)}`, { cause: error }))
      })
    this.watch = setInterval(() => this.checkDeadline(deadlineMs), Math.min(POLL_MS, deadlineMs))
  }

  get bytesRead(): number {
    return Atomics.load(this.cells, READ_KIB_CELL) * 1024
  }

  async next(): Promise<RunMessage> {
    for (;;) {
      const message = this.waiting.shift()
      if (message !== undefined) return message
      if (this.failure !== undefined) throw this.failure
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
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

  private fail(failure: Failure): void {
    this.failure ??= failure
    this.wake?.()
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
      this.fail(
        new Failure(
          'TIMEOUT',
          `a shard made no progress for ${Math.round(deadlineMs / 1000)} s; nothing was written`,
        ),
      )
    }
  }
}
