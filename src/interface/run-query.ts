/** The `query` command: one question or a batch of them, put to a store. */

import { createReadStream } from 'node:fs'
import { attemptedAsync, Failure } from '../base/failure.ts'
import { askSource, rememberLengths } from '../delivery/answer.ts'
import type { EvidenceSource } from '../delivery/evidence.ts'
import { parseQuery } from '../delivery/question.ts'
import { parseTimeWindow, type TimeWindow } from '../delivery/question-time.ts'
import { openStore } from '../delivery/store.ts'
import type { QueryArguments } from './arguments.ts'
import { committedFiles } from './committed-files.ts'
import { toSafeJson } from './escape-text.ts'
import { DEFAULT_STORE } from './process-settings.ts'
import { answerNotes, renderAnswer } from './render-answer.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

/** Options that say what one question is about; a batch brings its own. */
const QUESTION_OPTIONS = ['asset', 'ip', 'userAgent', 'range', 'start', 'end', 'length'] as const

/**
 * Answers on standard output. The whole question is checked before the store is touched.
 * @returns 0 delivered, 1 not; for a batch 0 when every question was answered, else 2.
 */
export async function runQuery(options: QueryArguments, streams: Streams): Promise<ExitCode> {
  const store = options.store ?? DEFAULT_STORE
  if (options.batch !== undefined) return runBatch(options.batch, store, options, streams)
  const query = parseQuery(options, options)
  const source = openStore(await committedFiles(store))
  try {
    const { answer, facts } = askSource(source, query)
    for (const note of answerNotes(answer, query, facts)) writeNote(streams, note)
    const style = styleFor(streams.stdout, streams.environment)
    const text = options.json ? `${toSafeJson(answer)}\n` : renderAnswer(answer, query, facts, style)
    await writeOutput(streams.stdout, text)
    return answer.delivered ? 0 : 1
  } finally {
    source.close()
  }
}

async function runBatch(
  path: string,
  store: string,
  options: QueryArguments,
  streams: Streams,
): Promise<ExitCode> {
  const superfluous = QUESTION_OPTIONS.filter((name) => options[name] !== undefined)
  if (superfluous.length > 0 || options.whole) {
    throw new Failure(
      'USAGE',
      '--batch brings its own questions: leave out --asset, --ip, --user-agent and the range',
    )
  }
  const window = parseTimeWindow(options.since, options.until)
  const source = openStore(await committedFiles(store))
  try {
    return await answerAll(path, rememberLengths(source), window, streams)
  } finally {
    source.close()
  }
}

async function answerAll(
  path: string,
  source: EvidenceSource,
  window: TimeWindow,
  streams: Streams,
): Promise<ExitCode> {
  const { answerBatch } = await import('../delivery/batch.ts')
  const input = path === '-' ? streams.stdin : createReadStream(path)
  const questions = readAll(input, path === '-' ? 'standard input' : path)
  let answeredCount = 0
  let failedCount = 0
  try {
    for await (const result of answerBatch(questions, window, (query) => askSource(source, query).answer)) {
      if ('error' in result) failedCount++
      else answeredCount++
      const written = await writeOutput(streams.stdout, `${toSafeJson(result)}\n`)
      if (written === 'closed') return failedCount === 0 ? 0 : 2
    }
  } finally {
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

async function* readAll(input: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await attemptedAsync(name, 'read the questions from', () => pieces.next())
    if (done === true) return
    yield value
  }
}
