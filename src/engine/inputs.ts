/** The logs of a run: what kind each one is, by its content, and how its lines are laid out. */

import { createReadStream, statSync } from 'node:fs'
import { attempted, Failure } from '../base/failure.ts'
import { compressionOf } from './compression.ts'
import { decideLines, HEAD_BYTE_LENGTH, readStart } from './input-start.ts'
import { type InputOptions, type LogInput, STDIN } from './log-input.ts'
import { SMALL_BYTE_LENGTH, smallInput } from './small-input.ts'
import { STREAM_CHUNK_BYTE_LENGTH, streamedInput } from './streamed-input.ts'

/**
 * Looks at one input. Fails when it cannot be read, or its header names columns that are of no use; for a
 * stream that shows when it is opened.
 */
export function openInput(path: string, options: InputOptions = {}): LogInput {
  if (path === STDIN) return streamedInput('standard input', undefined, () => process.stdin, options)
  const stat = attempted(path, 'open', () => statSync(path))
  if (stat.isDirectory()) {
    throw new Failure('USAGE', `${path}: expected a log file, found a directory; name the files in it`)
  }
  // A named pipe or a device has no size to cut into shards and can be read only once.
  if (!stat.isFile()) return streamedInput(path, undefined, () => createReadStream(path), options)
  if (options.small !== false && stat.size <= SMALL_BYTE_LENGTH) return smallInput(path, stat.size, options)
  const head = readStart(path, new Uint8Array(Math.min(stat.size, HEAD_BYTE_LENGTH)))
  if (compressionOf(head) !== undefined) {
    const source = { highWaterMark: STREAM_CHUNK_BYTE_LENGTH }
    return streamedInput(path, stat.size, () => createReadStream(path, source), options)
  }
  return { kind: 'plain', path, byteLength: stat.size, ...decideLines(path, head, options) }
}
