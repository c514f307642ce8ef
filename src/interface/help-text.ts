/** The examples of the help: each line works when pasted, in the order in which they stand. */

import { basename, relative } from 'node:path'
import { quoteForShell } from './escape-text.ts'
import { DEMONSTRATION } from './sample-questions.ts'

/** What can follow the program's name. */
export type CommandName = 'process' | 'query' | 'inspect' | 'tour'

/** How this program was called, so that examples can be pasted: `byteledger` or `node dist/cli.js`. */
export function programName(scriptPath: string, directory: string): string {
  if (basename(scriptPath) === 'byteledger') return 'byteledger'
  const path = relative(directory, scriptPath)
  return `node ${quoteForShell(path.startsWith('..') ? scriptPath : path)}`
}

/** A command line for pasting. */
export function commandLine(program: string, words: readonly string[]): string {
  return [program, ...words.map(quoteForShell)].join(' ')
}

/** What to type, one example a line, for the help of a command. */
export function helpExamples(command: CommandName | undefined, program: string): readonly string[] {
  const makeSample = ['process', '--out', 'sample.parquet']
  const ask = ['query', '--store', 'sample.parquet', ...DEMONSTRATION]
  switch (command) {
    case 'process':
      return [
        commandLine(program, makeSample),
        `${program} process access.log access-*.log.gz --out day.parquet --rejects rejected.log`,
        `zcat access.log.gz | ${program} process - --out day.parquet --json`,
      ]
    case 'query':
      return [
        commandLine(program, ask),
        commandLine(program, [...ask.slice(0, -2), '--whole', '--until', '2024-05-17', '--json']),
        `${program} query --store sample.parquet --asset /a.mp3 --ip 203.0.113.0/24 --user-agent 'Mozilla*' --whole`,
        `${program} query --store 'days/**/*.parquet' --batch questions.ndjson`,
      ]
    case 'inspect':
      return [
        commandLine(program, ['inspect', 'sample.parquet']),
        commandLine(program, ['inspect', 'sample.parquet', '--verify', '--json']),
      ]
    default:
      return [commandLine(program, ['tour']), commandLine(program, makeSample), commandLine(program, ask)]
  }
}

/** The shortest right form of a command: what a message about wrong use ends with. */
export function expectedForm(command: CommandName | undefined, program: string): string {
  switch (command) {
    case 'process':
      return `${program} process LOG... --out FILE.parquet`
    case 'query':
      return `${program} query --store FILE.parquet --asset /a.mp3 --ip 192.0.2.1 --user-agent 'curl/8' --range 10-500`
    case 'inspect':
      return `${program} inspect FILE.parquet`
    case 'tour':
      return `${program} tour`
    default:
      return `${program} process|query|inspect|tour`
  }
}
