#!/usr/bin/env node
/** The program: dispatch and exit codes only. Each command is loaded when it is called for. */

import { VERSION } from './base/version.ts'
import type { CommandName } from './interface/help-text.ts'
import type { ExitCode, Streams } from './interface/streams.ts'

async function run(words: readonly string[], streams: Streams): Promise<ExitCode> {
  loadAhead(words)
  const { parseArguments } = await import('./interface/arguments.ts')
  const invocation = parseArguments(words, streams.program, () => VERSION)
  switch (invocation.command) {
    case 'process':
      return (await import('./interface/run-process.ts')).runProcess(invocation.options, streams)
    case 'query':
      return (await import('./interface/run-query.ts')).runQuery(invocation.options, streams)
    case 'inspect':
      return (await import('./interface/run-inspect.ts')).runInspect(invocation.options, streams)
    case 'compact':
      return (await import('./interface/run-upkeep.ts')).runCompact(invocation.options, streams)
    case 'vacuum':
      return (await import('./interface/run-upkeep.ts')).runVacuum(invocation.options, streams)
    case 'forget':
      return (await import('./interface/run-upkeep.ts')).runForget(invocation.options, streams)
    case 'report':
      return (await import('./interface/run-report.ts')).runReport(invocation.options, streams)
    case 'export':
      return (await import('./interface/run-export.ts')).runExport(invocation.options, streams)
    case 'sql':
      return (await import('./interface/run-sql.ts')).runSql(invocation.options, streams)
    case 'tour':
      return (await import('./interface/tour.ts')).runTour(streams)
    case 'text':
      await (await import('./interface/write-output.ts')).writeOutput(streams.stdout, invocation.text)
      return 0
  }
}

/**
 * Begins to load what the command will need, so that files are read while the arguments are. A module that
 * cannot be loaded is reported where it is called for.
 */
function loadAhead(words: readonly string[]): void {
  const command = commandOf(words)
  if (command === 'query') import('./interface/run-query.ts').catch(() => undefined)
  if (command === 'process')
    import('./interface/run-process.ts').then(({ loadEngine }) => loadEngine(words)).catch(() => undefined)
}

const COMMANDS: readonly CommandName[] = [
  'process',
  'query',
  'report',
  'export',
  'sql',
  'inspect',
  'compact',
  'vacuum',
  'forget',
  'tour',
]

function commandOf(words: readonly string[]): CommandName | undefined {
  return COMMANDS.find((name) => name === words[0])
}

async function main(words: readonly string[]): Promise<void> {
  const { expectWriteErrors } = await import('./interface/write-output.ts')
  const { programName } = await import('./interface/help-text.ts')
  const { stdout, stderr, env, argv } = process
  expectWriteErrors(stdout)
  expectWriteErrors(stderr)
  const program = programName(argv[1] ?? 'byteledger', process.cwd())
  const streams: Streams = {
    // Made when it is asked for: most commands read nothing, and it takes as long to make as a few look-ups.
    get stdin() {
      return process.stdin
    },
    ...{ stdout, stderr, environment: env, program },
  }
  try {
    process.exitCode = await run(words, streams)
  } catch (error) {
    const { describeFailure } = await import('./interface/report-failure.ts')
    const { exitCode, text } = describeFailure(error, commandOf(words), program)
    stderr.write(text)
    process.exitCode = exitCode
  }
}

const words = process.argv.slice(2)
// The version needs none of the modules of a command, and scripts ask for it often.
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return
    process.stderr.write(`byteledger: cannot write to standard output: ${message}\n`)
    process.exitCode = 2
  })
  process.stdout.write(`${VERSION}\n`)
} else await main(words)
