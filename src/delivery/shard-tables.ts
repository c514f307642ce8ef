/**
 * What a shard's runs need before they can be encoded: a rank for every epoch, day and MD5, as the log
 * gives ranks for request, ip and user agent only.
 */

import { createHash } from 'node:crypto'
import type { StringTable } from '../log/scanned-runs.ts'
import type { NumberValues, StringValues } from '../parquet/value-table.ts'

const SECONDS_PER_DAY = 86_400
/** Up to so many seconds between first and last, epochs are ranked by a table of seconds. */
const MAX_TABLE_SECONDS = 1 << 24
const MD5_HEX_LENGTH = 32

/** Distinct numbers, ascending, and the rank of every run's (or value's) number. */
export interface RankedNumbers {
  readonly values: NumberValues
  readonly ranks: Uint32Array
}

/** Ranks the epochs of `count` runs. */
export function rankEpochs(epochs: Float64Array, count: number): RankedNumbers {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const epoch = epochs[i] ?? 0
    if (epoch < first) first = epoch
    if (epoch > last) last = epoch
  }
  return last - first < MAX_TABLE_SECONDS
    ? rankByTable(epochs, count, first, last - first + 1)
    : rankBySorting(epochs, count)
}

function rankByTable(epochs: Float64Array, count: number, first: number, secondCount: number): RankedNumbers {
  const rankOf = new Uint32Array(Math.max(secondCount, 0))
  for (let i = 0; i < count; i++) rankOf[(epochs[i] ?? 0) - first] = 1
  const values = new Float64Array(Math.min(count, rankOf.length))
  let rank = 0
  for (let second = 0; second < rankOf.length; second++) {
    if (rankOf[second] === 0) continue
    values[rank] = first + second
    rankOf[second] = rank++
  }
  const ranks = new Uint32Array(count)
  for (let i = 0; i < count; i++) ranks[i] = rankOf[(epochs[i] ?? 0) - first] ?? 0
  return { values: { type: 'INT64', count: rank, values }, ranks }
}

function rankBySorting(epochs: Float64Array, count: number): RankedNumbers {
  const values = epochs.slice(0, count).sort()
  let distinct = 0
  for (let i = 0; i < count; i++) {
    if (distinct === 0 || values[i] !== values[distinct - 1]) values[distinct++] = values[i] ?? 0
  }
  const ranks = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const epoch = epochs[i] ?? 0
    let low = 0
    let high = distinct - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((values[middle] ?? 0) < epoch) low = middle + 1
      else high = middle
    }
    ranks[i] = low
  }
  return { values: { type: 'INT64', count: distinct, values }, ranks }
}

/** The UTC days of ascending epochs: `ranks` has one entry an epoch rank. */
export function rankDays(epochs: NumberValues): RankedNumbers {
  const values = new Float64Array(epochs.count)
  const ranks = new Uint32Array(epochs.count)
  let count = 0
  for (let i = 0; i < epochs.count; i++) {
    const day = Math.floor((epochs.values[i] ?? 0) / SECONDS_PER_DAY)
    if (count === 0 || values[count - 1] !== day) values[count++] = day
    ranks[i] = count - 1
  }
  return { values: { type: 'INT32', count, values }, ranks }
}

/** The MD5 of every user agent, in their own order: `ranks` has one entry a user agent. */
export function rankMd5(userAgents: StringTable): {
  readonly values: StringValues
  readonly ranks: Uint32Array
} {
  const { count, bytes, offsets } = userAgents
  const hashes = Array.from({ length: count }, (_, i) =>
    createHash('md5')
      .update(bytes.subarray(offsets[i] ?? 0, offsets[i + 1] ?? 0))
      .digest('hex'),
  )
  const order = hashes.map((_, i) => i).sort((a, b) => ((hashes[a] ?? '') < (hashes[b] ?? '') ? -1 : 1))
  const ranks = new Uint32Array(count)
  order.forEach((userAgent, rank) => {
    ranks[userAgent] = rank
  })
  const text = order.map((userAgent) => hashes[userAgent] ?? '').join('')
  return {
    values: {
      type: 'BYTE_ARRAY',
      isText: false,
      count,
      bytes: new TextEncoder().encode(text),
      offsets: Uint32Array.from({ length: count + 1 }, (_, i) => i * MD5_HEX_LENGTH),
    },
    ranks,
  }
}
