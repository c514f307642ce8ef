/** The two ways in which a commit fails that callers must tell from others. */

import { Failure } from '../base/failure.ts'

/** Others committed something that contradicts; nothing was committed. Read the table again and decide anew. */
export class CommitConflict extends Failure {
  constructor(message: string) {
    super('ENVIRONMENT', message)
    this.name = 'CommitConflict'
  }
}

/** The commit stands in the log, but the disk did not confirm that it will last. Its data files must stay. */
export class UncertainCommit extends Failure {
  readonly version: number
  constructor(version: number, message: string, options: { readonly cause: unknown }) {
    super('ENVIRONMENT', message, options)
    this.name = 'UncertainCommit'
    this.version = version
  }
}
