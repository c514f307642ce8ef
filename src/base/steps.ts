/** Long work that stops now and then, so that whoever drives it can hear of Ctrl-C meanwhile. */

import { setImmediate } from 'node:timers/promises'
import { Failure } from './failure.ts'

/** Yields wherever the work may stop for a while; returns what came out. */
export type Steps<T> = Generator<void, T, void>

const TURN_MS = 50

/** Does the work without a pause. */
export function inOneGo<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Gives all else in this thread its turn, when the last one was some time ago. */
export class Turns {
  private readonly signal: AbortSignal | undefined
  private readonly message: string
  private since = performance.now()

  /** `message` says that the signal has come. */
  constructor(signal: AbortSignal | undefined, message = 'interrupted') {
    this.signal = signal
    this.message = message
  }

  /** Whether it is time to `give` one. */
  get isDue(): boolean {
    return performance.now() - this.since > TURN_MS
  }

  /** Fails as INTERRUPTED when the signal has come. */
  async give(): Promise<void> {
    await setImmediate()
    this.check()
    this.since = performance.now()
  }

  /** Fails as INTERRUPTED when the signal has come. */
  check(): void {
    if (this.signal?.aborted === true) throw new Failure('INTERRUPTED', this.message)
  }
}

/** Does the work in turns with all else in this thread. Fails as INTERRUPTED when the signal has come. */
export async function inTurns<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  const turns = new Turns(signal)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (!turns.isDue) continue
    await turns.give().catch((failure: unknown) => {
      // What was opened is closed first.
      steps.throw(failure)
    })
  }
}
