/** Many questions in one stream: one result a line, in order, whatever is wrong with some of the lines. */

import { invariant } from '../base/failure.ts'
import type { Answer } from './answer.ts'
import { nextLine, readCsvRecords, splitCsvFields, tooLong } from './batch-csv.ts'
import { type ByteLine, splitLines } from './batch-lines.ts'
import {
  type BatchErrorCode,
  decodeText,
  type LineProblem,
  readCsvHeader,
  readCsvQuestion,
  readJsonQuestion,
} from './batch-question.ts'
import type { Query } from './question.ts'
import type { TimeWindow } from './question-time.ts'

/** What stands in the place of an answer when the line is no question or could not be answered. */
export interface BatchError {
  readonly v: 1
  /** The line of the input in which the question begins, counted from 1. */
  readonly line: number
  readonly error: { readonly code: BatchErrorCode; readonly message: string }
}

interface NumberedQuestion {
  readonly lineNumber: number
  readonly question: Query | LineProblem
}

type Results = readonly (Answer | LineProblem)[]

/** How many questions are answered together. */
export interface BatchLimits {
  /** At most so many: each is held with its answer until all of them are answered. */
  readonly questionLimit: number
  /** Those that came are answered when none came for so long: whoever asks may be waiting for answers. */
  readonly idleMs: number
}

const DEFAULT_LIMITS: BatchLimits = { questionLimit: 131_072, idleMs: 25 }

/**
 * Answers the questions of `input` in their order. The form is recognised by the first line that is not
 * blank: a CSV header, or else one JSON object a line. Questions are put to `askMany` together, as many as
 * come without a pause, up to a limit; no more are read ahead of the consumer.
 * Fails with `USAGE` for a CSV header with other columns; whatever `askMany` throws passes.
 */
export async function* answerBatch(
  input: AsyncIterable<Uint8Array>,
  window: TimeWindow,
  askMany: (queries: readonly Query[]) => Results | Promise<Results>,
  limits: BatchLimits = DEFAULT_LIMITS,
): AsyncGenerator<Answer | BatchError> {
  for await (const batch of gather(readQuestions(input, window), limits)) {
    const answers = await askMany(batch.flatMap(({ question }) => ('code' in question ? [] : question)))
    let next = 0
    for (const { lineNumber, question } of batch) {
      const result = 'code' in question ? question : answers[next++]
      invariant(result !== undefined, 'a question has no result')
      yield 'code' in result ? { v: 1, line: lineNumber, error: result } : result
    }
  }
}

/** Groups what comes without a pause. */
async function* gather(
  questions: AsyncGenerator<NumberedQuestion>,
  { questionLimit, idleMs }: BatchLimits,
): AsyncGenerator<readonly NumberedQuestion[]> {
  let next = questions.next()
  try {
    for (;;) {
      const first = await next
      if (first.done === true) return
      const batch = [first.value]
      next = questions.next()
      const pause = new Pause(idleMs)
      while (batch.length < questionLimit) {
        const found = await pause.orBefore(next)
        if (found === 'pause' || found.done === true) break
        batch.push(found.value)
        next = questions.next()
      }
      pause.end()
      yield batch
    }
  } finally {
    // Whoever stops early does not wait for a question that may never come, nor for what became of it.
    next.catch(() => undefined)
    questions.return(undefined).catch(() => undefined)
  }
}

/** Notices when nothing came for a while. One timer for all: a promise a question would pile up. */
class Pause {
  private onPause: () => void = () => undefined
  private readonly timer: NodeJS.Timeout

  constructor(milliseconds: number) {
    this.timer = setTimeout(() => this.onPause(), milliseconds)
  }

  /** What comes, or `pause` when nothing does for too long. */
  orBefore<T>(next: Promise<T>): Promise<T | 'pause'> {
    this.timer.refresh()
    return new Promise((resolve, reject) => {
      this.onPause = () => resolve('pause')
      next.then(resolve, reject)
    })
  }

  end(): void {
    clearTimeout(this.timer)
  }
}

async function* readQuestions(
  input: AsyncIterable<Uint8Array>,
  window: TimeWindow,
): AsyncGenerator<NumberedQuestion> {
  const lines = splitLines(input)
  let line = await nextLine(lines)
  while (line !== undefined && isBlank(line)) line = await nextLine(lines)
  const places = line === undefined ? undefined : findCsvHeader(line)
  if (places !== undefined) {
    for await (const { lineNumber, fields } of readCsvRecords(lines)) {
      const question = 'code' in fields ? fields : readCsvQuestion(fields, places, window)
      yield { lineNumber, question }
    }
    return
  }
  for (; line !== undefined; line = await nextLine(lines)) {
    if (!isBlank(line)) yield { lineNumber: line.lineNumber, question: readJsonLine(line, window) }
  }
}

function isBlank({ bytes, isTooLong }: ByteLine): boolean {
  return !isTooLong && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

function findCsvHeader(line: ByteLine): readonly number[] | undefined {
  const text = decodeText(line.bytes)
  if (typeof text !== 'string' || text.trimStart().startsWith('{')) return undefined
  const fields = splitCsvFields(text.replace(/\r$/, ''))
  return 'code' in fields ? undefined : readCsvHeader(fields)
}

function readJsonLine(line: ByteLine, window: TimeWindow): Query | LineProblem {
  if (line.isTooLong) return tooLong()
  const text = decodeText(line.bytes)
  return typeof text === 'string' ? readJsonQuestion(text, window) : text
}
