/** Reports as text tables for people, and as JSON and CSV for programs. */

import type { Report, ReportCell, ReportColumn } from '../delivery/report-model.ts'
import { csvLine, csvText } from './csv.ts'
import { displayWidth, padText } from './display-width.ts'
import { escapeText, toSafeJson } from './escape-text.ts'
import { formatCount } from './format-figures.ts'
import { pairs, plainCell, showCell } from './report-cells.ts'
import type { Style } from './terminal.ts'

/** Texts longer than this are cut in the middle: paths and user agents differ at both ends. */
const MAX_TEXT_WIDTH = 60

/** Pieces of the text; of the rows the first `limit`, with how many follow. */
export async function* renderReportTable(
  report: Report,
  limit: number,
  style: Style,
): AsyncGenerator<string, void, void> {
  yield `${style.paint('bold', report.title)}\n\n`
  const labelWidth = Math.max(...report.facts.map(([label]) => label.length))
  for (const [label, value] of report.facts) {
    yield `  ${label.padEnd(labelWidth)}  ${typeof value === 'number' ? formatCount(value) : escapeText(value)}\n`
  }
  const listed: string[][] = []
  let restCount = 0
  for await (const row of report.rows) {
    if (listed.length < limit) listed.push(row.map((cell, i) => shownCell(cell, report.columns[i])))
    else restCount++
  }
  if (listed.length === 0) {
    yield restCount === 0
      ? '\n  nothing\n'
      : `\n  ${formatCount(restCount)} rows (--limit N shows them, --csv all)\n`
    return
  }
  const { columns } = report
  const widths = columns.map(({ label }, i) =>
    listed.reduce((width, row) => Math.max(width, displayWidth(row[i] ?? '')), label.length),
  )
  const line = (cells: readonly string[]): string =>
    `  ${cells
      .map((text, i) => {
        const width = widths[i] ?? 0
        return isText(columns[i]) ? padText(text, width) : text.padStart(width)
      })
      .join('  ')
      .trimEnd()}\n`
  yield `\n${style.paint('dim', line(columns.map(({ label }) => label)).trimEnd())}\n`
  for (const row of listed) yield line(row)
  if (restCount > 0) yield `  and ${formatCount(restCount)} more (--limit N shows more, --csv all)\n`
}

function isText(column: ReportColumn | undefined): boolean {
  return column?.kind === 'text' || column?.kind === 'ranges' || column?.kind === 'curve'
}

function shownCell(cell: ReportCell, column: ReportColumn | undefined): string {
  const text = showCell(cell, column?.kind ?? 'text')
  if (text.length <= MAX_TEXT_WIDTH || column?.kind !== 'text') return text
  const half = (MAX_TEXT_WIDTH - 1) / 2
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`
}

/** One object, in pieces: `{"v":1,"report","title","facts":{},"rows":[{}]}`, columns by their keys. */
export async function* renderReportJson({
  kind,
  title,
  facts,
  columns,
  rows,
}: Report): AsyncGenerator<string, void, void> {
  const head = toSafeJson({ v: 1, report: kind, title, facts: Object.fromEntries(facts) })
  yield `${head.slice(0, -1)},"rows":[`
  let separator = '\n'
  for await (const row of rows) {
    const entries = columns.map(({ key, kind: cellKind }, i) => [key, plainCell(row[i] ?? null, cellKind)])
    yield separator + toSafeJson(Object.fromEntries(entries))
    separator = ',\n'
  }
  yield '\n]}\n'
}

/** RFC 4180 in pieces, with a header; a curve takes a column a part. */
export async function* renderReportCsv({ columns, rows }: Report): AsyncGenerator<string, void, void> {
  const header = columns.flatMap(({ key, kind }) =>
    kind === 'curve' ? Array.from({ length: 100 }, (_, i) => `part_${i + 1}`) : [key],
  )
  yield csvLine(header)
  for await (const row of rows) {
    yield csvLine(
      columns.flatMap(({ kind }, i) => {
        const cell = row[i] ?? null
        if (cell === null) return ['']
        if (typeof cell !== 'object') return [csvText(plainCell(cell, kind))]
        if (kind === 'ranges')
          return [
            pairs(cell)
              .map(([first, last]) => `${first}-${last}`)
              .join(' '),
          ]
        return Array.from({ length: 100 }, (_, part) => (part < cell.length ? String(cell[part]) : ''))
      }),
    )
  }
}
