/** Whether a path is a store, or leads into one. */

import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Whether a path is a store's directory. */
export function isStore(path: string): boolean {
  return path !== '' && existsSync(join(path, '_delta_log'))
}

/**
 * The store's directory that something lies in, whether it exists or not; undefined when there is none. By its
 * real path: a relative one, or a link, need not show where it is.
 */
export function enclosingStore(path: string): string | undefined {
  const real = realLocation(resolve(path))
  for (let directory = dirname(real); ; directory = dirname(directory)) {
    if (isStore(directory)) return directory
    if (dirname(directory) === directory) return undefined
  }
}

function realLocation(path: string): string {
  if (existsSync(path) || dirname(path) === path) return realpathSync(path)
  return join(realLocation(dirname(path)), basename(path))
}
