/** The runs of one listener, in memory that is used again for the next. */

/** So few runs are sorted by putting each in its place. */
const MAX_INSERTED_RUNS = 64

/** Parallel arrays of `count` entries: run i delivered the positions `[starts[i], ends[i])` at `epochs[i]`. */
export class RunBuffer {
  count = 0
  starts: Float64Array
  ends: Float64Array
  epochs: Float64Array

  constructor(capacity = 64) {
    this.starts = new Float64Array(capacity)
    this.ends = new Float64Array(capacity)
    this.epochs = new Float64Array(capacity)
  }

  clear(): void {
    this.count = 0
  }

  add(start: number, end: number, epochSeconds: number): void {
    if (this.count === this.starts.length) this.grow()
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.epochs[this.count++] = epochSeconds
  }

  /** The same runs in memory of their own, no larger than they need. */
  copy(): RunBuffer {
    const runs = new RunBuffer(0)
    runs.count = this.count
    runs.starts = this.starts.slice(0, this.count)
    runs.ends = this.ends.slice(0, this.count)
    runs.epochs = this.epochs.slice(0, this.count)
    return runs
  }

  /** Moves the end of the run added last. */
  extendLast(end: number): void {
    this.ends[this.count - 1] = end
  }

  /** Puts the runs in the order (start, epoch, end); one look when they are in it already. */
  sort(): void {
    let isSorted = true
    for (let i = 1; i < this.count && isSorted; i++) isSorted = this.compare(i - 1, i) <= 0
    if (isSorted) return
    if (this.count <= MAX_INSERTED_RUNS) {
      this.sortByInsertion()
      return
    }
    const order = Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => this.compare(a, b))
    this.starts = arranged(this.starts, order)
    this.ends = arranged(this.ends, order)
    this.epochs = arranged(this.epochs, order)
  }

  /** Of a few runs, most of which are in order: those of one listener come in sorted pieces. */
  private sortByInsertion(): void {
    const { starts, ends, epochs } = this
    for (let i = 1; i < this.count; i++) {
      const start = starts[i] ?? 0
      const end = ends[i] ?? 0
      const epoch = epochs[i] ?? 0
      let at = i
      for (; at > 0 && this.isBehind(at - 1, start, end, epoch); at--) {
        starts[at] = starts[at - 1] ?? 0
        ends[at] = ends[at - 1] ?? 0
        epochs[at] = epochs[at - 1] ?? 0
      }
      starts[at] = start
      ends[at] = end
      epochs[at] = epoch
    }
  }

  /** Whether run `place` comes behind one of these values. */
  private isBehind(place: number, start: number, end: number, epoch: number): boolean {
    const startHere = this.starts[place] ?? 0
    if (startHere !== start) return startHere > start
    const epochHere = this.epochs[place] ?? 0
    return epochHere === epoch ? (this.ends[place] ?? 0) > end : epochHere > epoch
  }

  private compare(a: number, b: number): number {
    return (
      (this.starts[a] ?? 0) - (this.starts[b] ?? 0) ||
      (this.epochs[a] ?? 0) - (this.epochs[b] ?? 0) ||
      (this.ends[a] ?? 0) - (this.ends[b] ?? 0)
    )
  }

  private grow(): void {
    this.starts = doubled(this.starts)
    this.ends = doubled(this.ends)
    this.epochs = doubled(this.epochs)
  }
}

function doubled(values: Float64Array): Float64Array {
  const larger = new Float64Array(2 * values.length + 16)
  larger.set(values)
  return larger
}

function arranged(values: Float64Array, order: Uint32Array): Float64Array {
  const result = new Float64Array(values.length)
  for (let i = 0; i < order.length; i++) result[i] = values[order[i] ?? 0] ?? 0
  return result
}
