/** Where files and stores may be written: on a disk of this machine, and not into a store beside its own files. */

import { attempted, Failure } from '../base/failure.ts'
import { enclosingStore } from './enclosing-store.ts'
import { statIfAny } from './match-glob.ts'

const URL = /^[a-z][a-z0-9+.-]*:\/\//i

/** Fails as USAGE for a URL: it would be taken for the name of a directory. */
export function refuseUrl(option: string, path: string): void {
  if (!URL.test(path)) return
  throw new Failure('USAGE', `${option} expects a path on this machine; found the URL '${path}'`)
}

/** Fails as USAGE for a directory where `expected` is; `thing` is what its name is to be given of. */
export function refuseDirectory(option: string, path: string, expected: string, thing: string): void {
  if (attempted(path, 'look at', () => statIfAny(path))?.isDirectory() !== true) return
  throw new Failure(
    'USAGE',
    `${option} expects ${expected}, found the directory '${path}': give the name of ${thing} as well`,
  )
}

/** Fails as USAGE for a file that cannot be written where `path` says: at a URL, in the place of a directory, or in a store. */
export function refuseLocation(option: string, path: string): void {
  refuseUrl(option, path)
  refuseDirectory(option, path, 'a file to write', 'the file')
  const store = enclosingStore(path)
  if (store === undefined) return
  throw new Failure(
    'USAGE',
    `${option} ${path} leads into the store ${store}, whose files only its log may name: write it elsewhere`,
  )
}
