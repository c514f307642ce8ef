/** `query` for several listeners: blocks of addresses, patterns of user agents, several values. */

import type { Answer } from '../delivery/answer.ts'
import { AnswerUnion, type ListenerAnswer } from '../delivery/answer-listeners.ts'
import { parseIpSelector, parseUserAgentSelector, type Selection } from '../delivery/listener-selector.ts'
import { parseQuery, type Query } from '../delivery/question.ts'
import { type Unmatched, UnmatchedSelectors } from '../delivery/unmatched-selectors.ts'
import { quoteForShell, toSafeJson } from './escape-text.ts'
import { writeWhole } from './held-output.ts'
import type { QueryArguments } from './invocation.ts'
import type { Ledger } from './library.ts'
import { askedNotes, suggestionNotes } from './render-answer.ts'
import { explain, renderExplanation, renderRequests, requestEntries } from './render-details.ts'
import { LISTED_LISTENERS, renderSelection } from './render-selection.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/** Reads the whole question. Fails with `USAGE` for what is none. */
export function parseSelection(options: QueryArguments): Selection {
  const ips = options.ip.map(parseIpSelector)
  const userAgents = options.userAgent.map(parseUserAgentSelector)
  const text = { ...options, ip: options.ip[0], userAgent: options.userAgent[0] }
  const { key, target, window } = parseQuery(text, options)
  return { asset: key.asset, ips, userAgents, target, window }
}

/** The question about one listener that a selection comes to when it has no pattern: a star that was escaped. */
export function oneListener({ asset, ips, userAgents, target, window }: Selection): Query | undefined {
  const [ip, ...moreIps] = ips
  const [userAgent, ...moreUserAgents] = userAgents
  if (ip?.exact === undefined || userAgent?.exact === undefined) return undefined
  if (moreIps.length + moreUserAgents.length > 0) return undefined
  return { key: { asset, ip: ip.exact, userAgent: userAgent.exact }, target, window }
}

/**
 * Answers on standard output. @returns 0 when every value selects somebody, and every listener that is selected has
 * every byte; 1 else.
 */
export async function runSelection(
  store: Ledger,
  selection: Selection,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const union = new AnswerUnion()
  const selectors = new UnmatchedSelectors(selection)
  const answers = await store.select(selection)
  if (options.json)
    await writeWhole(streams.stdout, jsonPieces(answers, { union, selectors, store, selection }, options))
  else {
    const listed: Answer[] = []
    const requests: string[] = []
    for (const listener of answers) {
      const { answer, runs } = listener
      union.add(listener)
      selectors.add(answer)
      if (listed.length === LISTED_LISTENERS) continue
      listed.push(answer)
      if (options.requests) requests.push(renderSelected(answer, runs))
    }
    const style = styleFor(streams.stdout, streams.environment)
    const parts = [
      renderSelection(selection.asset, { union, listed, unmatched: selectors.result() }, style),
      ...requests,
    ]
    if (options.explain) parts.push(`\n${renderExplanation(store)}`)
    await writeOutput(streams.stdout, parts.join(''))
  }
  if (selection.target.kind === 'whole')
    for (const note of askedNotes(union.result()?.length ?? null)) writeNote(streams, note)
  // Without a request no verdict is a matter of bytes: nobody who was meant may be there.
  if ((union.result()?.requests ?? 0) === 0)
    for (const note of suggestionNotes(await store.suggestListeners(selection))) writeNote(streams, note)
  const unmatched = selectors.result()
  if (unmatched !== undefined && union.listenerCount > 0) writeNote(streams, unmatchedNote(unmatched))
  const areAllThere = union.listenerCount > 0 && unmatched === undefined
  return areAllThere && union.completeCount === union.listenerCount ? 0 : 1
}

function unmatchedNote({ ips, userAgents }: Unmatched): string {
  const values = [
    ...ips.map((text) => `--ip ${quoteForShell(text)}`),
    ...userAgents.map((text) => `--user-agent ${quoteForShell(text)}`),
  ]
  return `no listener of this asset is meant by ${values.join(', ')}: the answers say nothing about it`
}

function renderSelected({ ip, userAgent }: Answer, runs: ListenerAnswer['runs']): string {
  return `\n  ${toSafeJson(ip).slice(1, -1)}  ${toSafeJson(userAgent).slice(1, -1)}\n${renderRequests(runs)}`
}

/** One object, made answer by answer: there may be millions of them. */
async function* jsonPieces(
  answers: Iterable<ListenerAnswer>,
  {
    union,
    selectors,
    store,
    selection,
  }: { union: AnswerUnion; selectors: UnmatchedSelectors; store: Ledger; selection: Selection },
  options: QueryArguments,
): AsyncGenerator<string, void, void> {
  yield `{"v":1,"asset":${toSafeJson(selection.asset)},"answers":[`
  for (const listener of answers) {
    const { answer, runs } = listener
    const separator = union.listenerCount === 0 ? '\n' : ',\n'
    union.add(listener)
    selectors.add(answer)
    const full = options.requests ? { ...answer, requestList: requestEntries(runs) } : answer
    yield separator + toSafeJson(full)
  }
  const unmatched = selectors.result()
  const end = {
    listeners: union.listenerCount,
    complete: union.completeCount,
    union: union.result() ?? (await store.emptyUnion(selection)),
    ...(unmatched === undefined ? {} : { unmatched }),
    ...(options.explain ? { explain: explain(store) } : {}),
  }
  yield `\n],${toSafeJson(end).slice(1)}\n`
}
