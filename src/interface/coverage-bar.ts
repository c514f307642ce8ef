/** A bar that shows where in a range the proven bytes lie. */

import type { InclusiveRange } from '../delivery/answer.ts'

/** One cell for each column: `full` when all of its bytes are proven, `empty` when none is. */
export type Cell = 'full' | 'part' | 'empty'

/**
 * Cells of equal length, but for rounding, from the first position of `range` to the last; fewer than `width`
 * when the range has fewer bytes. Linear in cells and covered ranges.
 */
export function coverageCells(
  range: InclusiveRange,
  covered: readonly InclusiveRange[],
  width: number,
): readonly Cell[] {
  const [first, last] = range
  const byteCount = last - first + 1
  const cellCount = Math.max(1, Math.min(width, byteCount))
  const cells: Cell[] = []
  let at = 0
  for (let i = 0; i < cellCount; i++) {
    const start = first + cellStart(byteCount, cellCount, i)
    const end = first + cellStart(byteCount, cellCount, i + 1)
    let provenCount = 0
    for (;;) {
      const interval = covered[at]
      if (interval === undefined || interval[0] >= end) break
      provenCount += Math.max(0, Math.min(interval[1] + 1, end) - Math.max(interval[0], start))
      // An interval that goes on beyond this cell counts in the next one too.
      if (interval[1] + 1 > end) break
      at++
    }
    cells.push(provenCount === 0 ? 'empty' : provenCount === end - start ? 'full' : 'part')
  }
  return cells
}

/** Offset of cell `i`, without a product that would exceed 2^53. */
function cellStart(byteCount: number, cellCount: number, i: number): number {
  return Math.floor(byteCount / cellCount) * i + Math.floor(((byteCount % cellCount) * i) / cellCount)
}

const SIGNS: { readonly [cell in Cell]: string } = { full: '█', part: '▒', empty: '░' }

/** The cells as text. */
export function drawCells(cells: readonly Cell[]): string {
  return cells.map((cell) => SIGNS[cell]).join('')
}
