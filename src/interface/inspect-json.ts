/** `inspect --json`: one shape for a file, a directory of files and a store. README describes it. */

import type { FilesLayout, StoreLayout } from '../delivery/store-layout.ts'
import type { FileLayout } from '../parquet/file-layout.ts'
import type { ColumnLayout, IndexFigures, Layout } from '../parquet/layout-tally.ts'

/** What is inspected. */
export type Inspection =
  | { readonly kind: 'file'; readonly path: string; readonly files: FilesLayout; readonly file: FileLayout }
  | { readonly kind: 'directory'; readonly path: string; readonly files: FilesLayout }
  | { readonly kind: 'store'; readonly path: string; readonly files: StoreLayout }

/** What may be shown. */
export interface InspectView {
  /** Lists every file. */
  readonly listsFiles: boolean
  /** Shows the bounds of texts, which hold IP addresses. */
  readonly showsValues: boolean
}

/** Whether a column's bounds are held back: they are text of a log, such as an IP address. */
export function hidesBounds({ bounds, boundKind }: ColumnLayout, { showsValues }: InspectView): boolean {
  return boundKind === 'text' && !showsValues && bounds !== undefined
}

/** The object that `--json` prints. */
export function inspectionJson(inspection: Inspection, view: InspectView): object {
  const { kind, path, files } = inspection
  const { layout, problems, verification } = files
  return {
    v: 1,
    kind,
    path,
    files: layout.fileCount,
    rows: layout.rowCount,
    bytes: layout.byteLength,
    writers: layout.writers,
    ...(inspection.kind === 'file' ? fileMembers(inspection.file) : {}),
    ...(inspection.kind === 'store' ? storeMembers(inspection.files) : {}),
    ...layoutMembers(layout, view),
    verified:
      verification === undefined
        ? null
        : {
            pages: verification.pageCount,
            bytes: verification.byteLength,
            pagesWithoutChecksum: verification.uncheckedPageCount,
          },
    problems,
    ...(view.listsFiles && kind !== 'file'
      ? {
          fileList: files.files.map((file) => ({
            path: file.path,
            date: file.date ?? null,
            rows: file.rowCount ?? null,
            bytes: file.byteLength,
            rowGroups: file.rowGroupCount ?? null,
          })),
        }
      : {}),
  }
}

function fileMembers({ footer, isSealed }: FileLayout): object {
  return {
    byteledger: isSealed,
    footerChecksum: isSealed ? 'holds' : 'none',
    formatVersion: footer.formatVersion,
    keyValues: Object.fromEntries(footer.keyValues),
  }
}

function storeMembers(store: StoreLayout): object {
  const { snapshot } = store
  const { metadata, protocol } = snapshot
  const totals = ({ fileCount, byteLength }: StoreLayout['removedFiles']): object => {
    return { files: fileCount, bytes: byteLength }
  }
  return {
    table: {
      id: metadata?.id ?? null,
      version: snapshot.version,
      minReaderVersion: protocol?.minReaderVersion ?? null,
      minWriterVersion: protocol?.minWriterVersion ?? null,
      partitionColumns: metadata?.partitionColumns ?? [],
      files: snapshot.files.size,
      inputs: snapshot.transactions.size,
    },
    log: {
      commits: store.commitCount,
      checkpoint: store.checkpointVersion ?? null,
      bytes: store.logByteLength,
    },
    dates: store.dates.map(({ date, fileCount, rowCount, byteLength }) => {
      return { date, files: fileCount, rows: rowCount ?? null, bytes: byteLength }
    }),
    leftovers: { removed: totals(store.removedFiles), unknown: totals(store.strangeFiles) },
  }
}

function layoutMembers(layout: Layout, view: InspectView): object {
  return {
    rowGroups: {
      count: layout.rowGroupCount,
      rows: layout.rowsPerRowGroup ?? null,
      bytes: layout.byteLengthsPerRowGroup ?? null,
    },
    sortOrders: layout.sortOrders,
    byteShares: layout.byteShares,
    columns: layout.columns.map((column) => columnJson(column, view)),
  }
}

function columnJson(layout: ColumnLayout, view: InspectView): object {
  const { column } = layout
  const isHidden = hidesBounds(layout, view)
  const index = ({ count, byteLength }: IndexFigures): object => ({ count, bytes: byteLength ?? null })
  return {
    name: column.name,
    type: column.physicalType,
    logicalType: column.logicalType ?? null,
    repetition: column.repetition,
    codecs: layout.codecs,
    encodings: layout.encodings,
    pages: { data: layout.dataPageCount ?? null, dictionary: layout.dictionaryPageCount ?? null },
    values: layout.valueCount,
    nulls: layout.nullCount ?? null,
    compressedBytes: layout.compressedByteLength,
    uncompressedBytes: layout.uncompressedByteLength,
    bytesPerRowGroup: layout.byteLengthsPerRowGroup ?? null,
    bounds: isHidden ? null : (layout.bounds ?? null),
    boundsHidden: isHidden,
    columnIndexes: index(layout.columnIndexes),
    offsetIndexes: index(layout.offsetIndexes),
    bloomFilters: index(layout.bloomFilters),
  }
}
