/** Times the run encoder alone, on made-up sorted runs: `node --conditions=source --import tsx bench/encode-probe.ts`. */

import { RunEncoder } from '#src/delivery/run-encoder.js'
import { SCHEMA } from '#src/delivery/schema.js'
import type { ScannedRuns, StringTable } from '#src/log/scanned-runs.js'
import { createPositionPageEncoder } from '#src/parquet/position-page-encoder.js'

function makeTable(count: number, make: (i: number) => string): StringTable {
  const values = Array.from({ length: count }, (_, i) => make(i)).sort()
  const encoded = values.map((value) => new TextEncoder().encode(value))
  const offsets = new Uint32Array(count + 1)
  encoded.forEach((bytes, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + bytes.length
  })
  const hash = Uint32Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 0)
  return { count, bytes: Buffer.concat(encoded), offsets, hashLow: hash, hashHigh: hash }
}

function makeRuns(kind: 'short' | 'podcast', runCount: number): ScannedRuns {
  let seed = 42
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 0x1_0000_0000) * below)
  }
  const isShort = kind === 'short'
  const requests = isShort ? 200 : 2000
  const ips = isShort ? 300 : 60_000
  const runs: ScannedRuns = {
    runCount,
    request: new Uint32Array(runCount),
    ip: new Uint32Array(runCount),
    userAgent: new Uint32Array(runCount),
    first: new Float64Array(runCount),
    last: new Float64Array(runCount),
    epochSeconds: new Float64Array(runCount),
    requestTable: makeTable(requests, (i) => `/episodes/${i}-asset-with-a-name.mp3`),
    ipTable: makeTable(ips, (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
    userAgentTable: makeTable(
      40,
      (i) => `Mozilla/5.0 (Macintosh; Intel) Agent/${i} like some other agent of the time`,
    ),
  }
  const perKey = isShort ? 4 : 13
  for (let i = 0, key = 0; i < runCount; key++) {
    const request = Math.floor((i / runCount) * requests)
    const userAgent = random(40)
    let at = 0
    for (let n = random(2 * perKey); n >= 0 && i < runCount; n--, i++) {
      const length = isShort ? 290 + random(20) : 65_536 + random(2 << 20)
      runs.request[i] = request
      runs.ip[i] = (key * 7) % ips
      runs.userAgent[i] = userAgent
      runs.first[i] = at
      runs.last[i] = at + length - 1
      runs.epochSeconds[i] = 1_596_000_000 + random(isShort ? 2800 : 9000)
      at += length + (random(4) === 0 ? random(500) - 300 : 0)
      if (at < 0) at = 0
    }
  }
  return runs
}

const wanted = process.argv[2]
for (const kind of ['short', 'podcast'] as const) {
  if (wanted !== undefined && wanted !== kind) continue
  const runs = makeRuns(kind, 160_000)
  const encoder = new RunEncoder(SCHEMA, await createPositionPageEncoder())
  for (let round = 0; round < Number(process.argv[3] ?? 6); round++) {
    let bytes = 0
    let rowGroups = 0
    const startedAt = process.cpuUsage()
    const spare: ArrayBuffer[] = []
    for (const { batch } of encoder.encode(runs, () => spare.pop())) {
      bytes += batch.pages.length
      rowGroups += batch.rowGroupCount
      spare.push(batch.pages.buffer)
    }
    const spent = process.cpuUsage(startedAt)
    const ms = (spent.user + spent.system) / 1000
    const perRun = bytes / runs.runCount
    console.log(
      `${kind}: ${ms.toFixed(1)} ms, ${((ms * 1e6) / runs.runCount).toFixed(0)} ns/run, ${perRun.toFixed(1)} B/run, ${rowGroups} row groups`,
    )
  }
}
