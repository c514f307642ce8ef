/** Where the fields of the line at hand are, by meaning; and scratch for those that had to be decoded. */

import { findByte } from './marks'
import { ensureRegion, Region } from './memory'
import {
  BODY_BYTES,
  C_ESCAPES,
  COMPLETION,
  DASH_ZERO,
  has,
  JSON_ESCAPES,
  JSON_LINES,
  NO_SLOT,
  NULL_DASH,
  SLOT_COUNT,
  structure,
} from './record-layout'

const DASH: u8 = 0x2d
const BACKSLASH: u8 = 0x5c
/** The text `0`, with what number readers touch around it. */
const zero: usize =
  memory.data<u8>([
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ]) + 16
/** Start and end address of each slot. */
const spans: usize = memory.data(256, 16)
/** Decoded text of the batch's lines: it stays until the batch is closed. */
const scratch: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** A batch is closed when so much is used, and one line more must fit: decoded thrice, and an asset in parts. */
const SCRATCH_LIMIT: usize = 65536
const SCRATCH_BYTE_LENGTH: u64 = 65536 * 6

/** Where the next decoded text goes. */
export let scratchEnd: usize = 0
/** A text was decoded that holds a byte 0. */
export let decodedNul: bool = false

/** Makes room for a batch's decoded texts; false when memory is exhausted. */
export function emptyScratch(): bool {
  if (!ensureRegion(scratch, 0, SCRATCH_BYTE_LENGTH)) return false
  scratchEnd = scratch.address
  return true
}

/** Whether another line may not fit. */
export function isScratchFull(): bool {
  return scratchEnd - scratch.address > SCRATCH_LIMIT
}

/** Takes the bytes up to `end` as used. */
export function keepScratch(end: usize): void {
  scratchEnd = end
}

/** Forgets the spans of the line before. */
export function clearSpans(): void {
  memory.fill(spans, 0, (<usize>SLOT_COUNT) << 3)
  decodedNul = false
}

/** Where a slot's field begins; 0 when the line has none. */
export function startOf(slot: u32): usize {
  return <usize>load<u32>(spans + ((<usize>slot) << 3))
}

/** Where it ends. */
export function endOf(slot: u32): usize {
  return <usize>load<u32>(spans + ((<usize>slot) << 3), 4)
}

/** Sets both. */
export function setSpan(slot: u32, start: usize, end: usize): void {
  store<u32>(spans + ((<usize>slot) << 3), <u32>start)
  store<u32>(spans + ((<usize>slot) << 3), <u32>end, 4)
}

/** Whether the line has such a field and it is not empty. */
export function hasSpan(slot: u32): bool {
  return endOf(slot) > startOf(slot)
}

/** Whether the line has such a field at all, even an empty one. */
export function isSet(slot: u32): bool {
  return startOf(slot) != 0
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return <i32>byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? <i32>lower - 0x57 : -1
}

/** The two hexadecimal digits at `at`, or -1; the caller knows that they lie in the text. */
export function hexByte(at: usize): i32 {
  const high = hexDigit(load<u8>(at))
  const low = hexDigit(load<u8>(at, 1))
  return high < 0 || low < 0 ? -1 : (high << 4) | low
}

function putByte(out: usize, value: u32): usize {
  if (value == 0) decodedNul = true
  store<u8>(out, <u8>value)
  return out + 1
}

/** Writes a code point in UTF-8; half of a surrogate pair as the three bytes that are no UTF-8. */
function putCodePoint(out: usize, value: u32): usize {
  if (value < 0x80) return putByte(out, value)
  if (value < 0x800) {
    store<u8>(out, <u8>(0xc0 | (value >> 6)))
    store<u8>(out, <u8>(0x80 | (value & 0x3f)), 1)
    return out + 2
  }
  if (value < 0x10000) {
    store<u8>(out, <u8>(0xe0 | (value >> 12)))
    store<u8>(out, <u8>(0x80 | ((value >> 6) & 0x3f)), 1)
    store<u8>(out, <u8>(0x80 | (value & 0x3f)), 2)
    return out + 3
  }
  store<u8>(out, <u8>(0xf0 | (value >> 18)))
  store<u8>(out, <u8>(0x80 | ((value >> 12) & 0x3f)), 1)
  store<u8>(out, <u8>(0x80 | ((value >> 6) & 0x3f)), 2)
  store<u8>(out, <u8>(0x80 | (value & 0x3f)), 3)
  return out + 4
}

/** The four hexadecimal digits at `at`, or -1. */
function codeUnit(at: usize, end: usize): i32 {
  if (at + 4 > end) return -1
  const high = hexByte(at)
  const low = hexByte(at + 2)
  return high < 0 || low < 0 ? -1 : (high << 8) | low
}

/** The byte that a one-letter escape of JSON stands for, or 0. */
export function jsonEscape(letter: u8): u8 {
  if (letter == 0x22 || letter == BACKSLASH || letter == 0x2f) return letter
  if (letter == 0x6e) return 10
  if (letter == 0x74) return 9
  if (letter == 0x72) return 13
  if (letter == 0x62) return 8
  return letter == 0x66 ? 12 : 0
}

/** Decodes a JSON string's inside to scratch; the end of it, or 0 for a bad escape. */
function decodeJson(start: usize, end: usize): usize {
  let out = scratchEnd
  for (let at = start; at < end; ) {
    const byte = load<u8>(at++)
    if (byte != BACKSLASH) {
      store<u8>(out++, byte)
      continue
    }
    if (at == end) return 0
    const letter = load<u8>(at++)
    if (letter != 0x75) {
      const plain = jsonEscape(letter)
      if (plain == 0) return 0
      store<u8>(out++, plain)
      continue
    }
    let value = codeUnit(at, end)
    if (value < 0) return 0
    at += 4
    const isPair = (value & 0xfc00) == 0xd800 && at + 6 <= end && load<u16>(at) == 0x755c
    const second = isPair ? codeUnit(at + 2, end) : -1
    if (second >= 0 && (second & 0xfc00) == 0xdc00) {
      value = 0x10000 + ((value & 0x3ff) << 10) + (second & 0x3ff)
      at += 6
    }
    out = putCodePoint(out, <u32>value)
  }
  return out
}

/** Decodes a member's name to scratch, where nothing keeps it; the end of it, or 0. A NUL in it is in no value. */
export function decodeName(start: usize, end: usize): usize {
  const before = decodedNul
  const out = decodeJson(start, end)
  decodedNul = before
  return out
}

/** The byte that a one-letter escape of C stands for, or 0. */
function cEscape(letter: u8): u8 {
  if (letter == 0x22 || letter == BACKSLASH) return letter
  if (letter == 0x6e) return 10
  if (letter == 0x74) return 9
  if (letter == 0x72) return 13
  if (letter == 0x62) return 8
  return letter == 0x76 ? 11 : 0
}

/** Decodes C escapes to scratch; what is no escape stays as it is. */
function decodeC(start: usize, end: usize): usize {
  let out = scratchEnd
  for (let at = start; at < end; ) {
    const byte = load<u8>(at++)
    if (byte != BACKSLASH || at == end) {
      store<u8>(out++, byte)
      continue
    }
    const letter = load<u8>(at)
    const value = letter == 0x78 && at + 3 <= end ? hexByte(at + 1) : -1
    const plain = cEscape(letter)
    if (value >= 0) {
      out = putByte(out, <u32>value)
      at += 3
    } else if (plain != 0) {
      store<u8>(out++, plain)
      at++
    } else {
      store<u8>(out++, byte)
    }
  }
  return out
}

/** Decodes `%HH` of a slot to scratch, once; what is no escape stays as it is. */
export function decodePercent(slot: u32): void {
  const start = startOf(slot)
  const end = endOf(slot)
  if (findByte(0x25, start, end) == end) return
  const from = scratchEnd
  let out = from
  for (let at = start; at < end; ) {
    const byte = load<u8>(at++)
    const value = byte == 0x25 && at + 2 <= end ? hexByte(at) : -1
    if (value < 0) {
      store<u8>(out++, byte)
      continue
    }
    out = putByte(out, <u32>value)
    at += 2
  }
  keepScratch(out)
  setSpan(slot, from, out)
}

/**
 * Notes a field, decoding what the log's own escapes stand for. False for an escape that is none. A field
 * that was not there stays unset.
 */
export function noteField(slot: u32, start: usize, end: usize): bool {
  if (slot == NO_SLOT) return true
  const isDash = end - start == 1 && load<u8>(start) == DASH
  if (isDash && slot == BODY_BYTES && has(DASH_ZERO)) {
    setSpan(slot, zero, zero + 1)
    return true
  }
  if (isDash && has(NULL_DASH) && slot != COMPLETION) return true
  const isJson = structure == JSON_LINES || has(JSON_ESCAPES)
  if ((isJson || has(C_ESCAPES)) && findByte(BACKSLASH, start, end) < end) {
    const from = scratchEnd
    const out = isJson ? decodeJson(start, end) : decodeC(start, end)
    if (out == 0) return false
    keepScratch(out)
    setSpan(slot, from, out)
    return true
  }
  setSpan(slot, start, end)
  return true
}
