/** Makes a directory and those above it. */

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Returns the first that was made, or undefined when all were there; throws what Node throws. Node's own recursive
 * form never ends where a file system refuses every name with ENOENT, as `/proc` does.
 */
export async function makeDirectories(path: string): Promise<string | undefined> {
  const parent = dirname(path)
  const first = await makeOne(path)
  if (first !== 'no parent') return first
  const firstAbove = parent === path ? undefined : await makeDirectories(parent)
  // The parent is there now: whatever is wrong with this one is what the caller must hear.
  await mkdir(path).catch((cause: unknown) => {
    if (codeOf(cause) !== 'EEXIST') throw cause
  })
  return firstAbove ?? path
}

async function makeOne(path: string): Promise<string | undefined | 'no parent'> {
  try {
    await mkdir(path)
    return path
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'EEXIST') return undefined
    if (code === 'ENOENT' && dirname(path) !== path) return 'no parent'
    throw cause
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
