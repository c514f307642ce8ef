/** A thread whose code has a bug. */
export default () => {
  throw new TypeError('undefined is not a function')
}
