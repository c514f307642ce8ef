/** Encodes shards as the real thread does, but is slow to end a task after it has said all. */
import { createShardTaskHandler } from '#src/engine/shard-thread.js'
import { sleep } from './sleep.mjs'

const encode = createShardTaskHandler()
let tasks = 0

export default async (task) => {
  await encode(task)
  // Now this thread is the last one, now another.
  sleep((tasks++ * 7) % 30)
}
