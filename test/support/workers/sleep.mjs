/** Holds a thread up for so many milliseconds, or for ever. */
export const sleep = (milliseconds) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
