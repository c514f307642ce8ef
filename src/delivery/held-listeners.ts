/** Listeners of one asset who wait until its length is known. */

import { RunBuffer } from './run-buffer.ts'
import type { ListenerRuns } from './scan-listeners.ts'

/** So many requests are held at most: some megabytes. */
const MAX_HELD_REQUESTS = 262_144

/** Copies of listeners and their requests, in memory that is used again. */
export class HeldListeners {
  private listeners: { readonly ip: string; readonly userAgent: string; readonly runCount: number }[] = []
  private readonly held = new RunBuffer(4096)
  private readonly runs = new RunBuffer()
  /** One past the largest position of all. */
  observedLength = 0

  get isFull(): boolean {
    return this.held.count >= MAX_HELD_REQUESTS
  }

  hold({ ip, userAgent, runs }: ListenerRuns): void {
    const { starts, ends, epochs, count } = runs
    for (let i = 0; i < count; i++) {
      const end = ends[i] ?? 0
      if (end > this.observedLength) this.observedLength = end
      this.held.add(starts[i] ?? 0, end, epochs[i] ?? 0)
    }
    this.listeners.push({ ip, userAgent, runCount: count })
  }

  /** Gives all of them in their order and forgets them; each is valid until the next. */
  *release(asset: string): Generator<ListenerRuns, void, void> {
    const { listeners, held, runs } = this
    this.listeners = []
    let at = 0
    for (const { ip, userAgent, runCount } of listeners) {
      runs.clear()
      for (const to = at + runCount; at < to; at++) {
        runs.add(held.starts[at] ?? 0, held.ends[at] ?? 0, held.epochs[at] ?? 0)
      }
      yield { asset, ip, userAgent, runs }
    }
    held.clear()
    this.observedLength = 0
  }
}
