/**
 * XXH64 with seed 0 of bytes that come in parts. The lanes are kept as halves of 32 bits: with BigInt the checksum
 * would take longer than what it checks. Source: xxHash specification 0.2.0.
 */

const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n
const STRIPE_BYTE_LENGTH = 32
const LOW_32 = 0xffff_ffffn

/** Hashes parts from front to back. */
export class StreamedXxhash64 {
  /** Low and high half of the four lanes. */
  private readonly lanes: Int32Array = startLanes()
  private readonly rest: Uint8Array = new Uint8Array(STRIPE_BYTE_LENGTH)
  private restByteLength = 0
  private byteLength = 0

  update(bytes: Uint8Array): void {
    this.byteLength += bytes.length
    let at = 0
    if (this.restByteLength > 0) {
      at = Math.min(bytes.length, STRIPE_BYTE_LENGTH - this.restByteLength)
      this.rest.set(bytes.subarray(0, at), this.restByteLength)
      this.restByteLength += at
      if (this.restByteLength < STRIPE_BYTE_LENGTH) return
      mixStripes(this.lanes, this.rest, 0, STRIPE_BYTE_LENGTH)
      this.restByteLength = 0
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE_BYTE_LENGTH)
    mixStripes(this.lanes, bytes, at, end)
    this.rest.set(bytes.subarray(end))
    this.restByteLength = bytes.length - end
  }

  /** The hash of everything so far. */
  digest(): bigint {
    const lanes = [0, 2, 4, 6].map((at) => wordAt(this.lanes, at))
    let hash = PRIME_5
    if (this.byteLength >= STRIPE_BYTE_LENGTH) {
      hash = lanes.reduce((sum, lane, i) => u64(sum + rotate(lane, [1n, 7n, 12n, 18n][i] ?? 0n)), 0n)
      for (const lane of lanes) hash = u64((hash ^ mix(0n, lane)) * PRIME_1 + PRIME_4)
    }
    return finish(u64(hash + BigInt(this.byteLength)), this.rest.subarray(0, this.restByteLength))
  }
}

function startLanes(): Int32Array {
  const starts = [PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1]
  return Int32Array.from(starts.flatMap((lane) => [Number(u64(lane) & LOW_32), Number(u64(lane) >> 32n)]))
}

function wordAt(lanes: Int32Array, at: number): bigint {
  return u64((BigInt(lanes[at + 1] ?? 0) << 32n) | (BigInt(lanes[at] ?? 0) & LOW_32))
}

/** The bytes after the last whole stripe, and the avalanche. */
function finish(start: bigint, rest: Uint8Array): bigint {
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength)
  let hash = start
  let at = 0
  for (; at + 8 <= rest.length; at += 8) {
    hash = u64(rotate(hash ^ mix(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4)
  }
  if (at + 4 <= rest.length) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3)
    at += 4
  }
  for (; at < rest.length; at++) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1)
  }
  hash = u64((hash ^ (hash >> 33n)) * PRIME_2)
  hash = u64((hash ^ (hash >> 29n)) * PRIME_3)
  return hash ^ (hash >> 32n)
}

function mix(lane: bigint, word: bigint): bigint {
  return u64(rotate(u64(lane + word * PRIME_2), 31n) * PRIME_1)
}

function rotate(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}

/** Mixes whole stripes into the lanes: for each, lane = rotate(lane + word * PRIME_2, 31) * PRIME_1. */
function mixStripes(lanes: Int32Array, bytes: Uint8Array, start: number, end: number): void {
  for (let lane = 0; lane < 4; lane++) {
    let low = lanes[2 * lane] ?? 0
    let high = lanes[2 * lane + 1] ?? 0
    for (let at = start + 8 * lane; at < end; at += STRIPE_BYTE_LENGTH) {
      const wordLow = loadWord(bytes, at)
      const wordHigh = loadWord(bytes, at + 4)
      // PRIME_2 is 0xc2b2ae3d_27d4eb4f, its low half in two parts of 16 bits.
      let a = (wordLow & 0xffff) * 0xeb4f
      let b = (wordLow & 0xffff) * 0x27d4
      let c = (wordLow >>> 16) * 0xeb4f
      let middle = (a >>> 16) + (b & 0xffff) + (c & 0xffff)
      const addedLow = (middle << 16) | (a & 0xffff)
      const addedHigh =
        (wordLow >>> 16) * 0x27d4 +
        (b >>> 16) +
        (c >>> 16) +
        (middle >>> 16) +
        Math.imul(wordHigh, 0x27d4eb4f) +
        Math.imul(wordLow, 0xc2b2ae3d)
      const sumLow = (low + addedLow) | 0
      const carry = sumLow >>> 0 < low >>> 0 ? 1 : 0
      const sumHigh = (high + addedHigh + carry) | 0
      const turnedLow = (sumLow << 31) | (sumHigh >>> 1)
      const turnedHigh = (sumHigh << 31) | (sumLow >>> 1)
      // PRIME_1 is 0x9e3779b1_85ebca87.
      a = (turnedLow & 0xffff) * 0xca87
      b = (turnedLow & 0xffff) * 0x85eb
      c = (turnedLow >>> 16) * 0xca87
      middle = (a >>> 16) + (b & 0xffff) + (c & 0xffff)
      low = (middle << 16) | (a & 0xffff)
      high =
        ((turnedLow >>> 16) * 0x85eb +
          (b >>> 16) +
          (c >>> 16) +
          (middle >>> 16) +
          Math.imul(turnedHigh, 0x85ebca87) +
          Math.imul(turnedLow, 0x9e3779b1)) |
        0
    }
    lanes[2 * lane] = low
    lanes[2 * lane + 1] = high
  }
}

function loadWord(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  )
}
