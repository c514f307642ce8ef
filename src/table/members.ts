/** Members of untrusted objects, one check a kind. All fail as DAMAGED, naming file and line or row. */

import { damaged } from '../base/failure.ts'

/** Where something stands, for messages. */
export interface Place {
  readonly file: string
  readonly unit: 'line' | 'row'
  /** From 1. */
  readonly ordinal: number
}

/** An object of which nothing is known yet. */
export type Members = Readonly<Record<string, unknown>>

/** Fails as DAMAGED, naming file and line or row. */
export function damagedAt(place: Place, expected: string, found: unknown): never {
  damaged(`${place.file}, ${place.unit} ${place.ordinal}`, expected, describe(found))
}

/** The value as an object. */
export function recordAt(value: unknown, name: string, place: Place): Members {
  return isRecord(value) ? value : damagedAt(place, `an object ${name}`, value)
}

/** A text that is not empty. */
export function textAt(record: Members, name: string, place: Place): string {
  const value = record[name]
  return typeof value === 'string' && value !== '' ? value : damagedAt(place, `a text ${name}`, value)
}

/** An integer that a number holds exactly. */
export function integerAt(record: Members, name: string, place: Place): number {
  const value = record[name]
  return typeof value === 'number' && Number.isSafeInteger(value)
    ? value
    : damagedAt(place, `an integer ${name}`, value)
}

/** An integer of 0 or more. */
export function countAt(record: Members, name: string, place: Place): number {
  const value = integerAt(record, name, place)
  return value >= 0 ? value : damagedAt(place, `a ${name} of 0 or more`, value)
}

/** True or false. */
export function booleanAt(record: Members, name: string, place: Place): boolean {
  const value = record[name]
  return typeof value === 'boolean' ? value : damagedAt(place, `true or false as ${name}`, value)
}

/** A map of texts. */
export function textsAt(value: unknown, name: string, place: Place): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [key, text] of Object.entries(recordAt(value, name, place))) {
    // A map of Delta may hold a null; for us that is the same as no entry.
    if (isMissing(text)) continue
    setOwn(texts, key, typeof text === 'string' ? text : damagedAt(place, `a text ${name}.${key}`, text))
  }
  return texts
}

/** Whether a member says nothing: Delta writes null or leaves it out. */
export function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

/** A value for a message: short, on one line, with control characters escaped. */
export function describe(value: unknown): string {
  // JSON has no word for these two.
  const isPlain = value !== undefined && typeof value !== 'bigint'
  const text = isPlain ? (JSON.stringify(value) ?? typeof value) : String(value ?? 'nothing')
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

/** Sets a member of a name that a file chose: `__proto__` becomes a member like any other. */
export function setOwn(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
}

/** Whether a value is an object with named members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a JSON text, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (_cause) {
    return undefined
  }
}
