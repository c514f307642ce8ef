/** XXH64 with seed 0 in plain TypeScript, for the plain scanner. Source: xxHash specification 0.2.0. */

const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n
const MASK = 0xffffffffffffffffn

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

function mixLane(accumulator: bigint, lane: bigint): bigint {
  return (rotate((accumulator + lane * PRIME_2) & MASK, 31n) * PRIME_1) & MASK
}

function mergeAccumulator(hash: bigint, accumulator: bigint): bigint {
  return ((hash ^ mixLane(0n, accumulator)) * PRIME_1 + PRIME_4) & MASK
}

/** The hash of stripes of 32 bytes, before the rest is added. */
function hashStripes(view: DataView, end: number): bigint {
  const lanes = [(PRIME_1 + PRIME_2) & MASK, PRIME_2, 0n, MASK + 1n - PRIME_1]
  for (let at = 0; at + 32 <= end; at += 32) {
    for (const [i, lane] of lanes.entries()) lanes[i] = mixLane(lane, view.getBigUint64(at + i * 8, true))
  }
  const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes
  const hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK
  return lanes.reduce(mergeAccumulator, hash)
}

/** The hash as two halves. Slow: used once for each distinct value only. */
export function plainXxhash64(bytes: Uint8Array): { readonly low: number; readonly high: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length
  let at = end - (end % 32)
  let hash = ((end >= 32 ? hashStripes(view, end) : PRIME_5) + BigInt(end)) & MASK
  for (; at + 8 <= end; at += 8) {
    hash = (rotate(hash ^ mixLane(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4) & MASK
  }
  if (at + 4 <= end) {
    hash =
      (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * PRIME_1) & MASK), 23n) * PRIME_2 + PRIME_3) & MASK
    at += 4
  }
  for (; at < end; at++) {
    hash = (rotate(hash ^ ((BigInt(view.getUint8(at)) * PRIME_5) & MASK), 11n) * PRIME_1) & MASK
  }
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK
  hash ^= hash >> 32n
  return { low: Number(hash & 0xffffffffn), high: Number(hash >> 32n) }
}
