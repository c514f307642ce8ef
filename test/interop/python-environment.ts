/** Virtual environments for the Python programs, under .cache/. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/source-tree.ts'

/** Makes the environment once for each content of the requirements beside this file; returns its interpreter. */
export function providePython(requirementsName: string): string {
  const requirements = join(ROOT, 'test', 'interop', requirementsName)
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const environment = join(ROOT, '.cache', `interop-${digest}`)
  const python = join(environment, 'bin', 'python')
  const finished = join(environment, 'finished')
  if (existsSync(finished)) return python
  rmSync(environment, { recursive: true, force: true })
  mkdirSync(environment, { recursive: true })
  console.log('making the Python environment ...')
  execFileSync(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', environment], { stdio: 'inherit' })
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  execFileSync(python, [...pip, '--requirement', requirements], { stdio: 'inherit' })
  writeFileSync(finished, '')
  return python
}
