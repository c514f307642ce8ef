/** From a question and its evidence to the answer: pure, but for the last function, which asks a source. */

import { type AssetLength, knownLength } from './asset-length.ts'
import type { DeliveredRun, Evidence, EvidenceSource, Interval, ToldLengths } from './evidence.ts'
import {
  coveredLength,
  type IntervalSet,
  intersectIntervals,
  mergeIntervals,
  subtractIntervals,
} from './intervals.ts'
import type { Query } from './question.ts'
import { formatInstant, isInWindow } from './question-time.ts'

/**
 * `complete`: every byte is proven; `partial`: some are; `none`: no byte, though the listener or the asset is
 * known; `unknown`: the store has no evidence about either.
 */
export type Verdict = 'complete' | 'partial' | 'none' | 'unknown'

/** First and last position, both inclusive, as everything outside sees them. */
export type InclusiveRange = readonly [first: number, last: number]

/** One of several lengths that were seen of an asset. */
export interface SeenLength {
  readonly bytes: number
  /** Requests that told it, and the earliest and latest of them (ISO 8601, UTC). */
  readonly requests: number
  readonly firstAt: string
  readonly lastAt: string
}

/** So many lengths are listed at most, the latest. */
const LISTED_LENGTHS = 16

/** The answer as it is printed: names, order and meaning of the fields are a contract with programs. */
export interface Answer {
  readonly v: 1
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  /** Null when the whole was asked and it has no byte or no known length. */
  readonly range: InclusiveRange | null
  readonly delivered: boolean
  readonly verdict: Verdict
  readonly requestedBytes: number
  readonly coveredBytes: number
  readonly covered: readonly InclusiveRange[]
  readonly missing: readonly InclusiveRange[]
  /** Kept requests within the window that overlap the range. */
  readonly requests: number
  /** ISO 8601, UTC: the earliest and the latest of them. */
  readonly firstAt: string | null
  readonly lastAt: string | null
  /** When the last missing byte arrived; null unless complete. */
  readonly completeAt: string | null
  readonly length: AssetLength | null
  /** Only when logs tell different lengths, or requests went beyond them: the asset may have changed. */
  readonly lengths?: readonly SeenLength[]
}

/** What a store knows of the length of an asset. */
export interface KnownLengths extends ToldLengths {
  readonly observedLength: number | undefined
}

/** What a store said: the evidence about the range, and what it knows of the length of the asset. */
export interface Facts extends KnownLengths {
  readonly evidence: Evidence
}

/** The positions that a question is about; undefined for the whole of an asset of unknown length. */
export function askedRange(query: Query, known: KnownLengths): Interval | undefined {
  if (query.target.kind === 'range') return query.target.range
  const length = assetLength(query, known)
  return length === null ? undefined : { start: 0, end: length.bytes }
}

/** Judges the evidence. Requests outside the question's window or range are left out before anything is counted. */
export function answerQuery(query: Query, facts: Facts): Answer {
  const { evidence } = facts
  const asked = askedRange(query, facts)
  const range = asked ?? { start: 0, end: 0 }
  const runs = evidence.runs.filter(
    (run) => run.start < range.end && run.end > range.start && isInWindow(query.window, run.epochSeconds),
  )
  const requested = mergeIntervals([range])
  const covered = intersectIntervals(mergeIntervals(runs), requested)
  const requestedBytes = coveredLength(requested)
  const coveredBytes = coveredLength(covered)
  const verdict = judge(requestedBytes, coveredBytes, evidence)
  const times = timeSpan(runs)
  return {
    v: 1,
    asset: query.key.asset,
    ip: query.key.ip,
    userAgent: query.key.userAgent,
    range: requestedBytes === 0 ? null : inclusive(range),
    delivered: verdict === 'complete',
    verdict,
    requestedBytes,
    coveredBytes,
    covered: covered.map(inclusive),
    missing: subtractIntervals(requested, covered).map(inclusive),
    requests: runs.length,
    firstAt: times === undefined ? null : formatInstant(times.first),
    lastAt: times === undefined ? null : formatInstant(times.last),
    completeAt: verdict === 'complete' ? formatInstant(completionTime(runs, requested)) : null,
    length: assetLength(query, facts),
    ...conflictingLengths(facts),
  }
}

function judge(requestedBytes: number, coveredBytes: number, evidence: Evidence): Verdict {
  // Nothing follows from an empty range: all of its no bytes are covered by no request at all.
  if (requestedBytes > 0 && coveredBytes === requestedBytes) return 'complete'
  if (coveredBytes > 0) return 'partial'
  return evidence.assetKnown || evidence.listenerKnown ? 'none' : 'unknown'
}

function inclusive({ start, end }: Interval): InclusiveRange {
  return [start, end - 1]
}

function timeSpan(
  runs: readonly DeliveredRun[],
): { readonly first: number; readonly last: number } | undefined {
  if (runs.length === 0) return undefined
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { epochSeconds } of runs) {
    first = Math.min(first, epochSeconds)
    last = Math.max(last, epochSeconds)
  }
  return { first, last }
}

/**
 * The smallest time t such that the runs with epoch <= t cover `requested`, which all runs together must cover.
 * Coverage only grows with t, so the moment is found by bisection over the distinct times: n log n in all.
 */
function completionTime(runs: readonly DeliveredRun[], requested: IntervalSet): number {
  const times = [...new Set(runs.map((run) => run.epochSeconds))].sort((a, b) => a - b)
  let low = 0
  let high = times.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    const limit = times[middle] ?? 0
    const early = mergeIntervals(runs.filter((run) => run.epochSeconds <= limit))
    if (subtractIntervals(requested, early).length === 0) high = middle
    else low = middle + 1
  }
  return times[low] ?? 0
}

function assetLength(query: Query, known: KnownLengths): AssetLength | null {
  if (query.target.kind === 'whole' && query.target.givenLength !== undefined) {
    return { bytes: query.target.givenLength, from: 'given' }
  }
  const { observedLength = 0, loggedLengths } = known
  const length = knownLength(loggedLengths.at(-1)?.bytes, known, observedLength)
  // An asset has a byte at least, of which something is known.
  return length.bytes === 0 ? null : length
}

/** How far the asset goes for certain: requests delivered bytes so far, or responses say that there are some. */
export function reachedLength({ observedLength = 0, answeredLength }: KnownLengths): number {
  return Math.max(observedLength, answeredLength)
}

/** The lengths that logs told, when they disagree with each other or with what requests reached. */
function conflictingLengths(known: KnownLengths): Pick<Answer, 'lengths'> {
  const { loggedLengths } = known
  const longest = loggedLengths.at(-1)?.bytes
  if (longest === undefined) return {}
  if (loggedLengths.length === 1 && longest >= reachedLength(known)) return {}
  const latest = [...loggedLengths].sort(
    (a, b) => a.lastEpochSeconds - b.lastEpochSeconds || a.bytes - b.bytes,
  )
  return {
    lengths: latest
      .slice(-LISTED_LENGTHS)
      .map(({ bytes, requests, firstEpochSeconds, lastEpochSeconds }) => ({
        bytes,
        requests,
        firstAt: formatInstant(firstEpochSeconds),
        lastAt: formatInstant(lastEpochSeconds),
      })),
  }
}

/** Puts a question to a store. Fails as the source does, when it cannot be read or is damaged. */
export function askSource(
  source: EvidenceSource,
  query: Query,
): { readonly answer: Answer; readonly facts: Facts } {
  const { asset } = query.key
  const known = { observedLength: source.observedLength(asset), ...source.toldOf(asset) }
  const range = askedRange(query, known)
  // The whole of an asset of unknown length is no range; who is known is asked all the same.
  const evidence = source.findEvidence(query.key, range ?? { start: 0, end: 0 }, query.window)
  const facts = { evidence, ...known }
  return { answer: answerQuery(query, facts), facts }
}
