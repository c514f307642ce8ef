/** The fields of a line in plain TypeScript: numbers, days, UTF-8. Byte by byte, without strings. */

import { MAX_POSITION } from '../base/positions.ts'

const ZERO = 0x30
const MINUS = 0x2d
const COLON = 0x3a
const POINT = 0x2e
const MAX_DIGITS = 16
const MAX_FRACTION_DIGITS = 9
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** The digits [start, end) as a number, inexact beyond 2^53; -1 for none, more than sixteen, or another byte. */
export function readDigits(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > MAX_DIGITS) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Leap days from year 0 to the beginning of `year`. */
function leapDaysBefore(year: number): number {
  const whole = year - 1
  return Math.floor(whole / 4) - Math.floor(whole / 100) + Math.floor(whole / 400)
}

/** Days since 1970-01-01 of YYYY-MM-DD, 1970 to 9999; -1 for anything else. */
export function readDay(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 10 || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return -1
  const year = readDigits(bytes, start, start + 4)
  const month = readDigits(bytes, start + 5, start + 7)
  const day = readDigits(bytes, start + 8, end)
  if (year < 1970 || month < 1 || month > 12 || day < 1) return -1
  const leap = isLeapYear(year)
  const dayCount = (DAYS_IN_MONTH[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0)
  if (day > dayCount) return -1
  const dayOfYear = (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (leap && month > 2 ? 1 : 0) + day - 1
  return (year - 1970) * 365 + leapDaysBefore(year) - leapDaysBefore(1970) + dayOfYear
}

function isFraction(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true
  return (
    bytes[start] === POINT && end - start - 1 <= MAX_FRACTION_DIGITS && readDigits(bytes, start + 1, end) >= 0
  )
}

/** Seconds since midnight of HH:MM:SS, optionally with `.` and one to nine digits; -1 for anything else. */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) return -1
  const hours = readDigits(bytes, start, start + 2)
  const minutes = readDigits(bytes, start + 3, start + 5)
  const seconds = readDigits(bytes, start + 6, start + 8)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return -1
  return isFraction(bytes, start + 8, end) ? hours * 3600 + minutes * 60 + seconds : -1
}

/** Reads `first-last` into `range`; false when it is anything else, reversed or beyond 2^53-2. */
export function readRange(bytes: Uint8Array, start: number, end: number, range: Float64Array): boolean {
  let dash = start
  while (dash < end && bytes[dash] !== MINUS) dash++
  const first = readDigits(bytes, start, dash)
  const last = readDigits(bytes, dash + 1, end)
  if (first < 0 || last < first || last > MAX_POSITION) return false
  range[0] = first
  range[1] = last
  return true
}

function isContinuation(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80
}

/** The character that begins at `at` and has `length` bytes, or -1 when its other bytes do not continue it. */
function decodeCharacter(bytes: Uint8Array, at: number, length: number): number {
  let codePoint = (bytes[at] ?? 0) & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    if (!isContinuation(bytes, at + i)) return -1
    codePoint = (codePoint << 6) | ((bytes[at + i] ?? 0) & 0x3f)
  }
  return codePoint
}

/** Whether [start, end) is valid UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF (RFC 3629). */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at] ?? 0
    const length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0
    if (length === 0 || at + length > end) return false
    if (length > 1) {
      const codePoint = decodeCharacter(bytes, at, length)
      const lowest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000
      if (codePoint < lowest || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff))
        return false
    }
    at += length
  }
  return true
}
