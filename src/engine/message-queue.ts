/** What another thread sends, for whoever takes it one after the other. */

import type { Failure } from '../base/failure.ts'

/** Messages in the order in which they came; a failure comes behind all of them. */
export class MessageQueue<T> {
  private readonly waiting: T[] = []
  private wake: (() => void) | undefined
  private failure: Failure | undefined
  /** Whether somebody waits for the next one. */
  isAwaited = false

  push(message: T): void {
    this.waiting.push(message)
    this.wake?.()
  }

  /** Only the first failure counts: others follow from it. */
  fail(failure: Failure): void {
    this.failure ??= failure
    this.wake?.()
  }

  /** The next message, as soon as there is one. Fails when none will come. */
  async next(): Promise<T> {
    for (;;) {
      const message = this.waiting.shift()
      if (message !== undefined) return message
      if (this.failure !== undefined) throw this.failure
      this.isAwaited = true
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
      this.isAwaited = false
    }
  }
}
