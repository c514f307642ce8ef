/**
 * Measures the line scanner alone, one thread, warm page cache: read, scan and intern, sort.
 *
 * Usage: scan-probe.ts [short|podcast] [megabytes] [shard megabytes] [read KiB] [wasm|plain]
 * It writes a seeded log to a temporary file, removes it at the end, and prints the best of several rounds.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_DELIVERY_LAYOUT } from '#src/log/delivery-layout.js'
import { createPlainScanner } from '#src/log/plain-scanner.js'
import type { LineScanner } from '#src/log/scanned-runs.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'

const SEED = 20240611
const ROUND_COUNT = 5
const MEGABYTE = 2 ** 20

interface Traffic {
  readonly listenerCount: number
  readonly assetCount: number
  nextRange(listener: number): readonly [first: number, last: number]
}

/** Numbers below `limit` from a seeded xorshift generator. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

const random = createRandom(SEED)

function createTraffic(kind: string): Traffic {
  if (kind === 'short') {
    const nextRange = (): readonly [number, number] => {
      const first = random(5) * 295
      return [first, first + 200 + random(200)]
    }
    return { listenerCount: 300, assetCount: 1000, nextRange }
  }
  const positions = new Map<number, number>()
  const nextRange = (listener: number): readonly [number, number] => {
    const first = positions.get(listener) ?? random(1_000_000)
    const last = first + 65_536 + random(2_000_000)
    positions.set(listener, last > 60_000_000 ? 0 : last + 1)
    return [first, last]
  }
  return { listenerCount: 200_000, assetCount: 2000, nextRange }
}

const USER_AGENTS = Array.from({ length: 40 }, (_, i) => {
  const system = i % 2 === 0 ? 'Windows NT 10.0; Win64; x64' : `iPhone; CPU iPhone OS 13_${i} like Mac OS X`
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${80 + i}.0.4147.89 Safari/537.36`
})

function writeLog(path: string, kind: string, byteLength: number): number {
  const traffic = createTraffic(kind)
  const hex = (length: number): string => Array.from({ length }, () => random(16).toString(16)).join('')
  const assets = Array.from(
    { length: traffic.assetCount },
    () => `/${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
  )
  const ips = Array.from({ length: traffic.listenerCount }, () =>
    Array.from({ length: 4 }, () => random(256)).join('.'),
  )
  const file = openSync(path, 'w')
  let written = 0
  let lineCount = 0
  let lines: string[] = ['# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n']
  while (written < byteLength) {
    for (let i = 0; i < 20_000; i++) {
      const second = Math.floor(lineCount++ / 60)
      const time = [Math.floor(second / 3600) % 24, Math.floor(second / 60) % 60, second % 60]
      const clock = time.map((part) => String(part).padStart(2, '0')).join(':')
      const listener = random(traffic.listenerCount)
      const asset = kind === 'short' ? random(traffic.assetCount) : listener % traffic.assetCount
      const [first, last] = traffic.nextRange(listener)
      const agent = USER_AGENTS[listener % USER_AGENTS.length]
      const status = random(100) === 0 ? 500 : 206
      lines.push(
        `2024-06-${11 + Math.floor(second / 86_400)}\t${clock}\t${ips[listener]}\t${agent}\t${assets[asset]}\t${status}\t${first}-${last}\n`,
      )
    }
    written += writeSync(file, lines.join(''))
    lines = []
  }
  closeSync(file)
  return written
}

interface Timing {
  scanMs: number
  readMs: number
  sortMs: number[]
  runCounts: number[]
  lineCount: number
}

function scanFile(
  scanner: LineScanner,
  path: string,
  shardByteLength: number,
  readByteLength: number,
): Timing {
  const timing: Timing = { scanMs: 0, readMs: 0, sortMs: [], runCounts: [], lineCount: 0 }
  const file = openSync(path, 'r')
  let atEnd = false
  while (!atEnd) {
    const startedAt = performance.now()
    // A shard that is cut anywhere has one rejected line; good enough for a measurement.
    scanner.beginPiece(DEFAULT_DELIVERY_LAYOUT)
    for (let filled = 0; filled < shardByteLength && !atEnd; filled += readByteLength) {
      const memory = scanner.reserve(readByteLength)
      const readAt = performance.now()
      const byteLength = readSync(file, memory)
      timing.readMs += performance.now() - readAt
      scanner.commit(byteLength)
      atEnd = byteLength < readByteLength
    }
    timing.lineCount += scanner.endPiece().lines
    const scannedAt = performance.now()
    timing.scanMs += scannedAt - startedAt
    timing.runCounts.push(scanner.finish().runCount)
    timing.sortMs.push(performance.now() - scannedAt)
    scanner.reset()
  }
  closeSync(file)
  return timing
}

function report(timing: Timing, byteLength: number): void {
  const rate = (ms: number): string => `${(byteLength / 1e6 / (ms / 1e3)).toFixed(0)} MB/s`
  const nanoseconds = (ms: number): string => `${((ms * 1e6) / timing.lineCount).toFixed(1)} ns/line`
  const sortMs = timing.sortMs.reduce((sum, ms) => sum + ms, 0)
  console.log(
    [
      `scan ${timing.scanMs.toFixed(0)} ms, ${rate(timing.scanMs)}, ${nanoseconds(timing.scanMs)}`,
      `(reading ${nanoseconds(timing.readMs)})`,
      `sort ${timing.sortMs.map((ms) => ms.toFixed(1)).join(' ')} ms for ${timing.runCounts.join(' ')} runs`,
      `all ${rate(timing.scanMs + sortMs)}`,
    ].join('  '),
  )
}

const [kind = 'short', megabytes = '200', shardMegabytes = '64', readKibibytes = '1024', which = 'wasm'] =
  process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'scan-probe-'))
try {
  const path = join(directory, 'log')
  const byteLength = writeLog(path, kind, Number(megabytes) * MEGABYTE)
  const scanner = which === 'plain' ? createPlainScanner() : createWasmScanner()
  for (let round = 0; round < ROUND_COUNT; round++) {
    report(
      scanFile(scanner, path, Number(shardMegabytes) * MEGABYTE, Number(readKibibytes) * 1024),
      byteLength,
    )
  }
} finally {
  rmSync(directory, { recursive: true })
}
