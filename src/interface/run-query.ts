/** The `query` command: one question or a batch of them, put to a store. */

import { parseQuery, type Query } from '../delivery/question.ts'
import { isInWindow } from '../delivery/question-time.ts'
import { toSafeJson } from './escape-text.ts'
import type { QueryArguments } from './invocation.ts'
import { type Ledger, openLedger } from './library.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import { answerNotes, renderAnswer, suggestionNotes } from './render-answer.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/**
 * Answers on standard output. The whole question is checked before the store is touched.
 * @returns 0 delivered, 1 not; for a batch 0 when every question was answered, else 2.
 */
export async function runQuery(options: QueryArguments, streams: Streams): Promise<ExitCode> {
  const store = options.store ?? DEFAULT_STORE
  if (options.batch !== undefined) {
    const { runBatch } = await import('./run-batch.ts')
    return runBatch(options.batch, store, options, streams)
  }
  const [ip, ...moreIps] = options.ip
  const [userAgent, ...moreUserAgents] = options.userAgent
  const isPlain = ip?.includes('/') !== true && userAgent?.includes('*') !== true
  if (!isPlain || moreIps.length + moreUserAgents.length > 0)
    return await askSelection(store, options, streams)
  const query = parseQuery({ ...options, ip, userAgent }, options)
  const source = await openLedger(store)
  try {
    return await runOne(source, query, options, streams)
  } finally {
    source.close()
  }
}

async function askSelection(path: string, options: QueryArguments, streams: Streams): Promise<ExitCode> {
  const { oneListener, parseSelection, runSelection } = await import('./run-selection.ts')
  const selection = parseSelection(options)
  const source = await openLedger(path)
  try {
    const query = oneListener(selection)
    if (query !== undefined) return await runOne(source, query, options, streams)
    return await runSelection(source, selection, options, streams)
  } finally {
    source.close()
  }
}

async function runOne(
  source: Ledger,
  query: Query,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const { answer, facts } = source.examine(query)
  const explained = { tally: { ...source.tally }, fileCount: source.fileCount }
  const { runs } = facts.evidence
  const notes = [...answerNotes(answer, query, facts)]
  if (runs.length === 0) notes.push(...suggestionNotes(await source.suggest(query, facts)))
  for (const note of notes) writeNote(streams, note)
  const details = options.requests || options.explain ? await import('./render-details.ts') : undefined
  const shown = runs.filter((run) => isInWindow(query.window, run.epochSeconds))
  if (options.json) {
    const full = {
      ...answer,
      ...(options.requests ? { requestList: details?.requestEntries(shown) } : {}),
      ...(options.explain ? { explain: details?.explain(explained) } : {}),
    }
    await writeOutput(streams.stdout, `${toSafeJson(full)}\n`)
  } else {
    const style = styleFor(streams.stdout, streams.environment)
    const parts = [renderAnswer(answer, query, facts, style)]
    if (options.requests && shown.length > 0) parts.push(details?.renderRequests(shown) ?? '')
    if (options.explain) parts.push(details?.renderExplanation(explained) ?? '')
    await writeOutput(streams.stdout, parts.join('\n'))
  }
  return answer.delivered ? 0 : 1
}
