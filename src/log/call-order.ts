/** The order in which a scanner's functions are called, the same for every scanner: a wrong call is a bug. */

import { invariant } from '../base/failure.ts'
import { isRecordLayout, type LineLayout, MAX_LINE_BYTE_LENGTH, type PieceLayout } from './scanned-runs.ts'

/** One function a call that has an order; each fails an invariant when it is not its turn. */
export interface CallOrder {
  beginPiece(layout: PieceLayout): void
  reserve(byteLength: number): void
  commit(byteLength: number): void
  endPiece(): void
  finish(): void
  /** Checks that it is the turn of a call between pieces, or after `finish`. */
  checkBetween(call: string): void
  checkFinished(call: string): void
  reset(): void
}

/** A layout comes from a header; one that names fields which no line can have would be our own mistake. */
function checkLayout({ fieldCount, ...fields }: LineLayout): void {
  invariant(fieldCount >= 1 && fieldCount <= MAX_LINE_BYTE_LENGTH + 1, `a layout of ${fieldCount} fields`)
  for (const [name, index] of Object.entries(fields)) {
    invariant(index >= 0 && index < fieldCount, `${name} is field ${index} of ${fieldCount}`)
  }
}

/** Starts before the first piece. */
export function createCallOrder(): CallOrder {
  let state: 'between' | 'piece' | 'finished' = 'between'
  let reserved = 0
  let checked: PieceLayout | undefined
  const expect = (wanted: typeof state, call: string): void => {
    invariant(state === wanted, `${call} of a scanner that is ${state}, expected ${wanted}`)
  }
  return {
    beginPiece(layout: PieceLayout): void {
      expect('between', 'beginPiece')
      if (layout !== checked && !isRecordLayout(layout)) checkLayout(layout)
      checked = layout
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
    checkBetween: (call) => expect('between', call),
    checkFinished: (call) => expect('finished', call),
    reset(): void {
      invariant(state !== 'piece', 'reset of a scanner in a piece')
      state = 'between'
    },
  }
}
