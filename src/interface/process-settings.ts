/** From the options of `process` to what the engine is told: checked before any input is read. */

import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { ProcessOptions } from '../engine/process-logs.ts'
import { enclosingStore } from './enclosing-store.ts'
import { hasEnding } from './file-ending.ts'
import { parseByteCount, readFormatRequest } from './format-settings.ts'
import type { ProcessArguments } from './invocation.ts'
import { refuseLocation, refuseUrl } from './output-location.ts'
import { bundledSamplePath } from './sample-questions.ts'

/** What of the engine's options the command line decides, and where the rows go. */
export interface ProcessSettings
  extends Pick<
    ProcessOptions,
    | 'inputs'
    | 'threads'
    | 'maxRejects'
    | 'rejectsPath'
    | 'formatRequest'
    | 'maxInflateByteLength'
    | 's3Endpoint'
  > {
  readonly target: ProcessTarget
}

/** One file, or a store that is added to. */
export type ProcessTarget =
  | { readonly kind: 'file'; readonly out: string }
  | { readonly kind: 'store'; readonly store: string; readonly force: boolean }

/** The store of those who name none. */
export const DEFAULT_STORE = 'data/delivery'

const DEFAULT_MAX_REJECTS = { kind: 'share', share: 0.01 } as const
const MAX_THREADS = 256

/**
 * Fails with `USAGE` for anything that would not do what was meant, like writing the rejects over an input. (That
 * `out` is no input is the engine's own care, for no caller may lose a log.)
 */
export function readProcessSettings(options: ProcessArguments): ProcessSettings {
  const target = readTarget(options)
  const inputs = options.inputs.length > 0 ? options.inputs : [bundledSamplePath()]
  if (inputs.filter((input) => input === '-').length > 1) {
    throw new Failure('USAGE', 'standard input is given twice: expected - once')
  }
  const files = inputs.filter((input) => input !== '-')
  if (target.kind === 'file') files.push(target.out)
  const { rejects } = options
  if (rejects !== undefined) refuseLocation('--rejects', rejects)
  if (target.kind === 'store') files.push(target.store)
  if (rejects !== undefined && files.some((file) => isSameFile(file, rejects))) {
    throw new Failure('USAGE', `--rejects ${rejects} is an input or the output: it would be written over`)
  }
  return {
    inputs,
    target,
    maxRejects: options.maxRejects === undefined ? DEFAULT_MAX_REJECTS : parseMaxRejects(options.maxRejects),
    formatRequest: readFormatRequest(options),
    ...(options.maxInflate === undefined
      ? {}
      : { maxInflateByteLength: parseByteCount('--max-inflate', options.maxInflate) }),
    ...(options.threads === undefined ? {} : { threads: parseThreads(options.threads) }),
    ...(rejects === undefined ? {} : { rejectsPath: rejects }),
    ...(options.s3Endpoint === undefined ? {} : { s3Endpoint: parseEndpoint(options.s3Endpoint) }),
  }
}

function readTarget({ out, store, force }: ProcessArguments): ProcessTarget {
  if (out === undefined) {
    if (store === '')
      throw new Failure('USAGE', `--store is empty: expected a directory, like ${DEFAULT_STORE}`)
    const directory = store ?? DEFAULT_STORE
    refuseUrl('--store', directory)
    const enclosing = enclosingStore(directory)
    if (enclosing !== undefined) {
      throw new Failure(
        'USAGE',
        `--store ${directory} leads into the store ${enclosing}: give --store ${enclosing} to add to that`,
      )
    }
    return { kind: 'store', store: directory, force }
  }
  if (store !== undefined) {
    throw new Failure('USAGE', '--out and --store exclude each other: one file, or a store that is added to')
  }
  if (force) throw new Failure('USAGE', '--force is for a store: --out always takes everything')
  if (!hasEnding(out, 'parquet'))
    throw new Failure('USAGE', `--out expects a name ending in .parquet; found '${out}'`)
  refuseLocation('--out', out)
  return { kind: 'file', out }
}

/** `1%` is a share of all lines, `50` a number of lines. */
export function parseMaxRejects(text: string): ProcessOptions['maxRejects'] {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent !== undefined && Number(percent) <= 100) return { kind: 'share', share: Number(percent) / 100 }
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { kind: 'count', count: Number(text) }
  throw new Failure(
    'USAGE',
    `--max-rejects expects a share like 1% or a number of lines like 50; found '${text}'`,
  )
}

/** The value of `--threads`. */
export function parseThreads(text: string): number {
  const threads = /^\d+$/.test(text) ? Number(text) : 0
  if (threads >= 1 && threads <= MAX_THREADS) return threads
  throw new Failure('USAGE', `--threads expects a number from 1 to ${MAX_THREADS}, like 2; found '${text}'`)
}

function parseEndpoint(text: string): string {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url?.username === '' && url.password === '') return text
  // Whatever stands before an @ is meant for nobody's eyes.
  const found = text.includes('@') ? 'one with an @' : `'${text}'`
  throw new Failure(
    'USAGE',
    `--s3-endpoint expects a URL like https://objects.example, without user name and password; found ${found}`,
  )
}

/** By what the paths lead to, links resolved; a file that does not exist yet lies in a directory that may. */
function isSameFile(a: string, b: string): boolean {
  return realLocation(a) === realLocation(b)
}

function realLocation(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const directory = dirname(resolve(path))
  return join(existsSync(directory) ? realpathSync(directory) : directory, basename(path))
}
