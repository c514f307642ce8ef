/** The runs of one listener, in memory that is used again for the next. */

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
    const order = Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => this.compare(a, b))
    this.starts = arranged(this.starts, order)
    this.ends = arranged(this.ends, order)
    this.epochs = arranged(this.epochs, order)
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
