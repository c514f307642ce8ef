/** The order in which a scanner's functions are called, the same for every scanner: a wrong call is a bug. */

import { invariant } from '../base/failure.ts'

/** One function a call that has an order; each fails an invariant when it is not its turn. */
export interface CallOrder {
  beginPiece(): void
  reserve(byteLength: number): void
  commit(byteLength: number): void
  endPiece(): void
  finish(): void
  reset(): void
}

/** Starts before the first piece. */
export function createCallOrder(): CallOrder {
  let state: 'between' | 'piece' | 'finished' = 'between'
  let reserved = 0
  const expect = (wanted: typeof state, call: string): void => {
    invariant(state === wanted, `${call} of a scanner that is ${state}, expected ${wanted}`)
  }
  return {
    beginPiece(): void {
      expect('between', 'beginPiece')
      state = 'piece'
      reserved = 0
    },
    reserve(byteLength: number): void {
      expect('piece', 'reserve')
      invariant(Number.isSafeInteger(byteLength) && byteLength >= 0, `reserve of ${byteLength} bytes`)
      reserved = byteLength
    },
    commit(byteLength: number): void {
      expect('piece', 'commit')
      invariant(
        byteLength >= 0 && byteLength <= reserved,
        `commit of ${byteLength} bytes, ${reserved} reserved`,
      )
      reserved = 0
    },
    endPiece(): void {
      expect('piece', 'endPiece')
      state = 'between'
    },
    finish(): void {
      expect('between', 'finish')
      state = 'finished'
    },
    reset(): void {
      invariant(state !== 'piece', 'reset of a scanner in a piece')
      state = 'between'
    },
  }
}
