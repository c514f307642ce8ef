/**
 * File name patterns: `*` and `?` within one name, `**` for any number of directories.
 *
 * No package, though the house prefers one: Node 20 has no `fs.globSync`, and the two globbing packages worth
 * taking (tinyglobby, fast-glob) bring braces, classes, extglobs and negation, each of which is a character that
 * may also stand in a real file name. Three signs and one walk are all that a store needs.
 */

import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { matchesName } from '../base/match-name.ts'
import { errorCode } from './write-output.ts'

/** Whether the text means other names than itself. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

/**
 * Existing files and directories that the pattern means, each once, in no particular order. `**` neither follows
 * links nor enters directories whose names begin with `.` or `_`, which hold no data of a store.
 */
export function expandGlob(pattern: string): readonly string[] {
  const isAbsolute = pattern.startsWith('/')
  const parts = pattern.split('/').filter((part) => part !== '')
  const found = new Set<string>()
  expandFrom(isAbsolute ? '/' : '', parts, found)
  return [...found]
}

function expandFrom(directory: string, parts: readonly string[], found: Set<string>): void {
  const [part, ...rest] = parts
  if (part === undefined) {
    if (directory !== '') found.add(directory)
    return
  }
  if (part === '**') {
    expandFrom(directory, rest, found)
    for (const entry of listDirectory(directory)) {
      if (entry.isDirectory() && !/^[._]/.test(entry.name))
        expandFrom(join(directory, entry.name), parts, found)
    }
    return
  }
  if (!isGlob(part)) {
    const path = join(directory, part)
    if (statIfAny(path) !== undefined) expandFrom(path, rest, found)
    return
  }
  for (const entry of listDirectory(directory)) {
    const isWanted = rest.length === 0 || entry.isDirectory() || entry.isSymbolicLink()
    if (isWanted && matchesName(part, entry.name)) expandFrom(join(directory, entry.name), rest, found)
  }
}

function listDirectory(directory: string): readonly Dirent[] {
  const path = directory === '' ? '.' : directory
  // A pattern may well lead through something that is no directory: then nothing lies below it.
  if (statIfAny(path)?.isDirectory() !== true) return []
  return readdirSync(path, { withFileTypes: true })
}

/** What stands at the path; undefined when nothing does, also where a part of it before the last is a file. */
export function statIfAny(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
