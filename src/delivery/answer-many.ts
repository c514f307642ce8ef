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
import { listenersBySpelling } from './spelled-listeners.ts'
import type { DeliveryStore } from './store.ts'
import { userAgentSpellings } from './user-agent-spellings.ts'

/** Looking one question up takes about as long as passing over so many requests (`npm run bench query`). */
const REQUESTS_PER_LOOKUP = 1000
/** So much is done in one go; then whatever else the program does gets its turn. */
const REQUESTS_IN_A_TURN = 65_536
const LOOKUPS_IN_A_TURN = 64

/** An answer, or why there is none. */
export type QuestionResult = Answer | LineProblem

/** Hears how many questions of those given were answered. */
export type AnswerProgress = (answeredCount: number) => void

/** Lets the program do something else for a moment; fails when nobody wants the answers any more. */
export type GiveTurn = () => Promise<void>

/** Answers all questions; what is damaged costs only the questions that rest on it. Fails as `giveTurn` does. */
export async function answerMany(
  store: DeliveryStore,
  queries: readonly Query[],
  onProgress: AnswerProgress = () => undefined,
  giveTurn: GiveTurn = () => Promise.resolve(),
): Promise<readonly QuestionResult[]> {
  if (queries.length * REQUESTS_PER_LOOKUP >= store.requestCount) {
    try {
      return await new QuestionPass(store, queries, onProgress).answer(giveTurn)
    } catch (error) {
      // A pass reads more than each question needs: one by one, those that rest on sound bytes get answers.
      if (!(error instanceof Failure) || error.code === 'INTERRUPTED') throw error
    }
  }
  const results: QuestionResult[] = []
  for (const query of queries) {
    onProgress(results.length)
    results.push(lookUp(store, query))
    if (results.length % LOOKUPS_IN_A_TURN === 0) await giveTurn()
  }
  return results
}

function lookUp(store: DeliveryStore, query: Query): QuestionResult {
  try {
    return askSource(store, query).answer
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return lineProblem(error.code === 'USAGE' ? 'BAD_QUESTION' : error.code, error.message)
  }
}

/** The questions about one listener of one asset, and what a pass has found of it. */
interface KeyQuestions {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  /** In the list of all questions. */
  readonly places: number[]
  runs: RunBuffer | undefined
}

/** One pass over the store answers all questions, asset after asset. */
class QuestionPass {
  private readonly store: DeliveryStore
  private readonly queries: readonly Query[]
  private readonly onProgress: AnswerProgress
  /** By asset, then by address and user agent. */
  private readonly byAsset = new Map<string, KeyIndex<KeyQuestions>>()
  private readonly results: (QuestionResult | undefined)[]
  private answeredCount = 0

  constructor(store: DeliveryStore, queries: readonly Query[], onProgress: AnswerProgress) {
    this.store = store
    this.queries = queries
    this.onProgress = onProgress
    this.results = Array.from({ length: queries.length })
    queries.forEach(({ key: { asset, ip, userAgent } }, place) => {
      const keys = getOrSet(this.byAsset, asset, () => new KeyIndex<KeyQuestions>())
      const make = (): KeyQuestions => ({ asset, ip, userAgent, places: [], runs: undefined })
      keys.getOrSet(ip, userAgent, make).places.push(place)
    })
  }

  async answer(giveTurn: GiveTurn): Promise<readonly QuestionResult[]> {
    const { byAsset, store } = this
    let requestsInTurn = 0
    let asset: string | undefined
    let length = 0
    // The length of an asset is known when its last listener was seen: until then answers wait.
    const finishAsset = (): void => {
      if (asset === undefined) return
      for (const key of byAsset.get(asset)?.values() ?? []) this.answerKey(key, length)
      byAsset.delete(asset)
      this.onProgress(this.answeredCount)
    }
    let spelled = new KeyIndex<KeyQuestions[]>()
    for (const [listener, isDecoded] of listenersBySpelling(store, { assets: new Set(byAsset.keys()) })) {
      const { runs, ip, userAgent } = listener
      if (listener.asset !== asset) {
        finishAsset()
        asset = listener.asset
        length = 0
        spelled = store.hasSpellings ? indexSpellings(byAsset.get(asset)?.values() ?? []) : spelled
      }
      requestsInTurn += runs.count
      if (requestsInTurn >= REQUESTS_IN_A_TURN) {
        requestsInTurn = 0
        await giveTurn()
      }
      for (let i = 0; i < runs.count; i++) length = Math.max(length, runs.ends[i] ?? 0)
      const exact = isDecoded ? undefined : byAsset.get(asset)?.get(ip, userAgent)
      if (exact !== undefined) addRuns(exact, runs)
      if (isDecoded) for (const key of spelled.get(ip, userAgent) ?? []) addRuns(key, runs)
    }
    finishAsset()
    this.answerUnknownAssets()
    return this.results.map((result) => result ?? lineProblem('CRASHED', 'a question was passed over'))
  }

  private answerKey({ asset, places, runs = NO_RUNS }: KeyQuestions, observedLength: number): void {
    runs.sort()
    const known = { observedLength, ...this.store.toldOf(asset) }
    for (const place of places) {
      const query = this.queries[place]
      if (query === undefined) continue
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
    const keys = [...this.byAsset.values()].flatMap((index) => [...index.values()])
    if (keys.length === 0) return
    const wanted = new KeyIndex<true>()
    const userAgents = new Set<string>()
    const spellingsOf = (text: string): readonly string[] =>
      this.store.hasSpellings ? userAgentSpellings(text) : [text]
    for (const { ip, userAgent } of keys)
      for (const spelling of spellingsOf(userAgent)) {
        wanted.getOrSet(ip, spelling, () => true)
        userAgents.add(spelling)
      }
    const scan = {
      ip: (text: string) => wanted.hasIp(text),
      userAgent: (text: string) => userAgents.has(text),
    }
    const [exact, decoded] = [new KeyIndex<true>(), new KeyIndex<true>()]
    for (const [{ ip, userAgent }, isDecoded] of listenersBySpelling(this.store, scan)) {
      const seen = isDecoded ? decoded : exact
      seen.getOrSet(ip, userAgent, () => true)
    }
    for (const { asset, ip, userAgent, places } of keys) {
      const known = { observedLength: undefined, ...this.store.toldOf(asset) }
      const listenerKnown =
        exact.get(ip, userAgent) === true ||
        spellingsOf(userAgent).some((spelling) => decoded.get(ip, spelling) === true)
      const evidence = { runs: [], assetKnown: false, listenerKnown }
      for (const place of places) {
        const query = this.queries[place]
        if (query === undefined) continue
        this.results[place] = answerQuery(query, { evidence, ...known })
      }
    }
  }
}

/** Questions by each spelling of their user agents. */
function indexSpellings(keys: Iterable<KeyQuestions>): KeyIndex<KeyQuestions[]> {
  const index = new KeyIndex<KeyQuestions[]>()
  for (const key of keys)
    for (const spelling of userAgentSpellings(key.userAgent))
      index.getOrSet(key.ip, spelling, () => []).push(key)
  return index
}

/** The runs of a listener are valid for a moment, and several listeners may be one in other spellings. */
function addRuns(key: KeyQuestions, { count, starts, ends, epochs }: RunBuffer): void {
  const runs = key.runs ?? new RunBuffer(count)
  for (let i = 0; i < count; i++) runs.add(starts[i] ?? 0, ends[i] ?? 0, epochs[i] ?? 0)
  key.runs = runs
}

/** Values by address and user agent. */
class KeyIndex<T> {
  private readonly byIp = new Map<string, Map<string, T>>()

  hasIp(ip: string): boolean {
    return this.byIp.has(ip)
  }

  get(ip: string, userAgent: string): T | undefined {
    return this.byIp.get(ip)?.get(userAgent)
  }

  getOrSet(ip: string, userAgent: string, make: () => T): T {
    return getOrSet(
      getOrSet(this.byIp, ip, () => new Map<string, T>()),
      userAgent,
      make,
    )
  }

  *values(): Generator<T, void, void> {
    for (const byUserAgent of this.byIp.values()) yield* byUserAgent.values()
  }
}

const NO_RUNS = new RunBuffer()

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
