/** What is said of a log that became shorter while it was read. */

import { Failure } from '../base/failure.ts'

/** For a file of `expected` bytes when the run began, of which only `found` are there. */
export function shrunken(path: string, expected: number, found: number): Failure {
  return new Failure(
    'ENVIRONMENT',
    `${path}: expected ${expected} bytes as when the run began, found only ${found}; ` +
      'was the log cut or rotated meanwhile? Run again.',
  )
}
