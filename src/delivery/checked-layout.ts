/** The layout of a file with all that stands in it: pages, and the sections that only our files have. */

import { Failure } from '../base/failure.ts'
import type { Steps } from '../base/steps.ts'
import { type FileLayout, readFileLayout } from '../parquet/file-layout.ts'
import type { LayoutTally } from '../parquet/layout-tally.ts'
import { checkAssetEnds } from './asset-ends.ts'
import { readAllLengths } from './length-section.ts'
import { openFile } from './store.ts'

/** As `readFileLayout`; where pages are verified, the sections of a file of ours are, too. */
export function* readCheckedLayout(
  path: string,
  tally: LayoutTally,
  options: { readonly verifiesPages: boolean },
): Steps<FileLayout> {
  const layout = yield* readFileLayout(path, tally, options)
  const { verification } = layout
  if (verification === undefined || !layout.isSealed) return layout
  const failure = sectionFailure(path)
  if (failure === undefined) return layout
  return { ...layout, verification: { ...verification, failures: [...verification.failures, failure] } }
}

/** What is damaged beside the pages; undefined when all holds. */
function sectionFailure(path: string): string | undefined {
  try {
    const file = openFile(path)
    try {
      checkAssetEnds(file)
      for (const _entry of readAllLengths(file));
    } finally {
      file.close()
    }
    return undefined
  } catch (failure) {
    if (!(failure instanceof Failure && failure.code === 'DAMAGED')) throw failure
    return failure.message
  }
}
