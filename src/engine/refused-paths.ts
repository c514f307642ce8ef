/** Paths that a run must not read or write: its own inputs, outputs and store. */

import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { Failure } from '../base/failure.ts'
import { STDIN } from './log-input.ts'
import { isRemote } from './remote-name.ts'

/** Fails when one of the files to be written would replace another of them, or one of the inputs. */
export function refuseToOverwrite(
  outputs: readonly { readonly option: string; readonly path: string }[],
  inputs: readonly string[],
): void {
  const taken = new Map<string, string>()
  for (const input of inputs) {
    if (isOnDisk(input)) taken.set(realPath(input), 'is one of the inputs')
  }
  for (const { option, path } of outputs) {
    const target = realPath(path)
    const reason = taken.get(target)
    if (reason !== undefined) throw new Failure('USAGE', `${option} ${path} ${reason}; name another file`)
    taken.set(target, `is what ${option} names`)
  }
}

/** Fails when an input lies inside the store, whose own files are no logs. */
export function refuseFilesOf(store: string, inputs: readonly string[]): void {
  const inside = `${realPath(store)}${sep}`
  for (const input of inputs) {
    if (isOnDisk(input) && realPath(input).startsWith(inside)) {
      throw new Failure(
        'USAGE',
        `${input} lies inside the store ${store}: expected logs that lie elsewhere; name their own directory`,
      )
    }
  }
}

function isOnDisk(input: string): boolean {
  return input !== STDIN && !isRemote(input)
}

/** A path without links; of a file that is yet to be, by its folder. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const folder = dirname(resolve(path))
    return folder === resolve(path) ? folder : join(realPath(folder), basename(path))
  }
}
