/** Values of a question about several listeners that select nobody: what is said of the others is no answer for them. */

import type { Answer } from './answer.ts'
import { AskedUserAgents } from './claimed-listeners.ts'
import type { Selection, TextSelector } from './listener-selector.ts'

/** Values that no listener of the asset goes by, as they were given. */
export interface Unmatched {
  readonly ips: readonly string[]
  readonly userAgents: readonly string[]
}

/** Sees every answer, and knows in the end which values had none. */
export class UnmatchedSelectors {
  private readonly ips: Set<TextSelector>
  private readonly userAgents: Set<TextSelector>
  private readonly asked: AskedUserAgents

  constructor(selection: Selection) {
    this.ips = new Set(selection.ips)
    this.userAgents = new Set(selection.userAgents)
    this.asked = new AskedUserAgents(selection)
  }

  add({ ip, userAgent }: Answer): void {
    for (const selector of this.ips) if (selector.matches(ip)) this.ips.delete(selector)
    for (const selector of this.userAgents) {
      const { exact } = selector
      const isMeant = exact !== undefined && this.asked.areAlike(exact, userAgent)
      if (isMeant || selector.matches(userAgent)) this.userAgents.delete(selector)
    }
  }

  /** Undefined when every value had an answer. */
  result(): Unmatched | undefined {
    if (this.ips.size + this.userAgents.size === 0) return undefined
    const texts = (selectors: Set<TextSelector>): string[] => Array.from(selectors, ({ text }) => text)
    return { ips: texts(this.ips), userAgents: texts(this.userAgents) }
  }
}
