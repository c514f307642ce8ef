/** The tour: the bundled sample processed and asked, with every command shown so that it can be pasted. */

import { mkdirSync } from 'node:fs'
import { attempted } from '../base/failure.ts'
import { parseArguments } from './arguments.ts'
import { commandLine } from './help-text.ts'
import { runProcess } from './run-process.ts'
import { runQuery } from './run-query.ts'
import { TOUR_STOPS } from './sample-questions.ts'
import type { ExitCode, Streams } from './streams.ts'
import { styleFor } from './terminal.ts'
import { writeOutput } from './write-output.ts'

const DIRECTORY = 'data'
const TOUR_FILE = `${DIRECTORY}/tour.parquet`
const TOUR_STORE = `${DIRECTORY}/tour`

/** Writes `data/tour.parquet` and `data/tour` in the current directory, which stay, so that the commands can be pasted. */
export async function runTour(streams: Streams): Promise<ExitCode> {
  attempted(DIRECTORY, 'make the directory', () => mkdirSync(DIRECTORY, { recursive: true }))
  const style = styleFor(streams.stdout, streams.environment)
  await say(
    streams,
    style.paint('bold', 'byteledger: which bytes of an asset were delivered to whom, and when?'),
  )
  await show(streams, 'First a log becomes a file with one row for each delivered byte.', [
    'process',
    '--out',
    TOUR_FILE,
  ])
  for (const { title, question } of TOUR_STOPS) {
    await show(streams, title, ['query', '--store', TOUR_FILE, ...question])
  }
  await show(
    streams,
    'Logs that come all day are added to a store, each line once, however often it comes.',
    ['process', '--store', TOUR_STORE],
  )
  const example = (words: readonly string[], rest = ''): string =>
    `  ${commandLine(streams.program, words)}${rest}`
  await say(
    streams,
    [
      style.paint('bold', 'What to do next'),
      '  the answer for programs: add --json to any of the questions above; the exit code is 0 for delivered, 1 for not',
      '  your own logs, of any CDN, plain or compressed, into a file or a store:',
      example(['process'], ' LOG... --out FILE.parquet'),
      example(['process'], ' LOG... --store DIR'),
      '  what reached how many, and who has gaps:',
      example(['report', 'completion', '--store', TOUR_STORE]),
      '  many questions at once, NDJSON or CSV:',
      example(['query', '--store', TOUR_FILE], ' --batch QUESTIONS'),
      `  the same file in any Parquet reader: select count(distinct byte_num) from '${TOUR_FILE}'`,
      '  all options:',
      example(['query', '--help']),
    ].join('\n'),
  )
  return 0
}

async function show(streams: Streams, title: string, words: readonly string[]): Promise<void> {
  const style = styleFor(streams.stdout, streams.environment)
  await say(
    streams,
    `${style.paint('cyan', title)}\n${style.paint('dim', '$')} ${commandLine(streams.program, words)}\n`,
  )
  const invocation = parseArguments(words, streams.program, () => '')
  if (invocation.command === 'process') await runProcess(invocation.options, streams)
  if (invocation.command === 'query') await runQuery(invocation.options, streams)
  await say(streams, '')
}

async function say(streams: Streams, text: string): Promise<void> {
  await writeOutput(streams.stdout, `${text}\n`)
}
