/** What a question may have meant that found nothing: the known values that look most like those asked for. */

import type { DeliveryKey, Evidence } from './evidence.ts'

/** Values to try instead, the likeliest first; at most three of each. */
export interface Suggestions {
  readonly assets: readonly string[]
  readonly ips: readonly string[]
  readonly userAgents: readonly string[]
}

/** A store as far as suggestions need it. */
export interface KnownValues {
  /** The (address, user agent) pairs with requests for the asset that pass both tests. */
  listenersOf(
    asset: string,
    tests: { readonly ip?: string; readonly userAgent?: string },
  ): Iterable<{ readonly ip: string; readonly userAgent: string }>
  /** Distinct values of a column, more or less: some may come twice, and of a huge store some not at all. */
  valuesOf(column: 'request' | 'ip' | 'user_agent'): Iterable<string>
}

const SUGGESTION_COUNT = 3
/** Texts less alike than this are no suggestion. */
const MIN_LIKENESS = 0.4
/** Listeners of an asset that are looked at: enough to find the likeliest of a handful. */
const MAX_LISTENERS = 10_000
/** Longer texts are compared by their beginning. */
const MAX_COMPARED_LENGTH = 300

/** Looks for the part of the key that is not known, and for known ones that resemble it. */
export function suggestKnown(known: KnownValues, key: DeliveryKey, evidence: Evidence): Suggestions {
  const { asset, ip, userAgent } = key
  if (!evidence.assetKnown) {
    return { assets: nearest(asset, known.valuesOf('request')), ips: [], userAgents: [] }
  }
  // The asset is right: somebody else asked for it from this address, or from elsewhere with this player.
  const userAgents = nearest(
    userAgent,
    take(known.listenersOf(asset, { ip }), (listener) => listener.userAgent),
    0,
  )
  if (userAgents.length > 0) return { assets: [], ips: [], userAgents }
  const ips = nearest(
    ip,
    take(known.listenersOf(asset, { userAgent }), (listener) => listener.ip),
    0,
  )
  if (ips.length > 0 || evidence.listenerKnown) return { assets: [], ips, userAgents: [] }
  return {
    assets: [],
    ips: nearest(ip, known.valuesOf('ip')),
    userAgents: nearest(userAgent, known.valuesOf('user_agent')),
  }
}

function* take<T>(values: Iterable<T>, textOf: (value: T) => string): Generator<string> {
  let count = 0
  for (const value of values) {
    if (count++ === MAX_LISTENERS) return
    yield textOf(value)
  }
}

/** The texts most like `wanted`, which is not among them; the shorter first where they are equally alike. */
function nearest(wanted: string, texts: Iterable<string>, minLikeness = MIN_LIKENESS): string[] {
  const wantedPairs = pairsOf(wanted)
  const best: { readonly text: string; readonly likeness: number }[] = []
  for (const text of texts) {
    if (text === wanted || best.some((other) => other.text === text)) continue
    const likeness = diceLikeness(wantedPairs, text)
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
