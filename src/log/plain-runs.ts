/** Runs in plain TypeScript: growing arrays, then sorted copies. */

import { createPlainDictionary, INVALID, type PlainDictionary } from './plain-dictionary.ts'
import type { ScannedRuns } from './scanned-runs.ts'

const FIRST_CAPACITY = 4096

/** Where the three keys of a line stand. */
export interface KeyFields {
  readonly requestStart: number
  readonly requestEnd: number
  readonly ipStart: number
  readonly ipEnd: number
  readonly userAgentStart: number
  readonly userAgentEnd: number
}

/** Collects runs and sorts them. */
export interface PlainRuns {
  readonly count: number
  /** Adds a run; false, and nothing added, when one of its keys is not valid UTF-8. */
  add(bytes: Uint8Array, keys: KeyFields, first: number, last: number, epochSeconds: number): boolean
  sort(): ScannedRuns
  clear(): void
}

function gather<T extends Uint32Array | Float64Array>(
  target: T,
  valueAt: (index: number) => number,
  order: Uint32Array,
): T {
  for (let i = 0; i < order.length; i++) target[i] = valueAt(order[i] ?? 0)
  return target
}

function usedNumbers(numbers: Uint32Array, runCount: number, dictionary: PlainDictionary): Uint8Array {
  const used = new Uint8Array(dictionary.count)
  for (let i = 0; i < runCount; i++) used[numbers[i] ?? 0] = 1
  return used
}

/** The runs as they came, in arrays that grow. */
interface UnsortedRuns {
  request: Uint32Array
  ip: Uint32Array
  userAgent: Uint32Array
  first: Float64Array
  last: Float64Array
  epochSeconds: Float64Array
}

/** Arrays of `capacity` entries that begin with the old ones. */
function growRuns(old: UnsortedRuns | undefined, capacity: number): UnsortedRuns {
  const numbers = (from: Uint32Array | undefined): Uint32Array => {
    const larger = new Uint32Array(capacity)
    if (from !== undefined) larger.set(from)
    return larger
  }
  const positions = (from: Float64Array | undefined): Float64Array => {
    const larger = new Float64Array(capacity)
    if (from !== undefined) larger.set(from)
    return larger
  }
  return {
    request: numbers(old?.request),
    ip: numbers(old?.ip),
    userAgent: numbers(old?.userAgent),
    first: positions(old?.first),
    last: positions(old?.last),
    epochSeconds: positions(old?.epochSeconds),
  }
}

interface Dictionaries {
  readonly requests: PlainDictionary
  readonly ips: PlainDictionary
  readonly userAgents: PlainDictionary
}

function sortRuns(
  runs: UnsortedRuns,
  count: number,
  { requests, ips, userAgents }: Dictionaries,
): ScannedRuns {
  const { request, ip, userAgent, first, last, epochSeconds } = runs
  // A string of rejected lines only has a number, but no run: the tables leave it out.
  const sortedRequests = requests.sort(usedNumbers(request, count, requests))
  const sortedIps = ips.sort(usedNumbers(ip, count, ips))
  const sortedUserAgents = userAgents.sort(usedNumbers(userAgent, count, userAgents))
  const requestRank = (i: number): number => sortedRequests.ranks[request[i] ?? 0] ?? 0
  const ipRank = (i: number): number => sortedIps.ranks[ip[i] ?? 0] ?? 0
  const userAgentRank = (i: number): number => sortedUserAgents.ranks[userAgent[i] ?? 0] ?? 0
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) =>
      requestRank(a) - requestRank(b) ||
      ipRank(a) - ipRank(b) ||
      userAgentRank(a) - userAgentRank(b) ||
      (first[a] ?? 0) - (first[b] ?? 0) ||
      (epochSeconds[a] ?? 0) - (epochSeconds[b] ?? 0) ||
      (last[a] ?? 0) - (last[b] ?? 0),
  )
  return {
    runCount: count,
    request: gather(new Uint32Array(count), requestRank, order),
    ip: gather(new Uint32Array(count), ipRank, order),
    userAgent: gather(new Uint32Array(count), userAgentRank, order),
    first: gather(new Float64Array(count), (i) => first[i] ?? 0, order),
    last: gather(new Float64Array(count), (i) => last[i] ?? 0, order),
    epochSeconds: gather(new Float64Array(count), (i) => epochSeconds[i] ?? 0, order),
    requestTable: sortedRequests.table,
    ipTable: sortedIps.table,
    userAgentTable: sortedUserAgents.table,
  }
}

/** An empty collection. */
export function createPlainRuns(): PlainRuns {
  const requests = createPlainDictionary()
  const ips = createPlainDictionary()
  const userAgents = createPlainDictionary()
  let count = 0
  let runs = growRuns(undefined, FIRST_CAPACITY)
  return {
    get count(): number {
      return count
    },
    add(bytes: Uint8Array, keys: KeyFields, first: number, last: number, epochSeconds: number): boolean {
      const ip = ips.numberOf(bytes, keys.ipStart, keys.ipEnd)
      const userAgent = userAgents.numberOf(bytes, keys.userAgentStart, keys.userAgentEnd)
      const request = requests.numberOf(bytes, keys.requestStart, keys.requestEnd)
      if (ip === INVALID || userAgent === INVALID || request === INVALID) return false
      if (count === runs.request.length) runs = growRuns(runs, count * 2)
      runs.request[count] = request
      runs.ip[count] = ip
      runs.userAgent[count] = userAgent
      runs.first[count] = first
      runs.last[count] = last
      runs.epochSeconds[count] = epochSeconds
      count++
      return true
    },
    sort: () => sortRuns(runs, count, { requests, ips, userAgents }),
    clear(): void {
      count = 0
      requests.clear()
      ips.clear()
      userAgents.clear()
    },
  }
}
