/**
 * The members of one JSON object (RFC 8259), found without building anything. The whole line must be one
 * valid object; a wanted member that stands twice, or is itself a list or object, makes the line invalid.
 */

import { fieldAt, fieldCount, NO_SLOT, parentOf, slotOf, textByteLengthOf, textOf } from './record-layout'
import { decodeName, hexByte, jsonEscape, noteField, scratchEnd } from './record-spans'

const QUOTE: u8 = 0x22
const BACKSLASH: u8 = 0x5c
const COMMA: u8 = 0x2c
const COLON: u8 = 0x3a
const OPEN: u8 = 0x7b
const CLOSE: u8 = 0x7d
const OPEN_LIST: u8 = 0x5b
const CLOSE_LIST: u8 = 0x5d
/** Deeper values than these make a line invalid. */
const MAX_DEPTH: u32 = 64

/** Depth of wanted members that are objects, at most. */
const MAX_PATH: u32 = 8
/** Of each member position in a line, the field that was found there last: lines of a log have one order. */
const guesses: usize = memory.data(256 * 4, 16)
let memberIndex: u32 = 0
/** Of each wanted field, up to so many, the line in which it was last found. */
const SEEN_FIELDS: u32 = 256
const seen: usize = memory.data(256 * 4, 16)
let lineNumber: u32 = 0
/** Whether the string that was looked at last has an escape. */
let hasEscape: bool = false

/** Forgets what the piece before looked like. */
export function resetMembers(): void {
  memory.fill(guesses, 0, 1024)
}

function skipSpace(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at)
    if (byte != 0x20 && byte != 9 && byte != 13 && byte != 10) break
    at++
  }
  return at
}

/** Address of the quote that ends the string whose inside begins at `at`, or 0 when it is no valid string. */
function stringEnd(at: usize, end: usize): usize {
  const quote = i8x16.splat(<i8>QUOTE)
  const backslash = i8x16.splat(<i8>BACKSLASH)
  const space = i8x16.splat(0x20)
  hasEscape = false
  while (at < end) {
    const bytes = v128.load(at)
    const special = v128.or(
      v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)),
      i8x16.lt_u(bytes, space),
    )
    const mask = i8x16.bitmask(special)
    if (mask == 0) {
      at += 16
      continue
    }
    at += <usize>ctz(mask)
    if (at >= end) return 0
    const byte = load<u8>(at)
    if (byte == QUOTE) return at
    if (byte != BACKSLASH || at + 2 > end) return 0
    hasEscape = true
    const letter = load<u8>(at, 1)
    if (letter == 0x75) {
      if (at + 6 > end || hexByte(at + 2) < 0 || hexByte(at + 4) < 0) return 0
      at += 6
    } else {
      if (jsonEscape(letter) == 0) return 0
      at += 2
    }
  }
  return 0
}

function skipDigits(at: usize, end: usize): usize {
  while (at < end && <u32>(load<u8>(at) - 0x30) <= 9) at++
  return at
}

/** Address after the number at `at`, or 0. */
function numberEnd(at: usize, end: usize): usize {
  if (load<u8>(at) == 0x2d) at++
  const digits = skipDigits(at, end)
  if (digits == at || (load<u8>(at) == 0x30 && digits > at + 1)) return 0
  at = digits
  if (at < end && load<u8>(at) == 0x2e) {
    const fraction = skipDigits(at + 1, end)
    if (fraction == at + 1) return 0
    at = fraction
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++
    const exponent = skipDigits(at, end)
    if (exponent == at) return 0
    at = exponent
  }
  return at
}

/** Address after the scalar (no string) at `at`, or 0. */
function scalarEnd(at: usize, end: usize): usize {
  const byte = load<u8>(at)
  if (byte == 0x74) return at + 4 <= end && load<u32>(at) == 0x65757274 ? at + 4 : 0
  if (byte == 0x66) return at + 5 <= end && load<u32>(at, 1) == 0x65736c61 ? at + 5 : 0
  if (byte == 0x6e) return isNull(at, end) ? at + 4 : 0
  return numberEnd(at, end)
}

function isNull(at: usize, end: usize): bool {
  return at + 4 <= end && load<u32>(at) == 0x6c6c756e
}

/** Whether field `field` (an address) is named [start, end) and stands in `parent`. */
function isField(field: usize, start: usize, length: usize, parent: u32): bool {
  if (textByteLengthOf(field) != length || parentOf(field) != parent) return false
  const text = textOf(field)
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(text + i) != load<u8>(start + i)) return false
  }
  return true
}

/** Index of the wanted field with this name, or `NO_SLOT`. */
function findField(start: usize, end: usize, parent: u32): u32 {
  const length = end - start
  const guess = guesses + ((<usize>memberIndex & 255) << 2)
  memberIndex++
  const guessed = load<u32>(guess)
  if (guessed < fieldCount && isField(fieldAt(guessed), start, length, parent)) return guessed
  for (let i: u32 = 0; i < fieldCount; i++) {
    if (isField(fieldAt(i), start, length, parent)) {
      store<u32>(guess, i)
      return i
    }
  }
  return NO_SLOT
}

/** Address after the list or object at `at`, of which nothing is wanted; 0 when it is not valid. */
function skipNested(at: usize, end: usize, depth: u32): usize {
  if (depth > MAX_DEPTH) return 0
  const isObject = load<u8>(at) == OPEN
  const close = isObject ? CLOSE : CLOSE_LIST
  at = skipSpace(at + 1, end)
  if (at < end && load<u8>(at) == close) return at + 1
  while (at < end) {
    if (isObject) {
      if (load<u8>(at) != QUOTE) return 0
      const keyEnd = stringEnd(at + 1, end)
      if (keyEnd == 0) return 0
      at = skipSpace(keyEnd + 1, end)
      if (at >= end || load<u8>(at) != COLON) return 0
      at = skipSpace(at + 1, end)
    }
    at = skipValue(at, end, depth)
    if (at == 0) return 0
    at = skipSpace(at, end)
    if (at >= end) return 0
    const byte = load<u8>(at)
    if (byte == close) return at + 1
    if (byte != COMMA) return 0
    at = skipSpace(at + 1, end)
  }
  return 0
}

function skipValue(at: usize, end: usize, depth: u32): usize {
  if (at >= end) return 0
  const byte = load<u8>(at)
  if (byte == OPEN || byte == OPEN_LIST) return skipNested(at, end, depth + 1)
  if (byte != QUOTE) return scalarEnd(at, end)
  const close = stringEnd(at + 1, end)
  return close == 0 ? 0 : close + 1
}

/** Index of the wanted field that [start, end), a name with escapes, is; a name that stands for no text is none. */
function findEscaped(start: usize, end: usize, parent: u32): u32 {
  const from = scratchEnd
  const out = decodeName(start, end)
  return out == 0 ? NO_SLOT : findField(from, out, parent)
}

/** Notes that a wanted field stands in the line; false when it did before. */
function noteSeen(index: u32): bool {
  if (index >= SEEN_FIELDS) return true
  const mark = seen + ((<usize>index) << 2)
  if (load<u32>(mark) == lineNumber) return false
  store<u32>(mark, lineNumber)
  return true
}

/** Takes the value at `at` of wanted field `index`; the address after it, or 0. */
function takeValue(index: u32, at: usize, end: usize, depth: u32): usize {
  if (!noteSeen(index)) return 0
  const slot = slotOf(fieldAt(index))
  const byte = load<u8>(at)
  if (byte == OPEN) {
    if (slot != NO_SLOT || depth >= MAX_PATH) return 0
    return readObject(at, end, index, depth + 1)
  }
  // Where an object was expected, anything else holds nothing that is wanted.
  if (slot == NO_SLOT) return skipValue(at, end, depth)
  if (byte == OPEN_LIST) return 0
  if (byte == QUOTE) {
    const close = stringEnd(at + 1, end)
    return close == 0 || !noteField(slot, at + 1, close) ? 0 : close + 1
  }
  const after = scalarEnd(at, end)
  if (after == 0) return 0
  return isNull(at, end) || noteField(slot, at, after) ? after : 0
}

/** Reads the object at `at`, which is the value of field `parent`; the address after it, or 0. */
function readObject(at: usize, end: usize, parent: u32, depth: u32): usize {
  at = skipSpace(at + 1, end)
  if (at < end && load<u8>(at) == CLOSE) return at + 1
  while (at < end) {
    if (load<u8>(at) != QUOTE) return 0
    const keyStart = at + 1
    const keyEnd = stringEnd(keyStart, end)
    if (keyEnd == 0) return 0
    const field = hasEscape ? findEscaped(keyStart, keyEnd, parent) : findField(keyStart, keyEnd, parent)
    at = skipSpace(keyEnd + 1, end)
    if (at >= end || load<u8>(at) != COLON) return 0
    at = skipSpace(at + 1, end)
    if (at >= end) return 0
    at = field == NO_SLOT ? skipValue(at, end, depth) : takeValue(field, at, end, depth)
    if (at == 0) return 0
    at = skipSpace(at, end)
    if (at >= end) return 0
    const byte = load<u8>(at)
    if (byte == CLOSE) return at + 1
    if (byte != COMMA) return 0
    at = skipSpace(at + 1, end)
  }
  return 0
}

/** Notes the wanted members of the line [start, end); false when it is not one valid object. */
export function splitJson(start: usize, end: usize): bool {
  memberIndex = 0
  lineNumber++
  const at = skipSpace(start, end)
  if (at >= end || load<u8>(at) != OPEN) return false
  const after = readObject(at, end, NO_SLOT, 0)
  return after != 0 && skipSpace(after, end) == end
}
