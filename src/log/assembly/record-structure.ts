/** From a line to its fields, for lines with separators and lines made by a template. */

import { splitJson } from './json-members'
import { findByte } from './marks'
import {
  C_ESCAPES,
  fieldAt,
  fieldCount,
  has,
  JSON_ESCAPES,
  NO_SLOT,
  parentOf,
  prefix,
  prefixByteLength,
  QUOTED,
  SEPARATED,
  STARTS_LAST,
  separator,
  slotOf,
  structure,
  TEMPLATE,
  TRAILING_FIELD,
  textByteLengthOf,
  textOf,
} from './record-layout'
import { keepScratch, noteField, scratchEnd } from './record-spans'

const SPACE: u8 = 0x20
const QUOTE: u8 = 0x22
const BACKSLASH: u8 = 0x5c
const BRACKET: u8 = 0x5b

function isText(at: usize, end: usize, text: usize, length: usize): bool {
  if (at + length > end) return false
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(at + i) != load<u8>(text + i)) return false
  }
  return true
}

/** Address of the first byte `wanted` in [from, to) that no backslash stands before, or `to`. */
function findUnescaped(wanted: u8, from: usize, to: usize): usize {
  const first = i8x16.splat(<i8>wanted)
  const backslash = i8x16.splat(<i8>BACKSLASH)
  let at = from
  while (at < to) {
    const bytes = v128.load(at)
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, first), i8x16.eq(bytes, backslash)))
    if (mask == 0) {
      at += 16
      continue
    }
    at += <usize>ctz(mask)
    if (at >= to) return to
    if (load<u8>(at) == wanted) return at
    at += 2
  }
  return to
}

/** Address of the first literal in [from, to), or 0. */
function findLiteral(from: usize, to: usize, text: usize, length: usize): usize {
  const wanted = load<u8>(text)
  const isEscaped = has(C_ESCAPES | JSON_ESCAPES) && wanted != BACKSLASH
  while (true) {
    const at = isEscaped ? findUnescaped(wanted, from, to) : findByte(wanted, from, to)
    if (at + length > to) return 0
    if (isText(at, to, text, length)) return at
    from = at + 1
  }
}

/** Address of the first text in [from, to) whose first character needs no escape, or 0. */
function findLaterLiteral(from: usize, to: usize, text: usize, length: usize): usize {
  for (; from + length <= to; from++) if (isText(from, to, text, length)) return from
  return 0
}

/**
 * Where the field [at, end) begins if it cannot hold the literal before it: after the last of these. The field `before`
 * it, from `from` on, then has what stands between; 0 for a bad escape in that.
 */
function startLast(at: usize, end: usize, before: usize, from: usize): usize {
  const text = textOf(before)
  const length = textByteLengthOf(before)
  let found = at
  while (true) {
    const next = findLaterLiteral(found, end, text, length)
    if (next == 0) break
    found = next + length
  }
  return found == at || noteField(slotOf(before), from, found - length) ? found : 0
}

function splitTemplate(start: usize, end: usize): bool {
  if (!isText(start, end, prefix, prefixByteLength)) return false
  let at = start + prefixByteLength
  /** Of the field before. */
  let fieldStart = at
  for (let i: u32 = 0; i < fieldCount; i++) {
    const field = fieldAt(i)
    const length = textByteLengthOf(field)
    const slot = slotOf(field)
    let fieldEnd = end
    if (length > 0) {
      fieldEnd = findLiteral(at, end, textOf(field), length)
      if (fieldEnd == 0) return false
      if (parentOf(field) == STARTS_LAST && findByte(BRACKET, at, fieldEnd) < fieldEnd) {
        at = startLast(at, fieldEnd, fieldAt(i - 1), fieldStart)
        if (at == 0) return false
      }
    } else if (slot != NO_SLOT && findByte(SPACE, at, end) < end) {
      // Nothing bounds the last field: a space in it means that the line has more fields.
      return false
    }
    if (!noteField(slot, at, fieldEnd)) return false
    fieldStart = at
    at = fieldEnd + length
  }
  return at == end
}

/** Notes a field in quotes, [start, end) without them: `""` stands for a quote. */
function noteQuoted(slot: u32, start: usize, end: usize): bool {
  if (findByte(QUOTE, start, end) == end) return noteField(slot, start, end)
  const from = scratchEnd
  let out = from
  for (let at = start; at < end; at++) {
    const byte = load<u8>(at)
    store<u8>(out++, byte)
    if (byte == QUOTE) at++
  }
  keepScratch(out)
  return noteField(slot, from, out)
}

/** Address of the quote that ends a quoted field whose inside begins at `at`, or 0. */
function quotedEnd(at: usize, end: usize): usize {
  while (true) {
    const quote = findByte(QUOTE, at, end)
    if (quote == end) return 0
    if (quote + 1 == end || load<u8>(quote, 1) != QUOTE) return quote
    at = quote + 2
  }
}

function splitSeparated(start: usize, end: usize): bool {
  const quoted = has(QUOTED)
  let at = start
  for (let i: u32 = 0; i < fieldCount; i++) {
    const slot = slotOf(fieldAt(i))
    let fieldEnd: usize
    if (quoted && at < end && load<u8>(at) == QUOTE) {
      const close = quotedEnd(at + 1, end)
      if (close == 0 || !noteQuoted(slot, at + 1, close)) return false
      fieldEnd = close + 1
      if (fieldEnd < end && load<u8>(fieldEnd) != separator) return false
    } else {
      fieldEnd = findByte(separator, at, end)
      if (!noteField(slot, at, fieldEnd)) return false
    }
    if (fieldEnd == end) return i + 1 == fieldCount
    at = fieldEnd + 1
  }
  // A separator follows the last field.
  return has(TRAILING_FIELD) && at == end
}

/** Notes the fields of the line [start, end); false when it does not have them as it should. */
export function splitRecord(start: usize, end: usize): bool {
  if (structure == SEPARATED) return splitSeparated(start, end)
  if (structure == TEMPLATE) return splitTemplate(start, end)
  return splitJson(start, end)
}
