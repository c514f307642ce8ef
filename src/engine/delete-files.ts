/** Deletes in a store, where others may delete the same at the same time. */

import { rmdir, unlink } from 'node:fs/promises'
import { attemptedAsync } from '../base/failure.ts'
import { codeOf } from '../table/log-listing.ts'

/** Deletes a file; false when somebody else has done so already. Fails as ENVIRONMENT. */
export function deleteFile(path: string): Promise<boolean> {
  return attemptedAsync(path, 'delete', () => unlessRefused(unlink(path), ['ENOENT']))
}

/** Deletes a directory if it is empty; false when it is not, or is gone. Fails as ENVIRONMENT. */
export function deleteEmptyDirectory(path: string): Promise<boolean> {
  return attemptedAsync(path, 'delete', () => unlessRefused(rmdir(path), ['ENOENT', 'ENOTEMPTY', 'EEXIST']))
}

async function unlessRefused(deletion: Promise<void>, codes: readonly string[]): Promise<boolean> {
  try {
    await deletion
    return true
  } catch (cause) {
    if (codes.includes(codeOf(cause) ?? '')) return false
    throw cause
  }
}
