/** How long an asset is, and who says so: the one rule, for questions and reports. */

/** How long the asset is, and who says so. */
export interface AssetLength {
  readonly bytes: number
  readonly from: 'logged' | 'given' | 'observed'
  /**
   * Only when no log tells the length and bytes were asked for, by requests of which not all is proven, that nobody
   * got: so many bytes reached somebody. `bytes` is as far as was asked; the asset may be shorter, and nothing says
   * that it is.
   */
  readonly sentBytes?: number
}

/**
 * The longest that is known: where logs disagree, more bytes must be proven rather than fewer. A logged length
 * counts unless a request reached beyond; without one, a request that was cut off counts as far as it asked, as
 * nothing shows that the asset ends where the last byte was sent.
 */
export function knownLength(
  loggedLength: number | undefined,
  askedLength: number,
  observedLength: number,
): AssetLength {
  if (loggedLength !== undefined && loggedLength >= observedLength)
    return { bytes: loggedLength, from: 'logged' }
  if (askedLength <= observedLength) return { bytes: observedLength, from: 'observed' }
  return { bytes: askedLength, from: 'observed', sentBytes: observedLength }
}
