/**
 * Actions, applied in order of version, add up to a snapshot.
 * Source: Delta protocol, "Action Reconciliation".
 */

import { damaged, invariant } from '../base/failure.ts'
import type { AddFile, Protocol, RemoveFile, Snapshot, TableMetadata, Transaction } from './actions.ts'
import { checkMetadata, checkProtocol } from './table-schema.ts'

/** A table in the making. Checkpoint first (or nothing), then one commit after the other. */
export class Replay {
  private readonly directory: string
  private readonly files = new Map<string, AddFile>()
  private readonly removed = new Map<string, RemoveFile>()
  private readonly transactions = new Map<string, number>()
  private protocol: Protocol | undefined
  private metadata: TableMetadata | undefined

  /** Begins with nothing, or where an earlier snapshot ended. */
  constructor(directory: string, base?: Snapshot) {
    this.directory = directory
    if (base === undefined) return
    this.files = new Map(base.files)
    this.removed = new Map(base.removed)
    this.transactions = new Map(base.transactions)
    this.protocol = base.protocol
    this.metadata = base.metadata
  }

  /** Fails as USAGE when it demands more than we know: what follows could mean anything. */
  setProtocol(protocol: Protocol): void {
    checkProtocol(this.directory, protocol)
    this.protocol = protocol
  }

  /** Fails as USAGE for a table that is not ours. */
  setMetadata(metadata: TableMetadata): void {
    checkMetadata(this.directory, metadata)
    this.metadata = metadata
  }

  /** Returns whether the path is new to the table. */
  add(file: AddFile): boolean {
    const fileCount = this.files.size
    this.files.set(file.path, file)
    if (this.removed.size > 0) this.removed.delete(file.path)
    return this.files.size > fileCount
  }

  remove(file: RemoveFile): void {
    this.files.delete(file.path)
    this.removed.set(file.path, file)
  }

  setTransaction({ appId, version }: Transaction): void {
    this.transactions.set(appId, version)
  }

  /** The table at `version`, the last one applied. `where` names the file that ends a log without a table. */
  finish(version: number, where: string): Snapshot {
    invariant(version >= 0, 'a snapshot of something has a version')
    const { directory, protocol, metadata, files, transactions, removed } = this
    if (protocol === undefined) return damaged(where, 'a protocol action by now', 'none')
    if (metadata === undefined) return damaged(where, 'a metaData action by now', 'none')
    return { directory, version, protocol, metadata, files, transactions, removed }
  }
}
