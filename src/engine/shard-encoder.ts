/** One shard from bytes to row groups. The same code runs inline and in every kind of worker. */

import { ByteWriter } from '../base/byte-writer.ts'
import { Failure, messageOf } from '../base/failure.ts'
import { encodeShardLengths } from '../delivery/length-entries.ts'
import { RunEncoder } from '../delivery/run-encoder.ts'
import { PARTITION_SCHEMA, SCHEMA } from '../delivery/schema.ts'
import type { LineScanner } from '../log/scanned-runs.ts'
import { createScanner } from '../log/scanner.ts'
import { createPositionPageEncoder } from '../parquet/position-page-encoder.ts'
import { scanPiece } from './piece-reader.ts'
import { hasIdentifiers, type Shard, type ShardDone, type ShardMessage, type ShardOptions } from './shard.ts'

/** Rejected lines of a piece that are listed: memory stays bounded when a shard is nothing but garbage. */
const MAX_LISTED_REJECTS = 1_000_000
/** Without a list only the first few are named in messages. */
const MAX_NAMED_REJECTS = 16

/** How an encoder talks to what runs it. */
export interface ShardSurroundings {
  /** Memory of a batch that was written, if there is any. */
  spareMemory(): ArrayBuffer | undefined
  /** Hears the number of bytes of every read. */
  onRead(byteLength: number): void
}

/** Encodes shard after shard, with the same memory. */
export interface ShardEncoder {
  /**
   * Yields `identifiers` where lines have them, to be answered before the next is asked for; the shard's row
   * groups in order, each when it is asked for; then `done`; or `failed`.
   */
  encode(shard: Shard, surroundings: ShardSurroundings): Generator<ShardMessage, void, void>
}

const NO_DUPLICATES = { lines: 0, clippedRequests: 0, clippedBytes: 0, unmeasured: 0 }

/** Asks which lines repeat earlier ones, and takes them out. */
function* dropDuplicates(scanner: LineScanner): Generator<ShardMessage, ShardDone['duplicates'], void> {
  const hashes = scanner.readIdentifiers()
  const identifiers = new Uint32Array(new SharedArrayBuffer(hashes.byteLength))
  identifiers.set(hashes)
  const drop = new Uint8Array(new SharedArrayBuffer(scanner.runCount))
  yield { kind: 'identifiers', identifiers, drop, answered: new Int32Array(new SharedArrayBuffer(4)) }
  const lines = drop.reduce((sum, flag) => sum + flag, 0)
  return lines === 0 ? NO_DUPLICATES : { lines, ...scanner.dropLines(drop) }
}

/** Makes an encoder; it holds the scanner's memory, so one is made per thread. */
export async function createShardEncoder(options: ShardOptions): Promise<ShardEncoder> {
  const scanner: LineScanner = await createScanner({
    keepRejectedText: options.keepRejectedText,
    rejectedLineLimit: options.keepRejectedText ? MAX_LISTED_REJECTS : MAX_NAMED_REJECTS,
  })
  const schema = options.splitByDay ? PARTITION_SCHEMA : SCHEMA
  const lengths = new ByteWriter()
  const runEncoder = new RunEncoder(schema, await createPositionPageEncoder())
  return {
    *encode(shard, { spareMemory, onRead }) {
      try {
        scanner.reset()
        const pieces = shard.pieces.map((piece) => scanPiece(piece, shard.text, scanner, onRead))
        const duplicates = hasIdentifiers(shard) ? yield* dropDuplicates(scanner) : NO_DUPLICATES
        const runs = scanner.finish()
        lengths.clear()
        for (const told of scanner.readLengths()) encodeShardLengths(told, lengths)
        for (const encoded of runEncoder.encode(runs, spareMemory)) {
          yield { kind: 'batch', ...encoded }
        }
        yield { kind: 'done', pieces, duplicates, lengths: lengths.copy(), textMemory: shard.text.buffer }
      } catch (error) {
        const code = error instanceof Failure ? error.code : 'CRASHED'
        yield { kind: 'failed', code, message: messageOf(error) }
      }
    },
  }
}
