/**
 * Says what a line of any format proves, the slow and obvious way: strings, regular expressions, JSON.parse. The
 * oracle for the scanner; it shares no code with the program, on purpose. Text is Latin-1: one character a byte.
 */

import {
  type Claim,
  claimContentRange,
  claimRange,
  countOf,
  lengthOfSkipped,
  MAX,
  pairOf,
  partLengths,
} from './claim-oracle.ts'
import { type EndOracle, stateOf } from './end-oracle.ts'
import { jsonBytes, splitJson } from './json-oracle.ts'
import { type CountOracle, prefixOf, sentOf, wholeLength } from './sent-oracle.ts'
import { momentOf } from './time-oracle.ts'

/** What is known of the format that lines are in. */
export interface OracleFormat extends CountOracle, EndOracle {
  readonly structure: 'separated' | 'template' | 'json'
  /** Slots by position, `''` for none; empty for JSON. */
  readonly slots: readonly string[]
  /** Of JSON: the slot of each member, by path. */
  readonly members?: Readonly<Record<string, string>>
  readonly separator?: string
  /** Literals of a template: before, between and after the fields. */
  readonly literals?: readonly string[]
  readonly escapes?: 'c' | 'json'
  readonly dashIsNull?: boolean
  readonly dashIsZero?: boolean
  readonly percent?: boolean
  readonly addSlash?: boolean
  readonly quoted?: boolean
  readonly comments?: boolean
  readonly trailing?: boolean
  readonly asset?: 'path' | 'url' | 'host+path' | 'path+query'
  readonly forwarded?: boolean
  readonly trust?: boolean
}

/** A kept line; positions are inclusive, texts are the bytes of the keys. */
export interface OracleRun {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly first: number
  readonly last: number
  readonly epochSeconds: number
}

/** What a line tells of the length of an asset, kept or not. */
export interface OracleTelling {
  readonly asset: string
  readonly epochSeconds: number
  /** The complete length that the line tells, or 0. */
  readonly length: number
  /** As far as the asset was asked for or counted and not proven, or 0; of a line that tells no length. */
  readonly asked: number
  /** As far as it goes for certain, of which not all was sent, or 0; likewise. */
  readonly answered: number
  /** A second complete length that the line tells, or 0. */
  readonly other: number
}

/** What became of a line: kept, or why not; `clipped` are bytes claimed and not sent. */
export interface OracleFate {
  readonly fate: string
  readonly run?: OracleRun
  /** Whether the same line again is the same request. */
  readonly isIdentified?: boolean
  readonly clipped?: number
  /** Whether it is kept though nothing says how much was sent. */
  readonly isUnmeasured?: boolean
  readonly telling?: OracleTelling
}

type Fields = Map<string, string>

function splitSeparated(line: string, format: OracleFormat): string[] | undefined {
  const separator = format.separator ?? '\t'
  if (format.quoted !== true) return line.split(separator)
  const fields: string[] = []
  let rest: string | undefined = line
  while (rest !== undefined) {
    const quoted: RegExpExecArray | null = /^"((?:[^"]|"")*)"(?!")/s.exec(rest)
    const next: number = quoted === null ? rest.indexOf(separator) : quoted[0].length
    if (rest.startsWith('"') && quoted === null) return undefined
    if (quoted !== null && next < rest.length && rest[next] !== separator) return undefined
    const end: number = next < 0 ? rest.length : next
    fields.push(quoted === null ? rest.slice(0, end) : (quoted[1] ?? '').replaceAll('""', '"'))
    rest = end === rest.length ? undefined : rest.slice(end + 1)
  }
  return fields
}

function splitTemplate(line: string, format: OracleFormat): string[] | undefined {
  const [prefix = '', ...between] = format.literals ?? []
  if (!line.startsWith(prefix)) return undefined
  let rest = line.slice(prefix.length)
  const fields: string[] = []
  for (const literal of between) {
    if (literal === '') {
      fields.push(rest)
      return fields
    }
    // What stands before a time in brackets goes on up to them, whatever it is called.
    if (literal === ' [') {
      const head = /^(?:\\.|(?! \[)[^\\])* \[(?:\\.|(?!\] ")[^\\])*(?=\] ")/.exec(rest)?.[0]
      const before = head?.split(literal).slice(0, -1).join(literal)
      if (before === undefined) return undefined
      fields.push(before)
      rest = rest.slice(before.length + literal.length)
      continue
    }
    const escaped = literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    const found: RegExpExecArray | null = new RegExp(
      `^((?:\\\\[^]|(?!${escaped})[^\\\\])*)${escaped}`,
      's',
    ).exec(rest)
    if (found === null) return undefined
    fields.push(found[1] ?? '')
    rest = rest.slice(found[0].length)
  }
  return rest === '' ? fields : undefined
}

function decodeC(text: string): string {
  const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', v: '\v', '"': '"', '\\': '\\' }
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|(["\\ntrbv]))/g,
    (_all, hex: string | undefined, letter: string) =>
      hex === undefined ? (plain[letter] ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** Undefined for an escape that is none. */
function decodeJsonText(text: string): string | undefined {
  const rest = text.replace(/\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g, '')
  if (rest.includes('\\')) return undefined
  const anyEscape =
    /(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g
  return text.replace(anyEscape, (all) => jsonBytes(JSON.parse(`"${all}"`)))
}

function decodePercent(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function fieldsOf(line: string, format: OracleFormat): Fields | undefined {
  const { slots, members } = format
  let raw: Fields | undefined
  if (members !== undefined) {
    raw = splitJson(line, members)
  } else {
    const parts = format.structure === 'template' ? splitTemplate(line, format) : splitSeparated(line, format)
    const isLonger = format.trailing === true && parts?.length === slots.length + 1 && parts.at(-1) === ''
    if (parts === undefined || (parts.length !== slots.length && !isLonger)) return undefined
    const isOpen = format.literals?.at(-1) === '' && slots.at(-1) !== ''
    if (isOpen && parts.at(-1)?.includes(' ') === true) return undefined
    raw = new Map(slots.map((slot, i) => [slot, parts[i] ?? '']))
    raw.delete('')
  }
  if (raw === undefined) return undefined
  const fields: Fields = new Map()
  for (const [slot, text] of raw) {
    if (text === '-' && slot === 'bodyBytes' && format.dashIsZero === true) fields.set(slot, '0')
    else if (text === '-' && format.dashIsNull === true && slot !== 'completion') continue
    else {
      const decoded =
        format.escapes === 'json' ? decodeJsonText(text) : format.escapes === 'c' ? decodeC(text) : text
      if (decoded === undefined) return undefined
      fields.set(slot, decoded)
    }
  }
  return fields
}

function claimPart(fields: Fields, length: number | undefined): Claim {
  const given = (slot: string): string => fields.get(slot) ?? ''
  if (given('contentRange') !== '') return claimContentRange(given('contentRange'))
  if (given('rangeFirst') !== '' || given('rangeLast') !== '')
    return pairOf(`${given('rangeFirst')}-${given('rangeLast')}`) ?? 'BAD_RANGE'
  return given('range') === '' ? 'UNPROVEN' : claimRange(given('range'), length)
}

/** `isKnown`: anything says that something was sent; `prefix`: how much, where the length is not known. */
function claimWhole(length: number | undefined, isKnown: boolean, prefix: number): Claim {
  const end = length === undefined ? prefix : isKnown ? length : 0
  return end > 0 ? { first: 0, last: end - 1 } : 'UNPROVEN'
}

/** The bytes that a good response proves, or why none. */
function judge(
  fields: Fields,
  format: OracleFormat,
): OracleFate & {
  claim?: { first: number; last: number }
  length?: number
  asked?: number
  answered?: number
  other?: number
} {
  const number = (slot: string): number | undefined => {
    const text = fields.get(slot) ?? ''
    return text === '' ? undefined : (countOf(text) ?? Number.NaN)
  }
  const [body, sent, overhead, objectLength, contentLength] = [
    'bodyBytes',
    'sentBytes',
    'overheadBytes',
    'length',
    'contentLength',
  ].map(number)
  if ([body, sent, overhead, objectLength, contentLength].some((count) => Number.isNaN(count)))
    return { fate: 'BAD_RANGE' }
  const state = stateOf(fields, format)
  const isPart = fields.get('status') === '206'
  const length = isPart ? objectLength : (contentLength ?? objectLength)
  const counts = {
    body,
    sent,
    overhead,
    state,
    isChunked: format.body === 'chunks' && (fields.get('contentLength') ?? '') === '',
    hasLength: (fields.get('contentLength') ?? '') !== '',
    isTold: (fields.get('contentRange') ?? '') !== '',
    isBounded:
      (length ?? 0) > 0 || (fields.get('contentRange') ?? '') + (fields.get('rangeFirst') ?? '') !== '',
    isFramed: format.body === 'frames' && !/^HTTP\/1\..$/s.test(fields.get('protocol') ?? ''),
  }
  const isKnown = body !== undefined || sent !== undefined || state === 'complete' || format.trust === true
  const claim = isPart ? claimPart(fields, length) : claimWhole(length, isKnown, prefixOf(counts, format))
  const otherThan = (told: number): number => (objectLength === told ? 0 : (objectLength ?? 0))
  const most = wholeLength(counts, format)
  const isWhole = state === 'complete' && (body ?? sent) !== undefined
  const size = { stated: contentLength, most, least: prefixOf(counts, format), isWhole }
  const { asked, answered } = isPart ? partLengths(fields, size) : { asked: most, answered: 0 }
  if (typeof claim === 'string')
    return {
      fate: claim,
      other: otherThan(length ?? 0),
      ...(length === undefined ? { asked, answered } : { length }),
    }
  const logged = claim.total ?? length ?? 0
  const other = otherThan(logged)
  const ends = logged > 0 ? { length: logged } : isPart || length === undefined ? { asked, answered } : {}
  const tells = { other, ...ends }
  const { first, last } = claim
  if (logged > 0 && last >= logged) return { fate: 'BAD_RANGE' }
  const claimed = last - first + 1
  if (isPart && format.trust !== true && (contentLength ?? 0) > claimed)
    return {
      fate: 'UNPROVEN',
      other,
      ...(logged > 0 ? { length: logged } : { asked: first + (contentLength ?? 0), answered: 0 }),
    }
  const offered = Math.min(claimed, contentLength ?? claimed)
  const delivered = format.trust === true ? claimed : sentOf(offered, counts, format)
  if (delivered === undefined) return { fate: 'UNPROVEN', ...tells }
  const clipped = claimed - delivered
  if (delivered === 0) return { fate: 'UNPROVEN', clipped, ...tells }
  const isTrusted = format.trust === true && isPart
  return {
    fate: 'KEPT',
    clipped,
    claim: { first, last: first + delivered - 1 },
    isUnmeasured: format.trust !== true && state === 'unknown' && body === undefined && sent === undefined,
    ...(logged === 0 && isTrusted ? { other } : tells),
  }
}

function assetOf(fields: Fields, format: OracleFormat): string | undefined {
  const target = fields.get('target')?.replace(/^(?:https?):\/\/[^/]*(?=\/)/, '')
  const kind = format.asset ?? 'path'
  const wantsQuery = kind === 'url' || kind === 'path+query'
  let path = target ?? fields.get('path') ?? ''
  if (target !== undefined && !wantsQuery) path = target.split('?')[0] ?? ''
  if (path === '') return undefined
  if (format.addSlash === true && !path.startsWith('/')) path = `/${path}`
  const query = fields.get('query') ?? ''
  if (wantsQuery && target === undefined && query !== '') path += query.startsWith('?') ? query : `?${query}`
  const host = fields.get('host') ?? ''
  if ((kind === 'url' || kind === 'host+path') && host === '') return undefined
  if (kind === 'url' && (fields.get('scheme') ?? '') === '') return undefined
  const prefix = kind === 'url' ? `${fields.get('scheme')}://${host}` : kind === 'host+path' ? host : ''
  return prefix + path
}

function keysOf(
  fields: Fields,
  format: OracleFormat,
): { asset: string; ip: string; userAgent: string } | undefined {
  const decode = (text: string): string => (format.percent === true ? decodePercent(text) : text)
  const forwarded = format.forwarded === true ? (fields.get('forwardedFor') ?? '') : ''
  const ip =
    forwarded === ''
      ? (fields.get('ip') ?? '')
      : (decode(forwarded).split(',')[0] ?? '').replace(/^ +| +$/g, '')
  const asset = assetOf(fields, format)
  if (ip === '' || asset === undefined) return undefined
  return { asset, ip, userAgent: decode(fields.get('userAgent') ?? '') }
}

/** What a line without a proven byte tells of a length, if it has an asset to tell it of. */
function tellingOf(
  fields: Fields,
  format: OracleFormat,
  epochSeconds: number | undefined,
  { length = 0, asked = 0, answered = 0, other = 0, proven = 0 },
): { telling?: OracleTelling } {
  const asset = assetOf(fields, format)
  const certain = length === 0 && answered > proven ? Math.min(answered, MAX) : 0
  const doubt = length === 0 && asked > Math.max(proven, certain) ? Math.min(asked, MAX) : 0
  if (asset === undefined || !isUtf8(asset) || epochSeconds === undefined) return {}
  if (length + certain + doubt + other === 0) return {}
  return { telling: { asset, epochSeconds, length, asked: doubt, answered: certain, other } }
}

function isInner(fields: Fields): boolean {
  return (
    ['1', '2', 'true'].includes(fields.get('inner') ?? '') ||
    !['', 'eyeball'].includes(fields.get('source') ?? '')
  )
}

/** Takes a request line apart; false when it is none. */
function splitRequestLine(fields: Fields): boolean {
  const requestLine = fields.get('requestLine') ?? ''
  if (requestLine === '') return true
  const match = /^([^ ]+) (?=.)(.*?)(?: HTTP[^ ]{2,})?$/s.exec(requestLine)
  if (match === null) return false
  fields.set('method', match[1] ?? '')
  fields.set('target', match[2] ?? '')
  return true
}

/** A line that is not kept for its status or method, and what it tells all the same. */
function skip(fate: string, fields: Fields, format: OracleFormat): OracleFate {
  const moment = momentOf(fields)
  if (isInner(fields) || typeof moment === 'string') return { fate }
  return { fate, ...tellingOf(fields, format, moment, { length: lengthOfSkipped(fields) }) }
}

function isUtf8(text: string): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'))
    return true
  } catch {
    return false
  }
}

/** What becomes of one line, given without its line feed. */
export function judgeLine(whole: string, format: OracleFormat): OracleFate {
  const line = whole.endsWith('\r') ? whole.slice(0, -1) : whole
  if (line === '') return { fate: 'BLANK' }
  if (format.comments === true && line.startsWith('#')) return { fate: 'COMMENT' }
  if (whole.length > 65_536) return { fate: 'LONG_LINE' }
  if (line.includes('\0')) return { fate: 'NUL_BYTE' }
  const fields = fieldsOf(line, format)
  if (fields === undefined) return { fate: 'BAD_FIELDS' }
  if ([...fields.values()].some((text) => text.includes('\0'))) return { fate: 'NUL_BYTE' }
  const status = fields.get('status') ?? ''
  if (!/^\d{3}$/.test(status)) return { fate: 'BAD_STATUS' }
  const hasLine = splitRequestLine(fields)
  if (status !== '200' && status !== '206')
    return hasLine ? skip('SKIPPED', fields, format) : { fate: 'SKIPPED' }
  if (!hasLine) return { fate: 'BAD_FIELDS' }
  const method = fields.get('method') ?? ''
  if (method !== '' && method !== 'GET') return skip('METHOD', fields, format)
  if (isInner(fields)) return { fate: 'INNER' }
  const epochSeconds = momentOf(fields)
  if (typeof epochSeconds === 'string') return { fate: epochSeconds }
  const { claim, length, asked, answered, other, ...judged } = judge(fields, format)
  if (judged.fate === 'UNPROVEN')
    return { ...judged, ...tellingOf(fields, format, epochSeconds, { length, asked, answered, other }) }
  if (claim === undefined) return judged
  const { first, last } = claim
  if (last - first + 1 > 2 ** 38) return { fate: 'HUGE_RANGE' }
  const keys = keysOf(fields, format)
  if (keys === undefined) return { fate: 'EMPTY_KEY' }
  const texts = [keys.asset, keys.ip, keys.userAgent]
  if (texts.some((text) => text.includes('\0'))) return { fate: 'NUL_BYTE' }
  if (!texts.every(isUtf8)) return { fate: 'BAD_UTF8' }
  const run = { ...keys, first, last, epochSeconds }
  return {
    fate: 'KEPT',
    isIdentified: (fields.get('requestId') ?? '') !== '',
    clipped: judged.clipped ?? 0,
    isUnmeasured: judged.isUnmeasured === true,
    run,
    ...tellingOf(fields, format, epochSeconds, { length, asked, answered, other, proven: last + 1 }),
  }
}
