/**
 * Kept lines on their way into runs: the lines of one block are first read (numbers, where the keys are),
 * then their keys are numbered, one dictionary after the other. Runs stand unsorted in two lists: first,
 * last, epoch (three f64), and the numbers of request, ip, user agent (three u32).
 */

import {
  Dictionary,
  emptyDictionary,
  INVALID,
  initDictionary,
  numberStrings,
  reserveStrings,
} from './dictionary'
import { ensureRegion, Region } from './memory'
import { isStatus, rangeFirst, rangeLast, readDay, readRange, readTime } from './number'
import { noteReject } from './places'
import {
  BAD_DATE,
  BAD_RANGE,
  BAD_STATUS,
  BAD_TIME,
  BAD_UTF8,
  counts,
  EMPTY_KEY,
  HUGE_RANGE,
  KEPT,
  layout,
  MAX_LINE_BYTE_LENGTH,
  SKIPPED,
} from './state'

/** Bytes that are scanned at a time: they and their marks stay in the first-level cache. */
export const BLOCK_BYTE_LENGTH: usize = 16384
/** Shorter lines cannot be kept: 33 bytes with all separators, so a block never has more of them. */
export const MAX_BATCH: u32 = 512
/** ip, user agent, request (address and length each), line start, line end, line index. */
const KEY_BYTES: usize = 36
/** Bytes of a run's three numbers as f64. */
export const RUN_BYTES: usize = 24
/** Bytes of a run's three dictionary numbers. */
export const RUN_KEY_BYTES: usize = 12

const MAX_ROWS: u64 = 0x8000000000000000

/** All ip addresses. */
export const ips: Dictionary = initDictionary(
  memory.data(offsetof<Dictionary>(), 8),
  memory.data(offsetof<Region>(), 8),
  memory.data(offsetof<Region>(), 8),
)
/** All user agents. */
export const userAgents: Dictionary = initDictionary(
  memory.data(offsetof<Dictionary>(), 8),
  memory.data(offsetof<Region>(), 8),
  memory.data(offsetof<Region>(), 8),
)
/** All requests. */
export const requests: Dictionary = initDictionary(
  memory.data(offsetof<Dictionary>(), 8),
  memory.data(offsetof<Region>(), 8),
  memory.data(offsetof<Region>(), 8),
)
/**
 * Bytes of what a run of a record has beside: length of the asset (f64, see `ANSWERED`), bytes clipped
 * (f64, see `UNMEASURED`), hash that identifies it (u64).
 */
export const EXTRA_BYTES: usize = 24
/** Minus the clipped bytes, in the place of these: nothing says how much was sent. */
export const UNMEASURED: i64 = -1

/** See `EXTRA_BYTES`; as long as `extraCount` says. */
export const extras: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** first, last, epoch of the runs. */
export const runs: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))
/** request, ip, user agent of the runs. */
export const runKeys: Region = changetype<Region>(memory.data(offsetof<Region>(), 8))

const keys: usize = memory.data(36 * 512, 16)

/** Runs of the shard, those of the batch not included. */
export let runCount: u32 = 0
/** Lines of the shard whose dictionary entries may be used by no run. */
export let orphanedLines: u32 = 0
/** Runs, from the first, that have extras: none, or all up to some run. */
export let extraCount: u32 = 0
/** Lines of the batch at hand. */
export let batchCount: u32 = 0
let maxRangeByteLength: i64 = 0

/** The day that was read last: lines of a log mostly share it. */
let cachedDateHead: u64 = 0
let cachedDateTail: u16 = 0
let cachedDaySeconds: i64 = 0

/** Sets the longest range that is believed. */
export function configureRanges(maxByteLength: u64): void {
  maxRangeByteLength = <i64>maxByteLength
}

/** Forgets all runs and strings. */
export function emptyRuns(): void {
  runCount = 0
  orphanedLines = 0
  batchCount = 0
  extraCount = 0
  emptyDictionary(ips)
  emptyDictionary(userAgents)
  emptyDictionary(requests)
}

/** Sums of a piece that depend on extras: whoever reads counts adds them. */
function countClipped(extra: usize): void {
  let clipped = load<f64>(extra, 8)
  if (clipped < 0) {
    counts.unmeasured++
    clipped = <f64>UNMEASURED - clipped
  }
  if (clipped == 0) return
  counts.clippedRequests++
  counts.clippedBytes += <u64>clipped
}

/** Makes sure that the runs up to the batch's last have extras; false when memory is exhausted. */
export function reserveExtras(): bool {
  const used = <usize>extraCount * EXTRA_BYTES
  if (!ensureRegion(extras, used, (<u64>runCount + MAX_BATCH) * EXTRA_BYTES)) return false
  if (extraCount < runCount) {
    memory.fill(extras.address + used, 0, <usize>(runCount - extraCount) * EXTRA_BYTES)
    extraCount = runCount
  }
  return true
}

/** Makes room for the kept lines of one block and the line that goes into it; false when memory is exhausted. */
export function reserveBatch(): bool {
  // Of records whose parts are put together each may be some bytes longer than its line.
  const textBytes = BLOCK_BYTE_LENGTH + MAX_LINE_BYTE_LENGTH + <usize>MAX_BATCH * 16
  const runLimit = <u64>runCount + MAX_BATCH
  return (
    reserveStrings(ips, MAX_BATCH, textBytes) &&
    reserveStrings(userAgents, MAX_BATCH, textBytes) &&
    reserveStrings(requests, MAX_BATCH, textBytes) &&
    ensureRegion(runs, <usize>runCount * RUN_BYTES, runLimit * RUN_BYTES) &&
    ensureRegion(runKeys, <usize>runCount * RUN_KEY_BYTES, runLimit * RUN_KEY_BYTES)
  )
}

/** Seconds from 1970 to the day of the field, or -1. */
function readDaySeconds(start: usize, end: usize): i64 {
  const head = load<u64>(start)
  const tail = load<u16>(start, 8)
  if (head == cachedDateHead && tail == cachedDateTail && end - start == 10) return cachedDaySeconds
  const day = readDay(start, end)
  if (day < 0) return -1
  cachedDateHead = head
  cachedDateTail = tail
  cachedDaySeconds = <i64>day * 86400
  return cachedDaySeconds
}

/** Whether the status proves bytes; 200 and 206 are one word of four bytes with the separator cut off. */
function isDelivered(start: usize, end: usize): bool {
  const word = load<u32>(start) & 0xffffff
  return end - start == 3 && <u32>(word == 0x303032) + <u32>(word == 0x363032) != 0
}

/**
 * Reads the fields of one line and adds it to the batch when it is kept. `marks` is the address of the
 * mark before the line, so field f is from after `marks[f]` up to `marks[f + 1]`. `lineEnd` is the address
 * of the line feed. Returns `KEPT`, `SKIPPED` or a reason.
 */
export function readFields(marks: usize, lineEnd: usize, lineIndex: u32): u32 {
  const lineStart = <usize>load<u32>(marks) + 1
  const statusAt = marks + ((<usize>layout.status) << 2)
  const statusStart = <usize>load<u32>(statusAt) + 1
  const statusEnd = <usize>load<u32>(statusAt, 4)
  if (!isDelivered(statusStart, statusEnd)) return isStatus(statusStart, statusEnd) ? SKIPPED : BAD_STATUS
  const dateAt = marks + ((<usize>layout.date) << 2)
  const daySeconds = readDaySeconds(<usize>load<u32>(dateAt) + 1, <usize>load<u32>(dateAt, 4))
  if (daySeconds < 0) return BAD_DATE
  const timeAt = marks + ((<usize>layout.time) << 2)
  const seconds = readTime(<usize>load<u32>(timeAt) + 1, <usize>load<u32>(timeAt, 4))
  if (seconds < 0) return BAD_TIME
  const rangeAt = marks + ((<usize>layout.byteRange) << 2)
  if (!readRange(<usize>load<u32>(rangeAt) + 1, <usize>load<u32>(rangeAt, 4))) return BAD_RANGE
  if (rangeLast - rangeFirst >= maxRangeByteLength) return HUGE_RANGE
  const ipAt = marks + ((<usize>layout.ip) << 2)
  const ipStart = load<u32>(ipAt) + 1
  const ipLength = load<u32>(ipAt, 4) - ipStart
  const requestAt = marks + ((<usize>layout.request) << 2)
  const requestStart = load<u32>(requestAt) + 1
  const requestLength = load<u32>(requestAt, 4) - requestStart
  if (ipLength == 0 || requestLength == 0) return EMPTY_KEY
  const userAgentAt = marks + ((<usize>layout.userAgent) << 2)
  const userAgentStart = load<u32>(userAgentAt) + 1
  const key = keys + <usize>batchCount * KEY_BYTES
  store<u32>(key, ipStart)
  store<u32>(key, ipLength, 4)
  store<u32>(key, userAgentStart, 8)
  store<u32>(key, load<u32>(userAgentAt, 4) - userAgentStart, 12)
  store<u32>(key, requestStart, 16)
  store<u32>(key, requestLength, 20)
  store<u32>(key, <u32>lineStart, 24)
  store<u32>(key, <u32>lineEnd, 28)
  store<u32>(key, lineIndex, 32)
  const run = runs.address + <usize>(runCount + batchCount) * RUN_BYTES
  store<f64>(run, <f64>rangeFirst)
  store<f64>(run, <f64>rangeLast, 8)
  store<f64>(run, <f64>(daySeconds + <i64>seconds), 16)
  batchCount++
  const rows = counts.rows + <u64>(rangeLast - rangeFirst + 1)
  counts.rows = rows < MAX_ROWS ? rows : MAX_ROWS
  return KEPT
}

/** Whether a range is longer than is believed. */
export function isHugeRange(first: i64, last: i64): bool {
  return last - first >= maxRangeByteLength
}

/** A kept record: its keys, as text in memory. */
@unmanaged
export class RecordKeys {
  ip: usize
  ipEnd: usize
  userAgent: usize
  userAgentEnd: usize
  request: usize
  requestEnd: usize
}

/** A kept record's keys. */
export const recordKeys: RecordKeys = changetype<RecordKeys>(memory.data(offsetof<RecordKeys>(), 8))

/** Adds a record to the batch: [first, last] at `epoch`, with `recordKeys` and what else is known of it. */
export function addRecord(
  lineStart: usize,
  lineEnd: usize,
  lineIndex: u32,
  first: i64,
  last: i64,
  epoch: i64,
  length: f64,
  clippedBytes: i64,
  identifier: u64,
): void {
  const key = keys + <usize>batchCount * KEY_BYTES
  store<u32>(key, <u32>recordKeys.ip)
  store<u32>(key, <u32>(recordKeys.ipEnd - recordKeys.ip), 4)
  store<u32>(key, <u32>recordKeys.userAgent, 8)
  store<u32>(key, <u32>(recordKeys.userAgentEnd - recordKeys.userAgent), 12)
  store<u32>(key, <u32>recordKeys.request, 16)
  store<u32>(key, <u32>(recordKeys.requestEnd - recordKeys.request), 20)
  store<u32>(key, <u32>lineStart, 24)
  store<u32>(key, <u32>lineEnd, 28)
  store<u32>(key, lineIndex, 32)
  const run = runs.address + <usize>(runCount + batchCount) * RUN_BYTES
  store<f64>(run, <f64>first)
  store<f64>(run, <f64>last, 8)
  store<f64>(run, <f64>epoch, 16)
  const extra = extras.address + <usize>(runCount + batchCount) * EXTRA_BYTES
  store<f64>(extra, length)
  store<f64>(extra, <f64>clippedBytes, 8)
  store<u64>(extra, identifier, 16)
  batchCount++
  const rows = counts.rows + <u64>(last - first + 1)
  counts.rows = rows < MAX_ROWS ? rows : MAX_ROWS
}

/** Takes the lines with a string that is not UTF-8 out of the batch; the number of lines that stay. */
function dropInvalid(hasExtras: bool): u32 {
  let kept: u32 = 0
  for (let i: u32 = 0; i < batchCount; i++) {
    const from = runKeys.address + <usize>(runCount + i) * RUN_KEY_BYTES
    const run = runs.address + <usize>(runCount + i) * RUN_BYTES
    if (load<u32>(from) == INVALID || load<u32>(from, 4) == INVALID || load<u32>(from, 8) == INVALID) {
      const key = keys + <usize>i * KEY_BYTES
      noteReject(BAD_UTF8, load<u32>(key, 24), load<u32>(key, 28), load<u32>(key, 32))
      counts.rows -= <u64>(load<f64>(run, 8) - load<f64>(run)) + 1
      orphanedLines++
      continue
    }
    memory.copy(runKeys.address + <usize>(runCount + kept) * RUN_KEY_BYTES, from, RUN_KEY_BYTES)
    memory.copy(runs.address + <usize>(runCount + kept) * RUN_BYTES, run, RUN_BYTES)
    if (hasExtras) {
      const extra = extras.address + <usize>(runCount + i) * EXTRA_BYTES
      memory.copy(extras.address + <usize>(runCount + kept) * EXTRA_BYTES, extra, EXTRA_BYTES)
    }
    kept++
  }
  return kept
}

/** Numbers the keys of the batch and makes its lines runs; `hasExtras` when they came by `addRecord`. */
export function closeBatch(hasExtras: bool): void {
  if (batchCount == 0) return
  const to = runKeys.address + <usize>runCount * RUN_KEY_BYTES
  const badIps = numberStrings(ips, batchCount, keys, KEY_BYTES, to + 4, RUN_KEY_BYTES)
  const badUserAgents = numberStrings(userAgents, batchCount, keys + 8, KEY_BYTES, to + 8, RUN_KEY_BYTES)
  const badRequests = numberStrings(requests, batchCount, keys + 16, KEY_BYTES, to, RUN_KEY_BYTES)
  const kept = badIps || badUserAgents || badRequests ? dropInvalid(hasExtras) : batchCount
  if (hasExtras) {
    for (let i: u32 = 0; i < kept; i++) countClipped(extras.address + <usize>(runCount + i) * EXTRA_BYTES)
    extraCount = runCount + kept
  }
  runCount += kept
  counts.kept += <u64>kept
  batchCount = 0
}

/**
 * Takes runs out: those whose byte at `flags` is not zero. Their strings stay in the dictionaries until they
 * are sorted.
 */
export function removeRuns(flags: usize): void {
  let kept: u32 = 0
  for (let i: u32 = 0; i < runCount; i++) {
    if (load<u8>(flags + i) != 0) {
      orphanedLines++
      continue
    }
    memory.copy(runs.address + <usize>kept * RUN_BYTES, runs.address + <usize>i * RUN_BYTES, RUN_BYTES)
    memory.copy(
      runKeys.address + <usize>kept * RUN_KEY_BYTES,
      runKeys.address + <usize>i * RUN_KEY_BYTES,
      RUN_KEY_BYTES,
    )
    memory.copy(
      extras.address + <usize>kept * EXTRA_BYTES,
      extras.address + <usize>i * EXTRA_BYTES,
      EXTRA_BYTES,
    )
    kept++
  }
  runCount = kept
  extraCount = kept
}
