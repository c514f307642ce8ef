/** A report as one self-contained page: no script, nothing loaded, drawings as SVG. */

import type { Report, ReportCell, ReportChart } from '../delivery/report-model.ts'
import { escapeText } from './escape-text.ts'
import { formatCount } from './format-figures.ts'
import { pairs, showCell } from './report-cells.ts'

/** Rows in the table and in the drawing: a page is for reading. */
const TABLE_ROWS = 1000
const CHART_ROWS = 25

const WIDTH = 900
const LABEL_WIDTH = 320
const ROW_HEIGHT = 22
const CURVE_HEIGHT = 320
const COLOURS = [
  '#2b7a4b',
  '#8ab84a',
  '#e0a32e',
  '#c0492f',
  '#4a6fb8',
  '#7d4ab8',
  '#2e97a8',
  '#8c6d5a',
] as const

const CSS = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}
h1{font-size:1.4rem}table{border-collapse:collapse;margin:1.5rem 0}td,th{padding:.25rem .7rem;border-bottom:1px solid #ddd;
text-align:left;vertical-align:top;overflow-wrap:anywhere}td.n,th.n{text-align:right;white-space:nowrap}th{font-weight:600}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}td,th{border-color:#444}}`

/** The whole page. */
export async function renderReportPage(report: Report): Promise<string> {
  const rows: (readonly ReportCell[])[] = []
  let restCount = 0
  for await (const row of report.rows) {
    if (rows.length < TABLE_ROWS) rows.push(row)
    else restCount++
  }
  const facts = report.facts
    .map(([label, value]) => {
      const text = typeof value === 'number' ? formatCount(value) : value
      return `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(text)}</td></tr>`
    })
    .join('\n')
  const rest =
    restCount > 0 ? `<p>${formatCount(restCount)} more rows are not shown; --csv gives all.</p>` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(report.title)}</title>
<style>${CSS}</style>
<h1>${escapeHtml(report.title)}</h1>
<table>
${facts}
</table>
${rows.length === 0 ? '<p>nothing</p>' : drawChart(report, rows.slice(0, CHART_ROWS))}
${rows.length === 0 ? '' : renderTable(report, rows)}
${rest}
</html>
`
}

/** Text of a log in a page: nothing in it is markup, and nothing controls the text around it. */
export function escapeHtml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function renderTable({ columns }: Report, rows: readonly (readonly ReportCell[])[]): string {
  const isNumber = (i: number): boolean => !['text', 'ranges', 'curve'].includes(columns[i]?.kind ?? 'text')
  const cell = (tag: 'td' | 'th', text: string, i: number): string =>
    `<${tag}${isNumber(i) ? ' class="n"' : ''}>${escapeHtml(text)}</${tag}>`
  const header = columns.map(({ label }, i) => cell('th', label, i)).join('')
  const body = rows.map((row) => {
    const cells = columns.map(({ kind }, i) => cell('td', unescapedCell(row[i] ?? null, kind), i))
    return `<tr>${cells.join('')}</tr>`
  })
  return `<table>\n<tr>${header}</tr>\n${body.join('\n')}\n</table>`
}

/** Like `showCell`, but a text stays as it is: the page escapes it once. */
function unescapedCell(cell: ReportCell, kind: Parameters<typeof showCell>[1]): string {
  return typeof cell === 'string' && cell !== '' ? cell : showCell(cell, kind)
}

/** Numbers of the columns that a chart draws, row by row. */
class ChartRows {
  private readonly report: Report
  readonly rows: readonly (readonly ReportCell[])[]

  constructor(report: Report, rows: readonly (readonly ReportCell[])[]) {
    this.report = report
    this.rows = rows
  }

  number(row: readonly ReportCell[], key: string): number {
    const cell = this.cell(row, key)
    return typeof cell === 'number' ? cell : 0
  }

  list(row: readonly ReportCell[], key: string): readonly number[] {
    const cell = this.cell(row, key)
    return typeof cell === 'object' && cell !== null ? cell : []
  }

  text(row: readonly ReportCell[], key: string): string {
    return showCell(this.cell(row, key), this.kindOf(key))
  }

  label(key: string): string {
    return this.report.columns.find((column) => column.key === key)?.label ?? key
  }

  private cell(row: readonly ReportCell[], key: string): ReportCell {
    return row[this.report.columns.findIndex((column) => column.key === key)] ?? null
  }

  private kindOf(key: string): Parameters<typeof showCell>[1] {
    return this.report.columns.find((column) => column.key === key)?.kind ?? 'text'
  }
}

function drawChart(report: Report, rows: readonly (readonly ReportCell[])[]): string {
  const chartRows = new ChartRows(report, rows)
  const { chart } = report
  switch (chart.kind) {
    case 'bars':
      return drawBars(chartRows, chart)
    case 'stack':
      return drawStacks(chartRows, chart)
    case 'curve':
      return drawCurves(chartRows, chart)
    case 'gaps':
      return drawGaps(chartRows, chart)
  }
}

function svg(height: number, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img">\n${parts.join('\n')}\n</svg>`
}

const rectangle = (x: number, y: number, width: number, colour: string): string =>
  `<rect x="${round(x)}" y="${y + 3}" width="${round(Math.max(0, width))}" height="${ROW_HEIGHT - 6}" fill="${colour}"/>`

function rowLabel(text: string, row: number): string {
  const short = text.length > 48 ? `${text.slice(0, 23)}…${text.slice(-24)}` : text
  return `<text x="${LABEL_WIDTH - 8}" y="${row * ROW_HEIGHT + 15}" text-anchor="end">${escapeHtml(short)}</text>`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function drawBars(chart: ChartRows, { label, value }: Extract<ReportChart, { kind: 'bars' }>): string {
  const room = WIDTH - LABEL_WIDTH - 110
  const largest = Math.max(1, ...chart.rows.map((row) => chart.number(row, value)))
  const parts = chart.rows.flatMap((row, i) => {
    const width = (chart.number(row, value) / largest) * room
    const y = i * ROW_HEIGHT
    return [
      rowLabel(chart.text(row, label), i),
      rectangle(LABEL_WIDTH, y, width, COLOURS[0]),
      `<text x="${round(LABEL_WIDTH + width + 6)}" y="${y + 15}">${escapeHtml(chart.text(row, value))}</text>`,
    ]
  })
  return svg(chart.rows.length * ROW_HEIGHT, parts)
}

function drawStacks(chart: ChartRows, { label, parts }: Extract<ReportChart, { kind: 'stack' }>): string {
  const room = WIDTH - LABEL_WIDTH
  const drawn = chart.rows.flatMap((row, i) => {
    const total = parts.reduce((sum, part) => sum + chart.number(row, part), 0)
    let x = LABEL_WIDTH
    const bars = parts.map((part, at) => {
      const width = total === 0 ? 0 : (chart.number(row, part) / total) * room
      const bar = rectangle(x, i * ROW_HEIGHT, width, COLOURS[at] ?? '#888')
      x += width
      return bar
    })
    return [rowLabel(chart.text(row, label), i), ...bars]
  })
  const legend = drawLegend(
    parts.map((part) => chart.label(part)),
    chart.rows.length * ROW_HEIGHT,
  )
  return svg(chart.rows.length * ROW_HEIGHT + 30, [...drawn, ...legend])
}

function drawLegend(labels: readonly string[], y: number): string[] {
  return labels.flatMap((text, i) => {
    const x = LABEL_WIDTH + i * 130
    return [
      rectangle(x, y + 6, 16, COLOURS[i] ?? '#888'),
      `<text x="${x + 22}" y="${y + 21}">${escapeHtml(text)}</text>`,
    ]
  })
}

function drawCurves(chart: ChartRows, { label, value }: Extract<ReportChart, { kind: 'curve' }>): string {
  const rows = chart.rows.slice(0, COLOURS.length)
  const left = 50
  const room = WIDTH - left - 10
  const y = (share: number): number => round(10 + (1 - share) * (CURVE_HEIGHT - 20))
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<line x1="${left}" x2="${WIDTH - 10}" y1="${y(share)}" y2="${y(share)}" stroke="#8886"/>`,
    `<text x="${left - 6}" y="${y(share) + 4}" text-anchor="end">${share * 100}%</text>`,
  ])
  const curves = rows.map((row, i) => {
    const shares = chart.list(row, value)
    const points = shares.map(
      (share, at) => `${round(left + ((at + 0.5) / shares.length) * room)},${y(share)}`,
    )
    return `<polyline fill="none" stroke="${COLOURS[i] ?? '#888'}" stroke-width="2" points="${points.join(' ')}"/>`
  })
  const legend = rows.flatMap((row, i) => [
    rectangle(left, CURVE_HEIGHT + i * ROW_HEIGHT, 16, COLOURS[i] ?? '#888'),
    `<text x="${left + 22}" y="${CURVE_HEIGHT + i * ROW_HEIGHT + 15}">${escapeHtml(chart.text(row, label))}</text>`,
  ])
  return svg(CURVE_HEIGHT + rows.length * ROW_HEIGHT, [...grid, ...curves, ...legend])
}

function drawGaps(
  chart: ChartRows,
  { label, ranges, length }: Extract<ReportChart, { kind: 'gaps' }>,
): string {
  const room = WIDTH - LABEL_WIDTH
  const parts = chart.rows.flatMap((row, i) => {
    const total = Math.max(1, chart.number(row, length))
    const bars = pairs(chart.list(row, ranges)).map(([first, last]) =>
      rectangle(
        LABEL_WIDTH + (first / total) * room,
        i * ROW_HEIGHT,
        ((last - first + 1) / total) * room,
        COLOURS[3],
      ),
    )
    return [
      rowLabel(chart.text(row, label), i),
      rectangle(LABEL_WIDTH, i * ROW_HEIGHT, room, COLOURS[0]),
      ...bars,
    ]
  })
  return svg(chart.rows.length * ROW_HEIGHT, parts)
}
