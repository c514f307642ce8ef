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
