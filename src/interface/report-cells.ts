/** Cells of reports as text. */

import { formatInstant } from '../delivery/question-time.ts'
import type { ColumnKind, ReportCell } from '../delivery/report-model.ts'
import { escapeText } from './escape-text.ts'
import { formatByteLength, formatCount, formatShare } from './format-figures.ts'

const SHADES = '▁▂▃▄▅▆▇█'
/** Columns that a curve takes in a table. */
const CURVE_WIDTH = 50
/** Ranges shown in a cell before "and N more". */
const LISTED_RANGES = 3

/** A cell for people. */
export function showCell(cell: ReportCell, kind: ColumnKind): string {
  if (cell === null) return '-'
  if (typeof cell === 'string') return cell === '' ? '(empty)' : escapeText(cell)
  if (typeof cell !== 'number') return kind === 'curve' ? drawCurve(cell) : showRanges(cell)
  if (kind === 'bytes') return formatByteLength(cell)
  if (kind === 'share') return formatShare(cell, 1)
  if (kind === 'time') return formatInstant(cell)
  return formatCount(cell)
}

/** A cell for programs: times as text, ranges as pairs, all else as it is. */
export function plainCell(cell: ReportCell, kind: ColumnKind): unknown {
  if (cell === null || typeof cell === 'string') return cell
  if (typeof cell === 'number') return kind === 'time' ? formatInstant(cell) : cell
  return kind === 'ranges' ? pairs(cell) : cell
}

/** The pairs of a flat list of ranges. */
export function pairs(flat: readonly number[]): readonly (readonly [number, number])[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0] as const)
}

function showRanges(flat: readonly number[]): string {
  const ranges = pairs(flat)
  const listed = ranges.slice(0, LISTED_RANGES).map(([first, last]) => `${first}-${last}`)
  const restCount = ranges.length - listed.length
  return restCount > 0 ? `${listed.join(' ')} and ${formatCount(restCount)} more` : listed.join(' ')
}

/** A curve in one line; each sign is the mean of its part. */
function drawCurve(shares: readonly number[]): string {
  const width = Math.min(CURVE_WIDTH, shares.length)
  return Array.from({ length: width }, (_, i) => {
    const part = shares.slice(
      Math.floor((i * shares.length) / width),
      Math.floor(((i + 1) * shares.length) / width),
    )
    const mean = part.reduce((sum, share) => sum + share, 0) / part.length
    return SHADES[Math.min(SHADES.length - 1, Math.floor(mean * SHADES.length))] ?? ''
  }).join('')
}
