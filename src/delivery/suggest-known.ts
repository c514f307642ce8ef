/** What a question may have meant that found nothing: the known values that look most like those asked for. */

import { BlockList, isIP } from 'node:net'
import type { DeliveryKey, Evidence } from './evidence.ts'
import { exactText, type Selection, selects, type TextSelector } from './listener-selector.ts'

/** Values to try instead, the likeliest first; at most three of each. */
export interface Suggestions {
  readonly assets: readonly string[]
  readonly ips: readonly string[]
  readonly userAgents: readonly string[]
}

/** Tests of texts; what is absent lets everything pass. */
export interface ListenerTests {
  readonly ip?: ((text: string) => boolean) | undefined
  readonly userAgent?: ((text: string) => boolean) | undefined
}

/** A store as far as suggestions need it. */
export interface KnownValues {
  /** The (address, user agent) pairs with requests for the asset that pass both tests. */
  listenersOf(
    asset: string,
    tests: ListenerTests,
  ): Iterable<{ readonly ip: string; readonly userAgent: string }>
  /** Distinct values of a column, more or less: some may come twice, and of a huge store some not at all. */
  valuesOf(column: 'request' | 'ip' | 'user_agent'): Iterable<string>
}

const SUGGESTION_COUNT = 3
/** Texts less alike than this are no suggestion. */
const MIN_LIKENESS = 0.4
/** Listeners of an asset that are looked at: enough to find the likeliest of a handful. */
const MAX_LISTENERS = 10_000
/** Of many values so many are compared with what is known. */
const MAX_COMPARED_VALUES = 8
/** Longer texts are compared by their beginning. */
const MAX_COMPARED_LENGTH = 300

/** Looks for the part of the key that is not known, and for known ones that resemble it. */
export function suggestKnown(known: KnownValues, key: DeliveryKey, evidence: KnownParts): Suggestions {
  const { asset, ip, userAgent } = key
  return suggestListeners(
    known,
    { asset, ips: [exactText(ip)], userAgents: [exactText(userAgent)] },
    evidence,
  )
}

/** What is known of a question that found nothing. */
export type KnownParts = Pick<Evidence, 'assetKnown' | 'listenerKnown'>

/** The same for several listeners: what resembles one of the values, and none of them selects. */
export function suggestListeners(
  known: KnownValues,
  { asset, ips, userAgents }: Pick<Selection, 'asset' | 'ips' | 'userAgents'>,
  { assetKnown, listenerKnown }: KnownParts,
): Suggestions {
  if (!assetKnown) {
    return { assets: nearest([exactText(asset)], known.valuesOf('request')), ips: [], userAgents: [] }
  }
  const respelled = suggestSpellings(known, { asset, ips, userAgents })
  if (respelled !== undefined) return respelled
  // The asset is right: somebody else asked for it from this address, or from elsewhere with this player.
  const isIp = (text: string): boolean => selects(ips, text)
  const isUserAgent = (text: string): boolean => selects(userAgents, text)
  const itsUserAgents = take(known.listenersOf(asset, { ip: isIp }), (listener) => listener.userAgent)
  const found = nearest(userAgents, itsUserAgents, 0)
  if (found.length > 0) return { assets: [], ips: [], userAgents: found }
  const itsIps = take(known.listenersOf(asset, { userAgent: isUserAgent }), (listener) => listener.ip)
  const foundIps = nearest(ips, itsIps, 0)
  if (foundIps.length > 0 || listenerKnown) return { assets: [], ips: foundIps, userAgents: [] }
  return {
    assets: [],
    ips: nearest(ips, known.valuesOf('ip'), MIN_LIKENESS, spellingsOf(ips)),
    userAgents: nearest(userAgents, known.valuesOf('user_agent')),
  }
}

/** The same address as logs spell it otherwise, 2001:DB8::1 for 2001:db8:0::1, if it asked for the asset. */
function suggestSpellings(
  known: KnownValues,
  { asset, ips, userAgents }: Pick<Selection, 'asset' | 'ips' | 'userAgents'>,
): Suggestions | undefined {
  const isSpelling = spellingsOf(ips)
  if (isSpelling === undefined) return undefined
  const listeners = [...take(known.listenersOf(asset, { ip: isSpelling }), (listener) => listener)]
  const asAsked = listeners.filter(({ userAgent }) => selects(userAgents, userAgent))
  if (asAsked.length > 0) return { assets: [], ips: nearest(ips, ipsOf(asAsked), 0), userAgents: [] }
  if (listeners.length === 0) return undefined
  const others = listeners.map(({ userAgent }) => userAgent)
  return { assets: [], ips: nearest(ips, ipsOf(listeners), 0), userAgents: nearest(userAgents, others, 0) }
}

/** Whether a text is one of the addresses, spelled in another way; undefined where none has another spelling. */
function spellingsOf(ips: readonly TextSelector[]): ((text: string) => boolean) | undefined {
  const addresses = new BlockList()
  let hasAny = false
  for (const { exact } of ips) {
    // Only with colons an address has more than one spelling.
    if (exact === undefined || isIP(exact) !== 6 || exact.includes('%')) continue
    addresses.addAddress(exact, 'ipv6')
    hasAny = true
  }
  if (!hasAny) return undefined
  return (text) => {
    const family = isIP(text)
    return family !== 0 && !selects(ips, text) && addresses.check(text, family === 4 ? 'ipv4' : 'ipv6')
  }
}

function ipsOf(listeners: readonly { readonly ip: string }[]): readonly string[] {
  return listeners.map(({ ip }) => ip)
}

function* take<T, R>(values: Iterable<T>, partOf: (value: T) => R): Generator<R> {
  let count = 0
  for (const value of values) {
    if (count++ === MAX_LISTENERS) return
    yield partOf(value)
  }
}

/** The texts most like one of `wanted`, none of which selects them; the shorter first where they are equally alike. */
function nearest(
  wanted: readonly TextSelector[],
  texts: Iterable<string>,
  minLikeness = MIN_LIKENESS,
  isSame: (text: string) => boolean = () => false,
): string[] {
  const wantedPairs = wanted.slice(0, MAX_COMPARED_VALUES).map(({ text }) => pairsOf(text))
  const best: { readonly text: string; readonly likeness: number }[] = []
  for (const text of texts) {
    if (selects(wanted, text) || best.some((other) => other.text === text)) continue
    const likeness = isSame(text)
      ? 1
      : wantedPairs.reduce((most, pairs) => Math.max(most, diceLikeness(pairs, text)), 0)
    const worst = best.at(-1)
    const isFull = best.length === SUGGESTION_COUNT
    if (likeness < minLikeness || (isFull && worst !== undefined && likeness <= worst.likeness)) continue
    if (isFull) best.pop()
    best.push({ text, likeness })
    best.sort((a, b) => b.likeness - a.likeness || a.text.length - b.text.length)
  }
  return best.map(({ text }) => text)
}

/** How often each pair of neighbouring characters occurs, ends included. */
function pairsOf(text: string): Map<number, number> {
  const pairs = new Map<number, number>()
  eachPair(text, (pair) => pairs.set(pair, (pairs.get(pair) ?? 0) + 1))
  return pairs
}

function eachPair(text: string, visit: (pair: number) => void): number {
  const length = Math.min(text.length, MAX_COMPARED_LENGTH)
  let before = 0
  for (let i = 0; i <= length; i++) {
    const code = i === length ? 0 : text.charCodeAt(i) | 0x20
    visit(before * 0x1_0000 + code)
    before = code
  }
  return length + 1
}

/** 1 for the same pairs of characters, 0 for none in common (Dice's coefficient). */
function diceLikeness(wanted: ReadonlyMap<number, number>, text: string): number {
  const left = new Map<number, number>()
  let common = 0
  const count = eachPair(text, (pair) => {
    const available = left.get(pair) ?? wanted.get(pair) ?? 0
    if (available > 0) common++
    left.set(pair, available - 1)
  })
  let wantedCount = 0
  for (const pairCount of wanted.values()) wantedCount += pairCount
  return (2 * common) / (wantedCount + count)
}
