/** Files for a program that does not check what it reads. */

import { Failure } from '../base/failure.ts'
import { inTurns } from '../base/steps.ts'
import { readCheckedLayout } from '../delivery/checked-layout.ts'
import { openCommittedFile } from '../delivery/committed-file.ts'
import { openFile } from '../delivery/store.ts'
import { LayoutTally } from '../parquet/layout-tally.ts'
import { findFiles } from './committed-files.ts'

/**
 * The files behind a path, after every byte of them was checked. Fails as `openCommitted` does, as DAMAGED for
 * whatever is not as it was written, and as INTERRUPTED.
 */
export async function verifiedFiles(path: string, signal: AbortSignal): Promise<readonly string[]> {
  const files = await findFiles(path)
  for (const [file, logged] of files) {
    const steps = readCheckedLayout(file, new LayoutTally(), { verifiesPages: true })
    const { verification } = await inTurns(steps, signal)
    const [failure] = verification?.failures ?? []
    if (failure !== undefined) throw new Failure('DAMAGED', failure)
    if (logged !== undefined) openCommittedFile(path, logged).close()
    else openFile(file).close()
  }
  return [...files.keys()]
}
