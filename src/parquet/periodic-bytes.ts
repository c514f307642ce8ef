/**
 * Bytes whose end repeats: what a page of a million rows is before anybody writes it out.
 */

/**
 * `byteLength` bytes: first `prefix`, then, if `period` is not 0, the last `period` bytes of it over and
 * over. `period` is at most `prefix.length`, and 0 exactly when the prefix is all.
 */
export interface PeriodicBytes {
  readonly prefix: Uint8Array
  readonly period: number
  readonly byteLength: number
}

/** Writes all bytes out; the prefix itself when nothing repeats. */
export function expandBytes(content: PeriodicBytes): Uint8Array {
  const { prefix, period, byteLength } = content
  if (period === 0) return prefix
  const out = new Uint8Array(byteLength)
  out.set(prefix)
  // What stands there from `start` on is copied behind itself, each time twice as much.
  const start = prefix.length - period
  for (let at = prefix.length; at < byteLength; at += at - start) out.copyWithin(at, start, at)
  return out
}
