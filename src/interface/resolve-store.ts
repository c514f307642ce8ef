/** From `--store PATH` to the files that are meant. */

import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, Failure } from '../base/failure.ts'
import { hasEnding } from './file-ending.ts'
import { expandGlob, isGlob, statIfAny } from './match-glob.ts'
import { refuseUrl } from './output-location.ts'

const FORMS = 'a store, a .parquet file, a directory of them, or a glob in quotes like "days/*.parquet"'

/**
 * The files behind a path: the file itself, the `.parquet` files (in any case) below a directory, or those that a glob names.
 * Names that begin with `_` or `.` are no data (as for Spark and Hive: logs, checkpoints, unfinished files).
 * @returns at least one path, sorted, each file once even when links name it twice.
 * Fails with `USAGE` when nothing is there, with `ENVIRONMENT` when it cannot be read.
 */
export function resolveStore(path: string, label = '--store'): readonly string[] {
  return attempted(path, 'read the store', () => resolve(path, label))
}

function resolve(path: string, label: string): readonly string[] {
  if (path === '') throw new Failure('USAGE', `${label} is empty: expected ${FORMS}`)
  refuseUrl(label, path)
  // A file may really be called `a*.parquet`: what exists is never taken for a pattern.
  const kind = pathKind(path)
  if (kind === 'file') return [path]
  if (kind === 'directory') return unique(listParquet(path), `${path} holds no .parquet file`, label)
  if (kind === 'other')
    throw new Failure('USAGE', `${path} is neither a file nor a directory: expected ${FORMS}`)
  if (!isGlob(path))
    throw new Failure('USAGE', `no such file or directory: ${path}; ${label} expects ${FORMS}`)
  const matches = expandGlob(path)
  const files = matches.flatMap((match) => (pathKind(match) === 'directory' ? listParquet(match) : [match]))
  return unique(files.filter(isParquetFile), `no .parquet file matches ${path}`, label)
}

function pathKind(path: string): 'file' | 'directory' | 'other' | undefined {
  const stats = statIfAny(path)
  if (stats === undefined) return undefined
  if (stats.isFile()) return 'file'
  return stats.isDirectory() ? 'directory' : 'other'
}

function listParquet(directory: string): string[] {
  const files: string[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (/^[._]/.test(entry.name)) continue
    if (entry.isDirectory()) for (const file of listParquet(path)) files.push(file)
    else if (isParquetFile(path)) files.push(path)
  }
  return files
}

function isParquetFile(path: string): boolean {
  return hasEnding(path, 'parquet') && pathKind(path) === 'file'
}

function unique(paths: readonly string[], complaint: string, label: string): readonly string[] {
  if (paths.length === 0) throw new Failure('USAGE', `${complaint}: ${label} expects ${FORMS}`)
  const byRealPath = new Map<string, string>()
  for (const path of paths.toSorted()) {
    const real = realpathSync(path)
    if (!byRealPath.has(real)) byRealPath.set(real, path)
  }
  return [...byRealPath.values()]
}
