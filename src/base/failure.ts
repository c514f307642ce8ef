/**
 * The three kinds of error (see README, "Errors"): bad input is a value; the environment and
 * misuse throw a `Failure`; a bug of ours fails an `invariant`.
 */

/** What went wrong, as far as a program must tell cases apart. */
export type FailureCode =
  | 'USAGE'
  | 'ENVIRONMENT'
  | 'DAMAGED'
  | 'REJECTED'
  | 'INTERRUPTED'
  | 'TIMEOUT'
  | 'CRASHED'

/** An expected failure: its message says what was expected, what was found and what to do. */
export class Failure extends Error {
  /** See `isFailure`. */
  readonly isExpected: boolean = true
  readonly code: FailureCode
  constructor(code: FailureCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'Failure'
    this.code = code
  }
}

/** Whether something thrown is a `Failure`, also one of another bundle of the program, which has a class of its own. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Failure || (error instanceof Error && 'isExpected' in error && 'code' in error)
}

/** Throws a `Failure` for bytes that are not what they must be. `where` names file and place. */
export function damaged(where: string, expected: string, found: string): never {
  throw new Failure('DAMAGED', `${where}: expected ${expected}, found ${found}`)
}

/** Fails when our own code is wrong; never used for input. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`bug in byteledger: ${message}`)
}

/** Does something to the environment; an error becomes a `Failure` that says what was attempted, and where. */
export function attempted<T>(path: string, operation: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw environmentFailure(path, operation, cause)
  }
}

/** Like `attempted`, for what takes time. */
export async function attemptedAsync<T>(path: string, operation: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    throw environmentFailure(path, operation, cause)
  }
}

function environmentFailure(path: string, operation: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause
  return new Failure('ENVIRONMENT', `cannot ${operation} ${path}: ${messageOf(cause)}`, { cause })
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
