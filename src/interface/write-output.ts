/** Writing to standard output until it is all written or the reader has gone. */

import type { Writable } from 'node:stream'
import { Failure } from '../base/failure.ts'

/** `closed`: the reader has gone (`| head`), which is no failure of ours; nothing more need be made. */
export type WriteResult = 'written' | 'closed'

const CLOSED_CODES = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

/**
 * Keeps a failed write from ending the program as an uncaught 'error' event: `writeOutput` reports it to its
 * caller, and for the notes of standard error there is nobody left to tell. Call it once for each stream.
 */
export function expectWriteErrors(stream: Writable): void {
  stream.on('error', () => undefined)
}

/** Resolves when the text has left the program: the caller's pace follows the reader's. Fails with `ENVIRONMENT`. */
export function writeOutput(stream: Writable, text: string | Uint8Array): Promise<WriteResult> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined) resolve('written')
      else if (CLOSED_CODES.has(errorCode(error) ?? '')) resolve('closed')
      else
        reject(
          new Failure('ENVIRONMENT', `cannot write to standard output: ${error.message}`, { cause: error }),
        )
    })
  })
}

/** The `code` of an error of Node's, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
