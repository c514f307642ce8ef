/**
 * Structure: where TABs and line feeds are. A mark is the address of a byte <= 0x0A: TAB, line feed, and
 * the control bytes below them, which no ordinary line holds (one unsigned comparison finds them all, and
 * whoever reads a mark looks at its byte anyway). Lists of marks are four bytes each, ascending.
 */

const LAST_MARKED: i8 = 10

function markMask(address: usize): u64 {
  const last = i8x16.splat(LAST_MARKED)
  const a = <u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(address), last)))
  const b = <u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(address, 16), last)))
  const c = <u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(address, 32), last)))
  const d = <u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(address, 48), last)))
  return a | (b << 16) | (c << 32) | (d << 48)
}

/**
 * Appends the marks of [from, to) at `out` and returns the end of the list. Up to 63 bytes after `to` are
 * read; up to 60 bytes after the returned end may be overwritten.
 */
export function markBytes(from: usize, to: usize, out: usize): usize {
  for (let at = from; at < to; at += 64) {
    let mask = markMask(at)
    if (to - at < 64) mask &= ((<u64>1) << (to - at)) - 1
    const end = out + ((<usize>popcnt(mask)) << 2)
    // Six are written whatever their number is: a loop with their number would be mispredicted each time.
    store<u32>(out, <u32>at + <u32>ctz(mask))
    mask &= mask - 1
    store<u32>(out, <u32>at + <u32>ctz(mask), 4)
    mask &= mask - 1
    store<u32>(out, <u32>at + <u32>ctz(mask), 8)
    mask &= mask - 1
    store<u32>(out, <u32>at + <u32>ctz(mask), 12)
    mask &= mask - 1
    store<u32>(out, <u32>at + <u32>ctz(mask), 16)
    mask &= mask - 1
    store<u32>(out, <u32>at + <u32>ctz(mask), 20)
    mask &= mask - 1
    out += 24
    while (mask != 0) {
      store<u32>(out, <u32>at + <u32>ctz(mask))
      mask &= mask - 1
      out += 4
    }
    out = end
  }
  return out
}

/** Address of the first byte `value` in [from, to), or `to`. Reads up to 15 bytes after `to`. */
export function findByte(value: u8, from: usize, to: usize): usize {
  const wanted = i8x16.splat(<i8>value)
  for (let at = from; at < to; at += 16) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (mask != 0) {
      const found = at + <usize>ctz(mask)
      return found < to ? found : to
    }
  }
  return to
}

/** Address after the last line feed in [from, to), or `from` when there is none. Reads up to 15 bytes before `from`. */
export function findLastLineEnd(from: usize, to: usize): usize {
  const wanted = i8x16.splat(10)
  let end = to
  while (end > from) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(end - 16), wanted))
    if (mask != 0) {
      const after = end - 16 + <usize>(32 - clz<u32>(mask))
      return after > from ? after : from
    }
    end -= 16
  }
  return from
}
