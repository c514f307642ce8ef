/** A Piscina thread: encodes the shards it is given and sends their row groups over the task's port. */

import { createShardTaskHandler } from '#src/engine/shard-thread.js'

export default createShardTaskHandler()
