/** Points in time as people write them, and the window of time that a question can be limited to. */

import { damaged, Failure } from '../base/failure.ts'

/** Seconds since 1970-01-01 UTC, both ends inclusive; undefined is open. */
export interface TimeWindow {
  readonly sinceEpochSeconds: number | undefined
  readonly untilEpochSeconds: number | undefined
}

/** The window that leaves nothing out. */
export const ALWAYS: TimeWindow = { sinceEpochSeconds: undefined, untilEpochSeconds: undefined }

/** Where a time stands: as the beginning of a window or as its end. */
export type WindowEnd = 'since' | 'until'

const SECONDS_PER_DAY = 86_400
/** The end of the year 9999: a number above it is taken for milliseconds, not for a date. */
const MAX_EPOCH_SECONDS = 253_402_300_799
/** The range of ECMAScript time values, in seconds (ECMA-262, "Time Values and Time Range"). */
const MAX_PRINTABLE_SECONDS = 8.64e12

const FORMS =
  '2020-07-31, or 2020-07-31T16:46:07Z (UTC without a zone), or seconds since 1970 like 1596213967'
const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?(Z|z|[+-]\d{2}:?\d{2})?)?$/

/** What the ends are called on the command line. */
const OPTION_NAMES = { since: '--since', until: '--until' }

/**
 * Reads both ends of a window, which messages call `names`. Fails with `USAGE` when one is no time or when they
 * are in the wrong order.
 */
export function parseTimeWindow(
  since: string | undefined,
  until: string | undefined,
  names: Readonly<Record<WindowEnd, string>> = OPTION_NAMES,
): TimeWindow {
  const sinceEpochSeconds = since === undefined ? undefined : parseInstant(since, 'since', names.since)
  const untilEpochSeconds = until === undefined ? undefined : parseInstant(until, 'until', names.until)
  if (
    sinceEpochSeconds !== undefined &&
    untilEpochSeconds !== undefined &&
    sinceEpochSeconds > untilEpochSeconds
  ) {
    throw new Failure(
      'USAGE',
      `${names.since} ${since} is later than ${names.until} ${until}: expected the earlier one first`,
    )
  }
  return { sinceEpochSeconds, untilEpochSeconds }
}

/**
 * Reads an ISO 8601 date, a date and time with `Z`, an offset or no zone (UTC), or epoch seconds,
 * but for numbers that look like a year, a month or a day. A date alone means its first second as `since` and its last as `until`; fractions are rounded into the window,
 * for logs count whole seconds.
 * @returns epoch seconds; fails with `USAGE` for anything else, impossible dates included.
 */
export function parseInstant(text: string, end: WindowEnd, name: string = OPTION_NAMES[end]): number {
  if (/^\d+$/.test(text)) {
    const seconds = Number(text)
    // A year, or a day without its hyphens: as seconds it would let in everything, and prove what is long past.
    if (/^(?:\d{4}|\d{6}|\d{8})$/.test(text)) reject(text, name, FORMS)
    if (seconds > MAX_EPOCH_SECONDS) reject(text, name, 'seconds, not milliseconds')
    return seconds
  }
  const match = DATE_TIME.exec(text)
  if (match === null) return reject(text, name, FORMS)
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  const dayStart = daySeconds(Number(year), Number(month), Number(day))
  if (dayStart === undefined) return reject(text, name, 'a day of the calendar')
  if (hour === undefined) return end === 'since' ? dayStart : dayStart + SECONDS_PER_DAY - 1
  const time = { hour: Number(hour), minute: Number(minute), second: Number(second ?? 0) }
  if (time.hour > 23 || time.minute > 59 || time.second > 59)
    reject(text, name, 'a time from 00:00:00 to 23:59:59')
  const offset = offsetSeconds(zone)
  if (offset === undefined) return reject(text, name, 'an offset from -23:59 to +23:59')
  const beyond = end === 'since' && Number(fraction ?? 0) > 0 ? 1 : 0
  return dayStart + time.hour * 3600 + time.minute * 60 + time.second - offset + beyond
}

function daySeconds(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // An impossible day rolls over into another month.
  const isSame =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isSame ? date.getTime() / 1000 : undefined
}

function offsetSeconds(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60)
}

function reject(text: string, name: string, expected: string): never {
  throw new Failure('USAGE', `${name} expects ${expected}; found '${text}'`)
}

/** Whether a request of that second belongs to the window. */
export function isInWindow(window: TimeWindow, epochSeconds: number): boolean {
  const { sinceEpochSeconds, untilEpochSeconds } = window
  if (sinceEpochSeconds !== undefined && epochSeconds < sinceEpochSeconds) return false
  return untilEpochSeconds === undefined || epochSeconds <= untilEpochSeconds
}

/** ISO 8601 in UTC, to the second. Fails with `DAMAGED` for a number that is no time, which only a file can hold. */
export function formatInstant(epochSeconds: number): string {
  if (!Number.isInteger(epochSeconds) || Math.abs(epochSeconds) > MAX_PRINTABLE_SECONDS) {
    damaged('epoch of a request', 'seconds since 1970 within the calendar', String(epochSeconds))
  }
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z')
}
