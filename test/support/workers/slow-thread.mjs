/** A thread that reads for a second, little by little: a shard, or for a report. */
import { sleep } from './sleep.mjs'

const DONE = {
  kind: 'done',
  pieces: [],
  duplicates: { lines: 0, clippedRequests: 0, clippedBytes: 0, unmeasured: 0 },
  lengths: new Uint8Array(0),
  textMemory: new ArrayBuffer(0),
}

export default ({ shard, port, cells }) => {
  const shared = new Int32Array(cells)
  for (let kib = 1; kib <= 20; kib++) {
    Atomics.store(shared, 1, kib)
    if (shard === undefined) Atomics.store(shared, 2, 1)
    sleep(50)
  }
  port.postMessage(shard === undefined ? { kind: 'end' } : DONE)
  port.close()
}
