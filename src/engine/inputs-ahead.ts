/** Begins inputs before their turn, so that several are inflated, or on their way from a server, at once. */

import type { LogInput } from './log-input.ts'

/** Keeps the next inputs of a run begun. */
export class InputsAhead {
  private readonly inputs: readonly LogInput[]
  private readonly count: number
  private current = -1
  /** The first input that was not begun. */
  private next = 0

  /** `count` inputs are begun beside the one whose turn it is. */
  constructor(inputs: readonly LogInput[], count: number) {
    this.inputs = inputs
    this.count = count
  }

  /** To be called when the turn of an input comes. */
  advance(index: number): void {
    this.current = index
    const end = index + 1 + this.count
    for (this.next = Math.max(this.next, index + 1); this.next < end; this.next++) {
      const input = this.inputs[this.next]
      if (input?.kind === 'streamed') input.begin()
    }
  }

  /** Lets go of those whose turn will not come. */
  abandon(): void {
    for (let index = this.current + 1; index < this.next; index++) {
      const input = this.inputs[index]
      if (input?.kind === 'streamed') input.abandon()
    }
  }
}
