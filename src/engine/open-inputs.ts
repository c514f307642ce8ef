/** Opens the inputs of a run, wherever they lie. */

import { Failure } from '../base/failure.ts'
import { HttpObject } from './http-object.ts'
import { openInput } from './inputs.ts'
import { type InputOptions, type LogInput, STDIN } from './log-input.ts'
import type { ObjectServer } from './object-server.ts'
import { type PinnedObject, persist, readRanges, readWhole } from './range-reader.ts'
import { isRemote } from './remote-name.ts'
import type { RemoteOptions } from './remote-object.ts'
import { findObjects } from './s3-objects.ts'
import { streamedInput } from './streamed-input.ts'

/** So many servers are asked at once. */
const LOOK_COUNT = 8

/** How inputs are opened. */
export interface OpenOptions {
  readonly signal?: AbortSignal
  readonly remote?: RemoteOptions
  /** Where a server lies that speaks like S3, unless the environment says so. */
  readonly s3Endpoint?: string
  /** Opens such a server. */
  readonly openObjectServer?: (endpoint: string | undefined) => Promise<ObjectServer>
  /** Told what a user might not expect. */
  readonly onNote?: (note: string) => void
}

/** Inputs, and the names they have in reports: without secrets. */
export interface OpenedInputs {
  readonly inputs: readonly LogInput[]
  readonly names: readonly string[]
}

/**
 * Looks at every input. A remote object of which the server states size and version stays what it was: whatever is
 * read of it, whenever, is of that version, or fails. Any other can be read once.
 */
export async function openInputs(
  paths: readonly string[],
  options: OpenOptions = {},
  inputOptions: (index: number) => InputOptions = () => ({}),
): Promise<OpenedInputs> {
  const inputs: LogInput[] = []
  const names: string[] = []
  const finder = new Finder(options)
  const taken = new Set<string>()
  for (let at = 0; at < paths.length; at += LOOK_COUNT) {
    const some = paths.slice(at, at + LOOK_COUNT)
    const looks = some.map((path) => finder.find(path))
    // Whoever waits for it hears of its failure; until then it must not end the process.
    for (const look of looks) look.catch(() => undefined)
    for (const [i, path] of some.entries()) {
      let repeatedCount = 0
      for (const found of (await looks[i]) ?? []) {
        const isObject = typeof found !== 'string' && isInBucket(path)
        // Several prefixes may mean an object; what other URLs mean, only their servers know.
        if (isObject && taken.has(found.object.name)) {
          repeatedCount++
          continue
        }
        if (isObject) taken.add(found.object.name)
        const reading = inputOptions(inputs.length)
        const input = typeof found === 'string' ? openInput(found, reading) : inputOf(found, options, reading)
        inputs.push(input)
        names.push(path === STDIN ? STDIN : input.path)
      }
      if (repeatedCount > 0) options.onNote?.(`${path}: ${repeatedCount} named before, taken once`)
    }
  }
  return { inputs, names }
}

function isInBucket(path: string): boolean {
  return /^s3:/i.test(path)
}

/** Finds out what lies behind names; a server of buckets is asked only when one is named. */
class Finder {
  private readonly options: OpenOptions
  private readonly signal: AbortSignal
  private server: Promise<ObjectServer> | undefined

  constructor(options: OpenOptions) {
    this.options = options
    this.signal = options.signal ?? new AbortController().signal
  }

  /** A path as it is, or the objects that a URL means. */
  async find(path: string): Promise<readonly (string | PinnedObject)[]> {
    const { signal } = this
    const { remote = {} } = this.options
    if (!isRemote(path)) return [path]
    if (isInBucket(path)) {
      this.server ??= this.openServer()
      return await findObjects(path, await this.server, { options: remote, signal })
    }
    if (!URL.canParse(path))
      throw new Failure('USAGE', 'an input is no URL: expected one like https://logs.example/day.log.gz')
    const object = new HttpObject(new URL(path), remote)
    return [{ object, facts: await persist(() => object.look(signal), remote, signal) }]
  }

  private async openServer(): Promise<ObjectServer> {
    const { openObjectServer, s3Endpoint } = this.options
    if (openObjectServer !== undefined) return await openObjectServer(s3Endpoint)
    const { openS3 } = await import('./s3-client.ts')
    return await openS3(s3Endpoint)
  }
}

function inputOf(
  pinned: PinnedObject,
  { signal, remote = {} }: OpenOptions,
  reading: InputOptions,
): LogInput {
  const { object, facts } = pinned
  const isPinned = facts.version !== undefined && facts.byteLength !== undefined
  const openSource = (): AsyncIterable<Uint8Array> =>
    isPinned && facts.hasRanges ? readRanges(pinned, remote, signal) : readWhole(pinned, remote, signal)
  return streamedInput(object.name, isPinned ? facts.byteLength : undefined, openSource, reading)
}
