/** Lines of a format that is described by a program: from bytes to runs, line by line. */

import {
  addRecord,
  BLOCK_BYTE_LENGTH,
  batchCount,
  closeBatch,
  isHugeRange,
  MAX_BATCH,
  recordKeys,
  reserveBatch,
  reserveExtras,
  UNMEASURED,
} from './batch'
import { copyBytes } from './bytes'
import { isHeader } from './header-line'
import { findByte } from './marks'
import { memoryExhausted } from './memory'
import { isStatus } from './number'
import { byteOffsetOf, noteOtherHeader, noteReject } from './places'
import {
  ADD_SLASH,
  assetKind,
  COMMENTS,
  FORWARDED,
  FORWARDED_FOR,
  HOST,
  has,
  INNER,
  IP,
  METHOD,
  PATH,
  PERCENT,
  QUERY,
  REQUEST_ID,
  REQUEST_LINE,
  SCHEME,
  SOURCE,
  STATUS,
  TARGET,
  USER_AGENT,
} from './record-layout'
import {
  answeredLength,
  askedLength,
  clippedBytes,
  decideRange,
  first,
  isUnmeasured,
  last,
  loggedLength,
  otherLength,
  readCompleteLength,
  readOfferedLength,
  readUnsatisfiedLength,
} from './record-range'
import {
  clearSpans,
  decodedNul,
  decodePercent,
  emptyScratch,
  endOf,
  hasSpan,
  isScratchFull,
  isSet,
  keepScratch,
  scratchEnd,
  setSpan,
  startOf,
} from './record-spans'
import { splitRecord } from './record-structure'
import { badPart, readMoment } from './record-time'
import {
  BAD_DATE,
  BAD_FIELDS,
  BAD_STATUS,
  BAD_TIME,
  counts,
  EMPTY_KEY,
  HUGE_RANGE,
  KEPT,
  LONG_LINE,
  MAX_LINE_BYTE_LENGTH,
  NUL_BYTE,
  SKIPPED,
  SKIPPED_INNER,
  SKIPPED_METHOD,
  UNPROVEN,
} from './state'
import { ANSWERED, noteTelling } from './tellings'
import { isUtf8 } from './utf8'
import { xxhash64 } from './xxhash64'

const LINE_FEED: u8 = 10
const CARRIAGE_RETURN: u8 = 13
const SPACE: u8 = 0x20
const NUMBER_SIGN: u8 = 0x23
const COMMA: u8 = 0x2c
const SLASH: u8 = 0x2f
const QUESTION_MARK: u8 = 0x3f

/** Whether a comment names columns: `#Fields:`. */
export function isFieldsComment(start: usize, end: usize): bool {
  if (end - start < 8) return false
  // "#Fields:" in any case.
  return (load<u64>(start) | 0x0020202020202000) == 0x3a73646c65696623
}

/** Takes `GET /target HTTP/1.1` apart; false when it is no such line. */
function readRequestLine(): bool {
  const start = startOf(REQUEST_LINE)
  const end = endOf(REQUEST_LINE)
  const space = findByte(SPACE, start, end)
  if (space == start || end - space < 2) return false
  let targetEnd = end
  while (targetEnd > space + 1 && load<u8>(targetEnd - 1) != SPACE) targetEnd--
  // Without a protocol at the end the rest is the target.
  const isProtocol = targetEnd > space + 1 && end - targetEnd > 5 && load<u32>(targetEnd) == 0x50545448
  setSpan(METHOD, start, space)
  setSpan(TARGET, space + 1, isProtocol ? targetEnd - 1 : end)
  return true
}

function isGet(): bool {
  const start = startOf(METHOD)
  return endOf(METHOD) - start == 3 && (load<u32>(start) & 0xffffff) == 0x544547
}

/** Takes `http://host` off the front of a target. */
function stripAuthority(): void {
  const start = startOf(TARGET)
  const end = endOf(TARGET)
  if (end - start < 8 || load<u32>(start) != 0x70747468) return
  let at = start + 4
  if (load<u8>(at) == 0x73) at++
  if (load<u8>(at) != 0x3a || load<u16>(at, 1) != 0x2f2f) return
  const path = findByte(SLASH, at + 3, end)
  if (path < end) setSpan(TARGET, path, end)
}

/** Appends [start, end) to the text that grows at `out`; its new end. */
function append(out: usize, start: usize, end: usize): usize {
  copyBytes(out, start, end - start)
  return out + (end - start)
}

/** Puts scheme, host, path and query together in scratch, as the asset's kind wants them. */
function composeAsset(path: usize, pathEnd: usize): void {
  const from = scratchEnd
  let out = from
  if (assetKind == 1) {
    out = append(out, startOf(SCHEME), endOf(SCHEME))
    store<u32>(out, 0x002f2f3a)
    out += 3
  }
  if (assetKind == 1 || assetKind == 2) out = append(out, startOf(HOST), endOf(HOST))
  if (has(ADD_SLASH) && load<u8>(path) != SLASH) {
    store<u8>(out, SLASH)
    out++
  }
  out = append(out, path, pathEnd)
  if (assetKind != 2 && assetKind != 0 && !isSet(TARGET) && hasSpan(QUERY)) {
    const query = startOf(QUERY)
    if (load<u8>(query) != QUESTION_MARK) {
      store<u8>(out, QUESTION_MARK)
      out++
    }
    out = append(out, query, endOf(QUERY))
  }
  keepScratch(out)
  recordKeys.request = from
  recordKeys.requestEnd = out
}

/** Finds the asset; false when a part of it is missing. */
function readAsset(): bool {
  const isTarget = isSet(TARGET)
  if (isTarget) stripAuthority()
  const path = startOf(isTarget ? TARGET : PATH)
  let pathEnd = endOf(isTarget ? TARGET : PATH)
  const wantsQuery = assetKind == 1 || assetKind == 3
  if (isTarget && !wantsQuery) pathEnd = findByte(QUESTION_MARK, path, pathEnd)
  if (pathEnd == path) return false
  if ((assetKind == 1 || assetKind == 2) && !hasSpan(HOST)) return false
  if (assetKind == 1 && !hasSpan(SCHEME)) return false
  if (assetKind == 0 && (!has(ADD_SLASH) || load<u8>(path) == SLASH)) {
    recordKeys.request = path
    recordKeys.requestEnd = pathEnd
  } else {
    composeAsset(path, pathEnd)
  }
  return true
}

/** Finds the client's address; false when there is none. */
function readClient(): bool {
  recordKeys.ip = startOf(IP)
  recordKeys.ipEnd = endOf(IP)
  if (has(FORWARDED) && hasSpan(FORWARDED_FOR)) {
    if (has(PERCENT)) decodePercent(FORWARDED_FOR)
    let start = startOf(FORWARDED_FOR)
    let end = findByte(COMMA, start, endOf(FORWARDED_FOR))
    while (start < end && load<u8>(start) == SPACE) start++
    while (end > start && load<u8>(end - 1) == SPACE) end--
    recordKeys.ip = start
    recordKeys.ipEnd = end
  }
  return recordKeys.ipEnd > recordKeys.ip
}

/** Whether the request came from elsewhere than an `eyeball`, as Cloudflare calls a client. */
function isFromNetwork(): bool {
  if (!hasSpan(SOURCE)) return false
  const start = startOf(SOURCE)
  const isEyeball =
    endOf(SOURCE) - start == 7 && load<u32>(start) == 0x62657965 && load<u32>(start, 3) == 0x6c6c6162
  return !isEyeball
}

/** A request of the network to itself: a field says so with 1, 2 (of two tiers) or true, or names its source. */
function isInner(): bool {
  const start = startOf(INNER)
  const length = endOf(INNER) - start
  const digit = length == 1 ? load<u8>(start) : 0
  return digit == 0x31 || digit == 0x32 || (length == 4 && load<u32>(start) == 0x65757274) || isFromNetwork()
}

/**
 * Whether the status is 200 (0), 206 (1), 416 (4), one of an asset that is there and of which nothing was answered (5:
 * 000, 304, 499), another (2), or no status (3).
 */
function statusKind(): u32 {
  const start = startOf(STATUS)
  if (!isStatus(start, endOf(STATUS))) return 3
  const word = load<u32>(start) & 0xffffff
  if (word == 0x303032) return 0
  if (word == 0x363032) return 1
  if (word == 0x363134) return 4
  return word == 0x303030 || word == 0x343033 || word == 0x393934 ? 5 : 2
}

function isHead(): bool {
  return endOf(METHOD) - startOf(METHOD) == 4 && load<u32>(startOf(METHOD)) == 0x44414548
}

function note(length: f64, epoch: i64): void {
  if (length != 0) noteTelling(recordKeys.request, recordKeys.requestEnd, length, epoch)
}

/** Keeps what a line without a proven byte tells of a length. */
function tellUnproven(epoch: i64): void {
  if (loggedLength + otherLength + answeredLength + askedLength <= 0 || !readAsset()) return
  note(<f64>otherLength, epoch)
  note(<f64>loggedLength, epoch)
  note(<f64>answeredLength * ANSWERED, epoch)
  note(-(<f64>askedLength), epoch)
}

/** Keeps the second length of a line that is kept; not of one that will be rejected for its other keys. */
function tellOther(epoch: i64): void {
  if (!isUtf8(recordKeys.ip, recordKeys.ipEnd)) return
  if (isUtf8(recordKeys.userAgent, recordKeys.userAgentEnd)) note(<f64>otherLength, epoch)
}

/** Keeps what a line that is skipped tells of the asset's length. */
function tellSkipped(length: i64): void {
  if (length <= 0 || isInner()) return
  const epoch = readMoment()
  if (epoch >= 0 && readAsset()) note(<f64>length, epoch)
}

/** Such a line is skipped for its status, whatever else is wrong with it; it may tell the length. */
function skipTeller(length: i64): u32 {
  if (length <= 0 || (hasSpan(REQUEST_LINE) && !readRequestLine())) return SKIPPED
  if (!hasSpan(METHOD) || isGet() || isHead()) tellSkipped(length)
  return SKIPPED
}

/** Likewise a request by another method than GET. */
function skipMethod(isPart: bool): u32 {
  if (isHead()) tellSkipped(readOfferedLength(isPart))
  return SKIPPED_METHOD
}

/**
 * What tells a repeated line: all its bytes up to `end`, if one of its fields names the request. A name alone is
 * not enough, as some are short and others a client's choice: what differs in a byte is another request. 0 is none.
 */
function identify(start: usize, end: usize): u64 {
  return hasSpan(REQUEST_ID) ? xxhash64(start, end - start) | 1 : 0
}

/** Decides on the line [start, end) whose fields were found. */
function readRecord(start: usize, end: usize, lineFeed: usize, lineIndex: u32): u32 {
  const status = statusKind()
  if (status == 3) return BAD_STATUS
  if (status == 2) return SKIPPED
  if (status == 4) return skipTeller(readUnsatisfiedLength())
  if (status == 5) return skipTeller(readCompleteLength())
  if (hasSpan(REQUEST_LINE) && !readRequestLine()) return BAD_FIELDS
  if (hasSpan(METHOD) && !isGet()) return skipMethod(status == 1)
  if (isInner()) return SKIPPED_INNER
  const epoch = readMoment()
  if (epoch < 0) return badPart == 1 ? BAD_DATE : BAD_TIME
  const fate = decideRange(status == 1)
  if (fate == UNPROVEN) tellUnproven(epoch)
  if (fate != KEPT) return fate
  if (isHugeRange(first, last)) return HUGE_RANGE
  if (has(PERCENT)) decodePercent(USER_AGENT)
  if (!readClient() || !readAsset()) return EMPTY_KEY
  if (decodedNul) return NUL_BYTE
  recordKeys.userAgent = startOf(USER_AGENT)
  recordKeys.userAgentEnd = endOf(USER_AGENT)
  // Of a line with a proven byte only one of these is set.
  const length = <f64>loggedLength + <f64>answeredLength * ANSWERED - <f64>askedLength
  const identifier = identify(start, end)
  const clipped = isUnmeasured ? UNMEASURED - clippedBytes : clippedBytes
  if (otherLength > 0) tellOther(epoch)
  addRecord(start, lineFeed, lineIndex, first, last, epoch, length, clipped, identifier)
  return KEPT
}

function settle(fate: u32, start: usize, lineFeed: usize, lineIndex: u32): void {
  if (fate == KEPT) return
  if (fate == SKIPPED) counts.skippedStatus++
  else if (fate == SKIPPED_METHOD) counts.skippedMethod++
  else if (fate == UNPROVEN) counts.unproven++
  else if (fate == SKIPPED_INNER) counts.skippedInner++
  else noteReject(fate, start, lineFeed, lineIndex)
}

/** Decides on one whole line, [start, lineFeed). */
function readLine(start: usize, lineFeed: usize): void {
  const lineIndex = <u32>counts.lines
  counts.lines++
  const end = lineFeed > start && load<u8>(lineFeed - 1) == CARRIAGE_RETURN ? lineFeed - 1 : lineFeed
  if (start == end) {
    counts.blank++
    return
  }
  if (has(COMMENTS) && load<u8>(start) == NUMBER_SIGN) {
    counts.comments++
    if (isFieldsComment(start, end) && !isHeader(start, end)) {
      noteOtherHeader(byteOffsetOf(start), lineFeed - start, lineIndex)
    }
    return
  }
  let fate: u32 = KEPT
  if (lineFeed - start > MAX_LINE_BYTE_LENGTH) {
    fate = LONG_LINE
  } else if (findByte(0, start, end) < end) {
    fate = NUL_BYTE
  } else {
    clearSpans()
    if (!splitRecord(start, end)) fate = BAD_FIELDS
    else if (decodedNul) fate = NUL_BYTE
    else fate = readRecord(start, end, lineFeed, lineIndex)
  }
  settle(fate, start, lineFeed, lineIndex)
}

/** Scans [from, to), whole lines, the last byte a line feed. False when memory is exhausted. */
export function scanRecords(from: usize, to: usize): bool {
  let at = from
  while (at < to) {
    if (!reserveBatch() || !reserveExtras() || !emptyScratch()) return false
    const blockStart = at
    while (at < to && at - blockStart < BLOCK_BYTE_LENGTH && batchCount < MAX_BATCH && !isScratchFull()) {
      const lineFeed = findByte(LINE_FEED, at, to)
      readLine(at, lineFeed)
      at = lineFeed + 1
    }
    closeBatch(true)
    if (memoryExhausted) return false
  }
  return true
}
