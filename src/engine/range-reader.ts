/** Reads remote objects from front to back: a few ranges at once, in order, each again when it fails. */

import { setTimeout } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import {
  type ByteRange,
  changedObject,
  interrupted,
  type ObjectFacts,
  PassingFailure,
  type RemoteObject,
  type RemoteOptions,
} from './remote-object.ts'

/** Large enough that the way to the server does not matter, small enough to hold a few. */
const RANGE_BYTE_LENGTH = 8 * 1024 * 1024
const REQUEST_COUNT = 4
const ATTEMPT_COUNT = 6
const BACKOFF_MS = 250
const MAX_WAIT_MS = 30_000
/** So often may a range be broken off after some of its bytes. */
const MAX_BEGINNINGS = 50

/** An object to read, as it was when it was looked at. */
export interface PinnedObject {
  readonly object: RemoteObject
  readonly facts: ObjectFacts
}

/** Does what may fail in passing until it succeeds, a few times. */
export async function persist<T>(
  act: () => Promise<T>,
  { attemptCount = ATTEMPT_COUNT, backoffMs = BACKOFF_MS }: RemoteOptions,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (signal.aborted) throw interrupted()
      return await act()
    } catch (failure) {
      if (signal.aborted) throw interrupted()
      if (!(failure instanceof PassingFailure)) throw failure
      if (attempt >= attemptCount) throw givenUp(failure, attempt)
      await pause(failure, backoffMs * 2 ** (attempt - 1), signal)
    }
  }
}

async function pause(failure: PassingFailure, backoffMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(MAX_WAIT_MS, Math.max(backoffMs, failure.waitMs))
  await setTimeout(waitMs, undefined, { signal }).catch(() => {
    throw interrupted()
  })
}

function givenUp(failure: PassingFailure, attemptCount: number): Failure {
  return new Failure(
    'ENVIRONMENT',
    `${failure.message} (${attemptCount} attempts); nothing was written. Run again later.`,
    { cause: failure },
  )
}

/** The whole object, range by range. Memory is bounded by `requestCount` ranges and the one that is taken. */
export async function* readRanges(
  pinned: PinnedObject,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { rangeByteLength = RANGE_BYTE_LENGTH, requestCount = REQUEST_COUNT } = options
  const byteLength = pinned.facts.byteLength ?? 0
  const own = new AbortController()
  const both = signal === undefined ? own.signal : AbortSignal.any([own.signal, signal])
  const underWay: Promise<Uint8Array>[] = []
  let next = 0
  try {
    while (next < byteLength || underWay.length > 0) {
      while (next < byteLength && underWay.length < requestCount) {
        const range = { start: next, end: Math.min(byteLength, next + rangeByteLength) }
        const bytes = readRange(pinned, range, { options, signal: both })
        // Whoever waits for it hears of its failure; until then it must not end the process.
        bytes.catch(() => undefined)
        underWay.push(bytes)
        next = range.end
      }
      const first = underWay.shift()
      if (first !== undefined) yield await first
    }
  } finally {
    own.abort()
    await Promise.allSettled(underWay)
  }
}

/** One range, in one buffer. What an attempt brought is kept when it fails. */
async function readRange(
  { object, facts }: PinnedObject,
  { start, end }: ByteRange,
  { options, signal }: { readonly options: RemoteOptions; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start)
  let byteLength = 0
  for (let beginnings = 0; byteLength < bytes.length; beginnings++) {
    if (beginnings === MAX_BEGINNINGS)
      throw new Failure('ENVIRONMENT', `cannot read ${object.name}: the connection broke ${beginnings} times`)
    const before = byteLength
    await persist(
      async () => {
        try {
          for await (const part of object.read({ start: start + byteLength, end }, facts, signal)) {
            if (part.length > bytes.length - byteLength)
              throw changedObject(object.name, `${end - start} bytes of a range`, 'more')
            bytes.set(part, byteLength)
            byteLength += part.length
          }
        } catch (failure) {
          // Progress makes another beginning: only attempts that bring nothing are counted.
          if (!(failure instanceof PassingFailure) || byteLength === before) throw failure
        }
      },
      options,
      signal,
    )
    if (byteLength === before && byteLength < bytes.length) {
      throw changedObject(object.name, `${end - start} bytes of a range`, String(byteLength))
    }
  }
  return bytes
}

/** The whole object in one request, which can only be repeated as long as nothing has come. */
export async function* readWhole(
  { object, facts }: PinnedObject,
  options: RemoteOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const own = new AbortController()
  const both = signal === undefined ? own.signal : AbortSignal.any([own.signal, signal])
  let byteLength = 0
  try {
    const open = async (): Promise<{
      first: IteratorResult<Uint8Array>
      parts: AsyncIterator<Uint8Array>
    }> => {
      const parts = object.read(undefined, facts, both)[Symbol.asyncIterator]()
      return { first: await parts.next(), parts }
    }
    const { first, parts } = await persist(open, options, both)
    for (let part = first; part.done !== true; part = await parts.next()) {
      byteLength += part.value.length
      yield part.value
    }
  } catch (failure) {
    if (signal?.aborted === true) throw interrupted()
    if (!(failure instanceof PassingFailure)) throw failure
    throw new Failure(
      'ENVIRONMENT',
      `${failure.message}, after ${byteLength} bytes; the server gives no ranges of a fixed version (a strong ETag), ` +
        'so reading cannot go on from there; nothing was written. Run again, or fetch the log and give the file.',
      { cause: failure },
    )
  } finally {
    own.abort()
  }
  if (facts.version !== undefined && facts.byteLength !== undefined && byteLength !== facts.byteLength)
    throw changedObject(object.name, `${facts.byteLength} bytes`, String(byteLength))
}
