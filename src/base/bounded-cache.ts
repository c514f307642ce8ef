/** Keeps what was made at some cost, as long as its memory is small. */

/** Forgets what was used longest ago once all that it holds weighs more than its limit. */
export class BoundedCache<V> {
  private readonly weightLimit: number
  private readonly forget: (value: V) => void
  /** In order of use: a Map keeps insertion order, so what is used again is taken out and put back. */
  private readonly entries = new Map<string, { readonly value: V; readonly weight: number }>()
  private weight = 0

  /** Weights are in whatever unit the caller counts; `forget` is told of every value that leaves. */
  constructor(weightLimit: number, forget: (value: V) => void = () => undefined) {
    this.weightLimit = weightLimit
    this.forget = forget
  }

  /** The value of `key`; made, and kept if it is not heavier than the limit, when it is not there. */
  getOrMake(key: string, make: () => V, weightOf: (value: V) => number): V {
    const entry = this.entries.get(key)
    if (entry !== undefined) {
      this.entries.delete(key)
      this.entries.set(key, entry)
      return entry.value
    }
    const value = make()
    const weight = weightOf(value)
    this.entries.set(key, { value, weight })
    this.weight += weight
    for (const [oldKey, old] of this.entries) {
      // The newest stays whatever it weighs: it is about to be used.
      if (this.weight <= this.weightLimit || oldKey === key) break
      this.entries.delete(oldKey)
      this.weight -= old.weight
      this.forget(old.value)
    }
    return value
  }

  clear(): void {
    for (const { value } of this.entries.values()) this.forget(value)
    this.entries.clear()
    this.weight = 0
  }
}
