/**
 * Listeners by pattern: addresses as CIDR blocks, user agents with `*`. A value without a pattern in it
 * means itself, byte for byte.
 */

import { BlockList, isIP } from 'node:net'
import { Failure } from '../base/failure.ts'
import type { QueryTarget } from './question.ts'
import type { TimeWindow } from './question-time.ts'

/** What one value of an option selects. */
export interface TextSelector {
  /** As it was given. */
  readonly text: string
  /** The one text that it selects; undefined for a pattern. */
  readonly exact: string | undefined
  matches(text: string): boolean
}

/** A question about several listeners of one asset. */
export interface Selection {
  readonly asset: string
  readonly ips: readonly TextSelector[]
  readonly userAgents: readonly TextSelector[]
  readonly target: QueryTarget
  readonly window: TimeWindow
}

/** In ::ffff:0:0/96 are the addresses of IPv4 (RFC 4291, section 2.5.5.2). */
const MAPPED_PREFIX = 96
const CIDR_FORMS = '192.0.2.0/24 or 2001:db8::/48'

/**
 * Reads an address as logged, or a CIDR block (RFC 4632, RFC 4291). Logs may hold cut addresses that look
 * like a block: such a text selects itself too. Fails with `USAGE` for a block that is none.
 */
export function parseIpSelector(text: string): TextSelector {
  return readIpSelector(text, '--ip')
}

/** The same, called `label` in messages. */
export function readIpSelector(text: string, label: string): TextSelector {
  const slash = text.indexOf('/')
  if (slash === -1) return exactText(text)
  const address = text.slice(0, slash)
  const prefix = text.slice(slash + 1)
  const family = isIP(address)
  const isBlock =
    family !== 0 &&
    !address.includes('%') &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= (family === 4 ? 32 : 128)
  if (!isBlock)
    throw new Failure('USAGE', `${label} expects an address or a block like ${CIDR_FORMS}; found '${text}'`)
  const block = new BlockList()
  block.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
  return {
    ...{ text, exact: undefined },
    matches: (found) => {
      const foundFamily = isIP(found)
      if (foundFamily === 0) return found === text
      // The addresses of IPv4 are a part of ::/0, but not what is meant by it.
      if (foundFamily === 4 && family === 6 && Number(prefix) < MAPPED_PREFIX) return false
      return block.check(found, foundFamily === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** Reads a user agent as logged, or one with `*` for any characters, none among them; `\*` is a star itself. */
export function parseUserAgentSelector(text: string): TextSelector {
  const parts = text.split(/(?<!\\)\*/).map((part) => part.replaceAll('\\*', '*'))
  const [first = '', ...rest] = parts
  if (rest.length === 0) return exactText(first)
  return { text, exact: undefined, matches: (found) => matchesParts(found, first, rest) }
}

/** Selects the one text. */
export function exactText(text: string): TextSelector {
  return { text, exact: text, matches: (found) => found === text }
}

/** Whether `text` is `first`, then each of `rest` behind something: the earliest place of each is the best one. */
function matchesParts(text: string, first: string, rest: readonly string[]): boolean {
  if (!text.startsWith(first)) return false
  let at = first.length
  const last = rest.at(-1) ?? ''
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** Whether one of the selectors selects the text. */
export function selects(selectors: readonly TextSelector[], text: string): boolean {
  return selectors.some((selector) => selector.matches(text))
}
