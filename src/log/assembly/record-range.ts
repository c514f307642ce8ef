/**
 * Which bytes a request delivered, from all that its line says (RFC 9110, section 14): the response's range
 * before the request's, never more than was sent, and nothing where the evidence is missing.
 */

import { findByte } from './marks'
import {
  ABORTED,
  areCountsGood,
  bodyAtLeast,
  bodyAtMost,
  bodyWithin,
  bodyWithinFrames,
  COMPLETE,
  isInChunks,
  isInFrames,
  MAX_LENGTH,
  readCount,
  readNumber,
  transferState,
  UNKNOWN,
  withoutChunks,
} from './record-counts'
import {
  BODY_BYTES,
  BODY_IN_FRAMES,
  BODY_OFFERED,
  CONTENT_LENGTH,
  CONTENT_RANGE,
  has,
  LENGTH,
  OVERHEAD_BYTES,
  RANGE,
  RANGE_FIRST,
  RANGE_LAST,
  SENT_BYTES,
  TRUST,
} from './record-layout'
import { endOf, hasSpan, startOf } from './record-spans'
import { BAD_RANGE, counts, KEPT, UNPROVEN } from './state'

const COMMA: u8 = 0x2c
const DASH: u8 = 0x2d
const SLASH: u8 = 0x2f
const EQUALS: u8 = 0x3d
const SPACE: u8 = 0x20
const STAR: u8 = 0x2a
/** The range of the line, when its fate is `KEPT`. */
export let first: i64 = 0
export let last: i64 = 0
/** The complete length that the line tells, or 0. */
export let loggedLength: i64 = 0
/** Another complete length that the line tells, or 0: its response and its object may differ. */
export let otherLength: i64 = 0
/** Bytes of the range that were not sent. */
export let clippedBytes: i64 = 0
/** Whether the range counts as sent though nothing on the line says how much was. */
export let isUnmeasured: bool = false
/**
 * How long the asset may be at least, of which the line does not tell how long it is: as far as bytes were asked
 * for, or counted, that are not proven. 0 when that is no farther than `last`.
 */
export let askedLength: i64 = 0
/** How long the asset is at least, as the response itself says; 0 likewise. */
export let answeredLength: i64 = 0

/** Whether [start, end) begins with `bytes` in any case; then what follows is `mark`. */
function hasUnit(start: usize, end: usize, mark: u8): bool {
  if (end - start < 6) return false
  const word = (load<u32>(start) | 0x20202020) == 0x65747962
  return word && (load<u8>(start, 4) | 0x20) == 0x73 && load<u8>(start, 5) == mark
}

/** Reads `first-last` of [start, end) with both numbers; false when it is anything else. */
function readPair(start: usize, end: usize): bool {
  const dash = findByte(DASH, start, end)
  if (dash == end) return false
  first = readNumber(start, dash)
  last = readNumber(dash + 1, end)
  return first >= 0 && last >= first && last < MAX_LENGTH
}

/** `bytes 0-499/1234`, `0-499/*`; the total becomes `loggedLength`. */
function readContentRange(): u32 {
  let start = startOf(CONTENT_RANGE)
  const end = endOf(CONTENT_RANGE)
  if (hasUnit(start, end, SPACE)) start += 6
  else if (findByte(SPACE, start, end) < end) return UNPROVEN
  const slash = findByte(SLASH, start, end)
  if (slash == end || !readPair(start, slash)) return BAD_RANGE
  if (end - slash == 2 && load<u8>(slash, 1) == STAR) return KEPT
  const total = readNumber(slash + 1, end)
  if (total <= last) return BAD_RANGE
  loggedLength = total
  return KEPT
}

/** `bytes=0-499`, `bytes=0-`, `bytes=-500`, the same without a unit; `length` is the complete length or `ABSENT`. */
function readRequestRange(length: i64, state: u32): u32 {
  let start = startOf(RANGE)
  const end = endOf(RANGE)
  if (hasUnit(start, end, EQUALS)) start += 6
  else if (findByte(EQUALS, start, end) < end) return UNPROVEN
  // Several ranges come as parts with headers of their own: where they lie is not logged.
  if (findByte(COMMA, start, end) < end) {
    if (length < 0) askSeveral(start, end, state)
    return UNPROVEN
  }
  if (start < end && load<u8>(start) == DASH) {
    const suffix = readNumber(start + 1, end)
    if (suffix < 0) return BAD_RANGE
    if (length < 0) askOne(start, end, state, true)
    if (length < 0 || suffix == 0 || length == 0) return UNPROVEN
    first = suffix < length ? length - suffix : 0
    last = length - 1
    return KEPT
  }
  if (end > start && load<u8>(end - 1) == DASH) {
    first = readNumber(start, end - 1)
    if (first < 0) return BAD_RANGE
    if (length < 0) askOne(start, end, state, true)
    if (length <= first) return UNPROVEN
    last = length - 1
    return KEPT
  }
  if (!readPair(start, end)) return BAD_RANGE
  if (length < 0) return KEPT
  // The server ends where the asset ends.
  if (first >= length) return UNPROVEN
  if (last >= length) last = length - 1
  return KEPT
}

/** Whether the response's range stands in fields of its own. */
function isRangeSplit(): bool {
  return hasSpan(RANGE_FIRST) || hasSpan(RANGE_LAST)
}

/** The range that a 206 claims. */
function claimPart(length: i64, state: u32): u32 {
  if (hasSpan(CONTENT_RANGE)) return readContentRange()
  if (isRangeSplit()) {
    first = readCount(RANGE_FIRST)
    last = readCount(RANGE_LAST)
    return first < 0 || last < first || last == MAX_LENGTH ? BAD_RANGE : KEPT
  }
  if (hasSpan(RANGE)) return readRequestRange(length, state)
  // It may be several parts, with their headers.
  if (length < 0) askedLength = hasSpan(CONTENT_LENGTH) ? readCount(CONTENT_LENGTH) : bodyAtMost(state)
  return UNPROVEN
}

/**
 * Notes how far an answer goes that begins at `from` and was to have `wanted` bytes. Where it ends, its content length
 * says, or what was counted of it when it ended well; else it may go as far as was asked. `isAlone`: it is no part of
 * several, so that its content length counts nothing but its bytes.
 */
function askFor(from: i64, wanted: i64, state: u32, isAlone: bool): void {
  const size = readCount(CONTENT_LENGTH)
  let byteLength = size
  if (size < 0) {
    const isCounted = state == COMPLETE && (hasSpan(BODY_BYTES) || hasSpan(SENT_BYTES))
    byteLength = isCounted || wanted == MAX_LENGTH ? bodyAtMost(state) : wanted
  }
  const end = from + min(wanted, max(<i64>1, byteLength))
  if (isAlone && size > 0) {
    answeredLength = end
    return
  }
  askedLength = max(askedLength, end)
}

/** The same for a range of which it is not known where it ends. What was sent of it was there, but proves no range. */
function askUnbounded(from: i64, wanted: i64, state: u32, isAlone: bool): void {
  askFor(from, wanted, state, isAlone)
  if (!isAlone || hasSpan(CONTENT_LENGTH)) return
  const sent = min(wanted, bodyAtLeast())
  if (sent > 0) answeredLength = from + sent
}

/** The same for the range [start, end) of a request. */
function askOne(start: usize, end: usize, state: u32, isAlone: bool): void {
  if (start == end) return
  if (load<u8>(start) == DASH) {
    const suffix = readNumber(start + 1, end)
    if (suffix > 0) askUnbounded(0, suffix, state, isAlone)
  } else if (load<u8>(end - 1) == DASH) {
    const from = readNumber(start, end - 1)
    if (from >= 0) askUnbounded(from, MAX_LENGTH, state, isAlone)
  } else if (readPair(start, end)) {
    askFor(first, last - first + 1, state, isAlone)
  }
}

/** The same for each of several. */
function askSeveral(start: usize, end: usize, state: u32): void {
  let at = start
  while (at < end) {
    const comma = findByte(COMMA, at, end)
    let to = comma
    while (at < to && load<u8>(at) == SPACE) at++
    while (to > at && load<u8>(to - 1) == SPACE) to--
    askOne(at, to, state, false)
    at = comma + 1
  }
}

/** The range that a 200 claims: the whole, or as much of it as was sent. */
function claimWhole(length: i64, state: u32): u32 {
  const body = readCount(BODY_BYTES)
  const sent = readCount(SENT_BYTES)
  first = 0
  last = -1
  if (length >= 0) {
    if (body >= 0 || sent >= 0 || state == COMPLETE || has(TRUST)) last = length - 1
  } else {
    last = bodyAtLeast() - 1
    askedLength = bodyAtMost(state)
  }
  return last < 0 ? UNPROVEN : KEPT
}

/** Whether the claimed bytes are there to be sent for certain: by a request's range the asset may end before. */
function isClaimTold(): bool {
  // `sentOf` has cut it to the size of the response.
  if (hasSpan(CONTENT_RANGE) || (has(BODY_OFFERED) && hasSpan(BODY_BYTES))) return true
  return !isInChunks() && (loggedLength > 0 || hasSpan(RANGE_FIRST))
}

/** How many bytes of the claimed range were sent. How many there were in chunks, only the response's range tells. */
function sentOf(claimed: i64, state: u32): i64 {
  // A response has no more than its content length says, whatever was asked for.
  if (hasSpan(CONTENT_LENGTH)) claimed = min(claimed, readCount(CONTENT_LENGTH))
  const body = readCount(BODY_BYTES)
  if (has(BODY_OFFERED)) {
    // The response may be smaller than its headers said.
    if (body >= 0) claimed = min(claimed, body)
    if (!hasSpan(SENT_BYTES)) return state == COMPLETE ? claimed : 0
  } else if (body >= 0) {
    const isWhole = state == COMPLETE && body >= claimed && hasSpan(CONTENT_RANGE)
    if (isInChunks() && !isWhole) return min(claimed, withoutChunks(body))
    if (isInFrames()) return min(claimed, bodyWithinFrames(body))
    if (body >= claimed) return claimed
    // Some count what the protocol adds: it may be as much as that.
    const overhead = readCount(OVERHEAD_BYTES)
    return overhead > 0 ? body - overhead : body
  }
  const sent = readCount(SENT_BYTES)
  if (sent >= 0) {
    // Headers are never empty: a whole transfer is more than its body.
    if (state == COMPLETE && sent > claimed && isClaimTold()) return claimed
    return min(claimed, bodyWithin(sent))
  }
  return state == ABORTED ? 0 : claimed
}

/** Decides on a 200 or 206: `KEPT` with `first` and `last`, `UNPROVEN`, or `BAD_RANGE`; and what the line tells of the length. */
export function decideRange(isPart: bool): u32 {
  loggedLength = 0
  askedLength = 0
  answeredLength = 0
  clippedBytes = 0
  isUnmeasured = false
  otherLength = 0
  if (!areCountsGood()) return BAD_RANGE
  const fate = decideClaim(isPart)
  const objectLength = readCompleteLength()
  if (objectLength != loggedLength) otherLength = objectLength
  const shown = fate == KEPT ? last + 1 : 0
  if (loggedLength > 0 || answeredLength <= shown) answeredLength = 0
  else answeredLength = min(answeredLength, MAX_LENGTH)
  if (loggedLength > 0 || askedLength <= max(shown, answeredLength)) askedLength = 0
  else askedLength = min(askedLength, MAX_LENGTH)
  return fate
}

/** Notes how far a 206 goes that tells no length and of which not all is proven. */
function askClaim(state: u32): void {
  if (loggedLength > 0) return
  if (hasSpan(CONTENT_RANGE) || isRangeSplit()) answeredLength = last + 1
  else askFor(first, last - first + 1, state, true)
}

/** What becomes of the range that the line claims. */
function decideClaim(isPart: bool): u32 {
  const state = transferState()
  let length = readCount(LENGTH)
  // Of a 200 the content is the whole, in the encoding that was sent.
  if (!isPart && hasSpan(CONTENT_LENGTH)) length = readCount(CONTENT_LENGTH)
  if (length > 0) loggedLength = length
  const fate = isPart ? claimPart(length, state) : claimWhole(length, state)
  if (fate == KEPT && loggedLength > 0 && last >= loggedLength) return BAD_RANGE
  if (fate != KEPT || has(TRUST)) return fate
  const size = isPart ? readCount(CONTENT_LENGTH) : 0
  if (size > last - first + 1) {
    // A response of more bytes than its range is another one: of several ranges, or of one that the line does not tell.
    askedLength = first + size
    return UNPROVEN
  }
  // Nothing says that less was sent, but nothing says that anything was.
  const isCounted = hasSpan(SENT_BYTES) || (hasSpan(BODY_BYTES) && !has(BODY_OFFERED))
  isUnmeasured = state == UNKNOWN && !isCounted
  if (isUnmeasured && has(BODY_IN_FRAMES | BODY_OFFERED)) {
    if (isPart) askClaim(state)
    return UNPROVEN
  }
  const claimed = last - first + 1
  const sent = max(<i64>0, sentOf(claimed, state))
  if (sent == claimed) return KEPT
  if (isPart) askClaim(state)
  clippedBytes = claimed - sent
  last = first + sent - 1
  if (sent > 0) return KEPT
  counts.clippedRequests++
  counts.clippedBytes += <u64>clippedBytes
  return UNPROVEN
}

/** The length that `bytes *\/70` of a 416 tells, or 0. */
export function readUnsatisfiedLength(): i64 {
  let start = startOf(CONTENT_RANGE)
  const end = endOf(CONTENT_RANGE)
  if (hasUnit(start, end, SPACE)) start += 6
  if (end - start < 3 || load<u16>(start) != 0x2f2a) return 0
  return max(<i64>0, readNumber(start + 2, end))
}

/** The complete length, where a field of its own tells it, or 0. */
export function readCompleteLength(): i64 {
  return max(<i64>0, readCount(LENGTH))
}

/** The length that the answer to a HEAD tells, which has the headers of a GET; or 0. */
export function readOfferedLength(isPart: bool): i64 {
  loggedLength = 0
  if (!isPart) {
    const length = readCount(hasSpan(CONTENT_LENGTH) ? CONTENT_LENGTH : LENGTH)
    return max(<i64>0, length)
  }
  if (!hasSpan(CONTENT_RANGE)) return readCompleteLength()
  return readContentRange() == KEPT ? loggedLength : 0
}
