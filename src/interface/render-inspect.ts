/** `inspect` for people: facts, then aligned tables. */

import type { StoreLayout } from '../delivery/store-layout.ts'
import type { ColumnLayout, IndexFigures, Spread } from '../parquet/layout-tally.ts'
import { escapeControls, escapeText } from './escape-text.ts'
import { formatByteLength, formatCount, formatNoun, formatShare } from './format-figures.ts'
import { hidesBounds, type Inspection, type InspectView } from './inspect-json.ts'
import type { Style } from './terminal.ts'

const LABEL_WIDTH = 14
const LONGEST_VALUE = 60

/** Several lines, ended by a line break. */
export function renderInspection(inspection: Inspection, view: InspectView, style: Style): string {
  const { files } = inspection
  const lines = [
    style.paint('bold', escapeText(inspection.path)),
    ...factLines(inspection).map(([label, text]) => `  ${label.padEnd(LABEL_WIDTH)}${escapeText(text)}`),
    ...(inspection.kind === 'store' ? section(style, 'dates', dateTable(inspection.files)) : []),
    ...(view.listsFiles && inspection.kind !== 'file' ? section(style, 'files', fileTable(inspection)) : []),
    ...section(style, 'columns', columnTable(files.layout.columns)),
    ...section(style, 'indexes and bounds', indexTable(files.layout.columns, view)),
    ...section(style, 'bytes', shareTable(inspection)),
    ...problemLines(inspection, style),
  ]
  return `${lines.join('\n')}\n`
}

type Fact = readonly [label: string, text: string]

function factLines(inspection: Inspection): Fact[] {
  const { layout } = inspection.files
  const { rowGroupCount, rowsPerRowGroup, byteLengthsPerRowGroup, sortOrders } = layout
  const orders = sortOrders.map((order) => (order === '' ? 'not said' : order))
  return [
    ...(inspection.kind === 'file' ? fileFacts(inspection) : []),
    ...(inspection.kind === 'store' ? storeFacts(inspection.files) : []),
    ...(inspection.kind === 'file'
      ? []
      : [['files', `${formatCount(layout.fileCount)} read, by ${layout.writers.join(', ')}`] as const]),
    ['rows', formatCount(layout.rowCount)],
    ['bytes', `${formatByteLength(layout.byteLength)} (${formatCount(layout.byteLength)})`],
    ['row groups', formatCount(rowGroupCount)],
    ...(rowsPerRowGroup === undefined
      ? []
      : [['  rows each', describeSpread(rowsPerRowGroup, (n) => formatCount(Math.round(n)))] as const]),
    ...(byteLengthsPerRowGroup === undefined
      ? []
      : [['  bytes each', describeSpread(byteLengthsPerRowGroup, formatBytes)] as const]),
    ['sorted by', orders.length === 0 ? '-' : orders.join('; or by ')],
    ['pages', describeVerification(inspection)],
  ]
}

function fileFacts({ file }: Inspection & { readonly kind: 'file' }): Fact[] {
  const { footer, isSealed } = file
  const writer = footer.createdBy ?? 'not said'
  return [
    ['written by', isSealed ? writer : `${writer} (not written by byteledger)`],
    ...[...footer.keyValues].map(([key, value]): Fact => ['metadata', `${key} = ${shorten(value)}`]),
    ['footer', `${formatByteLength(file.footerByteLength)}, ${isSealed ? 'checksum holds' : 'no checksum'}`],
  ]
}

function storeFacts({ snapshot, ...store }: StoreLayout): Fact[] {
  const { metadata, protocol } = snapshot
  const leftovers = [
    `${formatNoun(store.removedFiles.fileCount, 'removed file')} (${formatByteLength(store.removedFiles.byteLength)})`,
    `${formatNoun(store.strangeFiles.fileCount, 'file')} no version knows (${formatByteLength(store.strangeFiles.byteLength)})`,
  ]
  return [
    ['table', `Delta Lake, ${metadata?.id ?? 'no id'}`],
    ['version', formatCount(snapshot.version)],
    ['protocol', `reader ${protocol?.minReaderVersion}, writer ${protocol?.minWriterVersion}`],
    ['partitions', metadata?.partitionColumns.join(', ') ?? ''],
    [
      'log',
      `${formatNoun(store.commitCount, 'commit')}, ${formatByteLength(store.logByteLength)}, ` +
        `last checkpoint ${store.checkpointVersion === undefined ? 'none' : formatCount(store.checkpointVersion)}`,
    ],
    ['inputs', formatCount(snapshot.transactions.size)],
    ['leftovers', leftovers.join(', ')],
  ]
}

function describeVerification({ files }: Inspection): string {
  const { verification, problems } = files
  if (verification === undefined) return 'checksums not verified (--verify reads every page)'
  const { pageCount, byteLength, uncheckedPageCount } = verification
  const checked = `${formatNoun(pageCount, 'page')} read, ${formatByteLength(byteLength)}`
  if (problems.length > 0) return `${checked}; ${formatNoun(problems.length, 'problem')}, see below`
  return uncheckedPageCount === 0
    ? `${checked}, every checksum holds`
    : `${checked}, ${formatCount(uncheckedPageCount)} without a checksum`
}

function dateTable({ dates }: StoreLayout): string[] {
  const rows = dates.map(({ date, fileCount, rowCount, byteLength }) => {
    return [date, formatCount(fileCount), orUnknown(rowCount, formatCount), formatByteLength(byteLength)]
  })
  return table(['date', '>files', '>rows', '>bytes'], rows)
}

function fileTable({ files }: Inspection): string[] {
  const rows = files.files.map(({ path, rowCount, byteLength, rowGroupCount }) => [
    path,
    orUnknown(rowCount, formatCount),
    orUnknown(rowGroupCount, formatCount),
    formatByteLength(byteLength),
  ])
  return table(['file', '>rows', '>row groups', '>bytes'], rows)
}

function columnTable(columns: readonly ColumnLayout[]): string[] {
  const rows = columns.map((layout) => [
    layout.column.name,
    describeType(layout),
    layout.encodings.join(' '),
    layout.codecs.join(' '),
    orUnknown(layout.dictionaryPageCount, formatCount),
    orUnknown(layout.dataPageCount, formatCount),
    formatCount(layout.valueCount),
    formatByteLength(layout.uncompressedByteLength),
    formatByteLength(layout.compressedByteLength),
  ])
  const heads = [
    'column',
    'type',
    'encodings',
    'codec',
    '>dict pages',
    '>data pages',
    '>values',
    '>plain',
    '>stored',
  ]
  return table(heads, rows)
}

function indexTable(columns: readonly ColumnLayout[], view: InspectView): string[] {
  const rows = columns.map((layout) => [
    layout.column.name,
    describeIndex(layout.columnIndexes),
    describeIndex(layout.offsetIndexes),
    describeIndex(layout.bloomFilters),
    layout.byteLengthsPerRowGroup === undefined
      ? '-'
      : describeSpread(layout.byteLengthsPerRowGroup, formatBytes),
    describeBounds(layout, view),
  ])
  return table(
    [
      'column',
      '>column index',
      '>offset index',
      '>bloom filter',
      'stored a row group (min / avg / max)',
      'smallest .. largest',
    ],
    rows,
  )
}

function shareTable({ files: { layout } }: Inspection): string[] {
  const { pages, columnIndexes, offsetIndexes, bloomFilters, footers, other } = layout.byteShares
  const shares: readonly (readonly [string, number])[] = [
    ['pages', pages],
    ['column indexes', columnIndexes],
    ['offset indexes', offsetIndexes],
    ['bloom filters', bloomFilters],
    ['footers', footers],
    ['other', other],
  ]
  const rows = shares.map(([name, byteLength]) => [
    name,
    formatByteLength(byteLength),
    formatShare(byteLength, layout.byteLength),
  ])
  return table(['of', '>bytes', '>share'], rows)
}

function problemLines({ files: { problems } }: Inspection, style: Style): string[] {
  if (problems.length === 0) return []
  return [
    '',
    style.paint('red', 'problems'),
    ...problems.map(({ message }) => `  ${escapeControls(message)}`),
  ]
}

function describeType({ column: { physicalType, logicalType, repetition } }: ColumnLayout): string {
  const type = logicalType === undefined ? physicalType : `${physicalType} ${logicalType}`
  return repetition === 'REQUIRED' ? type : `${type} ${repetition.toLowerCase()}`
}

function describeIndex({ count, byteLength }: IndexFigures): string {
  if (count === 0) return '-'
  return byteLength === undefined ? 'yes' : formatByteLength(byteLength)
}

function describeBounds(layout: ColumnLayout, view: InspectView): string {
  if (hidesBounds(layout, view)) return 'hidden (--values shows it)'
  if (layout.bounds === undefined) return '-'
  return layout.bounds.map((bound) => shorten(String(bound))).join(' .. ')
}

function describeSpread({ min, avg, max }: Spread, format: (figure: number) => string): string {
  return min === max ? format(min) : [min, avg, max].map(format).join(' / ')
}

function formatBytes(byteLength: number): string {
  return formatByteLength(byteLength < 1024 ? Math.round(byteLength) : byteLength)
}

function orUnknown(figure: number | undefined, format: (figure: number) => string): string {
  return figure === undefined ? '?' : format(figure)
}

function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
}

function section(style: Style, title: string, lines: readonly string[]): string[] {
  return ['', style.paint('bold', title), ...lines]
}

/** Aligned columns; a head that begins with `>` aligns right. Cells may hold text from a file. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [heads.map((head) => head.replace('>', '')), ...rows.map((row) => row.map(escapeText))]
  const widths = heads.map((_, i) => cells.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), 0))
  return cells.map((row) => {
    const padded = row.map((cell, i) => {
      const width = widths[i] ?? 0
      return heads[i]?.startsWith('>') === true ? cell.padStart(width) : cell.padEnd(width)
    })
    return `  ${padded.join('  ').trimEnd()}`
  })
}
