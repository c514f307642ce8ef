/** Variable-length integers; each function gives the place after what it wrote. */

/** Unsigned LEB128. */
export function putUleb128(start: usize, value: u64): usize {
  let at = start
  let rest = value
  while (rest > 127) {
    store<u8>(at++, <u8>(rest | 128))
    rest >>= 7
  }
  store<u8>(at++, <u8>rest)
  return at
}

/** Zigzag LEB128. */
export function putZigzag(start: usize, value: i64): usize {
  return putUleb128(start, <u64>((value << 1) ^ (value >> 63)))
}
