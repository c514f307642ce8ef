/** One question about many listeners of an asset: an answer for each, and what all of them hold together. */

import {
  type Answer,
  answerQuery,
  askedRange,
  askSource,
  type InclusiveRange,
  type KnownLengths,
  type Verdict,
} from './answer.ts'
import type { AssetLength } from './asset-length.ts'
import { AskedUserAgents, type ClaimedListener, claimedListeners } from './claimed-listeners.ts'
import { EarliestArrivals } from './earliest-arrivals.ts'
import type { DeliveredRun, Interval } from './evidence.ts'
import { coveredLength, type IntervalSet, mergeIntervals, subtractIntervals } from './intervals.ts'
import { type Selection, selects, type TextSelector } from './listener-selector.ts'
import type { Query } from './question.ts'
import { formatInstant, isInWindow, type TimeWindow } from './question-time.ts'
import type { RunBuffer } from './run-buffer.ts'
import type { DeliveryStore } from './store.ts'

/** What the listeners hold together. It proves nothing about any one of them. */
export interface UnionAnswer {
  readonly range: InclusiveRange | null
  readonly verdict: Verdict
  readonly requestedBytes: number
  readonly coveredBytes: number
  readonly covered: readonly InclusiveRange[]
  readonly missing: readonly InclusiveRange[]
  readonly requests: number
  readonly firstAt: string | null
  readonly lastAt: string | null
  /** The earliest time at which all of them together held every byte; null unless complete. */
  readonly completeAt: string | null
  readonly length: AssetLength | null
}

/** One answer with the requests behind it, in the order of their positions. */
export interface ListenerAnswer {
  readonly answer: Answer
  readonly runs: readonly DeliveredRun[]
  /** How many of its requests no answer before it had: all, unless user agents are spellings of each other. */
  readonly freshRequests: number
}

/**
 * Answers for every listener that is selected and has a request for the asset, in the order of address and
 * user agent; for a selection without patterns, for every pair of values, whether it is known or not. Where
 * user agents were decoded one that is exactly given counts in all its spellings, and spellings of one listener
 * have one answer. Fails as the store does.
 */
export function* answerListeners(
  store: DeliveryStore,
  selection: Selection,
): Generator<ListenerAnswer, void, void> {
  const exactIps = exactTexts(selection.ips)
  const exactUserAgents = exactTexts(selection.userAgents)
  const asked = new AskedUserAgents(selection)
  const isSpelled = asked.texts.length > 0 && store.hasSpellings
  if (exactIps === undefined || exactUserAgents === undefined) {
    yield* isSpelled ? answerClaimed(store, selection, asked) : answerFound(store, selection)
    return
  }
  if (isSpelled && asked.hasAlike) {
    yield* answerAlikePairs(store, selection, asked, exactIps)
    return
  }
  for (const ip of exactIps) {
    for (const userAgent of exactUserAgents) yield answerPair(store, selection, ip, userAgent)
  }
}

function answerPair(
  store: DeliveryStore,
  selection: Selection,
  ip: string,
  userAgent: string,
): ListenerAnswer {
  const { answer, facts } = askSource(store, queryOf(selection, ip, userAgent))
  const runs = inWindow(facts.evidence.runs, selection.window)
  return { answer, runs, freshRequests: answer.requests }
}

/** Every pair of values, but of those that are one listener only one. */
function* answerAlikePairs(
  store: DeliveryStore,
  selection: Selection,
  asked: AskedUserAgents,
  ips: readonly string[],
): Generator<ListenerAnswer, void, void> {
  const known = knownLengths(store, selection.asset)
  /** By address and user agent; undefined for a name of a listener that has another one. */
  const found = new Map<string, Map<string, ListenerAnswer | undefined>>()
  for (const listener of claimedListeners(store, selection, asked)) {
    const answers = found.get(listener.ip) ?? new Map<string, ListenerAnswer | undefined>()
    found.set(listener.ip, answers)
    answers.set(listener.userAgent, answerClaim(selection, known, listener))
    for (const name of listener.otherNames) answers.set(name, undefined)
  }
  for (const ip of ips) {
    const answers = found.get(ip) ?? new Map<string, ListenerAnswer | undefined>()
    for (const userAgent of asked.texts) {
      const isAnswered = [...answers.keys()].some(
        (other) => other === userAgent || asked.areAlike(userAgent, other),
      )
      if (!isAnswered) answers.set(userAgent, answerPair(store, selection, ip, userAgent))
    }
    yield* asked.texts.flatMap((userAgent) => answers.get(userAgent) ?? [])
  }
}

function* answerClaimed(
  store: DeliveryStore,
  selection: Selection,
  asked: AskedUserAgents,
): Generator<ListenerAnswer, void, void> {
  const known = knownLengths(store, selection.asset)
  for (const listener of claimedListeners(store, selection, asked))
    yield answerClaim(selection, known, listener)
}

function answerClaim(
  selection: Selection,
  known: KnownLengths,
  { ip, userAgent, runs, freshRuns }: ClaimedListener,
): ListenerAnswer {
  const query = queryOf(selection, ip, userAgent)
  const listener = answerRuns(query, known, runs)
  if (freshRuns === runs) return listener
  return { ...listener, freshRequests: answerRuns(query, known, freshRuns).answer.requests }
}

function* answerFound(store: DeliveryStore, selection: Selection): Generator<ListenerAnswer, void, void> {
  const { asset, ips, userAgents } = selection
  const known = knownLengths(store, asset)
  const listeners = store.listeners({
    assets: new Set([asset]),
    ip: (text) => selects(ips, text),
    userAgent: (text) => selects(userAgents, text),
  })
  for (const { ip, userAgent, runs } of listeners)
    yield answerRuns(queryOf(selection, ip, userAgent), known, runs)
}

function knownLengths(store: DeliveryStore, asset: string): KnownLengths {
  return { observedLength: store.observedLength(asset), ...store.toldOf(asset) }
}

function answerRuns(query: Query, known: KnownLengths, buffer: RunBuffer): ListenerAnswer {
  const runs = overlapping(buffer, askedRange(query, known))
  const answer = answerQuery(query, {
    evidence: { runs, assetKnown: true, listenerKnown: true },
    ...known,
  })
  return { answer, runs: inWindow(runs, query.window), freshRequests: answer.requests }
}

function inWindow(runs: readonly DeliveredRun[], window: TimeWindow): DeliveredRun[] {
  return runs.filter((run) => isInWindow(window, run.epochSeconds))
}

function exactTexts(selectors: readonly TextSelector[]): readonly string[] | undefined {
  const texts = selectors.flatMap(({ exact }) => exact ?? [])
  return texts.length === selectors.length ? [...new Set(texts)] : undefined
}

function queryOf({ asset, target, window }: Selection, ip: string, userAgent: string): Query {
  return { key: { asset, ip, userAgent }, target, window }
}

/** The runs of a listener that overlap `range`, as evidence. */
export function overlapping(buffer: RunBuffer, range: Interval | undefined): DeliveredRun[] {
  const runs: DeliveredRun[] = []
  if (range === undefined) return runs
  for (let i = 0; i < buffer.count; i++) {
    const start = buffer.starts[i] ?? 0
    if (start >= range.end) break
    const end = buffer.ends[i] ?? 0
    if (end > range.start) runs.push({ start, end, epochSeconds: buffer.epochs[i] ?? 0 })
  }
  return runs
}

/** Intervals are merged whenever so many have come together: memory follows the result, not what was added. */
const MERGE_EVERY = 65_536

/** Adds up answers about the same range of the same asset. */
export class AnswerUnion {
  private covered: IntervalSet = []
  private added: Interval[] = []
  private readonly arrivals = new EarliestArrivals()
  private last: Answer | undefined
  private requests = 0
  private firstAt: string | null = null
  private lastAt: string | null = null
  private isAnyKnown = false
  listenerCount = 0
  completeCount = 0

  add({ answer, runs, freshRequests }: ListenerAnswer): void {
    this.last = answer
    this.listenerCount++
    if (answer.delivered) this.completeCount++
    if (answer.verdict !== 'unknown') this.isAnyKnown = true
    this.requests += freshRequests
    // Times of one form and one zone order as texts do, up to the year 9999.
    if (answer.firstAt !== null && (this.firstAt === null || answer.firstAt < this.firstAt))
      this.firstAt = answer.firstAt
    if (answer.lastAt !== null && (this.lastAt === null || answer.lastAt > this.lastAt))
      this.lastAt = answer.lastAt
    const [first, last] = answer.range ?? [0, -1]
    for (const { start, end, epochSeconds } of runs) {
      this.arrivals.add(Math.max(start, first), Math.min(end, last + 1), epochSeconds)
    }
    this.addCovered(answer)
  }

  private addCovered(answer: Answer): void {
    for (const [first, last] of answer.covered) this.added.push({ start: first, end: last + 1 })
    if (this.added.length >= MERGE_EVERY) this.merge()
  }

  private merge(): void {
    this.covered = mergeIntervals([...this.covered, ...this.added])
    this.added = []
  }

  /** The union; undefined when nothing was added. */
  result(): UnionAnswer | undefined {
    const { last } = this
    if (last === undefined) return undefined
    this.merge()
    const { range } = last
    const asked: IntervalSet = range === null ? [] : [{ start: range[0], end: range[1] + 1 }]
    const coveredBytes = coveredLength(this.covered)
    const completeAt = range === null ? undefined : this.arrivals.completeAt(range[0], range[1] + 1)
    return {
      range,
      verdict: this.judge(last.requestedBytes, coveredBytes),
      requestedBytes: last.requestedBytes,
      coveredBytes,
      covered: this.covered.map(inclusive),
      missing: subtractIntervals(asked, this.covered).map(inclusive),
      requests: this.requests,
      firstAt: this.firstAt,
      lastAt: this.lastAt,
      completeAt: completeAt === undefined ? null : formatInstant(completeAt),
      length: last.length,
    }
  }

  private judge(requestedBytes: number, coveredBytes: number): Verdict {
    if (requestedBytes > 0 && coveredBytes === requestedBytes) return 'complete'
    if (coveredBytes > 0) return 'partial'
    return this.isAnyKnown ? 'none' : 'unknown'
  }
}

function inclusive({ start, end }: Interval): InclusiveRange {
  return [start, end - 1]
}
