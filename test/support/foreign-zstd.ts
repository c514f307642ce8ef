/** Zstandard as somebody else decodes it. */

import { compressors } from 'hyparquet-compressors'

/** Inflates a frame with the decoder of `hyparquet-compressors`. */
export function inflateZstd(frame: Uint8Array, byteLength: number): Uint8Array {
  const { ZSTD } = compressors
  if (ZSTD === undefined) throw new Error('hyparquet-compressors has no zstd')
  return ZSTD(frame, byteLength)
}
