/** `delivery`: TAB-separated, with a comment that names the columns or without. */

import { readDeliveryLayout } from '../delivery-layout.ts'
import { type FormatReading, type LogFormat, type LogSample, problem } from './log-format.ts'

/** A comment that misses more of the seven names than this is no header. */
const MAX_MISSING_NAMES = 4

/** A line without a header: seven fields, the first a date, the sixth a status. */
const LINE = /^\d{4}-\d\d-\d\d\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t\d{3}\t[^\t]*$/

/** What a comment turned out to be. */
export type DeliveryComment = FormatReading | 'comment'

/** Reads a comment line (without its line end); no line at all means the default layout. */
export function readDeliveryComment(line: Uint8Array | undefined): DeliveryComment {
  const reading = readDeliveryLayout(line)
  if (reading.ok) return { ok: true, layout: reading.layout, header: line }
  const { problem: found } = reading
  if (found.kind === 'not-a-header') return 'comment'
  if (found.kind === 'duplicate-name') {
    return problem(`expected each column once in the header, found "${found.name}" twice`)
  }
  if (found.names.length > MAX_MISSING_NAMES) return 'comment'
  return problem(`expected a header that names ${found.names.join(', ')} as well`)
}

function readComments(sample: LogSample): DeliveryComment {
  for (const comment of sample.comments) {
    const reading = readDeliveryComment(comment)
    if (reading !== 'comment') return reading
  }
  return 'comment'
}

/** See the head of this file. */
export const DELIVERY: LogFormat = {
  name: 'delivery',
  decodesUserAgents: false,
  option: undefined,
  sentFields: undefined,
  recognizes: (sample) => readComments(sample) !== 'comment' || sample.lines.some((line) => LINE.test(line)),
  readLayout(sample, choices): FormatReading {
    if (choices.asset !== 'path' || choices.client !== 'c-ip') {
      const option = choices.asset === 'path' ? `--client ${choices.client}` : `--asset ${choices.asset}`
      return problem(
        `expected a format that logs more than paths and addresses for ${option}; found a delivery log`,
      )
    }
    const reading = readComments(sample)
    if (reading !== 'comment') return reading
    const fallback = readDeliveryComment(undefined)
    return fallback === 'comment' ? problem('expected a delivery log') : fallback
  },
}
