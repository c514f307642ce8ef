/**
 * Which bytes a request delivered, from all that its line says (RFC 9110, section 14): the response's range
 * before the request's, never more than was sent, and nothing where the evidence is missing.
 */

import { findByte } from './marks'
import { readDigits } from './number'
import {
  BODY_BYTES,
  BODY_IN_CHUNKS,
  BODY_IN_FRAMES,
  BODY_OFFERED,
  COMPLETION,
  CONTENT_LENGTH,
  CONTENT_RANGE,
  completionKind,
  DETAIL,
  has,
  headerOverhead,
  LENGTH,
  OVERHEAD_BYTES,
  PROTOCOL,
  RANGE,
  RANGE_FIRST,
  RANGE_LAST,
  RESULT,
  SENT_BYTES,
  SENT_IN_FRAMES,
  SENT_ON_WIRE,
  TRUST,
} from './record-layout'
import { endOf, hasSpan, isSet, startOf } from './record-spans'
import { BAD_RANGE, counts, KEPT, UNPROVEN } from './state'

const COMMA: u8 = 0x2c
const DASH: u8 = 0x2d
const SLASH: u8 = 0x2f
const EQUALS: u8 = 0x3d
const SPACE: u8 = 0x20
const STAR: u8 = 0x2a
/** 2^53-1, the longest length; the last position is one less. */
const MAX_LENGTH: i64 = 9007199254740991

/** A count that is not logged. */
const ABSENT: i64 = -1
/** A count that is no number. */
const BAD: i64 = -2

const UNKNOWN: u32 = 0
const COMPLETE: u32 = 1
const ABORTED: u32 = 2

/** The range of the line, when its fate is `KEPT`. */
export let first: i64 = 0
export let last: i64 = 0
/** The complete length that the line tells, or 0. */
export let loggedLength: i64 = 0
/** Bytes of the range that were not sent. */
export let clippedBytes: i64 = 0
/**
 * How long the asset may be at least, of which the line does not tell how long it is: as far as bytes were asked
 * for, or counted, that are not proven. 0 when that is no farther than `last`.
 */
export let askedLength: i64 = 0

function readNumber(start: usize, end: usize): i64 {
  const length = <u32>(end - start)
  if (length - 1 > 15) return BAD
  const value = readDigits(end, length)
  return value < 0 || value > MAX_LENGTH ? BAD : value
}

function readCount(slot: u32): i64 {
  return hasSpan(slot) ? readNumber(startOf(slot), endOf(slot)) : ABSENT
}

function isWord(slot: u32, word: u64, length: usize): bool {
  const start = startOf(slot)
  if (endOf(slot) - start != length) return false
  return load<u64>(start) << ((8 - length) << 3) == word << ((8 - length) << 3)
}

/** Hit, Miss, RefreshHit, OriginShieldHit: all that says that a response was served as it should. */
function isServed(): bool {
  const start = startOf(RESULT)
  const length = endOf(RESULT) - start
  if (isWord(RESULT, 0x746948, 3) || isWord(RESULT, 0x7373694d, 4)) return true
  // RefreshH it, OriginSh ield Hit
  if (length == 10) return load<u64>(start) == 0x4868736572666552 && load<u16>(start, 8) == 0x7469
  return length == 15 && load<u64>(start) == 0x68536e696769724f && load<u64>(start, 7) == 0x746948646c656968
}

function cloudFrontState(): u32 {
  if (!hasSpan(RESULT)) return UNKNOWN
  if (!isServed()) return ABORTED
  // The detail repeats the result, or says what went wrong after it: ClientCommError.
  if (!hasSpan(DETAIL)) return COMPLETE
  const end = endOf(DETAIL)
  return end - startOf(DETAIL) >= 5 && load<u32>(end - 4) == 0x726f7272 ? ABORTED : COMPLETE
}

/** What the log says about the end of the transfer. */
function transferState(): u32 {
  if (completionKind == 1) {
    if (!isSet(COMPLETION)) return UNKNOWN
    return isWord(COMPLETION, 0x4b4f, 2) ? COMPLETE : ABORTED
  }
  if (completionKind == 2) {
    if (isWord(COMPLETION, 0x58, 1)) return ABORTED
    return isWord(COMPLETION, 0x2b, 1) || isWord(COMPLETION, 0x2d, 1) ? COMPLETE : UNKNOWN
  }
  if (completionKind == 3) return cloudFrontState()
  if (completionKind != 4 || !hasSpan(COMPLETION)) return UNKNOWN
  return isWord(COMPLETION, 0x31, 1) || isWord(COMPLETION, 0x65757274, 4) ? COMPLETE : ABORTED
}

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

/** Bytes of an answer to a range that begins at `from` and has no end: one at least, or all that were counted. */
function askOpen(from: i64): void {
  askedLength = from + max(<i64>1, readCount(BODY_BYTES))
}

/** `bytes=0-499`, `bytes=0-`, `bytes=-500`, the same without a unit; `length` is the complete length or `ABSENT`. */
function readRequestRange(length: i64): u32 {
  let start = startOf(RANGE)
  const end = endOf(RANGE)
  if (hasUnit(start, end, EQUALS)) start += 6
  else if (findByte(EQUALS, start, end) < end) return UNPROVEN
  // Several ranges come as parts with headers of their own: where they lie is not logged.
  if (findByte(COMMA, start, end) < end) return UNPROVEN
  if (start < end && load<u8>(start) == DASH) {
    const suffix = readNumber(start + 1, end)
    if (suffix < 0) return BAD_RANGE
    if (length < 0 && suffix > 0) askOpen(0)
    if (length < 0 || suffix == 0 || length == 0) return UNPROVEN
    first = suffix < length ? length - suffix : 0
    last = length - 1
    return KEPT
  }
  if (end > start && load<u8>(end - 1) == DASH) {
    first = readNumber(start, end - 1)
    if (first < 0) return BAD_RANGE
    if (length < 0) askOpen(first)
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

/** The range that a 206 claims. */
function claimPart(length: i64): u32 {
  if (hasSpan(CONTENT_RANGE)) return readContentRange()
  if (hasSpan(RANGE_FIRST) || hasSpan(RANGE_LAST)) {
    first = readCount(RANGE_FIRST)
    last = readCount(RANGE_LAST)
    return first < 0 || last < first || last == MAX_LENGTH ? BAD_RANGE : KEPT
  }
  return hasSpan(RANGE) ? readRequestRange(length) : UNPROVEN
}

/**
 * What is left of a count when framing is taken off: of 8 KiB, a frame of HTTP/2 takes 9, a record of TLS up to 85
 * bytes, but of 1.3 kB, as records are at first, too. An eighth is more than all that.
 */
function withoutFraming(byteLength: i64): i64 {
  return byteLength - (byteLength >> 3)
}

/** Whether the body came in chunks, for all that is known: without a length. */
function isInChunks(): bool {
  return has(BODY_IN_CHUNKS) && !hasSpan(CONTENT_LENGTH)
}

/**
 * Bytes of a body at least, where those of chunks are counted (RFC 9112, section 7.1). A chunk of n bytes takes the
 * digits of n and two line ends beside: five for a single byte, and less of a longer one for each of its bytes. Of
 * the last, the head may have been sent alone: 16 digits and a line end, or the chunk of no bytes that ends the body.
 * Servers whose counts are known write no extensions, no leading zeros and no trailers.
 */
function withoutChunks(byteLength: i64): i64 {
  return (byteLength - 18) / 6
}

/** Bytes of a body at least, where those of headers, too, are counted. */
function bodyWithin(sent: i64): i64 {
  const overhead = readCount(OVERHEAD_BYTES)
  if (overhead > 0) return sent - overhead - headerOverhead
  const isChunked = has(BODY_IN_CHUNKS | SENT_ON_WIRE) && !hasSpan(CONTENT_LENGTH)
  // HTTP/2 has frames and no chunks; TLS is around either.
  const isFramed = has(SENT_IN_FRAMES) && (!isChunked || has(SENT_ON_WIRE))
  const body = (isFramed ? withoutFraming(sent) : sent) - headerOverhead
  return isChunked ? withoutChunks(body) : body
}

/** Whether the line says that it was HTTP/1, which adds nothing to a body of known length. */
function isHttp1(): bool {
  const start = startOf(PROTOCOL)
  // HTTP/1.0, HTTP/1.1
  return endOf(PROTOCOL) - start == 8 && load<u64>(start) << 8 == 0x2e312f5054544800
}

/** Whether the count of the body has what HTTP/2 adds, for all that is known. */
function isInFrames(): bool {
  return has(BODY_IN_FRAMES) && !isHttp1()
}

/** Bytes of the body at least, where its count has what HTTP/2 adds: never nothing, so a 0 does not tell it. */
function bodyWithinFrames(body: i64): i64 {
  const overhead = readCount(OVERHEAD_BYTES)
  return overhead > 0 ? body - overhead : withoutFraming(body) - headerOverhead
}

/** The range that a 200 claims: the whole, or as much of it as was sent. */
function claimWhole(length: i64, state: u32): u32 {
  const body = readCount(BODY_BYTES)
  const sent = readCount(SENT_BYTES)
  first = 0
  last = -1
  if (length >= 0) {
    if (body >= 0 || sent >= 0 || state == COMPLETE || has(TRUST)) last = length - 1
  } else if (body >= 0) {
    last = (isInChunks() ? withoutChunks(body) : isInFrames() ? bodyWithinFrames(body) : body) - 1
  } else if (sent >= 0) {
    last = bodyWithin(sent) - 1
  }
  // What a count may hold beside the body is taken off, but may be body; and of what was cut off there was more.
  const isCutOff = state == ABORTED && !has(TRUST) && !has(BODY_OFFERED)
  if (length < 0) askedLength = max(<i64>0, body < 0 ? sent : body) + <i64>isCutOff
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

function areCountsGood(): bool {
  return (
    readCount(BODY_BYTES) != BAD &&
    readCount(SENT_BYTES) != BAD &&
    readCount(OVERHEAD_BYTES) != BAD &&
    readCount(LENGTH) != BAD &&
    readCount(CONTENT_LENGTH) != BAD
  )
}

/** Decides on a 200 or 206: `KEPT` with `first` and `last`, `UNPROVEN`, or `BAD_RANGE`; and what the line tells of the length. */
export function decideRange(isPart: bool): u32 {
  loggedLength = 0
  askedLength = 0
  clippedBytes = 0
  if (!areCountsGood()) return BAD_RANGE
  const fate = decideClaim(isPart)
  if (loggedLength > 0 || (fate == KEPT && askedLength <= last + 1)) askedLength = 0
  else askedLength = min(askedLength, MAX_LENGTH)
  return fate
}

/** What becomes of the range that the line claims. */
function decideClaim(isPart: bool): u32 {
  const state = transferState()
  let length = readCount(LENGTH)
  // Of a 200 the content is the whole, in the encoding that was sent.
  if (!isPart && hasSpan(CONTENT_LENGTH)) length = readCount(CONTENT_LENGTH)
  if (length > 0) loggedLength = length
  const fate = isPart ? claimPart(length) : claimWhole(length, state)
  if (fate == KEPT && loggedLength > 0 && last >= loggedLength) return BAD_RANGE
  if (fate != KEPT || has(TRUST)) return fate
  askedLength = max(askedLength, last + 1)
  // Nothing says that less was sent, but nothing says that anything was.
  const isBodyTold = has(BODY_IN_FRAMES) ? hasSpan(BODY_BYTES) : !has(BODY_OFFERED)
  if (!isBodyTold && state == UNKNOWN && !hasSpan(SENT_BYTES)) return UNPROVEN
  const claimed = last - first + 1
  const sent = max(<i64>0, sentOf(claimed, state))
  if (sent == claimed) return KEPT
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

/** The length that the answer to a HEAD tells, which has the headers of a GET; or 0. */
export function readOfferedLength(isPart: bool): i64 {
  loggedLength = 0
  if (!isPart) {
    const length = readCount(hasSpan(CONTENT_LENGTH) ? CONTENT_LENGTH : LENGTH)
    return max(<i64>0, length)
  }
  if (!hasSpan(CONTENT_RANGE)) return max(<i64>0, readCount(LENGTH))
  return readContentRange() == KEPT ? loggedLength : 0
}
