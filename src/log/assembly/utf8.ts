/** Strict UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF (RFC 3629, section 4). */

function isContinuation(byte: u8): bool {
  return (byte & 0xc0) == 0x80
}

/** Length of the valid character at `at`, or 0 when there is none. */
function characterLength(at: usize, end: usize): usize {
  const lead = load<u8>(at)
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  const length: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (end - at < length) return 0
  const second = load<u8>(at, 1)
  const lowest: u8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
  const highest: u8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  if (length > 2 && !isContinuation(load<u8>(at, 2))) return 0
  if (length > 3 && !isContinuation(load<u8>(at, 3))) return 0
  return length
}

/** Whether [start, end) is valid UTF-8. Reads up to 15 bytes after `end`. */
export function isUtf8(start: usize, end: usize): bool {
  let at = start
  while (at < end) {
    // Most values are ASCII: sixteen bytes a step.
    const high = i8x16.bitmask(v128.load(at))
    if (high == 0) {
      at += 16
      continue
    }
    at += <usize>ctz(high)
    while (at < end && load<u8>(at) >= 0x80) {
      const length = characterLength(at, end)
      if (length == 0) return false
      at += length
    }
  }
  return true
}
