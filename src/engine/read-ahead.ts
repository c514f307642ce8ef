/** Text that is read before it is asked for, so that inflating and encoding go on side by side. */

/** Reads from the moment it is made, until so many bytes are held; goes on as they are taken. */
export class ReadAhead implements AsyncIterableIterator<Uint8Array> {
  private readonly limit: number
  private held: Uint8Array[] = []
  private heldByteLength = 0
  private isStopped = false
  private isDone = false
  private failure: { readonly cause: unknown } | undefined
  private wakeReader: (() => void) | undefined
  private wakeSource: (() => void) | undefined

  constructor(source: AsyncIterable<Uint8Array>, limit: number) {
    this.limit = limit
    void this.pump(source)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** What was read first; then, behind all of it, how the source failed. */
  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const value = this.held.shift()
      if (value !== undefined) {
        this.heldByteLength -= value.length
        this.wakeSource?.()
        return { done: false, value }
      }
      if (this.failure !== undefined) throw this.failure.cause
      if (this.isDone || this.isStopped) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve
      })
    }
  }

  /** Lets go of the source as soon as it answers; a pipe that gives nothing more must not hold up anybody. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.isStopped = true
    this.held = []
    this.wakeSource?.()
    return Promise.resolve({ done: true, value: undefined })
  }

  private async pump(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const bytes of source) {
        if (this.isStopped) return
        this.held.push(bytes)
        this.heldByteLength += bytes.length
        this.wakeReader?.()
        await this.untilWanted()
        if (this.isStopped) return
      }
    } catch (cause) {
      this.failure = { cause }
    } finally {
      this.isDone = true
      this.wakeReader?.()
    }
  }

  private async untilWanted(): Promise<void> {
    while (this.heldByteLength >= this.limit && !this.isStopped) {
      await new Promise<void>((resolve) => {
        this.wakeSource = resolve
      })
    }
  }
}
