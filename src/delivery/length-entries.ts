/**
 * Lengths that logs told of assets, as bytes. An entry: XXH64 of the asset (8 bytes), the asset (its byte length as
 * ULEB128, then its bytes), the length minus one, the earliest epoch, the latest minus the earliest, and the number
 * of requests that told it (ULEB128 each). An entry of no requests tells no complete length: so far the asset was
 * asked for, by requests of which not all is proven. Entries ascend by (hash, asset, length), what was asked
 * before what was told.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import type { LoggedLengths } from '../log/scanned-runs.ts'
import type { LoggedLength, ToldLengths } from './evidence.ts'

/** One length of one asset. */
export interface LengthEntry {
  readonly hashLow: number
  readonly hashHigh: number
  readonly asset: Uint8Array
  readonly length: number
  readonly firstEpoch: number
  readonly lastEpoch: number
  /** 0 when nothing tells that it is the complete length, see above. */
  readonly requests: number
}

/** Appends an entry. */
export function encodeLengthEntry(entry: LengthEntry, writer: ByteWriter): void {
  writer.u32(entry.hashLow)
  writer.u32(entry.hashHigh)
  writer.uleb128(entry.asset.length)
  writer.append(entry.asset)
  writer.uleb128(entry.length - 1)
  writer.uleb128(entry.firstEpoch)
  writer.uleb128(entry.lastEpoch - entry.firstEpoch)
  writer.uleb128(entry.requests)
}

/** Reads an entry; its asset is a view. Fails as DAMAGED when there is none. */
export function decodeLengthEntry(reader: ByteReader): LengthEntry {
  const hashLow = reader.u32()
  const hashHigh = reader.u32()
  const assetByteLength = reader.uleb128()
  const assetStart = reader.skip(assetByteLength)
  const asset = reader.bytes.subarray(assetStart, assetStart + assetByteLength)
  const length = reader.uleb128() + 1
  const firstEpoch = reader.uleb128()
  const lastEpoch = firstEpoch + reader.uleb128()
  return { hashLow, hashHigh, asset, length, firstEpoch, lastEpoch, requests: reader.uleb128() }
}

/** By hash, asset and length, what was asked before what was told. */
export function compareLengthEntries(a: LengthEntry, b: LengthEntry): number {
  return (
    a.hashHigh - b.hashHigh ||
    a.hashLow - b.hashLow ||
    Buffer.compare(a.asset, b.asset) ||
    a.length - b.length ||
    Number(a.requests > 0) - Number(b.requests > 0)
  )
}

/** The lengths that some of a shard's lines told, as entries in the order of the table. */
export function encodeShardLengths(lengths: LoggedLengths, writer: ByteWriter): void {
  const { assets } = lengths
  for (let i = 0; i < lengths.count; i++) {
    const rank = lengths.request[i] ?? 0
    encodeLengthEntry(
      {
        hashLow: assets.hashLow[rank] ?? 0,
        hashHigh: assets.hashHigh[rank] ?? 0,
        asset: assets.bytes.subarray(assets.offsets[rank], assets.offsets[rank + 1]),
        length: lengths.length[i] ?? 0,
        firstEpoch: lengths.firstEpoch[i] ?? 0,
        lastEpoch: lengths.lastEpoch[i] ?? 0,
        requests: lengths.requests[i] ?? 0,
      },
      writer,
    )
  }
}

/** One complete length each, ascending, with all that told it; and how far was asked. */
export function mergeLengths(entries: readonly LengthEntry[]): ToldLengths {
  const lengths = new Map<number, LoggedLength>()
  let askedLength = 0
  for (const { length, firstEpoch, lastEpoch, requests } of entries) {
    if (requests === 0) {
      askedLength = Math.max(askedLength, length)
      continue
    }
    const known = lengths.get(length)
    lengths.set(length, {
      bytes: length,
      requests: requests + (known?.requests ?? 0),
      firstEpochSeconds: Math.min(firstEpoch, known?.firstEpochSeconds ?? firstEpoch),
      lastEpochSeconds: Math.max(lastEpoch, known?.lastEpochSeconds ?? lastEpoch),
    })
  }
  return { loggedLengths: [...lengths.values()].sort((a, b) => a.bytes - b.bytes), askedLength }
}
