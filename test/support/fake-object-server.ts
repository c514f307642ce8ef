/** A server of buckets in memory for tests: answers as S3 does, and misbehaves when asked to. */

import { createHash } from 'node:crypto'
import { type ObjectServer, ObjectServerError } from '#src/engine/object-server.js'

/** Thrown instead of an answer, or done to the body of one. */
export type BucketFault =
  | { readonly error: Error }
  | { readonly dropAfter: number }
  | { readonly stall: true }
  | undefined

export interface FakeObjectServer extends ObjectServer {
  /** What was asked, in order: `list PREFIX`, `look KEY`, `read KEY START-END`. */
  readonly requests: string[]
  /** By `bucket/key`. */
  readonly objects: Map<string, Uint8Array>
  /** Hears each request. */
  faultOf: (request: string, index: number) => BucketFault
}

const PART_BYTE_LENGTH = 10_000

export function answerError(statusCode: number | undefined, code: string): ObjectServerError {
  return new ObjectServerError(`${code} happened`, { statusCode, code })
}

function tagOf(content: Uint8Array): string {
  return `"${createHash('md5').update(content).digest('hex')}"`
}

export function createFakeObjectServer(pageLength = 2): FakeObjectServer {
  const objects = new Map<string, Uint8Array>()
  const requests: string[] = []
  const note = (request: string, signal: AbortSignal): BucketFault => {
    signal.throwIfAborted()
    const fault = server.faultOf(request, requests.length)
    requests.push(request)
    if (fault !== undefined && 'error' in fault) throw fault.error
    return fault
  }
  const find = (bucket: string, key: string): Uint8Array => {
    const content = objects.get(`${bucket}/${key}`)
    if (content === undefined) throw answerError(404, 'NoSuchKey')
    return content
  }
  const server: FakeObjectServer = {
    objects,
    requests,
    faultOf: () => undefined,
    // biome-ignore lint/suspicious/useAwait: what is thrown must be a rejection, as with the real one.
    async list({ bucket, prefix, from }, signal) {
      note(`list ${prefix}`, signal)
      const start = `${bucket}/`
      const keys = [...objects.keys()].filter((name) => name.startsWith(start + prefix)).sort()
      const at = Number(from ?? 0)
      const page = keys.slice(at, at + pageLength).map((name) => {
        const content = objects.get(name) ?? new Uint8Array(0)
        return { key: name.slice(start.length), byteLength: content.length, version: tagOf(content) }
      })
      return { objects: page, next: at + pageLength < keys.length ? String(at + pageLength) : undefined }
    },
    // biome-ignore lint/suspicious/useAwait: as above.
    async look({ bucket, key }, signal) {
      note(`look ${key}`, signal)
      const content = find(bucket, key)
      return { key, byteLength: content.length, version: tagOf(content) }
    },
    // biome-ignore lint/suspicious/useAwait: as above.
    async read({ bucket, key }, { range, version }, signal) {
      const fault = note(`read ${key} ${range?.start}-${range?.end}`, signal)
      const content = find(bucket, key)
      if (version !== undefined && version !== tagOf(content)) throw answerError(412, 'PreconditionFailed')
      const { start, end } = range ?? { start: 0, end: content.length }
      if (start >= content.length) throw answerError(416, 'InvalidRange')
      const bytes = content.subarray(start, end)
      return {
        version: tagOf(content),
        byteLength: bytes.length,
        contentRange: range && `bytes ${start}-${start + bytes.length - 1}/${content.length}`,
        body: bodyOf(bytes, fault, signal),
      }
    },
  }
  return server
}

async function* bodyOf(
  bytes: Uint8Array,
  fault: BucketFault,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (fault !== undefined && 'stall' in fault) {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const end = fault !== undefined && 'dropAfter' in fault ? fault.dropAfter : bytes.length
  for (let at = 0; at < end; at += PART_BYTE_LENGTH) {
    signal.throwIfAborted()
    yield bytes.subarray(at, Math.min(end, at + PART_BYTE_LENGTH))
  }
  if (end < bytes.length) throw new Error('socket hang up')
}
