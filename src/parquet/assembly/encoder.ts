/** The module's interface to its host; wasm-position-pages.ts has the order of calls. */

import { makeCrcTables } from './crc32'
import { limitMemory, releaseRegions, reserveFixedMemory, sequenceTables } from './memory'
import {
  encodePositionPages,
  inflatedByteLength,
  largest,
  pageByteLengths,
  pageCount,
  pageFirstRows,
  pageMaxima,
  pageMinima,
  pages,
  pagesEnd,
  reserveRuns,
  smallest,
} from './position-pages'

/** What the host reads after `encode`: six u32, then three f64. */
const results: usize = memory.data(64, 8)

/** Once, before anything else; false when there is no memory. */
export function setUp(memoryLimit: f64): bool {
  limitMemory(<u64>memoryLimit)
  if (!reserveFixedMemory()) return false
  makeCrcTables()
  return true
}

/** Where the host writes the tables of sequence coding, once. */
export function sequenceTablesAddress(): usize {
  return sequenceTables
}

/** Where the host writes the starts of `runCount` runs and then their row counts, as f64; 0 without memory. */
export function reserve(runCount: i32): usize {
  releaseRegions()
  return reserveRuns(runCount)
}

/** Encodes those runs; false without memory. */
export function encode(): bool {
  return encodePositionPages()
}

/** Address of the results. */
export function resultsAddress(): usize {
  store<u32>(results, <u32>pages)
  store<u32>(results, <u32>(pagesEnd - pages), 4)
  store<u32>(results, pageCount, 8)
  store<u32>(results, <u32>pageByteLengths, 12)
  store<u32>(results, <u32>pageFirstRows, 16)
  store<u32>(results, <u32>pageMinima, 20)
  store<u32>(results, <u32>pageMaxima, 24)
  store<f64>(results, <f64>smallest, 32)
  store<f64>(results, <f64>largest, 40)
  store<f64>(results, <f64>inflatedByteLength, 48)
  return results
}
