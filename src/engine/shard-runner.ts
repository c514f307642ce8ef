/** What runs shards for the coordinator: this thread itself, or a pool. */

import { setImmediate } from 'node:timers/promises'
import { invariant } from '../base/failure.ts'
import type { Shard, ShardIdentifiers, ShardMessage, ShardOptions } from './shard.ts'
import { createShardEncoder } from './shard-encoder.ts'

/** What a run tells in order. */
export type RunMessage = Exclude<ShardMessage, ShardIdentifiers>

/** One shard under way. */
export interface ShardRun {
  /** The next message but identifiers; rejects when the worker died or missed its deadline. */
  next(): Promise<RunMessage>
  /** To be called when a batch from `next` is written: the worker may go on, and use its memory again. */
  batchWritten(memory: ArrayBuffer): void
  /** To be called after the last message. */
  end(): void
  /** Bytes of log read so far. */
  readonly bytesRead: number
}

/** Runs shards, some at a time. */
export interface ShardRunner {
  /** How many shards run at a time. */
  readonly concurrency: number
  /** `onIdentifiers` hears the identifiers of the lines, if they have any, and sees to their answer. */
  start(shard: Shard, onIdentifiers: (message: ShardIdentifiers) => void): ShardRun
  /** Ends everything that still runs. */
  close(): Promise<void>
}

/** Runs shards in this thread, each when its messages are asked for: starting threads costs more than it saves. */
export async function createInlineRunner(options: ShardOptions): Promise<ShardRunner> {
  const encoder = await createShardEncoder(options)
  const spare: ArrayBuffer[] = []
  return {
    concurrency: 1,
    start(shard, onIdentifiers) {
      let bytesRead = 0
      const messages = encoder.encode(shard, {
        spareMemory: () => spare.pop(),
        onRead: (byteLength) => {
          bytesRead += byteLength
        },
      })
      return {
        async next() {
          // A turn of the event loop, so that Ctrl-C and progress are heard.
          await setImmediate()
          for (;;) {
            const { value } = messages.next()
            invariant(value !== undefined, 'a shard was asked for more than it has')
            if (value.kind !== 'identifiers') return value
            onIdentifiers(value)
            invariant(value.answered[0] !== 0, 'shards in one thread come in order')
          }
        },
        batchWritten: (memory) => spare.push(memory),
        end: () => messages.return(),
        get bytesRead() {
          return bytesRead
        },
      }
    },
    close: async () => undefined,
  }
}
