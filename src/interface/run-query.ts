/** The `query` command: one question or a batch of them, put to a store. */

import { createReadStream } from 'node:fs'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { MAX_POSITION } from '../base/positions.ts'
import { askSource } from '../delivery/answer.ts'
import type { QuestionResult } from '../delivery/answer-many.ts'
import type { Query } from '../delivery/question.ts'
import { isInWindow, parseTimeWindow, type TimeWindow } from '../delivery/question-time.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import { suggestKnown } from '../delivery/suggest-known.ts'
import type { QueryArguments } from './arguments.ts'
import { openCommitted } from './committed-files.ts'
import { toSafeJson } from './escape-text.ts'
import { formatCount, formatSeconds, formatShare } from './format-figures.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import { openLine } from './progress.ts'
import { answerNotes, renderAnswer, suggestionNotes } from './render-answer.ts'
import { explain, renderExplanation, renderRequests, requestEntries } from './render-details.ts'
import { isOneListener, parseSelection, parseSelectors, runSelection } from './run-selection.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

const ANY_POSITION = { start: 0, end: MAX_POSITION + 1 }

/** Options that say what one question is about; a batch brings its own. */
const QUESTION_OPTIONS = ['asset', 'range', 'start', 'end', 'length'] as const

/**
 * Answers on standard output. The whole question is checked before the store is touched.
 * @returns 0 delivered, 1 not; for a batch 0 when every question was answered, else 2.
 */
export async function runQuery(options: QueryArguments, streams: Streams): Promise<ExitCode> {
  const store = options.store ?? DEFAULT_STORE
  if (options.batch !== undefined) return runBatch(options.batch, store, options, streams)
  const selectors = parseSelectors(options)
  const selection = parseSelection(options, selectors)
  const source = await openCommitted(store)
  try {
    if (!isOneListener(selectors)) return await runSelection(source, selection, options, streams)
    const [ip = ''] = selectors.ips.flatMap(({ exact }) => exact ?? [])
    const [userAgent = ''] = selectors.userAgents.flatMap(({ exact }) => exact ?? [])
    const { asset, target, window } = selection
    return await runOne(source, { key: { asset, ip, userAgent }, target, window }, options, streams)
  } finally {
    source.close()
  }
}

async function runOne(
  source: DeliveryStore,
  query: Query,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const { answer, facts } = askSource(source, query)
  const explanation = { ...source.tally }
  const { runs } = facts.evidence
  const notes = [...answerNotes(answer, query, facts)]
  // A listener who has other bytes of the asset is no slip of the keyboard.
  if (runs.length === 0 && source.findEvidence(query.key, ANY_POSITION).runs.length === 0)
    notes.push(...suggestionNotes(suggestKnown(source, query.key, facts.evidence)))
  for (const note of notes) writeNote(streams, note)
  const shown = runs.filter((run) => isInWindow(query.window, run.epochSeconds))
  if (options.json) {
    const full = {
      ...answer,
      ...(options.requests ? { requestList: requestEntries(shown) } : {}),
      ...(options.explain ? { explain: explain(explanation) } : {}),
    }
    await writeOutput(streams.stdout, `${toSafeJson(full)}\n`)
  } else {
    const style = styleFor(streams.stdout, streams.environment)
    const parts = [renderAnswer(answer, query, facts, style)]
    if (options.requests && shown.length > 0) parts.push(renderRequests(shown))
    if (options.explain) parts.push(renderExplanation(explanation))
    await writeOutput(streams.stdout, parts.join('\n'))
  }
  return answer.delivered ? 0 : 1
}

async function runBatch(
  path: string,
  store: string,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const superfluous = QUESTION_OPTIONS.filter((name) => options[name] !== undefined)
  if (superfluous.length + options.ip.length + options.userAgent.length > 0 || options.whole) {
    throw new Failure(
      'USAGE',
      '--batch brings its own questions: leave out --asset, --ip, --user-agent and the range',
    )
  }
  const window = parseTimeWindow(options.since, options.until)
  const source = await openCommitted(store)
  try {
    return await answerAll(path, source, window, streams)
  } finally {
    source.close()
  }
}

async function answerAll(
  path: string,
  source: DeliveryStore,
  window: TimeWindow,
  streams: Streams,
): Promise<ExitCode> {
  const { answerBatch } = await import('../delivery/batch.ts')
  const { answerMany } = await import('../delivery/answer-many.ts')
  const input = path === '-' ? streams.stdin : createReadStream(path)
  const questions = readAll(input, path === '-' ? 'standard input' : path)
  let answeredCount = 0
  let failedCount = 0
  const progress = streams.stderr.isTTY === true ? openLine(streams.stderr, describeBatch) : undefined
  const askMany = (queries: readonly Query[]): readonly QuestionResult[] =>
    answerMany(source, queries, (count) => progress?.update([count, queries.length]))
  try {
    for await (const result of answerBatch(questions, window, askMany)) {
      progress?.finish()
      if ('error' in result) failedCount++
      else answeredCount++
      const written = await writeOutput(streams.stdout, `${toSafeJson(result)}\n`)
      if (written === 'closed') return failedCount === 0 ? 0 : 2
    }
  } finally {
    progress?.finish()
    // An open standard input would keep the program alive after the reader of the answers has gone.
    input.destroy()
  }
  if (answeredCount + failedCount === 0) writeNote(streams, 'the batch holds no question')
  if (failedCount > 0) {
    writeNote(
      streams,
      `${failedCount} of ${answeredCount + failedCount} questions got no answer: see their "error"`,
    )
  }
  return failedCount === 0 ? 0 : 2
}

function describeBatch([answeredCount, questionCount]: readonly [number, number], elapsed: number): string {
  const share = formatShare(answeredCount, questionCount)
  return `${formatCount(answeredCount)} of ${formatCount(questionCount)} questions answered, ${share}, ${formatSeconds(elapsed)}`
}

async function* readAll(input: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await attemptedAsync(name, 'read the questions from', () => pieces.next())
    if (done === true) return
    yield value
  }
}
