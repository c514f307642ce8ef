/** The logs of a run: what kind each one is, by its content, and how its lines are laid out. */

import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { attempted, attemptedAsync, Failure, messageOf } from '../base/failure.ts'
import { DEFAULT_DELIVERY_LAYOUT } from '../log/delivery-layout.ts'
import type { LineLayout } from '../log/scanned-runs.ts'
import { compressionOf, GzipEnd, gunzipWhole } from './compression.ts'
import { type HeaderReading, readHeader } from './log-header.ts'
import { isRemote } from './remote-name.ts'
import { shrunken } from './shrunken-input.ts'
import { inflateZstd } from './zstd-stream.ts'

/** The name of standard input on the command line. */
export const STDIN = '-'

/** So much of each input is looked at for its kind and its header. */
const HEAD_BYTE_LENGTH = 64 * 1024
/** Files up to this size are read in one go: they come by the thousand, and a stream each would cost most. */
const SMALL_BYTE_LENGTH = 256 * 1024
/** A small gzip file may turn into so many bytes at once; others are inflated as streams. */
const SMALL_INFLATED_BYTE_LENGTH = 16 * 1024 * 1024
/** Streams move so many bytes at a time. */
const STREAM_CHUNK_BYTE_LENGTH = 1024 * 1024
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const COMMENT_MARK = 0x23
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf]

/** How the lines of an input are laid out. */
interface InputLines {
  readonly layout: LineLayout
  /** The header line without its line end, if there is one. */
  readonly header: Uint8Array | undefined
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
 * stream that shows when it is opened. `small` allows for reading a small file in one go.
 */
export function openInput(path: string, { small = true }: { readonly small?: boolean } = {}): LogInput {
  if (path === STDIN) return streamedInput('standard input', undefined, () => process.stdin)
  const stat = attempted(path, 'open', () => statSync(path))
  if (stat.isDirectory()) {
    throw new Failure('USAGE', `${path}: expected a log file, found a directory; name the files in it`)
  }
  // A named pipe or a device has no size to cut into shards and can be read only once.
  if (!stat.isFile()) return streamedInput(path, undefined, () => createReadStream(path))
  if (small && stat.size <= SMALL_BYTE_LENGTH) return smallInput(path, stat.size)
  const head = readStart(path, Math.min(stat.size, HEAD_BYTE_LENGTH))
  if (compressionOf(head) !== undefined) {
    const options = { highWaterMark: STREAM_CHUNK_BYTE_LENGTH }
    return streamedInput(path, stat.size, () => createReadStream(path, options))
  }
  return { kind: 'plain', path, byteLength: stat.size, ...readLines(path, head) }
}

/** Fails when one of the files to be written would replace another of them, or one of the inputs. */
export async function refuseToOverwrite(
  outputs: readonly { readonly option: string; readonly path: string }[],
  inputs: readonly string[],
): Promise<void> {
  const taken = new Map<string, string>()
  for (const input of inputs) {
    if (isOnDisk(input)) taken.set(await realPath(input), 'is one of the inputs')
  }
  for (const { option, path } of outputs) {
    const target = await realPath(path)
    const reason = taken.get(target)
    if (reason !== undefined) throw new Failure('USAGE', `${option} ${path} ${reason}; name another file`)
    taken.set(target, `is what ${option} names`)
  }
}

/** Fails when an input lies inside the store, whose own files are no logs. */
export async function refuseFilesOf(store: string, inputs: readonly string[]): Promise<void> {
  const inside = `${await realPath(store)}${sep}`
  for (const input of inputs) {
    if (isOnDisk(input) && (await realPath(input)).startsWith(inside)) {
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
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const folder = dirname(resolve(path))
    return folder === resolve(path) ? folder : join(await realPath(folder), basename(path))
  }
}

/** The first `byteLength` bytes of a file, which must be there. */
function readStart(path: string, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
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
        compressionOf(stored.head) === undefined ? stored : await withHead(inflate(path, stored))
      return { text, mayGrow: false, ...readLines(path, head) }
    },
  }
}

/** A file that is read in one go. What it grows by from now on waits for the next run, as with any other. */
function smallInput(path: string, byteLength: number): StreamedInput {
  let taken = 0
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => taken,
    async open() {
      const bytes = readStart(path, byteLength)
      taken = byteLength
      const inflated = inflateSmall(path, bytes)
      const { head, text } =
        inflated === undefined
          ? await withHead(inflate(path, { head: bytes, text: once(bytes) }))
          : { head: inflated.subarray(0, HEAD_BYTE_LENGTH), text: once(inflated) }
      return { text, mayGrow: inflated === bytes, ...readLines(path, head) }
    },
  }
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

/** The text at once, or undefined when that is too much for once. */
function inflateSmall(path: string, bytes: Uint8Array): Uint8Array | undefined {
  const compression = compressionOf(bytes)
  if (compression !== 'gzip') return compression === undefined ? bytes : undefined
  try {
    return gunzipWhole(path, bytes, SMALL_INFLATED_BYTE_LENGTH)
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

async function* inflate(path: string, { head, text: stored }: TextWithHead): AsyncGenerator<Uint8Array> {
  if (compressionOf(head) === 'zstd') {
    yield* inflateZstd(path, stored)
    return
  }
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
    yield* first
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) return
      yield value
    }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTE_LENGTH), text: whole() }
}

/** The header that was read last: the logs of a run mostly have the same, and come by the thousand. */
let lastHeader: { readonly line: Uint8Array; readonly reading: HeaderReading } | undefined

function readHeaderAgain(line: Uint8Array): HeaderReading {
  if (lastHeader === undefined || Buffer.compare(lastHeader.line, line) !== 0) {
    lastHeader = { line, reading: readHeader(line) }
  }
  return lastHeader.reading
}

/** The header is the first comment that names columns, among the comments that the input begins with. */
function readLines(path: string, head: Uint8Array): InputLines {
  let at = BYTE_ORDER_MARK.every((byte, i) => head[i] === byte) ? BYTE_ORDER_MARK.length : 0
  while (head[at] === COMMENT_MARK) {
    const lineFeed = head.indexOf(LINE_FEED, at)
    if (lineFeed < 0) break
    const line = head.slice(at, head[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed)
    const reading = readHeaderAgain(line)
    if (reading.kind === 'layout') return { layout: reading.layout, header: line }
    if (reading.kind === 'problem') throw new Failure('USAGE', `${path}: ${reading.message}`)
    at = lineFeed + 1
  }
  return { layout: DEFAULT_DELIVERY_LAYOUT, header: undefined }
}
