/** The answer about many listeners for people: what they hold together, then one line for each. */

import type { Answer } from '../delivery/answer.ts'
import type { AnswerUnion, UnionAnswer } from '../delivery/answer-listeners.ts'
import type { Unmatched } from '../delivery/unmatched-selectors.ts'
import { coverageCells, drawCells } from './coverage-bar.ts'
import { escapeText } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatShare } from './format-figures.ts'
import type { Style } from './terminal.ts'

/** Listeners listed before "and N more". */
export const LISTED_LISTENERS = 50
const LISTED_RANGES = 10
const LISTENER_BAR_WIDTH = 20
const MAX_BAR_WIDTH = 60

/** What there is to say. */
export interface SelectionAnswers {
  readonly union: AnswerUnion
  readonly listed: readonly Answer[]
  readonly unmatched: Unmatched | undefined
}

/** Several lines, ended by a line break. `listed` are the first answers, `unmatched` what selects nobody. */
export function renderSelection(
  asset: string,
  { union, listed, unmatched }: SelectionAnswers,
  style: Style,
): string {
  const { listenerCount, completeCount } = union
  const result = union.result()
  if (result === undefined) {
    return `${style.paint('red', style.paint('bold', 'NO EVIDENCE'))}  no such listener asked for ${escapeText(asset)}\n`
  }
  const isAll = completeCount === listenerCount && unmatched === undefined
  const headline = isAll ? 'DELIVERED' : completeCount > 0 ? 'DELIVERED TO SOME' : 'NOT DELIVERED'
  const colour = isAll ? 'green' : completeCount > 0 ? 'yellow' : 'red'
  const range = result.range === null ? 'the whole' : `${result.range[0]}-${result.range[1]}`
  const lines = [
    `${style.paint(colour, style.paint('bold', headline))}  ${formatCount(completeCount)} of ${formatNoun(listenerCount, 'listener')} hold all of ${range}`,
    '',
    `  asset         ${escapeText(asset)}`,
    ...unmatchedLines(unmatched),
    ...unionLines(result, style),
    '',
    ...listed.map((answer) => listenerLine(answer, style)),
  ]
  const restCount = listenerCount - listed.length
  if (restCount > 0) lines.push(`  and ${formatNoun(restCount, 'more listener')} (--json lists all)`)
  return `${lines.join('\n')}\n`
}

/** Values that were asked about and have no listener here. */
function unmatchedLines(unmatched: Unmatched | undefined): string[] {
  if (unmatched === undefined) return []
  const values = [...unmatched.ips, ...unmatched.userAgents].slice(0, LISTED_RANGES)
  return values.map((text, i) => `  ${i === 0 ? 'nobody is' : '         '}     ${escapeText(text)}`)
}

function unionLines(union: UnionAnswer, style: Style): string[] {
  const share = formatShare(union.coveredBytes, union.requestedBytes)
  const lines: string[] = []
  if (union.range !== null) {
    const width = Math.max(1, Math.min(MAX_BAR_WIDTH, style.width - 14 - share.length - 4))
    lines.push(`  together      ${drawCells(coverageCells(union.range, union.covered, width))}  ${share}`)
  }
  const missing = union.missing.slice(0, LISTED_RANGES)
  missing.forEach(([first, last], i) => {
    lines.push(
      `  ${i === 0 ? 'nobody has' : '          '}    ${first}-${last}  ${formatByteLength(last - first + 1)}`,
    )
  })
  const restCount = union.missing.length - missing.length
  if (restCount > 0) lines.push(`                and ${formatCount(restCount)} more (--json lists all)`)
  const times = union.firstAt === null ? '' : `, from ${union.firstAt} to ${union.lastAt ?? union.firstAt}`
  lines.push(`  evidence      ${formatNoun(union.requests, 'request')}${times}`)
  if (union.completeAt !== null) lines.push(`  complete at   ${union.completeAt}, by all of them together`)
  return lines
}

function listenerLine(answer: Answer, style: Style): string {
  const share = formatShare(answer.coveredBytes, answer.requestedBytes).padStart(6)
  const bar =
    answer.range === null ? '' : drawCells(coverageCells(answer.range, answer.covered, LISTENER_BAR_WIDTH))
  const agent = answer.userAgent === '' ? '(empty)' : escapeText(answer.userAgent)
  const colour = answer.delivered ? 'green' : answer.coveredBytes > 0 ? 'yellow' : 'red'
  return `  ${style.paint(colour, bar)} ${share}  ${escapeText(answer.ip)}  ${agent}`
}
