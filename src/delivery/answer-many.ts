/**
 * Many questions at once: in one pass over the store when that costs less than looking each up. Answers are
 * the same either way, in the order of the questions.
 */

import { Failure } from '../base/failure.ts'
import { type Answer, answerQuery, askedRange, askSource } from './answer.ts'
import { overlapping } from './answer-listeners.ts'
import { type LineProblem, lineProblem } from './batch-question.ts'
import type { Query } from './question.ts'
import { RunBuffer } from './run-buffer.ts'
import type { DeliveryStore } from './store.ts'

/** Looking one question up takes about as long as passing over so many requests (`npm run bench query`). */
const REQUESTS_PER_LOOKUP = 1000

/** An answer, or why there is none. */
export type QuestionResult = Answer | LineProblem

/** Hears how many questions of those given were answered. */
export type AnswerProgress = (answeredCount: number) => void

/** Answers all questions; what is damaged costs only the questions that rest on it. */
export function answerMany(
  store: DeliveryStore,
  queries: readonly Query[],
  onProgress: AnswerProgress = () => undefined,
): readonly QuestionResult[] {
  // A pass knows texts as they are stored: where those may be spelled in other ways, each question is looked up.
  const isCheaper = queries.length * REQUESTS_PER_LOOKUP < store.requestCount
  if (isCheaper || store.hasSpellings) return lookUp(store, queries, onProgress)
  try {
    return new QuestionPass(store, queries, onProgress).answer()
  } catch (error) {
    // A pass reads more than each question needs: one by one, those that rest on sound bytes get answers.
    if (!(error instanceof Failure)) throw error
    return lookUp(store, queries, onProgress)
  }
}

function lookUp(
  store: DeliveryStore,
  queries: readonly Query[],
  onProgress: AnswerProgress,
): readonly QuestionResult[] {
  return queries.map((query, i) => {
    onProgress(i)
    try {
      return askSource(store, query).answer
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return lineProblem(error.code === 'USAGE' ? 'BAD_QUESTION' : error.code, error.message)
    }
  })
}

/** Places of the questions of one listener, in the list of all questions. */
type ListenerQuestions = Map<string, Map<string, number[]>>

/** What one pass finds, asset after asset. */
class QuestionPass {
  private readonly store: DeliveryStore
  private readonly queries: readonly Query[]
  private readonly onProgress: AnswerProgress
  private readonly byAsset = new Map<string, ListenerQuestions>()
  private readonly results: (QuestionResult | undefined)[]
  private answeredCount = 0

  constructor(store: DeliveryStore, queries: readonly Query[], onProgress: AnswerProgress) {
    this.store = store
    this.queries = queries
    this.onProgress = onProgress
    this.results = Array.from({ length: queries.length })
    queries.forEach(({ key: { asset, ip, userAgent } }, place) => {
      const byIp = getOrSet(this.byAsset, asset, () => new Map<string, Map<string, number[]>>())
      const byUserAgent = getOrSet(byIp, ip, () => new Map<string, number[]>())
      getOrSet(byUserAgent, userAgent, () => []).push(place)
    })
  }

  answer(): readonly QuestionResult[] {
    const { byAsset, store } = this
    let asset: string | undefined
    let length = 0
    // The length of an asset is known when its last listener was seen: until then answers wait.
    let waiting: { readonly places: readonly number[]; readonly runs: RunBuffer }[] = []
    const finishAsset = (): void => {
      if (asset === undefined) return
      for (const { places, runs } of waiting) this.answerListener(places, runs, length)
      for (const places of placesIn(byAsset.get(asset))) this.answerListener(places, NO_RUNS, length)
      byAsset.delete(asset)
      this.onProgress(this.answeredCount)
    }
    for (const listener of store.listeners({ assets: new Set(byAsset.keys()) })) {
      if (listener.asset !== asset) {
        finishAsset()
        asset = listener.asset
        length = 0
        waiting = []
      }
      const { runs, ip, userAgent } = listener
      for (let i = 0; i < runs.count; i++) length = Math.max(length, runs.ends[i] ?? 0)
      const byUserAgent = byAsset.get(asset)?.get(ip)
      const places = byUserAgent?.get(userAgent)
      if (places === undefined) continue
      waiting.push({ places, runs: runs.copy() })
      byUserAgent?.delete(userAgent)
    }
    finishAsset()
    this.answerUnknownAssets()
    return this.results.map((result) => result ?? lineProblem('CRASHED', 'a question was passed over'))
  }

  private answerListener(places: readonly number[], runs: RunBuffer, observedLength: number): void {
    for (const place of places) {
      const query = this.queries[place]
      if (query === undefined) continue
      const known = { observedLength, loggedLengths: this.store.loggedLengths(query.key.asset) }
      const evidence = {
        runs: overlapping(runs, askedRange(query, known)),
        assetKnown: true,
        listenerKnown: runs.count > 0,
      }
      this.results[place] = answerQuery(query, { evidence, ...known })
      this.answeredCount++
    }
  }

  /** Nothing is known of what is left in `byAsset`; whether the listeners occur at all takes another pass. */
  private answerUnknownAssets(): void {
    const { byAsset, store } = this
    if (byAsset.size === 0) return
    const ips = new Map<string, Set<string>>()
    const userAgents = new Set<string>()
    for (const byIp of byAsset.values()) {
      for (const [ip, byUserAgent] of byIp) {
        getOrSet(ips, ip, () => new Set<string>())
        for (const userAgent of byUserAgent.keys()) userAgents.add(userAgent)
      }
    }
    const scan = { ip: (text: string) => ips.has(text), userAgent: (text: string) => userAgents.has(text) }
    for (const { ip, userAgent } of store.listeners(scan)) ips.get(ip)?.add(userAgent)
    for (const byIp of byAsset.values()) {
      for (const places of placesIn(byIp)) {
        for (const place of places) {
          const query = this.queries[place]
          if (query === undefined) continue
          const listenerKnown = ips.get(query.key.ip)?.has(query.key.userAgent) === true
          const evidence = { runs: [], assetKnown: false, listenerKnown }
          this.results[place] = answerQuery(query, {
            evidence,
            observedLength: undefined,
            loggedLengths: [],
          })
        }
      }
    }
  }
}

const NO_RUNS = new RunBuffer()

function* placesIn(questions: ListenerQuestions | undefined): Generator<readonly number[], void, void> {
  if (questions === undefined) return
  for (const byUserAgent of questions.values()) yield* byUserAgent.values()
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
