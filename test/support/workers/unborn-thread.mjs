/** A thread that never comes so far as to take a task. */
import { sleep } from './sleep.mjs'

sleep()
export default () => undefined
