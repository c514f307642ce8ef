/** Damages sections of files, bit by bit. */

import { readFileSync, writeFileSync } from 'node:fs'
import { Failure } from '#src/base/failure.js'

/**
 * Flips every `step`th bit of the section that `place` describes, one at a time, in a copy of the file. `check` must
 * hold, or fail as DAMAGED; gives how often it failed so.
 */
export function flipSection(
  path: string,
  place: string | undefined,
  step: number,
  check: (damagedPath: string, note: string) => void,
): number {
  const [byteOffset = 0, parts = 0, directory = 0] = place?.split(' ').map(Number) ?? []
  const sound = readFileSync(path)
  const damagedPath = `${path}.flipped.parquet`
  let failures = 0
  for (let bit = 0; bit < (parts + directory) * 8; bit += step) {
    const bytes = Buffer.from(sound)
    const at = byteOffset + (bit >> 3)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
    writeFileSync(damagedPath, bytes)
    try {
      check(damagedPath, `bit ${bit}`)
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'DAMAGED')) throw error
      failures++
    }
  }
  return failures
}
