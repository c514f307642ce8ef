/**
 * Hash, comparison and copy of byte strings in linear memory, sixteen bytes at a time. Up to 15 bytes after
 * a string are read and ignored, so memory must go on after it.
 */

/** Sixteen bytes of ones, then sixteen of zeros: loaded at `16 - length` a mask of `length` bytes. */
const masks: usize = memory.data<u8>(
  [
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0,
  ],
  16,
)

/** First keys of the two vectors of a step, and what is added to both after it. */
const hashKeys: usize = memory.data<u32>(
  [
    0xb8fe6c39, 0x23a44bbe, 0x7c01812c, 0xf721ad1c, 0xded46de9, 0x839097db, 0x7240a4a4, 0xb7b3671f,
    0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f,
  ],
  16,
)

const MIX_1: u64 = 0x9e3779b185ebca87
const MIX_2: u64 = 0xc2b2ae3d27d4eb4f
const MIX_3: u64 = 0x165667b19e3779f9

/** Keeps the first `length` (0 to 15) bytes of the vector at `start`, the others as zero. */
function loadShort(start: usize, length: usize): v128 {
  return v128.and(v128.load(start), v128.load(masks + 16 - length))
}

/**
 * 32-bit hash. Source: NH (RFC 4418, section 5.2.2): sums of products of 32-bit words, each word with a key
 * of its own, of which the compiler's vectors do two a step; the keys go on by a constant a step. The
 * last step takes the last 32 (16) bytes again rather than a padded rest.
 */
export function hashBytes(start: usize, length: usize): u32 {
  let keyA = v128.load(hashKeys)
  let keyB = v128.load(hashKeys, 16)
  const end = start + length
  let a: v128
  let b: v128
  let sum: v128
  if (length < 16) {
    a = loadShort(start, length)
    b = i32x4(0, 0, 0, 0)
    sum = i64x2.splat(<i64>length)
  } else if (length < 32) {
    a = v128.load(start)
    b = v128.load(end - 16)
    sum = i64x2.splat(<i64>length)
  } else {
    const step = v128.load(hashKeys, 32)
    sum = i64x2.splat(<i64>length)
    for (let at = start; at < end - 32; at += 32) {
      a = i32x4.add(v128.load(at), keyA)
      b = i32x4.add(v128.load(at, 16), keyB)
      sum = i64x2.add(sum, i64x2.add(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b)))
      keyA = i32x4.add(keyA, step)
      keyB = i32x4.add(keyB, step)
    }
    a = v128.load(end - 32)
    b = v128.load(end - 16)
  }
  a = i32x4.add(a, keyA)
  b = i32x4.add(b, keyB)
  const low = i64x2.extmul_low_i32x4_u(a, b)
  const high = i64x2.extmul_high_i32x4_u(a, b)
  sum = i64x2.add(sum, i64x2.add(low, v128.shuffle<u64>(high, high, 1, 0)))
  const left = <u64>i64x2.extract_lane(sum, 0) * MIX_1
  const right = rotl<u64>(<u64>i64x2.extract_lane(sum, 1) * MIX_2, 32)
  const mixed = (left ^ right ^ ((left ^ right) >> 29)) * MIX_3
  return <u32>(mixed >> 32)
}

/** Whether two strings of the same length are equal. */
export function equalBytes(a: usize, b: usize, length: usize): bool {
  if (length < 16) {
    const differences = v128.xor(v128.load(a), v128.load(b))
    return !v128.any_true(v128.and(differences, v128.load(masks + 16 - length)))
  }
  // Nearly every call finds equal strings: nothing is won by leaving early.
  const last = length - 16
  let differences = v128.xor(v128.load(a + last), v128.load(b + last))
  for (let at: usize = 0; at < last; at += 16) {
    differences = v128.or(differences, v128.xor(v128.load(a + at), v128.load(b + at)))
  }
  return !v128.any_true(differences)
}

/**
 * Copies a string. Up to 15 bytes after the copy are overwritten: what is copied next must come after it.
 * For strings of some bytes this is much faster than `memory.copy`, which is a call into the engine.
 */
export function copyBytes(to: usize, from: usize, length: usize): void {
  for (let at: usize = 0; at < length; at += 16) v128.store(to + at, v128.load(from + at))
}
