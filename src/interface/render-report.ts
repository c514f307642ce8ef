/** What a run did, for people: counts that add up, and what to do next. */

import type { StoreRunInput, StoreRunReport } from '../engine/process-into-store.ts'
import type { ProcessReport } from '../engine/process-logs.ts'
import { escapeText } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatRate, formatSeconds } from './format-figures.ts'
import type { Style } from './terminal.ts'

const LABEL_WIDTH = 12

/** Several lines, ended by a line break; `nextCommand` is a question to paste. */
export function renderReport(
  report: ProcessReport | StoreRunReport,
  nextCommand: string,
  style: Style,
): string {
  const skippedCount = sum(Object.values(report.skipped))
  const rejectedCount = sum(Object.values(report.rejected))
  const counts: readonly (readonly [string, number, string])[] = [
    ['lines', report.lines, ''],
    ['  comments', report.comments, ''],
    ['  blank', report.blank, ''],
    ['  kept', report.kept, describeKept(report)],
    ['  skipped', skippedCount, describeReasons(report.skipped)],
    ['  rejected', rejectedCount, describeReasons(report.rejected)],
    ['rows', report.rows, 'one for each delivered byte'],
  ]
  const width = Math.max(...counts.map(([, count]) => formatCount(count).length))
  const lines = counts.map(([label, count, note]) => {
    return `  ${label.padEnd(LABEL_WIDTH)}${formatCount(count).padStart(width)}${note === '' ? '' : `  ${note}`}`
  })
  const files = report.files.map(
    ({ path, rows, bytes }) =>
      `  ${escapeText(path)}  ${formatNoun(rows, 'row')} in ${formatByteLength(bytes)}`,
  )
  const speed = `${formatByteLength(report.bytesRead)} of log in ${formatSeconds(report.seconds)}`
  return [
    `${style.paint('bold', 'DONE')}  ${speed}, ${formatRate(report.bytesRead, report.seconds)}`,
    '',
    ...lines,
    '',
    ...files,
    ...('store' in report ? renderStore(report.store) : []),
    '',
    'Ask it:',
    `  ${nextCommand}`,
    '',
  ].join('\n')
}

/** At most so many inputs that were not taken as new are named. */
const NAMED_INPUTS = 10

function renderStore({ path, version, inputs }: StoreRunReport['store']): string[] {
  const special = inputs.filter(({ status, pendingBytes }) => status !== 'new' || pendingBytes > 0)
  const named = special.slice(0, NAMED_INPUTS).map((input) => `  ${describeInput(input)}`)
  if (special.length > NAMED_INPUTS) named.push(`  and ${special.length - NAMED_INPUTS} more such inputs`)
  const isAdded = inputs.some(({ status }) => status === 'new' || status === 'grown')
  const state = isAdded ? 'now at' : 'nothing was added to it, it is at'
  return [...named, `  store ${escapeText(path)}: ${state} version ${version}`]
}

const STATUS_TEXTS: Readonly<Record<StoreRunInput['status'], string>> = {
  new: 'taken',
  grown: 'has grown: its new lines were taken',
  known: 'is in the store already (--force would add it again)',
  empty: 'has no whole line',
}

function describeInput({ path, status, pendingBytes }: StoreRunInput): string {
  const pending =
    pendingBytes === 0
      ? ''
      : `; its last line has no line end and waits for the next run (${formatNoun(pendingBytes, 'byte')})`
  return `${escapeText(path)} ${STATUS_TEXTS[status]}${pending}`
}

function describeKept({ clipped, unmeasured }: Pick<ProcessReport, 'clipped' | 'unmeasured'>): string {
  const { requests, bytes } = clipped
  const notes: string[] = []
  if (requests > 0) {
    const less = `${formatNoun(bytes, 'byte')} less than asked for`
    notes.push(`${formatCount(requests)} clipped to what was sent, ${less}`)
  }
  if (unmeasured > 0) notes.push(`${formatCount(unmeasured)} for their range alone`)
  return notes.length === 0 ? '' : `of these ${notes.join('; ')}`
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

function describeReasons(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${escapeText(reason)} ${formatCount(count)}`)
    .join(', ')
}
