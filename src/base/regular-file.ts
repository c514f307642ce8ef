/** Files that must be files: whoever opens a pipe waits for its writer, maybe for ever. */

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'

/** An open file. */
export interface OpenedFile {
  readonly descriptor: number
  readonly stats: Stats
}

/** Opens a file to read it, and never waits. Throws what the system says, and when it is no regular file. */
export function openRegularFile(path: string): OpenedFile {
  // Windows knows no such flag, and no such pipes.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Error(`expected a file, found ${kindOf(stats)}`)
    return { descriptor, stats }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** All bytes of a file. Throws as `openRegularFile` does. */
export function readRegularFile(path: string): Buffer {
  const { descriptor } = openRegularFile(path)
  try {
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** What something is that is no file, in words. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a named pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}
