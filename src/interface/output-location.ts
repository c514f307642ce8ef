/** Where files and stores may be written: on a disk of this machine, and not into a store beside its own files. */

import { Failure } from '../base/failure.ts'
import { enclosingStore } from './enclosing-store.ts'

const URL = /^[a-z][a-z0-9+.-]*:\/\//i

/** Fails as USAGE for a URL: it would be taken for the name of a directory. */
export function refuseUrl(option: string, path: string): void {
  if (!URL.test(path)) return
  throw new Failure('USAGE', `${option} expects a path on this machine; found the URL '${path}'`)
}

/** Fails as USAGE for a file that cannot be written where `path` says: at a URL, or in a store. */
export function refuseLocation(option: string, path: string): void {
  refuseUrl(option, path)
  const store = enclosingStore(path)
  if (store === undefined) return
  throw new Failure(
    'USAGE',
    `${option} ${path} leads into the store ${store}, whose files only its log may name: write it elsewhere`,
  )
}
