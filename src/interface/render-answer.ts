/** The answer for people: the verdict first, then the proof. */

import {
  type Answer,
  type Facts,
  type InclusiveRange,
  reachedLength,
  type SeenLength,
  type Verdict,
} from '../delivery/answer.ts'
import type { AssetLength } from '../delivery/asset-length.ts'
import type { Query } from '../delivery/question.ts'
import { formatInstant, type TimeWindow } from '../delivery/question-time.ts'
import type { Suggestions } from '../delivery/suggest-known.ts'
import { coverageCells, drawCells } from './coverage-bar.ts'
import { escapeText, quoteForShell } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatShare } from './format-figures.ts'
import type { Colour, Style } from './terminal.ts'

/** Ranges listed before "and N more". */
const LISTED_RANGES = 20
const MAX_BAR_WIDTH = 60
const LABEL_WIDTH = 14

const HEADLINES: { readonly [verdict in Verdict]: { readonly text: string; readonly colour: Colour } } = {
  complete: { text: 'DELIVERED', colour: 'green' },
  partial: { text: 'PARTLY DELIVERED', colour: 'yellow' },
  none: { text: 'NOT DELIVERED', colour: 'red' },
  unknown: { text: 'NO EVIDENCE', colour: 'red' },
}

/** Several lines, ended by a line break. `facts` are those that the answer was judged by. */
export function renderAnswer(answer: Answer, query: Query, facts: Facts, style: Style): string {
  const { text, colour } = HEADLINES[answer.verdict]
  const lines = [`${style.paint(colour, style.paint('bold', text))}  ${explain(answer, facts)}`]
  if (answer.range !== null && answer.verdict !== 'unknown')
    lines.push('', drawBar(answer, answer.range, colour, style))
  lines.push('')
  lines.push(field('asset', escapeText(answer.asset)))
  lines.push(field('ip', escapeText(answer.ip)))
  lines.push(field('user agent', answer.userAgent === '' ? '(empty)' : escapeText(answer.userAgent)))
  const window = describeWindow(query.window)
  if (window !== undefined) lines.push(field('requests', window))
  if (answer.range !== null) {
    lines.push(...listRanges('covered', answer.covered), ...listRanges('missing', answer.missing))
  }
  lines.push(field('evidence', describeRequests(answer)))
  if (answer.completeAt !== null) lines.push(field('complete at', answer.completeAt))
  lines.push(field('length', describeLength(answer)))
  return `${lines.join('\n')}\n`
}

function explain(answer: Answer, facts: Facts): string {
  const range = answer.range === null ? 'the whole' : `${answer.range[0]}-${answer.range[1]}`
  switch (answer.verdict) {
    case 'complete':
      return answer.requestedBytes === 1
        ? `the one byte asked for, ${range}`
        : `all ${formatNoun(answer.requestedBytes, 'byte')} of ${range}`
    case 'partial': {
      const share = formatShare(answer.coveredBytes, answer.requestedBytes)
      return `${formatCount(answer.coveredBytes)} of ${formatNoun(answer.requestedBytes, 'byte')} of ${range} (${share})`
    }
    case 'none': {
      const { assetKnown, listenerKnown } = facts.evidence
      const known =
        assetKnown && listenerKnown
          ? 'asset and listener are'
          : assetKnown
            ? 'the asset is'
            : 'the listener is'
      return `${describeNothing(answer, range)}; ${known} known here`
    }
    case 'unknown':
      return answer.range === null && answer.length === null
        ? 'nothing about this asset is known here, nor how long it is'
        : 'neither the asset nor the listener occurs here'
  }
}

function drawBar(answer: Answer, range: InclusiveRange, colour: Colour, style: Style): string {
  const share = formatShare(answer.coveredBytes, answer.requestedBytes)
  const width = Math.max(1, Math.min(MAX_BAR_WIDTH, style.width - share.length - 4))
  return `  ${style.paint(colour, drawCells(coverageCells(range, answer.covered, width)))}  ${share}`
}

function field(label: string, value: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${value}`
}

function listRanges(label: string, ranges: readonly InclusiveRange[]): string[] {
  if (ranges.length === 0) return [field(label, 'nothing')]
  const listed = ranges.slice(0, LISTED_RANGES)
  const texts = listed.map(([first, last]) => `${first}-${last}`)
  const width = Math.max(...texts.map((text) => text.length))
  const lines = listed.map(([first, last], i) => {
    const size = formatByteLength(last - first + 1)
    return field(i === 0 ? label : '', `${(texts[i] ?? '').padEnd(width)}  ${size}`)
  })
  const restCount = ranges.length - listed.length
  if (restCount > 0) lines.push(field('', `and ${formatCount(restCount)} more (--json lists all)`))
  return lines
}

function describeWindow({ sinceEpochSeconds, untilEpochSeconds }: TimeWindow): string | undefined {
  const since = sinceEpochSeconds === undefined ? '' : `from ${formatInstant(sinceEpochSeconds)} on`
  const until = untilEpochSeconds === undefined ? '' : `up to ${formatInstant(untilEpochSeconds)}`
  return since + until === '' ? undefined : `only ${[since, until].filter((part) => part !== '').join(', ')}`
}

function describeRequests({ requests, firstAt, lastAt }: Answer): string {
  if (firstAt === null || lastAt === null) return 'no request'
  const count = formatNoun(requests, 'request')
  return firstAt === lastAt ? `${count}, at ${firstAt}` : `${count}, from ${firstAt} to ${lastAt}`
}

function describeLength({ length, lengths }: Answer): string {
  if (length === null) return 'not known'
  const bytes = formatNoun(length.bytes, 'byte')
  if (length.sentBytes !== undefined)
    return `${bytes}, as far as any request asked; ${lengths === undefined ? 'no log tells how long it is' : 'logs tell less'}`
  const source = { given: 'as given', logged: 'as logged', observed: 'as far as any request here reached' }
  return `${bytes}, ${source[length.from]}`
}

/** What a reader of the answer should know beside it, each one line: for standard error. */
export function answerNotes(answer: Answer, query: Query, facts: Facts): readonly string[] {
  const { observedLength } = facts
  const notes: string[] = []
  if (query.target.kind === 'whole') {
    const { givenLength } = query.target
    if (givenLength === 0 || (givenLength === undefined && observedLength === 0)) {
      notes.push('the length is 0: there is no byte that could be proven')
    } else if (answer.length === null) {
      notes.push(
        'the length of this asset is not known here: no request for it was kept, and no log tells one above 0; ' +
          '--length N gives it; of an asset of no byte there is none that could be proven',
      )
    }
    if (givenLength !== undefined && observedLength !== undefined && givenLength < observedLength) {
      notes.push(
        `the length given, ${givenLength}, is less than the ${observedLength} bytes that requests reached`,
      )
    }
  }
  const lastAsked = answer.range?.[1] ?? 0
  if (answer.lengths !== undefined) notes.push(describeLengths(answer.lengths, facts))
  if (query.target.kind === 'whole') notes.push(...askedNotes(answer.length))
  const sentBytes = answer.length?.sentBytes
  const isBeyond = sentBytes === undefined && observedLength !== undefined && lastAsked >= observedLength
  if (isBeyond && answer.length?.from === 'observed') {
    notes.push(`no request here went beyond byte ${observedLength - 1}: the asset may end there`)
  }
  return notes
}

/** Why the whole is more than was sent to anybody, where it is: for standard error. */
export function askedNotes(length: AssetLength | null): readonly string[] {
  if (length?.sentBytes === undefined) return []
  const sent = length.sentBytes === 0 ? 'none' : `none beyond byte ${length.sentBytes - 1}`
  return [
    `requests asked for bytes up to ${length.bytes - 1}, of which ${sent} is proven to have been sent to anybody; ` +
      'nothing tells whether the asset ends there: if it does, give its length with --length N',
  ]
}

/** One length that all logs tell is here only because requests went beyond it. */
function describeLengths(lengths: readonly SeenLength[], facts: Facts): string {
  const told = lengths.map(({ bytes, lastAt }) => `${formatCount(bytes)} (last at ${lastAt})`).join(', ')
  const reachedBytes = reachedLength(facts)
  const isBeyond = (facts.loggedLengths.at(-1)?.bytes ?? 0) < reachedBytes
  const reached = isBeyond ? `requests reached ${formatNoun(reachedBytes, 'byte')}` : ''
  if (lengths.length > 1) {
    const also = isBeyond ? `; and ${reached}` : ''
    return `logs disagree about the length, so the asset may have changed: ${told}${also}`
  }
  return `logs tell one length, ${told}, but ${reached}: the asset may have changed`
}

/** What was not delivered: the range, or the whole of an asset that is empty or of unknown length. */
function describeNothing(answer: Answer, range: string): string {
  if (answer.range !== null) return `no byte of ${range}`
  return answer.length === null ? 'nothing of this asset' : 'there is no byte to deliver'
}

/** Known values that the question may have meant, as options to paste: for standard error. */
export function suggestionNotes({ assets, ips, userAgents }: Suggestions): readonly string[] {
  const note = (option: string, values: readonly string[]): string =>
    `nearest known: ${values.map((value) => `${option} ${quoteForShell(value)}`).join(' or ')}`
  return [
    ...(assets.length > 0 ? [note('--asset', assets)] : []),
    ...(ips.length > 0 ? [note('--ip', ips)] : []),
    ...(userAgents.length > 0
      ? [
          note(
            '--user-agent',
            userAgents.map((text) => text.replaceAll('*', '\\*')),
          ),
        ]
      : []),
  ]
}
