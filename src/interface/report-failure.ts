/** How a failure ends the program: what is said, and with which exit code. */

import { type Failure, isFailure } from '../base/failure.ts'
import { escapeControls } from './escape-text.ts'
import { type CommandName, expectedForm } from './help-text.ts'
import type { ExitCode } from './streams.ts'
import { errorCode } from './write-output.ts'

/** How the program ends. */
export interface FailureReport {
  readonly exitCode: ExitCode
  /** Lines for standard error, ended by a line break. */
  readonly text: string
}

/** Describes whatever was thrown; `command` is what was asked for, as far as that is known. */
export function describeFailure(
  error: unknown,
  command: CommandName | undefined,
  program: string,
): FailureReport {
  if (isFailure(error)) {
    const lines = [`byteledger: ${error.message}`, ...causeLines(error)]
    if (error.code === 'USAGE') {
      const help = `${program} ${command === undefined ? '' : `${command} `}--help`
      lines.push(`expected: ${expectedForm(command, program)}`, `all options: ${help}`)
    }
    return { exitCode: error.code === 'INTERRUPTED' ? 130 : 2, text: joinLines(lines) }
  }
  if (error instanceof Error && errorCode(error) !== undefined) {
    const lines = [`byteledger: ${error.message}`]
    if (errorCode(error) === 'EMFILE')
      lines.push('expected that more files may be open at once: allow it with ulimit -n 1024')
    return { exitCode: 2, text: joinLines(lines) }
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    exitCode: 2,
    text: joinLines(['byteledger: this is a bug of byteledger, please report it:', stack]),
  }
}

function causeLines({ code, message, cause }: Failure): string[] {
  // Wrong use is explained by its own message, and most messages already quote their cause.
  if (code === 'USAGE' || !(cause instanceof Error) || message.includes(cause.message)) return []
  return [`because: ${cause.message}`]
}

/** Line breaks of messages are ours; everything else in them may come from a file or an argument. */
function joinLines(lines: readonly string[]): string {
  return `${lines.join('\n').split('\n').map(escapeControls).join('\n')}\n`
}
