/** The worker's half of pool.ts: one shard a task, row groups sent as they are ready. */

import { receiveMessageOnPort } from 'node:worker_threads'
import { batchMemory } from '../parquet/row-group-table.ts'
import {
  MAX_PENDING_BATCHES,
  PENDING_BATCHES_CELL,
  READ_KIB_CELL,
  type ShardMessage,
  type ShardTask,
} from './shard.ts'
import { createShardEncoder, type ShardEncoder } from './shard-encoder.ts'

/** Makes the function that a thread runs for every task; its encoder is made with the first. */
export function createShardTaskHandler(): (task: ShardTask) => Promise<void> {
  let encoder: ShardEncoder | undefined
  return async ({ shard, options, port, cells }) => {
    const shared = new Int32Array(cells)
    let bytesRead = 0
    // From here on the shard has a thread, and its deadline counts.
    Atomics.store(shared, READ_KIB_CELL, 1)
    encoder ??= await createShardEncoder(options)
    const messages = encoder.encode(shard, {
      spareMemory: () => receiveMessageOnPort(port)?.message,
      onRead: (byteLength) => {
        bytesRead += byteLength
        Atomics.store(shared, READ_KIB_CELL, Math.ceil(bytesRead / 1024))
      },
    })
    for (const message of messages) {
      port.postMessage(message, memoryOf(message))
      if (message.kind === 'identifiers') Atomics.wait(message.answered, 0, 0)
      if (message.kind !== 'batch') continue
      const pending = Atomics.add(shared, PENDING_BATCHES_CELL, 1) + 1
      if (pending >= MAX_PENDING_BATCHES) waitForWriter(shared)
    }
    port.close()
  }
}

/** What of a message moves to the other thread. */
function memoryOf(message: ShardMessage): ArrayBuffer[] {
  if (message.kind === 'batch') return [batchMemory(message.batch)]
  return message.kind === 'done' ? [message.textMemory] : []
}

/** Sleeps until the coordinator has written enough of this shard's batches. */
function waitForWriter(shared: Int32Array): void {
  for (;;) {
    const pending = Atomics.load(shared, PENDING_BATCHES_CELL)
    if (pending < MAX_PENDING_BATCHES) return
    Atomics.wait(shared, PENDING_BATCHES_CELL, pending)
  }
}
