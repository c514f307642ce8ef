/** The `inspect` command: the layout of a file, of a directory of files, or of a store. */

import { join } from 'node:path'
import { attempted, Failure } from '../base/failure.ts'
import { inOneGo } from '../base/steps.ts'
import { readCheckedLayout } from '../delivery/checked-layout.ts'
import { readFilesLayout, readStoreLayout } from '../delivery/store-layout.ts'
import { LayoutTally } from '../parquet/layout-tally.ts'
import { toSafeJson } from './escape-text.ts'
import { formatNoun } from './format-figures.ts'
import { type Inspection, inspectionJson } from './inspect-json.ts'
import type { InspectArguments } from './invocation.ts'
import { isGlob, statIfAny } from './match-glob.ts'
import { renderInspection } from './render-inspect.ts'
import { resolveStore } from './resolve-store.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/**
 * Shows the layout on standard output.
 * @returns 0, or 2 when some of it is damaged or missing: then that is shown as well.
 */
export async function runInspect(options: InspectArguments, streams: Streams): Promise<ExitCode> {
  const inspection = await inspect(options)
  const view = { listsFiles: options.files, showsValues: options.values }
  const text = options.json
    ? `${toSafeJson(inspectionJson(inspection, view))}\n`
    : renderInspection(inspection, view, styleFor(streams.stdout, streams.environment))
  await writeOutput(streams.stdout, text)
  const orphanCount = inspection.kind === 'store' ? inspection.files.orphanedFiles.fileCount : 0
  if (orphanCount > 0) writeNote(streams, describeOrphans(orphanCount))
  return inspection.files.problems.length === 0 ? 0 : 2
}

/** What no log can tell by itself: that its newest commits are gone. */
function describeOrphans(count: number): string {
  return (
    `${formatNoun(count, 'data file')} of more than an hour ago ${count === 1 ? 'is' : 'are'} in no version: a run ` +
    'died before its commit, or the log has lost its newest commits; if so, restore it before vacuum deletes the files'
  )
}

async function inspect({ path, verify }: InspectArguments): Promise<Inspection> {
  const options = { verifiesPages: verify }
  const status = path === '' ? undefined : attempted(path, 'look at', () => statIfAny(path))
  if (status === undefined && !isGlob(path)) {
    throw new Failure(
      'USAGE',
      `no such file or directory: ${path}; expected a .parquet file, a store, or a directory or glob of files`,
    )
  }
  if (status?.isFile() === true) return inspectFile(path, options)
  const log = join(path, '_delta_log')
  if (status?.isDirectory() === true && attempted(log, 'look at', () => statIfAny(log)) !== undefined) {
    return { kind: 'store', path, files: await readStoreLayout(path, options) }
  }
  const files = resolveStore(path).map((file) => ({ path: file, shownPath: file }))
  return { kind: 'directory', path, files: readFilesLayout(files, options) }
}

function inspectFile(path: string, options: { readonly verifiesPages: boolean }): Inspection {
  const tally = new LayoutTally()
  const file = inOneGo(readCheckedLayout(path, tally, options))
  const problems = (file.verification?.failures ?? []).map((message) => ({ path, message }))
  const { byteLength, footer, verification } = file
  const { rowCount, rowGroupCount } = footer
  const summary = { path, date: undefined, rowCount, byteLength, rowGroupCount }
  return {
    kind: 'file',
    path,
    file,
    files: { layout: tally.layout(), files: [summary], problems, verification },
  }
}
