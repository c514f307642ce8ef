/** The logs of a run: what kind each one is, by its content, and how its lines are laid out. */

import { createReadStream } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { AUTOMATIC, type FormatRequest, type InputLines, readInputLines } from './input-format.ts'

/** The name of standard input on the command line. */
export const STDIN = '-'

/** So much of each input is looked at for its kind and its header. */
const HEAD_BYTE_LENGTH = 64 * 1024
/** Streams move so many bytes at a time; small files get smaller buffers, as they come by the thousand. */
const STREAM_CHUNK_BYTE_LENGTH = 1024 * 1024
const MIN_STREAM_CHUNK_BYTE_LENGTH = 16 * 1024
/** So much may come out of one compressed input, unless the user says otherwise: a small bomb stays a small one. */
export const DEFAULT_MAX_INFLATE_BYTE_LENGTH: number = 64 * 1024 ** 3

/** How inputs are read. */
export interface InputOptions {
  readonly request: FormatRequest
  /** Most bytes that may come out of one compressed input. */
  readonly maxInflateByteLength: number
  /** Hears how the lines of the input are laid out, once that is known. */
  readonly onLines?: (lines: InputLines) => void
}

const DEFAULT_INPUT_OPTIONS: InputOptions = {
  request: AUTOMATIC,
  maxInflateByteLength: DEFAULT_MAX_INFLATE_BYTE_LENGTH,
}

/** A plain file, which can be read anywhere. */
export interface PlainInput extends InputLines {
  readonly kind: 'plain'
  readonly path: string
  readonly byteLength: number
}

/** Text from front to back, and how its lines are laid out. */
export interface OpenedText extends InputLines {
  readonly text: AsyncIterable<Uint8Array>
}

/** A gzip file or a pipe: text that comes from front to back, once. */
export interface StreamedInput {
  readonly kind: 'streamed'
  readonly path: string
  /** Bytes as stored, or undefined for a pipe. */
  readonly byteLength: number | undefined
  /** Opens it, when its turn comes: thousands of inputs must not be open at once. */
  open(): Promise<OpenedText>
  /** How many bytes, as stored, were taken so far. */
  readonly bytesTaken: () => number
}

/** One log of a run. */
export type LogInput = PlainInput | StreamedInput

/**
 * Looks at one input. Fails when it cannot be read, or its header names columns that are of no use; for a
 * stream that shows when it is opened.
 */
export async function openInput(
  path: string,
  options: InputOptions = DEFAULT_INPUT_OPTIONS,
): Promise<LogInput> {
  if (path === STDIN) return streamedInput('standard input', undefined, () => process.stdin, options)
  const handle = await attemptedAsync(path, 'open', () => open(path, 'r'))
  try {
    const stat = await attemptedAsync(path, 'open', () => handle.stat())
    if (stat.isDirectory()) {
      throw new Failure('USAGE', `${path}: expected a log file, found a directory; name the files in it`)
    }
    // A named pipe or a device has no size to cut into shards and can be read only once.
    if (!stat.isFile()) return streamedInput(path, undefined, () => createReadStream(path), options)
    const head = await readHead(handle, path)
    if (isGzip(head)) {
      const openSource = (): Readable => createReadStream(path, { highWaterMark: chunkByteLength(stat.size) })
      return streamedInput(path, stat.size, openSource, options)
    }
    return { kind: 'plain', path, byteLength: stat.size, ...decideLines(path, head, options) }
  } finally {
    await handle.close()
  }
}

function decideLines(path: string, head: Uint8Array, { request, onLines }: InputOptions): InputLines {
  const lines = readInputLines(path, head, request)
  onLines?.(lines)
  return lines
}

/** Fails when one of the files to be written would replace another of them, or one of the inputs. */
export async function refuseToOverwrite(
  outputs: readonly { readonly option: string; readonly path: string }[],
  inputs: readonly string[],
): Promise<void> {
  const taken = new Map<string, string>()
  for (const input of inputs) {
    if (input !== STDIN) taken.set(await realPath(input), 'is one of the inputs')
  }
  for (const { option, path } of outputs) {
    const target = await realPath(path)
    const reason = taken.get(target)
    if (reason !== undefined) throw new Failure('USAGE', `${option} ${path} ${reason}; name another file`)
    taken.set(target, `is what ${option} names`)
  }
}

/** A path without links; of a file that is yet to be, by its folder. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const folder = dirname(resolve(path))
    return folder === resolve(path) ? folder : join(await realPath(folder), basename(path))
  }
}

async function readHead(handle: FileHandle, path: string): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTE_LENGTH)
  let byteLength = 0
  while (byteLength < head.length) {
    const at = byteLength
    const { bytesRead } = await attemptedAsync(path, 'read', () =>
      handle.read(head, at, head.length - at, at),
    )
    if (bytesRead === 0) break
    byteLength += bytesRead
  }
  return head.subarray(0, byteLength)
}

function streamedInput(
  path: string,
  byteLength: number | undefined,
  openSource: () => Readable,
  options: InputOptions,
): StreamedInput {
  let taken = 0
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => taken,
    async open() {
      const counted = countBytes(path, openSource(), (length) => {
        taken += length
      })
      const stored = await withHead(counted)
      const { head, text } = isGzip(stored.head)
        ? await withHead(
            limitInflated(
              path,
              inflate(path, stored.text, chunkByteLength(4 * (byteLength ?? Number.POSITIVE_INFINITY))),
              options.maxInflateByteLength,
            ),
          )
        : stored
      return { text, ...decideLines(path, head, options) }
    },
  }
}

async function* countBytes(
  path: string,
  source: Readable,
  onBytes: (byteLength: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) {
      onBytes(chunk.length)
      yield chunk
    }
  } catch (cause) {
    await attemptedAsync(path, 'read', () => Promise.reject(cause))
  }
}

function chunkByteLength(expected: number): number {
  return Math.min(STREAM_CHUNK_BYTE_LENGTH, Math.max(MIN_STREAM_CHUNK_BYTE_LENGTH, expected))
}

async function* inflate(
  path: string,
  stored: AsyncIterable<Uint8Array>,
  chunkSize: number,
): AsyncGenerator<Uint8Array> {
  // With the default chunks of 16 KiB inflating a large file takes four times as long (PERFORMANCE.md).
  const gunzip = createGunzip({ chunkSize })
  const source = Readable.from(stored)
  source.on('error', (error) => gunzip.destroy(error))
  try {
    yield* source.pipe(gunzip)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('DAMAGED', `${path}: expected a whole gzip file, found: ${found}`, { cause })
  }
}

/** Passes on what was inflated, up to a limit: memory is safe without it, time is not. */
async function* limitInflated(
  path: string,
  text: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let byteLength = 0
  for await (const chunk of text) {
    byteLength += chunk.length
    if (byteLength > limit) {
      throw new Failure(
        'REJECTED',
        `${path}: expected at most ${limit} bytes when inflated, found more; allow them with --max-inflate`,
      )
    }
    yield chunk
  }
}

/** The first bytes of a stream, and the stream with them in front again. */
async function withHead(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly text: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let byteLength = 0
  while (byteLength < HEAD_BYTE_LENGTH) {
    const { done, value } = await iterator.next()
    if (done === true) break
    first.push(value)
    byteLength += value.length
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* first
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) return
      yield value
    }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTE_LENGTH), text: whole() }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}
