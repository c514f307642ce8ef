/**
 * Lines that a log holds twice: networks deliver their logs at least once. Lines that name their request and were
 * seen before in the same run, byte by byte, are dropped, whichever files or shards they stand in. Shards are looked
 * at in their order, so the result does not depend on which thread is quick.
 */

import { invariant } from '../base/failure.ts'
import type { ShardIdentifiers } from './shard.ts'

/** So many identifiers are remembered at least, the latest ones; at most twice as many. */
export const REMEMBERED_IDENTIFIERS: number = 2 ** 21

const FEWEST_SLOTS = 4096

/** Hashes of 64 bits in halves: open addressing, at most half full; zero is no hash. */
class HashSet64 {
  private slots = new Uint32Array(2 * FEWEST_SLOTS)
  count = 0

  has(low: number, high: number): boolean {
    return this.slots[this.slotOf(low, high)] !== 0
  }

  /** Adds a hash that is not there. */
  add(low: number, high: number): void {
    if (4 * (this.count + 1) > this.slots.length) this.grow()
    const slot = this.slotOf(low, high)
    this.slots[slot] = low
    this.slots[slot + 1] = high
    this.count++
  }

  /** Where the hash is, or the empty slot where it would be. */
  private slotOf(low: number, high: number): number {
    const { slots } = this
    const mask = slots.length - 1
    let slot = (high << 1) & mask
    while (slots[slot] !== 0 && (slots[slot] !== low || slots[slot + 1] !== high)) slot = (slot + 2) & mask
    return slot
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Uint32Array(2 * old.length)
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at] ?? 0
      if (low === 0) continue
      const slot = this.slotOf(low, old[at + 1] ?? 0)
      this.slots[slot] = low
      this.slots[slot + 1] = old[at + 1] ?? 0
    }
  }
}

/** A shard whose identifiers have come or will come. */
export interface AwaitedShard {
  message: ShardIdentifiers | undefined
}

/** Remembers the identifiers of a run; see the head of this file. */
export class Duplicates {
  private readonly limit: number
  private latest = new HashSet64()
  private older = new HashSet64()
  private readonly awaited: AwaitedShard[] = []

  constructor(limit: number = REMEMBERED_IDENTIFIERS) {
    this.limit = limit
  }

  /** The next shard in order, which will send its identifiers. */
  await(): AwaitedShard {
    const shard: AwaitedShard = { message: undefined }
    this.awaited.push(shard)
    return shard
  }

  /** Takes the identifiers of a shard, and answers it and those that waited for it. */
  offer(shard: AwaitedShard, message: ShardIdentifiers): void {
    invariant(shard.message === undefined, 'a shard has identifiers once')
    shard.message = message
    for (let first = this.awaited[0]; first?.message !== undefined; first = this.awaited[0]) {
      this.mark(first.message)
      this.awaited.shift()
      Atomics.store(first.message.answered, 0, 1)
      Atomics.notify(first.message.answered, 0)
    }
  }

  private mark({ identifiers, drop }: ShardIdentifiers): void {
    for (let line = 0; 2 * line < identifiers.length; line++) {
      // The low half of a hash is odd: zero stands for none.
      const low = identifiers[2 * line] ?? 0
      if (low === 0) continue
      const high = identifiers[2 * line + 1] ?? 0
      if (this.latest.has(low, high) || this.older.has(low, high)) {
        drop[line] = 1
        continue
      }
      if (this.latest.count === this.limit) {
        this.older = this.latest
        this.latest = new HashSet64()
      }
      this.latest.add(low, high)
    }
  }
}
