/** A thread that dies at its second task. */
let tasks = 0
export default ({ port }) => {
  if (++tasks === 2) process.exit(7)
  const duplicates = { lines: 0, clippedRequests: 0, clippedBytes: 0, unmeasured: 0 }
  const memory = { lengths: new Uint8Array(0), textMemory: new ArrayBuffer(0) }
  port.postMessage({ kind: 'done', pieces: [], duplicates, ...memory })
  port.close()
}
