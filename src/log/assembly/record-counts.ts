/**
 * What the counts of a line say of the size of its response, and how its transfer ended: never more for certain than
 * was sent, whatever a count holds beside the body.
 */

import { readDigits } from './number'
import {
  BODY_BYTES,
  BODY_IN_CHUNKS,
  BODY_IN_FRAMES,
  BODY_OFFERED,
  COMPLETION,
  CONTENT_LENGTH,
  completionKind,
  DETAIL,
  has,
  headerOverhead,
  LENGTH,
  OVERHEAD_BYTES,
  PROTOCOL,
  RESPONSE_RESULT,
  RESULT,
  SENT_BYTES,
  SENT_IN_FRAMES,
  SENT_ON_WIRE,
  TRUST,
} from './record-layout'
import { endOf, hasSpan, isSet, startOf } from './record-spans'

/** 2^53-1, the longest length; the last position is one less. */
export const MAX_LENGTH: i64 = 9007199254740991

/** A count that is not logged. */
const ABSENT: i64 = -1
/** A count that is no number. */
const BAD: i64 = -2

/** Nothing tells how a transfer ended. */
export const UNKNOWN: u32 = 0
/** It ended well. */
export const COMPLETE: u32 = 1
/** It was cut off. */
export const ABORTED: u32 = 2

/** The number [start, end), up to `MAX_LENGTH`; or `BAD`. */
export function readNumber(start: usize, end: usize): i64 {
  const length = <u32>(end - start)
  if (length - 1 > 15) return BAD
  const value = readDigits(end, length)
  return value < 0 || value > MAX_LENGTH ? BAD : value
}

/** The number of a slot, `ABSENT` or `BAD`. */
export function readCount(slot: u32): i64 {
  return hasSpan(slot) ? readNumber(startOf(slot), endOf(slot)) : ABSENT
}

function isWord(slot: u32, word: u64, length: usize): bool {
  const start = startOf(slot)
  if (endOf(slot) - start != length) return false
  return load<u64>(start) << ((8 - length) << 3) == word << ((8 - length) << 3)
}

/** Hit, Miss, RefreshHit, OriginShieldHit: all that says that a response was served as it should. */
function isServed(slot: u32): bool {
  const start = startOf(slot)
  const length = endOf(slot) - start
  if (isWord(slot, 0x746948, 3) || isWord(slot, 0x7373694d, 4)) return true
  // RefreshH it, OriginSh ield Hit
  if (length == 10) return load<u64>(start) == 0x4868736572666552 && load<u16>(start, 8) == 0x7469
  return length == 15 && load<u64>(start) == 0x68536e696769724f && load<u64>(start, 7) == 0x746948646c656968
}

/**
 * The detail repeats the result, or says what went wrong, as ClientCommError or ClientHungUpRequest: whichever of the
 * three is no good result, the transfer is one that was cut off. What was made of a request before its response was
 * sent says nothing good of its end.
 */
function cloudFrontState(): u32 {
  const hasEnd = hasSpan(RESULT) || hasSpan(DETAIL)
  if (hasSpan(RESULT) && !isServed(RESULT)) return ABORTED
  if (hasSpan(DETAIL) && !isServed(DETAIL)) return ABORTED
  if (hasSpan(RESPONSE_RESULT) && !isServed(RESPONSE_RESULT)) return ABORTED
  return hasEnd ? COMPLETE : UNKNOWN
}

/** What the log says about the end of the transfer. */
export function transferState(): u32 {
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

/**
 * What is left of a count when framing is taken off: of 8 KiB, a frame of HTTP/2 takes 9, a record of TLS up to 85
 * bytes, but of 1.3 kB, as records are at first, too. An eighth is more than all that.
 */
function withoutFraming(byteLength: i64): i64 {
  return byteLength - (byteLength >> 3)
}

/** Whether the body came in chunks, for all that is known: without a length. */
export function isInChunks(): bool {
  return has(BODY_IN_CHUNKS) && !hasSpan(CONTENT_LENGTH)
}

/**
 * Bytes of a body at least, where those of chunks are counted (RFC 9112, section 7.1). A chunk of n bytes takes the
 * digits of n and two line ends beside: five for a single byte, and less of a longer one for each of its bytes. Of
 * the last, the head may have been sent alone: 16 digits and a line end, or the chunk of no bytes that ends the body.
 * Servers whose counts are known write no extensions, no leading zeros and no trailers.
 */
export function withoutChunks(byteLength: i64): i64 {
  return (byteLength - 18) / 6
}

/** Bytes of a body at least, where those of headers, too, are counted. */
export function bodyWithin(sent: i64): i64 {
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
export function isInFrames(): bool {
  return has(BODY_IN_FRAMES) && !isHttp1()
}

/** Bytes of the body at least, where its count has what HTTP/2 adds: never nothing, so a 0 does not tell it. */
export function bodyWithinFrames(body: i64): i64 {
  const overhead = readCount(OVERHEAD_BYTES)
  return overhead > 0 ? body - overhead : withoutFraming(body) - headerOverhead
}

/** Bytes of the body that were sent for certain, by the counts alone; 0 or less for none. */
export function bodyAtLeast(): i64 {
  const body = readCount(BODY_BYTES)
  if (body >= 0) return isInChunks() ? withoutChunks(body) : isInFrames() ? bodyWithinFrames(body) : body
  const sent = readCount(SENT_BYTES)
  return sent >= 0 ? bodyWithin(sent) : 0
}

/**
 * Bytes of the body, for all that its counts tell: what these may hold beside it may be body, too; and of what was
 * cut off there was more.
 */
export function bodyAtMost(state: u32): i64 {
  const body = readCount(BODY_BYTES)
  const isCutOff = state == ABORTED && !has(TRUST) && !has(BODY_OFFERED)
  return max(<i64>0, body < 0 ? readCount(SENT_BYTES) : body) + <i64>isCutOff
}

/** Whether all counts of the line are numbers, or absent. */
export function areCountsGood(): bool {
  return (
    readCount(BODY_BYTES) != BAD &&
    readCount(SENT_BYTES) != BAD &&
    readCount(OVERHEAD_BYTES) != BAD &&
    readCount(LENGTH) != BAD &&
    readCount(CONTENT_LENGTH) != BAD
  )
}
