/**
 * Lengths that logs told of assets, as bytes. An entry: XXH64 of the asset (8 bytes), the asset (its byte length as
 * ULEB128, then its bytes), the length minus one, the earliest epoch, the latest minus the earliest, and the number
 * of requests that told it (ULEB128 each). An entry of no requests tells no complete length: so far the asset was
 * asked for, by requests of which not all is proven; nor does one of 2^52 requests: so far it goes at least, as
 * responses say. Entries ascend by (hash, asset, length, what tells it).
 */

import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { ANSWERED, ASKED, type LoggedLengths } from '../log/scanned-runs.ts'
import type { LoggedLength, ToldLengths } from './evidence.ts'

/** One length of one asset. */
export interface LengthEntry {
  readonly hashLow: number
  readonly hashHigh: number
  readonly asset: Uint8Array
  readonly length: number
  readonly firstEpoch: number
  readonly lastEpoch: number
  /** `ASKED` or `ANSWERED` when nothing tells that it is the complete length, see above. */
  readonly requests: number
}

/** How `ANSWERED` is written. */
const ANSWERED_COUNT = 2 ** 52

/** Appends an entry. */
export function encodeLengthEntry(entry: LengthEntry, writer: ByteWriter): void {
  writer.u32(entry.hashLow)
  writer.u32(entry.hashHigh)
  writer.uleb128(entry.asset.length)
  writer.append(entry.asset)
  writer.uleb128(entry.length - 1)
  writer.uleb128(entry.firstEpoch)
  writer.uleb128(entry.lastEpoch - entry.firstEpoch)
  writer.uleb128(entry.requests === ANSWERED ? ANSWERED_COUNT : entry.requests)
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
  const count = reader.uleb128()
  const requests = count === ANSWERED_COUNT ? ANSWERED : count
  return { hashLow, hashHigh, asset, length, firstEpoch, lastEpoch, requests }
}

/** By hash, asset and length: what was answered, what was asked, what was told. */
export function compareLengthEntries(a: LengthEntry, b: LengthEntry): number {
  return (
    a.hashHigh - b.hashHigh ||
    a.hashLow - b.hashLow ||
    Buffer.compare(a.asset, b.asset) ||
    a.length - b.length ||
    Math.min(a.requests, 1) - Math.min(b.requests, 1)
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

/** One complete length each, ascending, with all that told it; and how far was asked and answered. */
export function mergeLengths(entries: readonly LengthEntry[]): ToldLengths {
  const lengths = new Map<number, LoggedLength>()
  let askedLength = 0
  let answeredLength = 0
  for (const { length, firstEpoch, lastEpoch, requests } of entries) {
    if (requests === ASKED) askedLength = Math.max(askedLength, length)
    if (requests === ANSWERED) answeredLength = Math.max(answeredLength, length)
    if (requests <= 0) continue
    const known = lengths.get(length)
    lengths.set(length, {
      bytes: length,
      requests: requests + (known?.requests ?? 0),
      firstEpochSeconds: Math.min(firstEpoch, known?.firstEpochSeconds ?? firstEpoch),
      lastEpochSeconds: Math.max(lastEpoch, known?.lastEpochSeconds ?? lastEpoch),
    })
  }
  const loggedLengths = [...lengths.values()].sort((a, b) => a.bytes - b.bytes)
  return { loggedLengths, askedLength, answeredLength }
}
