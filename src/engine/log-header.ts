/** Tells a header from any other comment, and says in words what is wrong with one. */

import { readDeliveryLayout } from '../log/delivery-layout.ts'
import type { LineLayout } from '../log/scanned-runs.ts'

/** A comment that misses more of the seven names than this is no header. */
const MAX_MISSING_NAMES = 4

/** What a comment turned out to be. */
export type HeaderReading =
  | { readonly kind: 'layout'; readonly layout: LineLayout }
  | { readonly kind: 'comment' }
  | { readonly kind: 'problem'; readonly message: string }

/** Reads a comment line (without its line end); no line at all means the default layout. */
export function readHeader(line: Uint8Array | undefined): HeaderReading {
  const reading = readDeliveryLayout(line)
  if (reading.ok) return { kind: 'layout', layout: reading.layout }
  const { problem } = reading
  if (problem.kind === 'not-a-header') return { kind: 'comment' }
  if (problem.kind === 'duplicate-name') {
    return {
      kind: 'problem',
      message: `expected each column once in the header, found "${problem.name}" twice`,
    }
  }
  if (problem.names.length > MAX_MISSING_NAMES) return { kind: 'comment' }
  return { kind: 'problem', message: `expected a header that names ${problem.names.join(', ')} as well` }
}

/** Whether two layouts put every field in the same place. */
export function isSameLayout(a: LineLayout, b: LineLayout): boolean {
  return (
    a.fieldCount === b.fieldCount &&
    a.date === b.date &&
    a.time === b.time &&
    a.ip === b.ip &&
    a.userAgent === b.userAgent &&
    a.request === b.request &&
    a.status === b.status &&
    a.byteRange === b.byteRange
  )
}
