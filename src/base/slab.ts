/** Memory for many small things: an allocation each would cost more than filling it. */

/** Gives parts of memory that is taken by `byteLength`; the parts share it, and so keep each other. */
export class Slab {
  private readonly byteLength: number
  private rest: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  constructor(byteLength: number) {
    this.byteLength = byteLength
  }

  /** Memory that nothing else uses; what is in it is no matter. */
  take(byteLength: number): Uint8Array<ArrayBuffer> {
    if (byteLength > this.rest.length) {
      const { buffer } = Buffer.allocUnsafeSlow(Math.max(byteLength, this.byteLength))
      this.rest = new Uint8Array(buffer)
    }
    const taken = this.rest.subarray(0, byteLength)
    this.rest = this.rest.subarray(byteLength)
    return taken
  }
}
