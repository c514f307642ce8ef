/**
 * Which files of a date may become one. Where user agents were decoded from percent-encoding a question finds
 * them in other spellings as well; in a file with others it would find too much or too little.
 */

import { openCommittedFile } from '../delivery/committed-file.ts'
import { decodesUserAgents } from '../delivery/user-agent-spellings.ts'
import type { AddFile } from '../table/actions.ts'

/** The files in groups, each in the order given; none is empty. Fails as `openFile` does. */
export function mergeableGroups(directory: string, files: readonly AddFile[]): AddFile[][] {
  const asLogged: AddFile[] = []
  const decoded: AddFile[] = []
  for (const added of files) {
    const file = openCommittedFile(directory, added)
    try {
      const group = decodesUserAgents(file) ? decoded : asLogged
      group.push(added)
    } finally {
      file.close()
    }
  }
  return [asLogged, decoded].filter((group) => group.length > 0)
}
