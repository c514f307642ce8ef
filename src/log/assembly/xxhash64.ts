/** XXH64 with seed 0. Source: xxHash specification 0.2.0, "XXH64 algorithm description". */

const PRIME_1: u64 = 0x9e3779b185ebca87
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f
const PRIME_3: u64 = 0x165667b19e3779f9
const PRIME_4: u64 = 0x85ebca77c2b2ae63
const PRIME_5: u64 = 0x27d4eb2f165667c5

function mixLane(accumulator: u64, lane: u64): u64 {
  return rotl<u64>(accumulator + lane * PRIME_2, 31) * PRIME_1
}

function mergeAccumulator(hash: u64, accumulator: u64): u64 {
  return (hash ^ mixLane(0, accumulator)) * PRIME_1 + PRIME_4
}

/** Hash of the `byteLength` bytes at `start`. */
export function xxhash64(start: usize, byteLength: usize): u64 {
  const end = start + byteLength
  let at = start
  let hash = PRIME_5
  if (byteLength >= 32) {
    let a = PRIME_1 + PRIME_2
    let b = PRIME_2
    let c: u64 = 0
    let d: u64 = 0 - PRIME_1
    for (; at + 32 <= end; at += 32) {
      a = mixLane(a, load<u64>(at))
      b = mixLane(b, load<u64>(at, 8))
      c = mixLane(c, load<u64>(at, 16))
      d = mixLane(d, load<u64>(at, 24))
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18)
    hash = mergeAccumulator(hash, a)
    hash = mergeAccumulator(hash, b)
    hash = mergeAccumulator(hash, c)
    hash = mergeAccumulator(hash, d)
  }
  hash += byteLength
  for (; at + 8 <= end; at += 8) {
    hash = rotl<u64>(hash ^ mixLane(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * PRIME_1), 23) * PRIME_2 + PRIME_3
    at += 4
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * PRIME_5), 11) * PRIME_1
  hash = (hash ^ (hash >> 33)) * PRIME_2
  hash = (hash ^ (hash >> 29)) * PRIME_3
  return hash ^ (hash >> 32)
}
