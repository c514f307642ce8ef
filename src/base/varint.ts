/** Variable-length integers written at a place of a buffer: what hot loops use instead of a `ByteWriter`. */

/** Unsigned LEB128 of a whole number in 0..2^53. Gives the place after it; the room must be there. */
export function putUleb128(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest > 0x7fff_ffff) {
    bytes[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** Zigzag LEB128, exact for every whole number up to 2^53 in magnitude. Gives the place after it. */
export function putZigzag(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0 && value < 0x4000_0000) return putUleb128(bytes, at, value << 1)
  // 2m or 2m + 1 may not fit a double, so its lowest seven bits are split off first.
  const m = value < 0 ? -1 - value : value
  const lowest = (m % 64) * 2 + (value < 0 ? 1 : 0)
  if (m < 64) {
    bytes[at] = lowest
    return at + 1
  }
  bytes[at] = lowest | 128
  return putUleb128(bytes, at + 1, Math.floor(m / 64))
}
