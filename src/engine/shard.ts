/** The messages between coordinator and workers: what a shard is, and what comes back for it. */

import type { MessagePort } from 'node:worker_threads'
import type { FailureCode } from '../base/failure.ts'
import type { EncodedBatch } from '../delivery/run-encoder.ts'
import {
  type DroppedCounts,
  isRecordLayout,
  type LinePlace,
  type PieceCounts,
  type PieceLayout,
} from '../log/scanned-runs.ts'

/** What a piece's lines look like. */
export interface PieceLines {
  /** Which input the piece is from, by its place in the command. */
  readonly inputIndex: number
  readonly layout: PieceLayout
  /** The input's header line, without its line end. */
  readonly header: Uint8Array | undefined
}

/** A stretch of a file. It owns every line whose FIRST byte lies in `[start, end)`. */
export interface FilePiece extends PieceLines {
  readonly kind: 'file'
  readonly path: string
  readonly start: number
  readonly end: number
  /** Size of the file when the run began: nothing beyond is read. */
  readonly fileByteLength: number
}

/** Whole lines of an input that is read once, from front to back: a pipe, or what a gzip file holds. */
export interface TextPiece extends PieceLines {
  readonly kind: 'text'
  /** Where it begins in the decompressed input. */
  readonly start: number
  /** Where it stands in the text of the shard. */
  readonly textStart: number
  readonly textEnd: number
}

/** A part of one input, in whichever way it is read. */
export type ShardPiece = FilePiece | TextPiece

/** What one worker turns into row groups: pieces of about `shardByteLength` bytes together. */
export interface Shard {
  readonly pieces: readonly ShardPiece[]
  /** The text of its pieces, in memory that nothing else uses; empty when all are in files. */
  readonly text: Uint8Array<ArrayBuffer>
}

/** How every shard of a run is encoded. */
export interface ShardOptions {
  readonly keepRejectedText: boolean
  /** Whether each day's runs go into row groups of their own, without a date column: for a store. */
  readonly splitByDay: boolean
}

/** Counts of one piece, and where it began. */
export interface PieceReport extends PieceCounts {
  readonly inputIndex: number
  /** Offset in the (decompressed) input of the piece's first own line. */
  readonly start: number
  /** Another header than the input's, in mid-file: its lines would be read with the wrong columns. */
  readonly otherLayout: LinePlace | undefined
}

/** What a shard held, beside its row groups. */
export interface ShardDone {
  readonly kind: 'done'
  readonly pieces: readonly PieceReport[]
  /** What of the pieces' kept lines repeated lines of before, and is in no row group. */
  readonly duplicates: DroppedCounts & { readonly lines: number }
  /** Lengths that the log told, as in length-entries.ts. */
  readonly lengths: Uint8Array
  /** Memory of the shard's text, to be used again. */
  readonly textMemory: ArrayBuffer
}

/**
 * Hashes of the kept lines' identifiers (low, high; zero without one), all in shared memory. The worker goes on
 * when `answered` is not 0; then `drop` has a byte for each line, not zero where an earlier line was the same.
 */
export interface ShardIdentifiers {
  readonly kind: 'identifiers'
  readonly identifiers: Uint32Array
  readonly drop: Uint8Array
  readonly answered: Int32Array
}

/** What a worker says about its shard, in this order: identifiers, if its lines have any; batches; then one `done` or `failed`. */
export type ShardMessage =
  | ShardIdentifiers
  | ({ readonly kind: 'batch' } & EncodedBatch)
  | ShardDone
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly message: string }

/** What the pool hands to a worker. Errors lose their class on the way back, so failures are messages. */
export interface ShardTask {
  readonly shard: Shard
  readonly options: ShardOptions
  readonly port: MessagePort
  /** Two 32-bit cells, shared: batches not yet written, and KiB read so far. */
  readonly cells: SharedArrayBuffer
}

/** Whether the lines of a shard may have identifiers: then its first message is `identifiers`. */
export function hasIdentifiers(shard: Shard): boolean {
  return shard.pieces.some(
    ({ layout }) => isRecordLayout(layout) && layout.fields.some(({ slot }) => slot === 'requestId'),
  )
}

/** Index of the cell with the number of batches sent and not yet written. */
export const PENDING_BATCHES_CELL = 0
/** Index of the cell with the KiB read so far: 0 until a thread has taken the shard. */
export const READ_KIB_CELL = 1
/** A worker waits while so many of its batches are not yet written: output memory stays bounded. */
export const MAX_PENDING_BATCHES = 5
