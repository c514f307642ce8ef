/** The input's own header line, which is no other header when it comes again. */

import { layout } from './state'

/** Whether [start, end) is the input's header line. */
export function isHeader(start: usize, end: usize): bool {
  const length = end - start
  if (length != layout.headerByteLength) return false
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(start + i) != load<u8>(layout.header + i)) return false
  }
  return true
}
