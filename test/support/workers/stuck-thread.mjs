/** A thread that says it has read something, and then nothing any more. */
export default ({ cells }) => {
  const shared = new Int32Array(cells)
  Atomics.store(shared, 1, 1)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
