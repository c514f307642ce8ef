/**
 * Who is meant by user agents exactly given, where some files have them decoded: a text there may be a spelling
 * of several that were asked for. Each is answered as if it had been asked for alone, and one that has nothing
 * of its own beside another is the same listener, which comes once.
 */

import { type Selection, selects } from './listener-selector.ts'
import { RunBuffer } from './run-buffer.ts'
import { compareTexts, listenersBySpelling } from './spelled-listeners.ts'
import type { DeliveryStore } from './store.ts'
import { userAgentSpellings } from './user-agent-spellings.ts'

/** One listener under the name that it was asked for by, or that a pattern found. */
export interface ClaimedListener {
  readonly ip: string
  readonly userAgent: string
  readonly runs: RunBuffer
  /** Those of the runs that no listener before it had: what is added up counts them once. Often the same object. */
  readonly freshRuns: RunBuffer
  /** Other names that it goes by: they have nothing that no other has. */
  readonly otherNames: readonly string[]
}

/** What one address has under one text, in files of one kind. */
interface Stored {
  readonly runs: RunBuffer
  readonly claims: Claim[]
  isCounted: boolean
}

/** A name and all that counts for it. */
interface Claim {
  readonly userAgent: string
  /** User agents asked for come first, in their order, then what patterns found. */
  readonly place: number
  readonly stored: Set<Stored>
}

/** The user agents exactly given, with the spellings that count where they were decoded. */
export class AskedUserAgents {
  readonly texts: readonly string[]
  private readonly spellings: ReadonlyMap<string, ReadonlySet<string>>
  private readonly bySpelling = new Map<string, string[]>()

  constructor({ userAgents }: Pick<Selection, 'userAgents'>) {
    this.texts = [...new Set(userAgents.flatMap(({ exact }) => exact ?? []))]
    this.spellings = new Map(this.texts.map((text) => [text, new Set(userAgentSpellings(text))]))
    for (const [text, spellings] of this.spellings) {
      for (const spelling of spellings) {
        const texts = this.bySpelling.get(spelling) ?? []
        if (texts.length === 0) this.bySpelling.set(spelling, texts)
        texts.push(text)
      }
    }
  }

  /** Those that a stored text counts for. */
  meantBy(text: string, isDecoded: boolean): readonly string[] {
    if (isDecoded) return this.bySpelling.get(text) ?? []
    return this.spellings.has(text) ? [text] : []
  }

  isSpelling(text: string): boolean {
    return this.bySpelling.has(text)
  }

  /** Whether one is a spelling of the other. */
  areAlike(a: string, b: string): boolean {
    return this.spellings.get(a)?.has(b) === true || this.spellings.get(b)?.has(a) === true
  }

  /** Whether a stored text may count for two of them. */
  get hasAlike(): boolean {
    return [...this.bySpelling.values()].some(({ length }) => length > 1)
  }
}

/**
 * The listeners of a selection with requests for its asset, in the order of address and user agent.
 * Memory is the requests of one address. Fails as the store does.
 */
export function* claimedListeners(
  store: DeliveryStore,
  { asset, ips, userAgents }: Pick<Selection, 'asset' | 'ips' | 'userAgents'>,
  asked: AskedUserAgents,
): Generator<ClaimedListener, void, void> {
  const scan = {
    assets: new Set([asset]),
    ip: (text: string) => selects(ips, text),
    userAgent: (text: string) => asked.isSpelling(text) || selects(userAgents, text),
  }
  let address: Address | undefined
  for (const [{ ip, userAgent, runs }, isDecoded] of listenersBySpelling(store, scan)) {
    if (address?.ip !== ip) {
      if (address !== undefined) yield* address.listeners()
      address = new Address(ip)
    }
    const meant = asked.meantBy(userAgent, isDecoded)
    const isFound = !asked.texts.includes(userAgent) && selects(userAgents, userAgent)
    const places = meant.map((text): [string, number] => [text, asked.texts.indexOf(text)])
    address.add(isFound ? [...places, [userAgent, asked.texts.length]] : places, runs)
  }
  if (address !== undefined) yield* address.listeners()
}

/** What is stored of one address, and the names it counts for. */
class Address {
  readonly ip: string
  private readonly claims = new Map<string, Claim>()

  constructor(ip: string) {
    this.ip = ip
  }

  add(names: readonly (readonly [userAgent: string, place: number])[], runs: RunBuffer): void {
    if (names.length === 0) return
    const stored: Stored = { runs: runs.copy(), claims: [], isCounted: false }
    for (const [userAgent, place] of names) {
      const claim = this.claims.get(userAgent) ?? { userAgent, place, stored: new Set() }
      this.claims.set(userAgent, claim)
      claim.stored.add(stored)
      stored.claims.push(claim)
    }
  }

  *listeners(): Generator<ClaimedListener, void, void> {
    const kept = [...this.claims.values()].filter((claim) => !isContained(claim))
    for (const { userAgent, stored } of kept.sort((a, b) => compareTexts(a.userAgent, b.userAgent))) {
      const fresh = [...stored].filter(({ isCounted }) => !isCounted)
      for (const part of fresh) part.isCounted = true
      const runs = joined([...stored])
      const freshRuns = fresh.length === stored.size ? runs : joined(fresh)
      const sharing = [...stored].flatMap(({ claims }) => claims)
      const otherNames = sharing.filter(isContained).map((claim) => claim.userAgent)
      yield { ip: this.ip, userAgent, runs, freshRuns, otherNames }
    }
  }
}

/** Whether another name has all that this one has: what is left when both have the same is the first. */
function isContained(claim: Claim): boolean {
  const [first] = claim.stored
  return (first?.claims ?? []).some((other) => {
    const { stored } = other
    if (other === claim || stored.size < claim.stored.size) return false
    if (stored.size === claim.stored.size && other.place >= claim.place) return false
    return [...claim.stored].every((part) => stored.has(part))
  })
}

function joined(parts: readonly Stored[]): RunBuffer {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first.runs
  const runs = new RunBuffer(parts.reduce((sum, part) => sum + part.runs.count, 0))
  for (const { runs: some } of parts) {
    for (let i = 0; i < some.count; i++) runs.add(some.starts[i] ?? 0, some.ends[i] ?? 0, some.epochs[i] ?? 0)
  }
  runs.sort()
  return runs
}
