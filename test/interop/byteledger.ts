/** Our built command line, as the interop programs call it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../support/source-tree.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Runs it and reads its JSON. `query` ends with 1 when something is missing: no failure here. */
export function runByteledger(args: readonly string[]): Record<string, unknown> {
  const { NODE_OPTIONS: _, ...environment } = process.env
  const run = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.js'), ...args], {
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (run.status !== 0 && run.status !== 1) throw new Error(`byteledger ${args.join(' ')}: ${run.stderr}`)
  const printed: unknown = JSON.parse(run.stdout)
  if (!isRecord(printed)) throw new Error(`expected an object, found ${run.stdout}`)
  return printed
}

/** A member that must be a number. */
export function numberAt(record: Record<string, unknown>, name: string): number {
  const found = record[name]
  if (typeof found !== 'number') throw new Error(`expected a number '${name}', found ${String(found)}`)
  return found
}
