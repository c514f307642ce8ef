/**
 * What the log of a Delta Lake table says, as plain data: actions, and the state that they add up to.
 * Source: the Delta transaction log protocol (PROTOCOL.md of delta-io/delta), reader 1, writer 2.
 */

/** `protocol`: what a program must know to read or to write the table. */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
}

/** `metaData`: what the table is. */
export interface TableMetadata {
  readonly id: string
  /** Spark's StructType as JSON. */
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTimeMs: number | undefined
}

/** A bound of a column: a string for dates and strings, a safe integer for numbers. */
export type StatValue = string | number

/** `stats` of a file. A bound that is absent is unknown; one that is present is truly a bound. */
export interface FileStats {
  readonly numRecords: number
  readonly minValues: Readonly<Record<string, StatValue>>
  readonly maxValues: Readonly<Record<string, StatValue>>
  readonly nullCount: Readonly<Record<string, number>>
}

/**
 * `add`: a data file is part of the table. In a snapshot `stats` is decoded when it is asked for (and fails as
 * DAMAGED then), so a copy is made member by member, not by spread.
 */
export interface AddFile {
  /** Relative to the table's directory, decoded, with `/`: `date=2024-05-17/part-….parquet`. Never leaves the directory. */
  readonly path: string
  readonly partitionValues: { readonly date: string }
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modificationTime: number
  /** False when the rows were in the table before, in other files. */
  readonly dataChange: boolean
  readonly stats?: FileStats | undefined
  readonly tags?: Readonly<Record<string, string>>
}

/** `remove`: a data file is no longer part of the table (a tombstone, until vacuum deletes the file). */
export interface RemoveFile {
  /** As in `AddFile`. */
  readonly path: string
  /** Milliseconds since 1970; 0 when the log does not say. */
  readonly deletionTimestamp: number
  readonly dataChange: boolean
  readonly partitionValues?: { readonly date: string }
  readonly size?: number
}

/** `txn`: what an application has put into the table; here `appId` names an input. */
export interface Transaction {
  readonly appId: string
  readonly version: number
  /** Milliseconds since 1970. */
  readonly lastUpdated?: number
}

/** What a commit may do. `protocol`, `metaData` and `commitInfo` are written by `commit` itself. */
export type TableAction =
  | { readonly add: AddFile }
  | { readonly remove: RemoveFile }
  | { readonly txn: Transaction }

/** One committed version of a table. */
export interface Snapshot {
  readonly directory: string
  /** -1: there is no table yet; then everything below is empty. */
  readonly version: number
  readonly protocol: Protocol | undefined
  readonly metadata: TableMetadata | undefined
  /** The data files of this version, by path. */
  readonly files: ReadonlyMap<string, AddFile>
  /** The latest `version` of every `appId`. */
  readonly transactions: ReadonlyMap<string, number>
  /** Files that were removed and not added again, by path; checkpoints forget those older than a week. */
  readonly removed: ReadonlyMap<string, RemoveFile>
}
