/** How a log is compressed, by its content, and whether a gzip archive was read to its very end. */

import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { Failure } from '../base/failure.ts'
import { isZstd } from './zstd-stream.ts'

/** Undefined for text. */
export function compressionOf(head: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  return isZstd(head) ? 'zstd' : undefined
}

/** Inflates at once. Throws as `gunzipSync` does, and a `Failure` for what stands behind the archive. */
export function gunzipWhole(path: string, bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  return wholeText(path, bytes, gunzipSync(bytes, { maxOutputLength, info: true }))
}

/** The same in another thread. */
export async function gunzipAside(
  path: string,
  bytes: Uint8Array,
  maxOutputLength: number,
): Promise<Uint8Array> {
  return wholeText(path, bytes, await promisify(gunzip)(bytes, { maxOutputLength, info: true }))
}

/** The types do not know what `info` adds: how many bytes were taken. */
function wholeText(path: string, bytes: Uint8Array, result: unknown): Uint8Array {
  if (!isRecord(result) || !(result['buffer'] instanceof Uint8Array) || !isRecord(result['engine']))
    throw new Error('gunzip: expected a buffer and an engine')
  const taken = Number(result['engine']['bytesWritten'])
  if (endWithoutZeros(bytes) > taken) throw notTheEnd(path, taken)
  return result['buffer']
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/**
 * What zlib passes over in silence: after the last member of an archive zeros may stand, as padding, and behind them
 * anything at all, like the members of another archive.
 */
export class GzipEnd {
  private readonly path: string
  private byteLength = 0
  /** One past the last byte that is not 0. */
  private end = 0

  constructor(path: string) {
    this.path = path
  }

  /** Passes the stored bytes on. */
  async *watch(stored: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of stored) {
      const end = endWithoutZeros(bytes)
      if (end > 0) this.end = this.byteLength + end
      this.byteLength += bytes.length
      yield bytes
    }
  }

  /** Fails unless all but padding was taken of `source`, which reads what is watched. */
  async check(source: Readable, takenByteLength: number): Promise<void> {
    source.unpipe()
    source.resume()
    await finished(source)
    if (this.end > takenByteLength) throw notTheEnd(this.path, takenByteLength)
  }
}

function endWithoutZeros(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}

function notTheEnd(path: string, byteOffset: number): Failure {
  return new Failure(
    'DAMAGED',
    `${path}: expected the end of the gzip archive or padding after byte ${byteOffset}, found other bytes; ` +
      'get it again, or split it there',
  )
}
