/** A thread that dies at its first task. */
export default () => process.exit(7)
