/** Files for a program that does not check what it reads. */

import { setImmediate } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import { checkAssetEnds } from '../delivery/asset-ends.ts'
import { openCommittedFile } from '../delivery/committed-file.ts'
import { readAllLengths } from '../delivery/length-section.ts'
import { openFile } from '../delivery/store.ts'
import { readFileLayout } from '../parquet/file-layout.ts'
import { LayoutTally } from '../parquet/layout-tally.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import { findFiles } from './committed-files.ts'

/**
 * The files behind a path, after every byte of them was checked. Fails as `openCommitted` does, as DAMAGED for
 * whatever is not as it was written, and as INTERRUPTED.
 */
export async function verifiedFiles(path: string, signal: AbortSignal): Promise<readonly string[]> {
  const files = await findFiles(path)
  for (const [file, logged] of files) {
    const { verification } = readFileLayout(file, new LayoutTally(), { verifiesPages: true })
    const [failure] = verification?.failures ?? []
    if (failure !== undefined) throw new Failure('DAMAGED', failure)
    checkSections(logged === undefined ? openFile(file) : openCommittedFile(path, logged))
    await setImmediate()
    if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
  }
  return [...files.keys()]
}

/** What stands beside the pages; closes the file. */
function checkSections(file: ParquetFile): void {
  try {
    checkAssetEnds(file)
    for (const _entry of readAllLengths(file));
  } finally {
    file.close()
  }
}
