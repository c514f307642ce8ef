/** `query` for several listeners: blocks of addresses, patterns of user agents, several values. */

import type { Answer } from '../delivery/answer.ts'
import { AnswerUnion, answerListeners, type ListenerAnswer } from '../delivery/answer-listeners.ts'
import {
  parseIpSelector,
  parseUserAgentSelector,
  type Selection,
  type TextSelector,
} from '../delivery/listener-selector.ts'
import { parseQuery } from '../delivery/question.ts'
import type { DeliveryStore } from '../delivery/store.ts'
import type { QueryArguments } from './arguments.ts'
import { toSafeJson } from './escape-text.ts'
import { explain, renderExplanation, renderRequests, requestEntries } from './render-details.ts'
import { LISTED_LISTENERS, renderSelection } from './render-selection.ts'
import type { ExitCode, Streams } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/** The listeners that the options name. */
export interface Selectors {
  readonly ips: readonly TextSelector[]
  readonly userAgents: readonly TextSelector[]
}

/** Reads `--ip` and `--user-agent`. Fails with `USAGE` for what is no selector. */
export function parseSelectors(options: QueryArguments): Selectors {
  return { ips: options.ip.map(parseIpSelector), userAgents: options.userAgent.map(parseUserAgentSelector) }
}

/** Whether one listener is named, exactly: then the answer is one answer. */
export function isOneListener({ ips, userAgents }: Selectors): boolean {
  return [ips, userAgents].every((list) => list.length <= 1 && list.every(({ exact }) => exact !== undefined))
}

/** Checks the whole question; fails with `USAGE`. */
export function parseSelection(options: QueryArguments, selectors: Selectors): Selection {
  const text = { ...options, ip: options.ip[0], userAgent: options.userAgent[0] }
  const { key, target, window } = parseQuery(text, options)
  return { asset: key.asset, ...selectors, target, window }
}

/** Answers on standard output. @returns 0 when every listener that is selected has every byte, 1 else. */
export async function runSelection(
  store: DeliveryStore,
  selection: Selection,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const union = new AnswerUnion()
  const answers = answerListeners(store, selection)
  if (options.json) await writeJson(answers, { union, store, asset: selection.asset }, options, streams)
  else {
    const listed: Answer[] = []
    const requests: string[] = []
    for (const { answer, runs } of answers) {
      union.add(answer)
      if (listed.length === LISTED_LISTENERS) continue
      listed.push(answer)
      if (options.requests) requests.push(renderSelected(answer, runs))
    }
    const style = styleFor(streams.stdout, streams.environment)
    const parts = [renderSelection(selection.asset, union, listed, style), ...requests]
    if (options.explain) parts.push(`\n${renderExplanation(store.tally)}`)
    await writeOutput(streams.stdout, parts.join(''))
  }
  return union.listenerCount > 0 && union.completeCount === union.listenerCount ? 0 : 1
}

function renderSelected({ ip, userAgent }: Answer, runs: ListenerAnswer['runs']): string {
  return `\n  ${toSafeJson(ip).slice(1, -1)}  ${toSafeJson(userAgent).slice(1, -1)}\n${renderRequests(runs)}`
}

/** One object, written answer by answer: there may be millions of them. */
async function writeJson(
  answers: Iterable<ListenerAnswer>,
  { union, store, asset }: { union: AnswerUnion; store: DeliveryStore; asset: string },
  options: QueryArguments,
  { stdout }: Streams,
): Promise<void> {
  await writeOutput(stdout, `{"v":1,"asset":${toSafeJson(asset)},"answers":[`)
  for (const { answer, runs } of answers) {
    const separator = union.listenerCount === 0 ? '\n' : ',\n'
    union.add(answer)
    const full = options.requests ? { ...answer, requestList: requestEntries(runs) } : answer
    if ((await writeOutput(stdout, separator + toSafeJson(full))) === 'closed') return
  }
  const end = {
    listeners: union.listenerCount,
    complete: union.completeCount,
    union: union.result() ?? null,
    ...(options.explain ? { explain: explain(store.tally) } : {}),
  }
  await writeOutput(stdout, `\n],${toSafeJson(end).slice(1)}\n`)
}
