/** A thread that dies at its second task. */
let tasks = 0
export default ({ port }) => {
  if (++tasks === 2) process.exit(7)
  port.postMessage({ kind: 'done', pieces: [] })
  port.close()
}
