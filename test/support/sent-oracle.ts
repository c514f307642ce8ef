/** Says how much was sent by the counts of a line, the slow and obvious way; a part of the oracle of records. */

/** What the counts of a format mean. */
export interface CountOracle {
  /** `offered`: the body's count says nothing of what was sent. `chunks`: it holds framing, without a length. `frames`: unless it was HTTP/1. */
  readonly body?: 'offered' | 'chunks' | 'frames'
  /** What the count with headers may hold beside: 2048 bytes, these and an eighth, or 32768 and an eighth, and chunks. */
  readonly sent?: 'frames' | 'wire'
}

/** The counts of a line, and what it says about the end. */
export interface LineCounts {
  readonly body: number | undefined
  readonly sent: number | undefined
  readonly overhead: number | undefined
  readonly state: 'complete' | 'aborted' | 'unknown'
  readonly isChunked: boolean
  /** Whether the response has a content length. */
  readonly hasLength: boolean
  /** Whether the response says which range it is. */
  readonly isTold: boolean
  /** Whether anything but the request says where the range ends. */
  readonly isBounded: boolean
  readonly isFramed: boolean
}

const HEADERS = 2048
const HANDSHAKE = 32_768

const sevenEighths = (count: number): number => count - Math.floor(count / 8)

/** Of bytes in chunks: six a byte at most, after the head of a chunk that was sent alone. */
const unchunk = (count: number): number => Math.trunc((count - 18) / 6)

const unwrapSent = (
  count: number,
  { overhead, isChunked, hasLength }: LineCounts,
  format: CountOracle,
): number => {
  if (overhead !== undefined && overhead > 0) return count - overhead - HEADERS
  if (format.sent === 'wire' && !hasLength) return unchunk(sevenEighths(count) - HANDSHAKE)
  if (isChunked) return unchunk(count - HEADERS)
  return format.sent === undefined
    ? count - HEADERS
    : sevenEighths(count) - (format.sent === 'wire' ? HANDSHAKE : HEADERS)
}

const unframe = (body: number, overhead: number | undefined): number =>
  overhead === undefined || overhead === 0 ? sevenEighths(body) - HEADERS : body - overhead

/** How much of a whole whose length is not known the counts speak of; 0 or less for nothing. */
export function prefixOf(counts: LineCounts, format: CountOracle): number {
  const { body, sent, overhead, isChunked, isFramed } = counts
  if (body !== undefined && isFramed) return unframe(body, overhead)
  if (body !== undefined) return isChunked ? unchunk(body) : body
  return sent === undefined ? 0 : unwrapSent(sent, counts, format)
}

/** How many of the claimed bytes were sent for certain; undefined when nothing is said of it. */
export function sentOf(claimed: number, counts: LineCounts, format: CountOracle): number | undefined {
  const { body, sent, overhead, state, isChunked, isTold, isBounded, isFramed } = counts
  let found = state === 'aborted' ? 0 : claimed
  if (format.body === 'offered') {
    if (state === 'unknown' && sent === undefined) return undefined
    const offered = Math.min(claimed, body ?? claimed)
    const isWhole =
      state === 'complete' && (sent === undefined || (sent > offered && (body !== undefined || isBounded)))
    found = isWhole ? offered : Math.min(offered, sent === undefined ? 0 : unwrapSent(sent, counts, format))
  } else if (body !== undefined && isFramed) {
    found = Math.min(claimed, unframe(body, overhead))
  } else if (body !== undefined && isChunked) {
    found = state === 'complete' && isTold && body >= claimed ? claimed : Math.min(claimed, unchunk(body))
  } else if (body !== undefined) {
    found = body >= claimed ? claimed : body - (overhead ?? 0)
  } else if (sent !== undefined) {
    const isWhole = state === 'complete' && sent > claimed && isBounded && (isTold || !isChunked)
    found = isWhole ? claimed : Math.min(claimed, unwrapSent(sent, counts, format))
  } else if (format.body === 'frames') {
    return undefined
  }
  return Math.max(0, found)
}

/** How long a whole of unknown length may be: as much as was counted, and more when it was cut off. */
export function wholeLength(
  { body, sent, state }: LineCounts,
  format: CountOracle & { readonly trust?: boolean },
): number {
  const isCutOff = state === 'aborted' && format.body !== 'offered' && format.trust !== true
  return (body ?? sent ?? 0) + (isCutOff ? 1 : 0)
}
