/** How long an asset is, and who says so: the one rule, for questions and reports. */

import type { ToldLengths } from './evidence.ts'

/** How long the asset is, and who says so. */
export interface AssetLength {
  readonly bytes: number
  readonly from: 'logged' | 'given' | 'observed'
  /**
   * Only when no log tells a length, or responses go beyond what logs tell, and bytes were asked for, by requests of
   * which not all is proven, that nobody got: so many bytes reached somebody. `bytes` is as far as was asked.
   */
  readonly sentBytes?: number
}

/**
 * The longest that is known: where logs disagree, more bytes must be proven rather than fewer. A logged length
 * counts unless a request reached beyond, or a response says that the asset goes on; without one, a request that was
 * cut off counts as far as it asked, as nothing shows that the asset ends where the last byte was sent.
 */
export function knownLength(
  loggedLength: number | undefined,
  { askedLength, answeredLength }: Pick<ToldLengths, 'askedLength' | 'answeredLength'>,
  observedLength: number,
): AssetLength {
  if (loggedLength !== undefined && loggedLength >= Math.max(observedLength, answeredLength))
    return { bytes: loggedLength, from: 'logged' }
  const bytes = Math.max(askedLength, answeredLength)
  if (bytes <= observedLength) return { bytes: observedLength, from: 'observed' }
  return { bytes, from: 'observed', sentBytes: observedLength }
}
