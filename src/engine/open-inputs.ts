/** Opens the inputs of a run, wherever they lie. */

import { Failure } from '../base/failure.ts'
import { HttpObject } from './http-object.ts'
import { type InputOptions, type LogInput, openInput, STDIN, streamedInput } from './inputs.ts'
import { type PinnedObject, persist, readRanges, readWhole } from './range-reader.ts'
import { isRemote } from './remote-name.ts'
import type { RemoteObject, RemoteOptions } from './remote-object.ts'

/** So many servers are asked at once. */
const LOOK_COUNT = 8

/** How inputs are opened. */
export interface OpenOptions {
  readonly signal?: AbortSignal
  readonly remote?: RemoteOptions
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
  for (let at = 0; at < paths.length; ) {
    const looks: Promise<LogInput>[] = []
    for (; at < paths.length && looks.length < LOOK_COUNT; at++) {
      const path = paths[at] ?? ''
      const reading = inputOptions(at)
      const look = isRemote(path)
        ? openRemote(path, options, reading)
        : Promise.resolve(openInput(path, reading))
      look.catch(() => undefined)
      looks.push(look)
      names.push(path)
    }
    for (const look of looks) {
      const input = await look
      if (names[inputs.length] !== STDIN) names[inputs.length] = input.path
      inputs.push(input)
    }
  }
  return { inputs, names }
}

async function openRemote(name: string, options: OpenOptions, reading: InputOptions): Promise<LogInput> {
  if (/^s3:/i.test(name)) {
    throw new Failure(
      'USAGE',
      `${name}: s3:// is not read yet: expected a file or a URL like https://logs.example/day.log.gz (a presigned one will do)`,
    )
  }
  if (!URL.canParse(name))
    throw new Failure('USAGE', 'an input is no URL: expected one like https://logs.example/day.log.gz')
  return await openObject(new HttpObject(new URL(name), options.remote), options, reading)
}

async function openObject(
  object: RemoteObject,
  options: OpenOptions,
  reading: InputOptions,
): Promise<LogInput> {
  const { signal, remote = {} } = options
  const abort = signal ?? new AbortController().signal
  const facts = await persist(() => object.look(abort), remote, abort)
  return inputOf({ object, facts }, options, reading)
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
