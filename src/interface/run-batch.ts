/** `query --batch`: many questions, one answer a line. */

import { createReadStream } from 'node:fs'
import { attemptedAsync, Failure } from '../base/failure.ts'
import type { QuestionResult } from '../delivery/answer-many.ts'
import { answerBatch } from '../delivery/batch.ts'
import type { Query } from '../delivery/question.ts'
import { parseTimeWindow, type TimeWindow } from '../delivery/question-time.ts'
import { toSafeJson } from './escape-text.ts'
import { formatCount, formatSeconds, formatShare } from './format-figures.ts'
import { abortOnInterrupt } from './interrupts.ts'
import type { QueryArguments } from './invocation.ts'
import { type Ledger, openLedger } from './library.ts'
import { refuseDirectory } from './output-location.ts'
import { openLine } from './progress.ts'
import { type ExitCode, type Streams, writeNote } from './streams.ts'
import { writeOutput } from './write-output.ts'

/** Options that say what one question is about; a batch brings its own. */
const QUESTION_OPTIONS = ['asset', 'range', 'start', 'end', 'length'] as const

/** Answers the questions of `path`, or of standard input; 0 when every one was answered, else 2. */
export async function runBatch(
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
  if (options.requests || options.explain)
    throw new Failure('USAGE', '--batch answers with one line a question: leave out --requests and --explain')
  const window = parseTimeWindow(options.since, options.until)
  if (path !== '-')
    refuseDirectory('--batch', path, 'a file of questions, or - for standard input', 'the file')
  const source = await openLedger(store)
  const controller = new AbortController()
  const stopListening = abortOnInterrupt(controller)
  try {
    return await answerAll(path, source, { window, signal: controller.signal }, streams)
  } catch (failure) {
    // What a stream says of an end that was asked for is no more than that.
    if (controller.signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
    throw failure
  } finally {
    stopListening()
    source.close()
  }
}

/** Whole lines only: who reads them may have had some when the program is interrupted. */
async function answerAll(
  path: string,
  source: Ledger,
  { window, signal }: { readonly window: TimeWindow; readonly signal: AbortSignal },
  streams: Streams,
): Promise<ExitCode> {
  const input = path === '-' ? streams.stdin : createReadStream(path)
  // Questions may be long in coming.
  signal.addEventListener('abort', () => input.destroy(new Failure('INTERRUPTED', 'interrupted')))
  const questions = readAll(input, path === '-' ? 'standard input' : path)
  let answeredCount = 0
  let failedCount = 0
  const progress = streams.stderr.isTTY === true ? openLine(streams.stderr, describeBatch) : undefined
  const askMany = (queries: readonly Query[]): Promise<readonly QuestionResult[]> =>
    source.answerAll(queries, (count) => progress?.update([count, queries.length]), signal)
  try {
    for await (const result of answerBatch(questions, window, askMany)) {
      progress?.finish()
      if ('error' in result) failedCount++
      else answeredCount++
      if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
      const written = await writeOutput(streams.stdout, `${toSafeJson(result)}\n`)
      // Who closes the pipe has what was wanted, which is no failure: `| head -1`.
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
