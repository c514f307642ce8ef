/** What a store can say about one listener and one asset: the interface between scan and answer. */

import type { TimeWindow } from './question-time.ts'

/** Who asks about what. All three are compared as bytes, exactly as logged. */
export interface DeliveryKey {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
}

/** Positions `[start, end)` of an asset: half-open, as everywhere inside. */
export interface Interval {
  readonly start: number
  readonly end: number
}

/** One kept request, read back: the positions `[start, end)` it delivered, and when. */
export interface DeliveredRun extends Interval {
  readonly epochSeconds: number
}

/** What is known about a question: the requests that bear on it, or why there are none. */
export interface Evidence {
  /** The requests of the key that overlap the interval asked for, sorted by (start, epochSeconds, end). */
  readonly runs: readonly DeliveredRun[]
  /** Whether any request for the asset is in the store. */
  readonly assetKnown: boolean
  /** Whether any request of this IP address with this user agent is in the store. */
  readonly listenerKnown: boolean
}

/** A complete length that logs told of an asset: how often, and when first and last. */
export interface LoggedLength {
  readonly bytes: number
  readonly requests: number
  readonly firstEpochSeconds: number
  readonly lastEpochSeconds: number
}

/** What logs told of the length of an asset. */
export interface ToldLengths {
  /** The complete lengths, ascending; more than one when logs disagree. */
  readonly loggedLengths: readonly LoggedLength[]
  /**
   * How far requests asked of which not all is proven and that do not tell the complete length: the asset may be so
   * long, in bytes, and no request reached its end then. 0 when there are none.
   */
  readonly askedLength: number
  /**
   * How far the asset goes at least, as responses say of which not all is proven and that do not tell the complete
   * length; 0 when there are none.
   */
  readonly answeredLength: number
}

/** Anything that can be asked: a file, a directory, later a committed table. */
export interface EvidenceSource {
  /**
   * Requests of `key` overlapping `range`, and what else is known about the two. Requests outside of `window`
   * may be left out.
   */
  findEvidence(key: DeliveryKey, range: Interval, window?: TimeWindow): Evidence
  /** One past the largest position of the asset in the store, or undefined when the asset is unknown. */
  observedLength(asset: string): number | undefined
  /** What logs told of the length of the asset. */
  toldOf(asset: string): ToldLengths
  close(): void
}
