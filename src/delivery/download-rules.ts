/**
 * The rules by which podcast downloads are counted. Source: IAB Tech Lab, Podcast Technical Measurement
 * Guidelines 2.x, as far as a log of requests can follow them.
 */

import { isIP } from 'node:net'

/** How requests of one listener are gathered into downloads: see `splitIntoWindows`. */
export const WINDOW_KINDS = ['calendar', 'first-touch', 'last-touch'] as const

/** See `WINDOW_KINDS`. */
export type WindowKind = (typeof WINDOW_KINDS)[number]

/** Everything that decides about a count; printed with every figure. */
export interface DownloadRules {
  readonly windowKind: WindowKind
  /** Of the audio, in bits a second; unknown means that a download needs the whole asset. */
  readonly bitsPerSecond: number | undefined
  /** Bytes before the audio (tags, pictures). */
  readonly headerByteLength: number
  readonly bots: BotList
}

/** User agents that are no listeners. */
export interface BotList {
  readonly name: string
  readonly version: string
  /** Lower-case parts of user agents. */
  readonly parts: readonly string[]
}

const SECONDS_PER_DAY = 86_400
/** So much of the content makes a download. */
const CONTENT_SECONDS = 60

/** Whether the list names the user agent. */
export function isBot({ parts }: BotList, userAgent: string): boolean {
  const text = userAgent.toLowerCase()
  return parts.some((part) => text.includes(part))
}

/** Apple Watch downloads what the phone has downloaded: it is left out. */
export function isAppleWatch(userAgent: string): boolean {
  return (
    (userAgent.startsWith('atc/') && userAgent.includes('watchOS')) ||
    userAgent.startsWith('(null)/(null) watchOS')
  )
}

/** The distinct bytes that make a download of an asset of `length`. */
export function downloadThreshold(rules: DownloadRules, length: number): number {
  if (rules.bitsPerSecond === undefined) return length
  return Math.min(length, rules.headerByteLength + Math.ceil((CONTENT_SECONDS * rules.bitsPerSecond) / 8))
}

/** A request for the first two bytes only asks whether ranges are served. */
export function isProbe(start: number, end: number): boolean {
  return start === 0 && end <= 2
}

/**
 * Where the requests of one listener are cut: the places at which a window begins, of times that ascend.
 * `calendar`: at the first request of each UTC day. `first-touch`: at the first request that comes 24 hours
 * or more after the beginning of the window. `last-touch`: 24 hours or more after the request before.
 */
export function splitIntoWindows(epochs: Float64Array, kind: WindowKind): readonly number[] {
  const cuts: number[] = []
  let reference = Number.NEGATIVE_INFINITY
  for (let i = 0; i < epochs.length; i++) {
    const epoch = epochs[i] ?? 0
    const isNew =
      kind === 'calendar'
        ? Math.floor(epoch / SECONDS_PER_DAY) !== Math.floor(reference / SECONDS_PER_DAY)
        : epoch - reference >= SECONDS_PER_DAY
    if (isNew) cuts.push(i)
    if (isNew || kind !== 'first-touch') reference = epoch
  }
  return cuts
}

/**
 * The address by which listeners are told apart: IPv6 cut to its first 64 bits, as a device changes the rest
 * of it, unless it is an IPv4 address written as IPv6, all of which share these; anything else stays as it is.
 */
export function countedAddress(ip: string): string {
  if (isIP(ip) !== 6) return ip
  const groups = expandIpv6(ip)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return `::ffff:${[high >>> 8, high & 255, low >>> 8, low & 255].join('.')}`
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an address that `isIP` knows as IPv6. */
function expandIpv6(ip: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip)
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16)
  const text = dotted === null ? ip : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [left = '', right] = text.replace(/%.*$/, '').split('::')
  const groupsOf = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const before = groupsOf(left)
  const after = right === undefined ? [] : groupsOf(right)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}
