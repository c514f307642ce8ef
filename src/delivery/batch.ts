/** Many questions in one stream: one result a line, in order, whatever is wrong with some of the lines. */

import { Failure } from '../base/failure.ts'
import type { Answer } from './answer.ts'
import { nextLine, readCsvRecords, splitCsvFields, tooLong } from './batch-csv.ts'
import { type ByteLine, splitLines } from './batch-lines.ts'
import {
  type BatchErrorCode,
  decodeText,
  type LineProblem,
  lineProblem,
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

/**
 * Answers the questions of `input` one after the other. The form is recognised by the first line that is not
 * blank: a CSV header, or else one JSON object a line. Nothing is read ahead of the consumer but the chunk at
 * hand, so a slow reader slows the source down.
 * Fails with `USAGE` for a CSV header with other columns; whatever `ask` throws other than a `Failure` passes.
 */
export async function* answerBatch(
  input: AsyncIterable<Uint8Array>,
  window: TimeWindow,
  ask: (query: Query) => Answer,
): AsyncGenerator<Answer | BatchError> {
  for await (const { lineNumber, question } of readQuestions(input, window)) {
    const result = 'code' in question ? question : askOrProblem(ask, question)
    yield 'code' in result ? { v: 1, line: lineNumber, error: result } : result
  }
}

function askOrProblem(ask: (query: Query) => Answer, query: Query): Answer | LineProblem {
  try {
    return ask(query)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return lineProblem(error.code === 'USAGE' ? 'BAD_QUESTION' : error.code, error.message)
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
