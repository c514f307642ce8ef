/** Memory for things of about one size that come one after the other: fresh memory costs more than filling it. */

/** Gives stretches of memory, those that came back first. What does not come back is collected like any other. */
export class MemoryPool {
  private readonly byteLength: number
  private readonly spare: ArrayBuffer[] = []

  constructor(byteLength: number) {
    this.byteLength = byteLength
  }

  /** Memory that nothing else uses; what is in it is no matter. `byteLength` is at most that of the pool. */
  take(byteLength: number): Uint8Array<ArrayBuffer> {
    const memory = this.spare.pop() ?? Buffer.allocUnsafeSlow(this.byteLength).buffer
    return new Uint8Array(memory, 0, byteLength)
  }

  /** Takes back what `take` gave and nobody looks at any more. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.spare.push(buffer)
  }
}
