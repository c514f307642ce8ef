/** What a run did, for people: counts that add up, and what to do next. */

import type { ProcessReport } from '../engine/process-logs.ts'
import { escapeText } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatRate, formatSeconds } from './format-figures.ts'
import type { Style } from './terminal.ts'

const LABEL_WIDTH = 12

/** Several lines, ended by a line break; `nextCommand` is a question to paste. */
export function renderReport(report: ProcessReport, nextCommand: string, style: Style): string {
  const skippedCount = sum(Object.values(report.skipped))
  const rejectedCount = sum(Object.values(report.rejected))
  const counts: readonly (readonly [string, number, string])[] = [
    ['lines', report.lines, ''],
    ['  comments', report.comments, ''],
    ['  blank', report.blank, ''],
    ['  kept', report.kept, ''],
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
    '',
    'Ask it:',
    `  ${nextCommand}`,
    '',
  ].join('\n')
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
