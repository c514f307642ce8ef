/** The position pages of the product: the host's side of the compiled encoder. */

import { Failure } from '../base/failure.ts'
import { type EncoderExports, instantiateEncoder } from './encoder-module.ts'
import type { PositionPageEncoder, PositionPages, PositionRuns } from './position-pages.ts'
import { SEQUENCE_TABLES } from './zstd-encoding.ts'

const WHOLE_MEMORY_BYTE_LENGTH = 2 ** 32
/** A bound as the column index has it: its length before it. */
const BOUND_BYTE_LENGTH = 9

/** Throws a `Failure` for an address or flag that says that memory is exhausted. */
function demand(result: number): number {
  if (result !== 0) return result >>> 0
  throw new Failure(
    'ENVIRONMENT',
    'the encoder ran out of memory: the shard has more runs than fit; use smaller shards',
  )
}

/** See `PositionPageEncoder`; the limit is for tests. Throws a `Failure` when the compiled module is missing. */
export function createWasmPositionPages(
  memoryLimitByteLength: number = WHOLE_MEMORY_BYTE_LENGTH,
): PositionPageEncoder {
  const module = instantiateEncoder()
  demand(module.setUp(memoryLimitByteLength))
  let at = module.sequenceTablesAddress() >>> 0
  for (const table of SEQUENCE_TABLES) {
    new Int32Array(module.memory.buffer, at, table.length).set(table)
    at += 4 * table.length
  }
  return {
    encode(runs: PositionRuns, runCount: number): PositionPages {
      const address = demand(module.reserve(runCount))
      const input = new Float64Array(module.memory.buffer, address, 2 * runCount)
      input.set(runs.starts.subarray(0, runCount))
      input.set(runs.rowCounts.subarray(0, runCount), runCount)
      demand(module.encode())
      return readPages(module)
    },
  }
}

/** Views of what the module made; the order of `resultsAddress` in assembly/encoder.ts. */
function readPages(module: EncoderExports): PositionPages {
  const at = module.resultsAddress() >>> 0
  const { buffer } = module.memory
  const [pages = 0, byteLength = 0, pageCount = 0, byteLengths = 0, firstRows = 0, minima = 0, maxima = 0] =
    new Uint32Array(buffer, at, 7)
  const [min = 0, max = 0, uncompressedByteLength = 0] = new Float64Array(buffer, at + 32, 3)
  return {
    bytes: new Uint8Array(buffer, pages, byteLength),
    byteLengths: new Uint32Array(buffer, byteLengths, pageCount),
    firstRows: new Float64Array(buffer, firstRows, pageCount),
    minima: new Uint8Array(buffer, minima, pageCount * BOUND_BYTE_LENGTH),
    maxima: new Uint8Array(buffer, maxima, pageCount * BOUND_BYTE_LENGTH),
    min,
    max,
    uncompressedByteLength,
  }
}
