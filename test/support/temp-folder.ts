/** Folders for tests, gone when the process ends. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders: string[] = []

process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Makes a folder; it is removed with all that is in it on exit. */
export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'byteledger-test-'))
  folders.push(folder)
  return folder
}

/** The names in a folder, sorted, hidden ones too. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder).sort()
}
