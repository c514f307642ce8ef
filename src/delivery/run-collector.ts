/** From listeners read back, in the order of their keys, to runs that can be encoded again. */

import type { ScannedRuns, StringTable } from '../log/scanned-runs.ts'
import { xxhash64 } from '../parquet/xxhash64.ts'
import type { ListenerRuns } from './scan-listeners.ts'

/** So many characters of distinct texts are kept: a quarter of a million long ones would fill the memory. */
const MAX_TEXT_LENGTH = 32 * 1024 * 1024

/** Distinct texts of one column, in order of appearance. */
class TextColumn {
  private readonly ids = new Map<string, number>()
  private texts: string[] = []
  /** Characters of all texts. */
  length = 0

  idOf(text: string): number {
    const known = this.ids.get(text)
    if (known !== undefined) return known
    const id = this.texts.length
    this.ids.set(text, id)
    this.texts.push(text)
    this.length += text.length
    return id
  }

  /** The table of all texts, the rank of each id in it, and empties itself. */
  take(): { readonly table: StringTable; readonly ranks: Uint32Array } {
    const values = this.texts.map((text, id) => ({ bytes: Buffer.from(text, 'utf8'), id }))
    values.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    const count = values.length
    const ranks = new Uint32Array(count)
    const offsets = new Uint32Array(count + 1)
    const hashLow = new Uint32Array(count)
    const hashHigh = new Uint32Array(count)
    values.forEach(({ bytes, id }, rank) => {
      ranks[id] = rank
      offsets[rank + 1] = (offsets[rank] ?? 0) + bytes.length
      const hash = xxhash64(bytes)
      hashLow[rank] = hash.low
      hashHigh[rank] = hash.high
    })
    const bytes = Buffer.concat(values.map((value) => value.bytes))
    this.ids.clear()
    this.texts = []
    this.length = 0
    return { table: { count, bytes, offsets, hashLow, hashHigh }, ranks }
  }
}

/** Collects up to `capacity` runs, and so many texts as memory allows, at a time. */
export class RunCollector {
  private readonly capacity: number
  private readonly maxTextLength: number
  private count = 0
  private readonly requestIds: Uint32Array
  private readonly ipIds: Uint32Array
  private readonly userAgentIds: Uint32Array
  private readonly first: Float64Array
  private readonly last: Float64Array
  private readonly epochSeconds: Float64Array
  private readonly requests = new TextColumn()
  private readonly ips = new TextColumn()
  private readonly userAgents = new TextColumn()

  constructor(capacity: number, maxTextLength: number = MAX_TEXT_LENGTH) {
    this.capacity = capacity
    this.maxTextLength = maxTextLength
    this.requestIds = new Uint32Array(capacity)
    this.ipIds = new Uint32Array(capacity)
    this.userAgentIds = new Uint32Array(capacity)
    this.first = new Float64Array(capacity)
    this.last = new Float64Array(capacity)
    this.epochSeconds = new Float64Array(capacity)
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  get isFull(): boolean {
    const textLength = this.requests.length + this.ips.length + this.userAgents.length
    return this.count === this.capacity || textLength >= this.maxTextLength
  }

  /**
   * Adds the runs of a listener from number `from` on, as far as there is room; returns the first that waits.
   * When it is full it must be emptied before.
   */
  add({ asset, ip, userAgent, runs }: ListenerRuns, from: number): number {
    const to = Math.min(runs.count, from + this.capacity - this.count)
    const requestId = this.requests.idOf(asset)
    const ipId = this.ips.idOf(ip)
    const userAgentId = this.userAgents.idOf(userAgent)
    for (let i = from; i < to; i++) {
      const at = this.count++
      this.requestIds[at] = requestId
      this.ipIds[at] = ipId
      this.userAgentIds[at] = userAgentId
      this.first[at] = runs.starts[i] ?? 0
      this.last[at] = (runs.ends[i] ?? 0) - 1
      this.epochSeconds[at] = runs.epochs[i] ?? 0
    }
    return to
  }

  /** Everything collected, sorted as it came; empties itself. Valid until the next `add`. */
  take(): ScannedRuns {
    const { count } = this
    this.count = 0
    const request = this.requests.take()
    const ip = this.ips.take()
    const userAgent = this.userAgents.take()
    return {
      runCount: count,
      request: ranked(this.requestIds, count, request.ranks),
      ip: ranked(this.ipIds, count, ip.ranks),
      userAgent: ranked(this.userAgentIds, count, userAgent.ranks),
      first: this.first.subarray(0, count),
      last: this.last.subarray(0, count),
      epochSeconds: this.epochSeconds.subarray(0, count),
      requestTable: request.table,
      ipTable: ip.table,
      userAgentTable: userAgent.table,
    }
  }
}

function ranked(ids: Uint32Array, count: number, ranks: Uint32Array): Uint32Array {
  const found = new Uint32Array(count)
  for (let i = 0; i < count; i++) found[i] = ranks[ids[i] ?? 0] ?? 0
  return found
}
