/**
 * The inputs of a run, so that one that is the beginning of another before it is noticed: its last line's end stands
 * among the line ends of the other. First lines only tell what is worth being read once more and compared.
 */

import type { HeadDigests } from './input-identity.ts'
import type { LogInput } from './log-input.ts'

/** An input whose lines are in the store after the run. */
export interface TakenInput {
  readonly input: LogInput
  /** Decompressed bytes that are in the store; only certain when they were read. */
  readonly byteLength: () => number
}

/** One of the inputs with a beginning, and those before it. */
interface Sharers {
  readonly taken: TakenInput
  readonly before: Sharers | undefined
}

/** See the head of this file. */
export class TakenInputs {
  /** By digests of beginnings that end with a line. */
  private readonly byBeginning = new Map<number, Sharers>()

  /** Adds an input; one that cannot be read again is passed over. */
  add(taken: TakenInput, { lineEnds }: HeadDigests): void {
    const { input } = taken
    if (input.kind === 'streamed' && input.byteLength === undefined) return
    for (const { digest } of lineEnds) {
      this.byBeginning.set(digest, { taken, before: this.byBeginning.get(digest) })
    }
  }

  /** Inputs that may begin with the first `byteLength` bytes of the one with these heads, the first one first. */
  candidates({ lineEnds }: HeadDigests, byteLength: number): readonly TakenInput[] {
    const last = lineEnds.findLast((lineEnd) => lineEnd.byteLength <= byteLength)
    const found: TakenInput[] = []
    let sharers = last === undefined ? undefined : this.byBeginning.get(last.digest)
    for (; sharers !== undefined; sharers = sharers.before) found.push(sharers.taken)
    return found.reverse()
  }
}
