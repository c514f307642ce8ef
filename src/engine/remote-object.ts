/** An object on a server, whatever the server speaks: what is asked of it, and how it fails. */

import { Failure } from '../base/failure.ts'

/** What is known of an object before it is read. */
export interface ObjectFacts {
  /** Undefined when the server does not say. */
  readonly byteLength: number | undefined
  /** A strong entity tag (RFC 9110, 8.8.3): the same as long as every byte is. Undefined when there is none. */
  readonly version: string | undefined
  /** Whether parts of it can be had. */
  readonly hasRanges: boolean
}

/** Bytes `[start, end)` of an object. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** An object that can be read. */
export interface RemoteObject {
  /** How it is shown: without secrets. */
  readonly name: string
  look(signal: AbortSignal): Promise<ObjectFacts>
  /**
   * The bytes of the range, or all, of that version of the object; fewer than asked for are a failure, be it at the
   * end. Throws a `PassingFailure` for what another attempt may mend, and a `Failure` for what it cannot.
   */
  read(range: ByteRange | undefined, facts: ObjectFacts, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** How patient the reading is. */
export interface RemoteOptions {
  /** Bytes of a request. */
  readonly rangeByteLength?: number
  /** So many requests are under way at once. */
  readonly requestCount?: number
  /** A request is given up when nothing comes for so long. */
  readonly idleMs?: number
  /** So many attempts in a row may bring nothing. */
  readonly attemptCount?: number
  /** The first wait between attempts; each further one is twice as long. */
  readonly backoffMs?: number
}

/** A failure that may be over when it is tried again. */
export class PassingFailure extends Failure {
  /** How long the server asked to wait. */
  readonly waitMs: number
  constructor(
    message: string,
    { waitMs = 0, cause }: { readonly waitMs?: number; readonly cause?: unknown } = {},
  ) {
    super('ENVIRONMENT', message, { cause })
    this.waitMs = waitMs
  }
}

/** The object is no longer what it was when the run began. */
export function changedObject(name: string, expected: string, found: string): Failure {
  return new Failure(
    'ENVIRONMENT',
    `${name} has changed since the run began: expected ${expected}, found ${found}; nothing was written. ` +
      'Run again when it is no longer written to.',
  )
}

/** For a run that was interrupted. */
export function interrupted(): Failure {
  return new Failure('INTERRUPTED', 'interrupted; nothing was written')
}

/** A request is given up by default when nothing comes for so long. */
export const IDLE_MS = 30_000

/** Whether a server may answer otherwise when it is asked again. */
export function isPassingStatus(statusCode: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(statusCode)
}

/** Passes parts on. Calls `giveUp` when a part is waited for too long; whoever takes them may take their time. */
export async function* receive(
  parts: AsyncIterable<Uint8Array>,
  idleMs: number,
  giveUp: () => void,
): AsyncGenerator<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]()
  for (;;) {
    const timer = setTimeout(giveUp, idleMs)
    const part = await iterator.next().finally(() => clearTimeout(timer))
    if (part.done === true) return
    yield part.value
  }
}

/** The tag when it is a strong one: a weak tag promises the same meaning, not the same bytes. */
export function strongTag(tag: string | undefined): string | undefined {
  return tag !== undefined && /^"[^"]*"$/.test(tag) ? tag : undefined
}

/** What a Content-Range says (RFC 9110, 14.4); positions are inclusive. */
export interface ContentRange {
  readonly first: number | undefined
  readonly last: number | undefined
  readonly total: number | undefined
}

/** Undefined for what is none. */
export function readContentRange(text: string | undefined): ContentRange | undefined {
  const found = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/.exec(text ?? '')
  if (found === null) return undefined
  const [first, last, total] = [found[1], found[2], found[3]].map((digits) =>
    digits === undefined ? undefined : Number(digits),
  )
  return { first, last, total }
}
