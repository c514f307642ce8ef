/**
 * The library: what the command line asks, as typed functions. `import { openStore } from 'byteledger'`.
 *
 * Positions are inclusive, times ISO 8601 or epoch seconds as text, texts exactly as logged. Whatever fails
 * is an Error with a `code`: `USAGE` for a question that is none, `ENVIRONMENT` for files that cannot be
 * read, `DAMAGED` for files that are not whole or not ours - never an answer.
 */

import { setImmediate } from 'node:timers/promises'
import { Failure, invariant } from '../base/failure.ts'
import { MAX_POSITION } from '../base/positions.ts'
import { type Answer, askSource, type Facts } from '../delivery/answer.ts'
import type { ListenerAnswer, UnionAnswer } from '../delivery/answer-listeners.ts'
import type { AnswerProgress, QuestionResult } from '../delivery/answer-many.ts'
import type { LoggedFiles } from '../delivery/committed-file.ts'
import type { Selection } from '../delivery/listener-selector.ts'
import type { RangeRow } from '../delivery/merged-ranges.ts'
import type { Query } from '../delivery/question.ts'
import { formatInstant } from '../delivery/question-time.ts'
import type { Report, ReportKind, ReportScope } from '../delivery/report-model.ts'
import type { ReportPlan } from '../delivery/report-plan.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import type { Suggestions } from '../delivery/suggest-known.ts'
import type { ReportRun } from '../engine/report-threads.ts'
import type { ReadTally } from '../parquet/read-tally.ts'
import { openCommitted } from './committed-files.ts'
import {
  readList,
  readPath,
  readQuestion,
  readReport,
  readScope,
  readSelection,
  SETTING_LABELS,
} from './library-questions.ts'
import type { ReportSettings } from './make-report.ts'

export type { Answer, InclusiveRange, Verdict } from '../delivery/answer.ts'
export type { QuestionResult } from '../delivery/answer-many.ts'
export type { AssetLength } from '../delivery/asset-length.ts'
export type { RangeRow } from '../delivery/merged-ranges.ts'
export type { ReportKind } from '../delivery/report-model.ts'
export type { ReportSettings } from './make-report.ts'

/** So many items are made in one go; then whatever else the program does gets its turn. */
const ITEMS_IN_A_TURN = 256
const NO_SUGGESTIONS: Suggestions = { assets: [], ips: [], userAgents: [] }
const ANY_POSITION = { start: 0, end: MAX_POSITION + 1 }

/** The bytes asked about: a range with both ends inclusive, or the whole, of a length that is known or observed. */
export type AskedBytes =
  | { readonly range: readonly [first: number, last: number] }
  | { readonly whole: true; readonly length?: number | undefined }

/** Only requests from `since` up to `until`, both inclusive: a date, a date-time, or epoch seconds as text. */
export interface AskedTime {
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** One question about one listener. */
export type Question = AskedBytes &
  AskedTime & { readonly asset: string; readonly ip: string; readonly userAgent: string }

/** One question about many: `ip` takes CIDR blocks, `userAgent` patterns with `*`. */
export type ListenersQuestion = AskedBytes &
  AskedTime & {
    readonly asset: string
    readonly ip: string | readonly string[]
    readonly userAgent: string | readonly string[]
  }

/** One delivered request. */
export interface DeliveredRequest {
  readonly range: readonly [first: number, last: number]
  readonly at: string
}

/** A listener with all of its requests for one asset. */
export interface Listener {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly requests: readonly DeliveredRequest[]
}

/** What is asked of all assets, or of one. */
export interface StoreScope extends AskedTime {
  readonly asset?: string | undefined
}

/** A report's settings; those that do not concern it are refused. */
export interface ReportQuestion extends StoreScope, ReportSettings {
  /** The length of the asset, with `asset`. */
  readonly length?: number | undefined
  /** By default as many as there are processors, for stores that are large enough. */
  readonly threads?: number | undefined
}

/** A report as programs read it: one object a row, with the columns' keys. */
export interface ReportResult {
  readonly title: string
  readonly facts: Readonly<Record<string, string | number>>
  readonly rows: AsyncIterable<Readonly<Record<string, unknown>>>
}

/** An answer with all that it was judged by. */
export interface Examination {
  readonly answer: Answer
  readonly facts: Facts
}

/** An open store. Close it when done. */
export interface Store {
  /** Was every byte asked about delivered? */
  ask(question: Question): Promise<Answer>
  /**
   * Many questions together, in one pass when they are many; results in the order of the questions, an error
   * as `{code, message}` in its place.
   */
  askMany(questions: readonly Question[]): Promise<readonly QuestionResult[]>
  /** One answer for each listener that is selected, in the order of address and user agent. */
  askListeners(question: ListenersQuestion): AsyncGenerator<Answer, void, void>
  /** Every listener of every asset, in the order of asset, address and user agent. */
  listeners(scope?: StoreScope): AsyncGenerator<Listener, void, void>
  /** Every merged interval of every listener. */
  ranges(scope?: StoreScope): AsyncGenerator<RangeRow, void, void>
  /** A table about the whole store; its rows can be read once: a second time fails with `USAGE`. */
  report(kind: ReportKind, question?: ReportQuestion): Promise<ReportResult>
  close(): void
}

/** Opens a store, a `.parquet` file, a directory of them, or a glob. Fails when nothing is there. */
export async function openStore(path: string): Promise<Store> {
  return await openLedger(readPath(path), 'path')
}

/** The same store with what the command line needs beside: questions that were read already. */
export async function openLedger(path: string, label?: string): Promise<Ledger> {
  const { store, files } = await openCommitted(path, label)
  return new Ledger(store, files)
}

/** See `openLedger`. What a single question does not need is loaded when it is asked for. */
export class Ledger implements Store {
  private readonly openedStore: DeliveryStore
  private readonly files: LoggedFiles
  private isClosed = false

  constructor(store: DeliveryStore, files: LoggedFiles) {
    this.openedStore = store
    this.files = files
  }

  /** What was read since the store was opened. */
  get tally(): Readonly<ReadTally> {
    return this.openedStore.tally
  }

  /** Files of the store, opened or not. */
  get fileCount(): number {
    return this.openedStore.paths.length
  }

  /** Files that were closed would be opened again. */
  private get store(): DeliveryStore {
    this.checkOpen()
    return this.openedStore
  }

  private checkOpen(): void {
    if (this.isClosed) throw new Failure('USAGE', 'the store is closed: open it again to ask')
  }

  ask(question: Question): Promise<Answer> {
    return promised(() => this.examine(readQuestion(question)).answer)
  }

  async askMany(questions: readonly Question[]): Promise<readonly QuestionResult[]> {
    const { readOrProblem } = await import('../delivery/batch-question.ts')
    const read = readList(questions).map((question) => readOrProblem(() => readQuestion(question)))
    const answers = await this.answerAll(read.flatMap((query) => ('code' in query ? [] : query)))
    let next = 0
    return read.map((query) => {
      const result = 'code' in query ? query : answers[next++]
      invariant(result !== undefined, 'a question has no result')
      return result
    })
  }

  async *askListeners(question: ListenersQuestion): AsyncGenerator<Answer, void, void> {
    const { ips, userAgents, ...rest } = readSelection(question)
    const { parseUserAgentSelector, readIpSelector } = await import('../delivery/listener-selector.ts')
    const selection = {
      ...rest,
      ips: ips.map((ip) => readIpSelector(ip, 'ip')),
      userAgents: userAgents.map(parseUserAgentSelector),
    }
    for await (const { answer } of this.inTurns(await this.select(selection))) yield answer
  }

  async *listeners(scope: StoreScope = {}): AsyncGenerator<Listener, void, void> {
    const { asset: only, window } = readScope(scope)
    const scan = only === undefined ? { window } : { window, assets: new Set([only]) }
    for await (const { asset, ip, userAgent, runs } of this.inTurns(this.store.listeners(scan))) {
      const requests = Array.from({ length: runs.count }, (_, i): DeliveredRequest => {
        return {
          range: [runs.starts[i] ?? 0, (runs.ends[i] ?? 0) - 1],
          at: formatInstant(runs.epochs[i] ?? 0),
        }
      })
      yield { asset, ip, userAgent, requests }
    }
  }

  async *ranges(scope: StoreScope = {}): AsyncGenerator<RangeRow, void, void> {
    yield* this.inTurns(await this.mergedRanges(readScope(scope)))
  }

  async report(kind: ReportKind, question: ReportQuestion = {}): Promise<ReportResult> {
    const { kind: itsKind, scope, settings, threadCount } = readReport(kind, question)
    const { planReport } = await import('./make-report.ts')
    const plan = planReport(itsKind, scope, settings, SETTING_LABELS)
    const report = await this.makeReport(plan, { threadCount })
    return {
      title: report.title,
      facts: Object.fromEntries(report.facts),
      rows: readOnce(this.objectsOf(report)),
    }
  }

  /** Answers a question that was read already. */
  examine(query: Query): Examination {
    return askSource(this.store, query)
  }

  /** Answers many of them together. */
  async answerAll(
    queries: readonly Query[],
    onProgress?: AnswerProgress,
    signal?: AbortSignal,
  ): Promise<readonly QuestionResult[]> {
    const { answerMany } = await import('../delivery/answer-many.ts')
    return await answerMany(this.store, queries, onProgress, async () => {
      await setImmediate()
      if (signal?.aborted === true) throw new Failure('INTERRUPTED', 'interrupted')
      this.checkOpen()
    })
  }

  /** Answers for the listeners of a selection. */
  async select(selection: Selection): Promise<Generator<ListenerAnswer, void, void>> {
    const { answerListeners } = await import('../delivery/answer-listeners.ts')
    return answerListeners(this.store, selection)
  }

  /** What listeners hold together when a selection has none. */
  async emptyUnion(selection: Selection): Promise<UnionAnswer> {
    const { emptyUnion } = await import('../delivery/empty-union.ts')
    return emptyUnion(this.store, selection)
  }

  /** What a question that found nothing may have meant; nothing when the listener has other bytes of the asset. */
  async suggest({ key }: Query, { evidence }: Facts): Promise<Suggestions> {
    const isThere = this.store.findEvidence(key, ANY_POSITION).runs.length > 0
    if (isThere) return NO_SUGGESTIONS
    const { suggestKnown } = await import('../delivery/suggest-known.ts')
    return suggestKnown(this.store, key, evidence)
  }

  /** The same for several listeners. */
  async suggestListeners(selection: Selection): Promise<Suggestions> {
    const { asset, ips, userAgents } = selection
    const { selects } = await import('../delivery/listener-selector.ts')
    const { AskedUserAgents } = await import('../delivery/claimed-listeners.ts')
    const asked = new AskedUserAgents(selection)
    const found = this.store.listenersOf(asset, {
      ip: (text) => selects(ips, text),
      userAgent: (text) => asked.isSpelling(text) || selects(userAgents, text),
    })
    for (const _ of found) return NO_SUGGESTIONS
    const { suggestListeners } = await import('../delivery/suggest-known.ts')
    const assetKnown = this.store.observedLength(asset) !== undefined
    return suggestListeners(this.store, selection, { assetKnown, listenerKnown: false })
  }

  /** Assets that resemble one of which nothing is known; undefined for one that is known. */
  async assetsLike(asset: string): Promise<Suggestions | undefined> {
    if (this.store.observedLength(asset) !== undefined) return undefined
    const { suggestListeners } = await import('../delivery/suggest-known.ts')
    return suggestListeners(
      this.store,
      { asset, ips: [], userAgents: [] },
      { assetKnown: false, listenerKnown: false },
    )
  }

  /** Merged intervals, one after the other. */
  async mergedRanges(scope: Pick<ReportScope, 'asset' | 'window'>): Promise<Generator<RangeRow, void, void>> {
    const { mergedRanges } = await import('../delivery/merged-ranges.ts')
    return mergedRanges(this.store, scope)
  }

  /** Makes a report that was planned. */
  async makeReport(plan: ReportPlan, run: ReportRun): Promise<Report> {
    const { makeReport } = await import('../engine/report-threads.ts')
    return makeReport({ store: this.store, files: this.files }, plan, run)
  }

  close(): void {
    this.isClosed = true
    this.openedStore.close()
  }

  private async *objectsOf({ columns, rows }: Report): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const { plainCell } = await import('./report-cells.ts')
    for await (const row of this.inTurns(rows)) {
      yield Object.fromEntries(columns.map(({ key, kind }, i) => [key, plainCell(row[i] ?? null, kind)]))
    }
  }

  /** Gives the program its turn now and then. Fails when the store was closed. */
  private async *inTurns<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, void> {
    let count = 0
    this.checkOpen()
    for await (const item of items) {
      yield item
      if (++count % ITEMS_IN_A_TURN === 0) await setImmediate()
      this.checkOpen()
    }
  }
}

/** The same items, once: read a second time they would look like a report that found nothing. */
function readOnce<T>(items: AsyncGenerator<T>): AsyncIterable<T> {
  let isTaken = false
  return {
    [Symbol.asyncIterator]() {
      if (isTaken) {
        throw new Failure(
          'USAGE',
          'the rows of this report were read already: keep them, or ask for the report once more',
        )
      }
      isTaken = true
      return items
    },
  }
}

/** What an act gives, or throws, as a promise. */
function promised<T>(act: () => T): Promise<T> {
  return Promise.resolve().then(act)
}
