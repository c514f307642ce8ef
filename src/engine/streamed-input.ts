/** Text that comes from front to back: of pipes, archives and remote objects. */

import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { attemptedAsync, Failure, messageOf } from '../base/failure.ts'
import { compressionOf, GzipEnd } from './compression.ts'
import { decideLines, HEAD_BYTE_LENGTH } from './input-start.ts'
import type { Chunks, InputOptions, StreamedInput } from './log-input.ts'
import { ReadAhead } from './read-ahead.ts'
import { inflateZstd } from './zstd-stream.ts'

/** Streams move so many bytes at a time. */
export const STREAM_CHUNK_BYTE_LENGTH: number = 1024 * 1024
/** So much of an archive is inflated before it is asked for. */
const AHEAD_BYTE_LENGTH = 8 * 1024 * 1024
/** So much may come out of one compressed input, unless the user says otherwise: time is not wasted on bombs. */
export const DEFAULT_MAX_INFLATE_BYTE_LENGTH: number = 64 * 1024 ** 3

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
  let latest = { byteLength: 0 }
  let begun: Promise<TextWithHead> | undefined
  const openAgain = (): Promise<TextWithHead> => {
    const taken = { byteLength: 0 }
    latest = taken
    const counted = countBytes(path, openSource(), (length) => {
      taken.byteLength += length
    })
    return openText(path, counted, options)
  }
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => latest.byteLength,
    begin() {
      // A pipe is not touched before its turn: what writes it may wait for something else.
      if (begun !== undefined || byteLength === undefined) return
      begun = openAgain()
      // Whoever opens it hears of its failure; until then it must not end the process.
      begun.catch(() => undefined)
    },
    abandon() {
      begun?.then(
        ({ text }) => text.return(),
        () => undefined,
      )
      begun = undefined
    },
    async open() {
      const opening = begun ?? openAgain()
      begun = undefined
      const { head, text } = await opening
      return { text, whole: undefined, mayGrow: false, ...decideLines(path, head, options) }
    },
  }
}

/** The text of an input from what is stored of it, inflated if need be. */
export async function openText(path: string, stored: Chunks, options: InputOptions): Promise<TextWithHead> {
  const beginning = await withHead(stored)
  const compression = compressionOf(beginning.head)
  if (compression === undefined) return beginning
  const { maxInflateByteLength = DEFAULT_MAX_INFLATE_BYTE_LENGTH } = options
  if (compression === 'zstd')
    return await withHead(atMost(path, inflateZstd(path, beginning.text), maxInflateByteLength))
  const text = atMost(path, gunzip(path, beginning.text), maxInflateByteLength)
  return await withHead(new ReadAhead(text, AHEAD_BYTE_LENGTH))
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

/** Fails when more comes out of an archive. */
async function* atMost(
  path: string,
  inflated: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let byteLength = 0
  for await (const chunk of inflated) {
    byteLength += chunk.length
    if (byteLength > limit) throw tooLarge(path, limit)
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

/** For an archive that cannot be inflated. */
export function damagedGzip(path: string, cause: unknown): Failure {
  return new Failure('DAMAGED', `${path}: expected a whole gzip file, found: ${messageOf(cause)}`, { cause })
}

/** Bytes from front to back, of which the first are known. */
interface TextWithHead {
  readonly head: Uint8Array
  readonly text: StartedText
}

/** The first bytes of a stream, and the stream with them in front again. */
async function withHead(chunks: Chunks): Promise<TextWithHead> {
  const iterator = iteratorOf(chunks)
  const first: Uint8Array[] = []
  let byteLength = 0
  while (byteLength < HEAD_BYTE_LENGTH) {
    const { done, value } = await iterator.next()
    if (done === true) break
    first.push(value)
    byteLength += value.length
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTE_LENGTH), text: new StartedText(first, iterator) }
}

type ChunkIterator = AsyncIterator<Uint8Array> | Iterator<Uint8Array>

function iteratorOf(chunks: Chunks): ChunkIterator {
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
}

/** A stream of which the first chunks were taken. Who stops early lets go of the file, too, even before the first. */
class StartedText implements AsyncIterableIterator<Uint8Array> {
  private readonly first: Uint8Array[]
  private readonly rest: ChunkIterator

  constructor(first: Uint8Array[], rest: ChunkIterator) {
    this.first = first
    this.rest = rest
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const value = this.first.shift()
    return value === undefined ? await this.rest.next() : { done: false, value }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.first.length = 0
    await this.rest.return?.()
    return { done: true, value: undefined }
  }
}
