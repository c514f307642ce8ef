#!/usr/bin/env node
/** The program: dispatch and exit codes only. Each command is loaded when it is called for. */

import { readFileSync } from 'node:fs'
import type { CommandName } from './interface/help-text.ts'
import type { ExitCode, Streams } from './interface/streams.ts'

/** The version of the package; its `package.json` stands beside both `src/` and `dist/`. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isManifest ? String(manifest.version) : 'unknown'
}

async function run(words: readonly string[], streams: Streams): Promise<ExitCode> {
  loadAhead(words)
  const { parseArguments } = await import('./interface/arguments.ts')
  const invocation = parseArguments(words, streams.program, readVersion)
  switch (invocation.command) {
    case 'process':
      return (await import('./interface/run-process.ts')).runProcess(invocation.options, streams)
    case 'query':
      return (await import('./interface/run-query.ts')).runQuery(invocation.options, streams)
    case 'inspect':
      return (await import('./interface/run-inspect.ts')).runInspect(invocation.options, streams)
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
  if (command === 'process') {
    for (const load of [
      import('./interface/run-process.ts'),
      import('./engine/process-logs.ts'),
      import('./engine/shard-runner.ts'),
    ])
      load.catch(() => undefined)
  }
  if (command === 'query') import('./interface/run-query.ts').catch(() => undefined)
}

function commandOf(words: readonly string[]): CommandName | undefined {
  return (['process', 'query', 'inspect', 'tour'] as const).find((name) => name === words[0])
}

async function main(words: readonly string[]): Promise<void> {
  const { expectWriteErrors } = await import('./interface/write-output.ts')
  const { programName } = await import('./interface/help-text.ts')
  const { stdin, stdout, stderr, env, argv } = process
  expectWriteErrors(stdout)
  expectWriteErrors(stderr)
  const program = programName(argv[1] ?? 'byteledger', process.cwd())
  try {
    process.exitCode = await run(words, { stdin, stdout, stderr, environment: env, program })
  } catch (error) {
    const { describeFailure } = await import('./interface/report-failure.ts')
    const { exitCode, text } = describeFailure(error, commandOf(words), program)
    stderr.write(text)
    process.exitCode = exitCode
  }
}

const words = process.argv.slice(2)
// The version needs none of the modules of a command, and scripts ask for it often.
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V'))
  process.stdout.write(`${readVersion()}\n`)
else await main(words)
