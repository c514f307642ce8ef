/** Runs the program itself, from source, in a process of its own. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const DEADLINE_MS = 60_000

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly directory?: string
  readonly input?: string | Uint8Array
  readonly environment?: NodeJS.ProcessEnv
}

export function startCli(words: readonly string[], options: CliOptions = {}): ChildProcessWithoutNullStreams {
  const flags = ['--conditions=source', '--import', import.meta.resolve('tsx')]
  return spawn(process.execPath, [...flags, CLI, ...words], {
    cwd: options.directory,
    env: { ...process.env, NODE_OPTIONS: '', ...options.environment },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
}

/** Resolves when the program has ended. */
export function endOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}

export function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(words, options)
  // A program that ends before it has read its input is not this test's business.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  return endOf(child)
}
