/** `_last_checkpoint`: a hint where the newest checkpoint is. Source: Delta protocol, "Last Checkpoint File". */

import { Failure, messageOf } from '../base/failure.ts'
import { readRegularFile } from '../base/regular-file.ts'
import { codeOf } from './log-listing.ts'
import { isRecord, parseJson } from './members.ts'

/** What the hint says about the newest checkpoint. */
export interface CheckpointHint {
  readonly version: number
  /** How many files the table has there. */
  readonly fileCount: number | undefined
}

/**
 * What the hint says, or undefined when there is no hint or one that cannot be understood. A hint is only that:
 * the listing of the log knows all checkpoints. Fails as ENVIRONMENT when it cannot be read.
 */
export function readHint(path: string): CheckpointHint | undefined {
  let text: string
  try {
    text = readRegularFile(path).toString('utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return undefined
    throw new Failure('ENVIRONMENT', `cannot read ${path}: ${messageOf(cause)}`, { cause })
  }
  const hint = parseJson(text)
  if (!isRecord(hint)) return undefined
  const version = safeInteger(hint['version'])
  return version === undefined ? undefined : { version, fileCount: safeInteger(hint['numOfAddFiles']) }
}

function safeInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}
