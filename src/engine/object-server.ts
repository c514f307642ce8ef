/** What is asked of a server of buckets: all that the rest knows of S3, so that another can stand in for it. */

import type { ByteRange } from './remote-object.ts'

/** One object of a list. */
export interface ListedObject {
  readonly key: string
  readonly byteLength: number
  /** The entity tag, in quotes as it stands in headers. */
  readonly version: string | undefined
}

/** Some of a list, and how to ask for the next ones; undefined at its end. */
export interface ListedPage {
  readonly objects: readonly ListedObject[]
  readonly next: string | undefined
}

/** What was asked for, or of it what the range names. */
export interface ServedObject {
  readonly version: string | undefined
  readonly byteLength: number | undefined
  readonly contentRange: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/** Where an object lies. */
export interface ObjectPlace {
  readonly bucket: string
  readonly key: string
}

/** Each request fails with an `ObjectServerError`, or however it fails when the signal has come. */
export interface ObjectServer {
  list(
    place: { readonly bucket: string; readonly prefix: string; readonly from: string | undefined },
    signal: AbortSignal,
  ): Promise<ListedPage>
  look(place: ObjectPlace, signal: AbortSignal): Promise<ListedObject>
  read(
    place: ObjectPlace,
    wanted: { readonly range: ByteRange | undefined; readonly version: string | undefined },
    signal: AbortSignal,
  ): Promise<ServedObject>
}

/** What a server, or the way to it, answered. */
export class ObjectServerError extends Error {
  /** Of HTTP; undefined when there was no answer. */
  readonly statusCode: number | undefined
  /** Like `NoSuchKey`. */
  readonly code: string
  constructor(
    message: string,
    facts: { readonly statusCode: number | undefined; readonly code: string; readonly cause?: unknown },
  ) {
    super(message, { cause: facts.cause })
    this.statusCode = facts.statusCode
    this.code = facts.code
  }
}
