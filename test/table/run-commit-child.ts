/** Runs commit-child.ts in a process of its own, from source. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('commit-child.ts', import.meta.url))
const DEADLINE_MS = 60_000

/** How such a process ended, and the versions that it committed. */
export interface ChildEnd {
  readonly exit: number | NodeJS.Signals | null
  readonly versions: readonly number[]
  readonly errors: string
}

export function runCommitChild(words: readonly string[]): Promise<ChildEnd> {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', import.meta.resolve('tsx'), CHILD, ...words],
    { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE_MS },
  )
  let [printed, errors] = ['', '']
  child.stdout.on('data', (text) => {
    printed += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({ exit: code ?? signal, versions: printed.split('\n').filter(Boolean).map(Number), errors }),
    )
  })
}
