/** Keeps what was made at some cost, as long as its memory is small. */

/** One value, between what was used before and after it. */
interface Entry<V> {
  readonly key: string
  readonly value: V
  readonly weight: number
  older: Entry<V> | undefined
  newer: Entry<V> | undefined
}

/** Forgets what was used longest ago once all that it holds weighs more than its limit. */
export class BoundedCache<V> {
  private readonly weightLimit: number
  private readonly forget: (value: V) => void
  private readonly entries = new Map<string, Entry<V>>()
  /** A chain in the order of use: a Map that is deleted from at its front is walked over what is gone. */
  private oldest: Entry<V> | undefined
  private newest: Entry<V> | undefined
  private weight = 0

  /** Weights are in whatever unit the caller counts; `forget` is told of every value that leaves. */
  constructor(weightLimit: number, forget: (value: V) => void = () => undefined) {
    this.weightLimit = weightLimit
    this.forget = forget
  }

  /** The value of `key`; made, and kept if it is not heavier than the limit, when it is not there. */
  getOrMake(key: string, make: () => V, weightOf: (value: V) => number): V {
    const known = this.entries.get(key)
    if (known !== undefined) {
      if (known !== this.newest) {
        this.unlink(known)
        this.link(known)
      }
      return known.value
    }
    const value = make()
    const entry = { key, value, weight: weightOf(value), older: undefined, newer: undefined }
    this.entries.set(key, entry)
    this.link(entry)
    this.weight += entry.weight
    // The newest stays whatever it weighs: it is about to be used.
    for (let old = this.oldest; this.weight > this.weightLimit; old = this.oldest) {
      if (old === undefined || old === entry) break
      this.entries.delete(old.key)
      this.unlink(old)
      this.weight -= old.weight
      this.forget(old.value)
    }
    return value
  }

  clear(): void {
    for (const { value } of this.entries.values()) this.forget(value)
    this.entries.clear()
    this.oldest = undefined
    this.newest = undefined
    this.weight = 0
  }

  /** Puts an entry that is in no chain at the end of this one. */
  private link(entry: Entry<V>): void {
    entry.older = this.newest
    if (this.newest === undefined) this.oldest = entry
    else this.newest.newer = entry
    this.newest = entry
  }

  private unlink(entry: Entry<V>): void {
    const { older, newer } = entry
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    entry.older = undefined
    entry.newer = undefined
  }
}
