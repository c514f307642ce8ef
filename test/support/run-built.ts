/** Runs the program as it is built (`npm run build`): it starts four times faster than from source. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './source-tree.ts'

const CLI = join(ROOT, 'dist', 'cli.js')
const DEADLINE_MS = 60_000

/** Fails when a source file is newer than what was built of it: the test would try another program. */
function assertBuilt(): void {
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.d.ts') || name.includes('assembly')) continue
    const built = join(ROOT, 'dist', name.replace(/\.ts$/, '.js'))
    if (!existsSync(built) || statSync(built).mtimeMs < statSync(join(ROOT, 'src', name)).mtimeMs) {
      throw new Error(`${built} is older than src/${name}: run npm run build`)
    }
  }
}

assertBuilt()

/** How the program ended. */
export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How such a process is started. */
export interface BuiltOptions {
  readonly directory?: string
  readonly environment?: NodeJS.ProcessEnv
  /** Modules that are loaded before the program. */
  readonly imports?: readonly string[]
}

export function startBuilt(
  words: readonly string[],
  { directory, environment, imports = [] }: BuiltOptions = {},
): ChildProcessWithoutNullStreams {
  const flags = imports.flatMap((path) => ['--import', path])
  return spawn(process.execPath, [...flags, CLI, ...words], {
    cwd: directory,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
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

/** Resolves when the program has ended; `input` is what it finds on standard input. */
export function runBuilt(
  words: readonly string[],
  { input = '', ...options }: BuiltOptions & { readonly input?: string | Uint8Array } = {},
): Promise<CliResult> {
  const child = startBuilt(words, options)
  // A program that ends before it has read its input is not this test's business.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return endOf(child)
}

/** Does something with each, two at a time. */
export async function twoAtATime<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const drain = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item)
  }
  await Promise.all([drain(), drain()])
}
