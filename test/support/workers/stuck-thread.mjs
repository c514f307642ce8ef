/** A thread that says it has taken its task, be it a shard or a report, and then nothing any more. */
import { sleep } from './sleep.mjs'

export default ({ cells }) => {
  new Int32Array(cells).fill(1, 1)
  sleep()
}
