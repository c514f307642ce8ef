/** The logs of a run: what kind each one is, by its content, and how its lines are laid out. */

import { closeSync, createReadStream, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { attempted, attemptedAsync, Failure, messageOf } from '../base/failure.ts'
import { Slab } from '../base/slab.ts'
import { compressionOf, GzipEnd, gunzipWhole } from './compression.ts'
import { AUTOMATIC, type FormatRequest, type InputLines, readInputLines } from './input-format.ts'
import { isRemote } from './remote-name.ts'
import { shrunken } from './shrunken-input.ts'
import { inflateZstd } from './zstd-stream.ts'

/** The name of standard input on the command line. */
export const STDIN = '-'

/** So much of each input is looked at for its kind and its header. */
const HEAD_BYTE_LENGTH = 64 * 1024
/** Files up to this size are read in one go: they come by the thousand, and a stream each would cost most. */
const SMALL_BYTE_LENGTH = 256 * 1024
/** They share memory of so many bytes. */
const SLAB_BYTE_LENGTH = 1024 * 1024
const smallFileMemory = new Slab(SLAB_BYTE_LENGTH)
/** A small gzip file may turn into so many bytes at once; others are inflated as streams. */
const SMALL_INFLATED_BYTE_LENGTH = 16 * 1024 * 1024
/** Streams move so many bytes at a time. */
const STREAM_CHUNK_BYTE_LENGTH = 1024 * 1024
/** So much may come out of one compressed input, unless the user says otherwise: time is not wasted on bombs. */
export const DEFAULT_MAX_INFLATE_BYTE_LENGTH: number = 64 * 1024 ** 3

/** How inputs are read. */
export interface InputOptions {
  /** Allows for reading a small file in one go; it does by default. */
  readonly small?: boolean
  /** By default each input is looked at for its format. */
  readonly request?: FormatRequest
  /** Most bytes that may come out of one compressed input. */
  readonly maxInflateByteLength?: number
  /** Hears how the lines of the input are laid out, once that is known. */
  readonly onLines?: (lines: InputLines) => void
}

/** A plain file, which can be read anywhere. */
export interface PlainInput extends InputLines {
  readonly kind: 'plain'
  readonly path: string
  readonly byteLength: number
}

/** Bytes from front to back. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Text from front to back, and how its lines are laid out. */
export interface OpenedText extends InputLines {
  readonly text: Chunks
  /** All of the text, where it is in memory anyway. */
  readonly whole: Uint8Array | undefined
  /** Whether it is a file that is stored as it is, and may have more at its end later. */
  readonly mayGrow: boolean
}

/** A compressed file, a small file or a pipe: text that comes from front to back. */
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
export function openInput(path: string, options: InputOptions = {}): LogInput {
  if (path === STDIN) return streamedInput('standard input', undefined, () => process.stdin, options)
  const stat = attempted(path, 'open', () => statSync(path))
  if (stat.isDirectory()) {
    throw new Failure('USAGE', `${path}: expected a log file, found a directory; name the files in it`)
  }
  // A named pipe or a device has no size to cut into shards and can be read only once.
  if (!stat.isFile()) return streamedInput(path, undefined, () => createReadStream(path), options)
  if (options.small !== false && stat.size <= SMALL_BYTE_LENGTH) return smallInput(path, stat.size, options)
  const head = readStart(path, new Uint8Array(Math.min(stat.size, HEAD_BYTE_LENGTH)))
  if (compressionOf(head) !== undefined) {
    const source = { highWaterMark: STREAM_CHUNK_BYTE_LENGTH }
    return streamedInput(path, stat.size, () => createReadStream(path, source), options)
  }
  return { kind: 'plain', path, byteLength: stat.size, ...decideLines(path, head, options) }
}

function decideLines(path: string, head: Uint8Array, { request, onLines }: InputOptions): InputLines {
  const lines = readInputLines(path, head, request ?? AUTOMATIC)
  onLines?.(lines)
  return lines
}

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

/** The first bytes of a file, which must be there, into `bytes`. */
function readStart(path: string, bytes: Uint8Array): Uint8Array {
  const byteLength = bytes.length
  const fd = attempted(path, 'open', () => openSync(path, 'r'))
  try {
    for (let at = 0; at < byteLength; ) {
      const from = at
      const bytesRead = attempted(path, 'read', () => readSync(fd, bytes, from, byteLength - from, from))
      if (bytesRead === 0) throw shrunken(path, byteLength, at)
      at += bytesRead
    }
  } finally {
    closeSync(fd)
  }
  return bytes
}

/** Opens what is stored, from its first byte. */
type OpenSource = () => AsyncIterable<Uint8Array>

/**
 * Text that comes as a stream, compressed or not. Without a size as stored it can be had only once; with one,
 * `openSource` gives the same bytes again.
 */
export function streamedInput(
  path: string,
  byteLength: number | undefined,
  openSource: OpenSource,
  options: InputOptions = {},
): StreamedInput {
  let taken = 0
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => taken,
    async open() {
      taken = 0
      const counted = countBytes(path, openSource(), (length) => {
        taken += length
      })
      const stored = await withHead(counted)
      const { head, text } =
        compressionOf(stored.head) === undefined ? stored : await withHead(inflate(path, stored, options))
      return { text, whole: undefined, mayGrow: false, ...decideLines(path, head, options) }
    },
  }
}

/** A file that is read in one go. What it grows by from now on waits for the next run, as with any other. */
function smallInput(path: string, byteLength: number, options: InputOptions): StreamedInput {
  let taken = 0
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => taken,
    async open() {
      const bytes = readStart(path, smallFileMemory.take(byteLength))
      taken = byteLength
      const inflated = inflateSmall(path, bytes, options)
      const { head, text } =
        inflated === undefined
          ? await withHead(inflate(path, { head: bytes, text: once(bytes) }, options))
          : { head: inflated.subarray(0, HEAD_BYTE_LENGTH), text: once(inflated) }
      return { text, whole: inflated, mayGrow: inflated === bytes, ...decideLines(path, head, options) }
    },
  }
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

/** The text at once, or undefined when that is too much for once. */
function inflateSmall(
  path: string,
  bytes: Uint8Array,
  { maxInflateByteLength = DEFAULT_MAX_INFLATE_BYTE_LENGTH }: InputOptions,
): Uint8Array | undefined {
  const compression = compressionOf(bytes)
  if (compression !== 'gzip') return compression === undefined ? bytes : undefined
  try {
    return gunzipWhole(path, bytes, Math.min(SMALL_INFLATED_BYTE_LENGTH, maxInflateByteLength))
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    if (cause instanceof Failure) throw cause
    throw damagedGzip(path, cause)
  }
}

async function* countBytes(
  path: string,
  source: AsyncIterable<Uint8Array>,
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

async function* inflate(
  path: string,
  stored: TextWithHead,
  { maxInflateByteLength = DEFAULT_MAX_INFLATE_BYTE_LENGTH }: InputOptions,
): AsyncGenerator<Uint8Array> {
  const inflated =
    compressionOf(stored.head) === 'zstd' ? inflateZstd(path, stored.text) : gunzip(path, stored.text)
  let byteLength = 0
  for await (const chunk of inflated) {
    byteLength += chunk.length
    if (byteLength > maxInflateByteLength) throw tooLarge(path, maxInflateByteLength)
    yield chunk
  }
}

async function* gunzip(path: string, stored: Chunks): AsyncGenerator<Uint8Array> {
  // With the default chunks of 16 KiB inflating a large file takes four times as long (PERFORMANCE.md).
  const gunzip = createGunzip({ chunkSize: STREAM_CHUNK_BYTE_LENGTH })
  const archiveEnd = new GzipEnd(path)
  const source = Readable.from(archiveEnd.watch(stored))
  source.on('error', (error) => gunzip.destroy(error))
  try {
    yield* source.pipe(gunzip)
    await archiveEnd.check(source, gunzip.bytesWritten)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw damagedGzip(path, cause)
  }
}

function tooLarge(path: string, limit: number): Failure {
  return new Failure(
    'REJECTED',
    `${path}: expected at most ${limit} bytes when inflated, found more; allow them with --max-inflate`,
  )
}

function damagedGzip(path: string, cause: unknown): Failure {
  return new Failure('DAMAGED', `${path}: expected a whole gzip file, found: ${messageOf(cause)}`, { cause })
}

/** Bytes from front to back, of which the first are known. */
interface TextWithHead {
  readonly head: Uint8Array
  readonly text: Chunks
}

/** The first bytes of a stream, and the stream with them in front again. */
async function withHead(chunks: AsyncIterable<Uint8Array>): Promise<TextWithHead> {
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
    try {
      yield* first
      for (;;) {
        const { done, value } = await iterator.next()
        if (done === true) return
        yield value
      }
    } finally {
      // Who stops early lets go of the file, too.
      await iterator.return?.()
    }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTE_LENGTH), text: whole() }
}
