/**
 * The scanner in plain TypeScript: the oracle of the tests and the fallback where WASM SIMD is missing. It
 * gives exactly what the WASM scanner gives, some fifteen times slower; for the `delivery` format only.
 */

import { Failure } from '../base/failure.ts'
import { createCallOrder } from './call-order.ts'
import { createPlainCounts, type PlainCounts } from './plain-counts.ts'
import { readDay, readDigits, readRange, readTime } from './plain-fields.ts'
import { createPlainRuns, type PlainRuns } from './plain-runs.ts'
import {
  DEFAULT_MAX_RANGE_BYTE_LENGTH,
  DEFAULT_REJECTED_LINE_LIMIT,
  isRecordLayout,
  type LineLayout,
  type LineScanner,
  type LoggedLengths,
  MAX_LINE_BYTE_LENGTH,
  MAX_REJECT_TEXT_BYTE_LENGTH,
  type PieceCounts,
  type PieceLayout,
  type PieceOptions,
  type RejectReason,
  type ScannedRuns,
  type ScannerOptions,
} from './scanned-runs.ts'

const TAB = 9
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const NUMBER_SIGN = 0x23
const SECONDS_PER_DAY = 86_400
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** What reading one line needs. */
interface LineContext {
  readonly layout: LineLayout
  readonly header: Uint8Array
  readonly maxRangeByteLength: number
  readonly runs: PlainRuns
  readonly counts: PlainCounts
  /** Field f is [bounds[f], bounds[f + 1] - 1). */
  readonly bounds: Float64Array
  readonly range: Float64Array
}

/** A fate that is not a reason to reject. */
type Fate = RejectReason | 'KEPT' | 'SKIPPED'

/** Fills `bounds` with the fields of [start, end). */
function findFields(context: LineContext, bytes: Uint8Array, start: number, end: number): Fate {
  const { bounds } = context
  const { fieldCount } = context.layout
  let fields = 1
  bounds[0] = start
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte > TAB) continue
    if (byte === 0) return 'NUL_BYTE'
    // Fields beyond the layout's are counted only: a later NUL is the earlier reason.
    if (byte === TAB && fields++ < fieldCount) bounds[fields - 1] = i + 1
  }
  bounds[fieldCount] = end + 1
  return fields === fieldCount ? 'KEPT' : 'BAD_FIELDS'
}

function startOf(bounds: Float64Array, field: number): number {
  return bounds[field] ?? 0
}

function endOf(bounds: Float64Array, field: number): number {
  return (bounds[field + 1] ?? 0) - 1
}

/** Reads a line with the right number of fields; adds its run when it is kept. */
function readFields(context: LineContext, bytes: Uint8Array): Fate {
  const { layout, bounds, range } = context
  const status = readDigits(bytes, startOf(bounds, layout.status), endOf(bounds, layout.status))
  if (status < 0 || endOf(bounds, layout.status) - startOf(bounds, layout.status) !== 3) return 'BAD_STATUS'
  if (status !== 200 && status !== 206) return 'SKIPPED'
  const day = readDay(bytes, startOf(bounds, layout.date), endOf(bounds, layout.date))
  if (day < 0) return 'BAD_DATE'
  const seconds = readTime(bytes, startOf(bounds, layout.time), endOf(bounds, layout.time))
  if (seconds < 0) return 'BAD_TIME'
  const rangeStart = startOf(bounds, layout.byteRange)
  if (!readRange(bytes, rangeStart, endOf(bounds, layout.byteRange), range)) return 'BAD_RANGE'
  const first = range[0] ?? 0
  const last = range[1] ?? 0
  if (last - first + 1 > context.maxRangeByteLength) return 'HUGE_RANGE'
  const keys = {
    requestStart: startOf(bounds, layout.request),
    requestEnd: endOf(bounds, layout.request),
    ipStart: startOf(bounds, layout.ip),
    ipEnd: endOf(bounds, layout.ip),
    userAgentStart: startOf(bounds, layout.userAgent),
    userAgentEnd: endOf(bounds, layout.userAgent),
  }
  if (keys.ipStart === keys.ipEnd || keys.requestStart === keys.requestEnd) return 'EMPTY_KEY'
  if (!context.runs.add(bytes, keys, first, last, day * SECONDS_PER_DAY + seconds)) return 'BAD_UTF8'
  context.counts.addRows(last - first + 1)
  return 'KEPT'
}

/** Whether a comment, [start, end), may be another header: it has a TAB and is not the input's own header. */
function isOtherHeader(context: LineContext, bytes: Uint8Array, start: number, end: number): boolean {
  const comment = bytes.subarray(start, end)
  return comment.includes(TAB) && Buffer.compare(comment, context.header) !== 0
}

/** Reads one whole line, [start, lineFeed), whose first byte has `byteOffset` in the piece. */
function readLine(
  context: LineContext,
  bytes: Uint8Array,
  start: number,
  lineFeed: number,
  byteOffset: number,
): void {
  const { counts } = context
  const lineIndex = counts.lines++
  const byteLength = lineFeed - start
  const end = byteLength > 0 && bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed
  if (start === end) {
    counts.blank++
    return
  }
  if (bytes[start] === NUMBER_SIGN) {
    counts.comments++
    if (isOtherHeader(context, bytes, start, end))
      counts.noteOtherHeader({ byteOffset, byteLength, lineIndex })
    return
  }
  let fate: Fate = byteLength > MAX_LINE_BYTE_LENGTH ? 'LONG_LINE' : findFields(context, bytes, start, end)
  if (fate === 'KEPT') fate = readFields(context, bytes)
  if (fate === 'KEPT') counts.kept++
  else if (fate === 'SKIPPED') counts.skippedStatus++
  else counts.reject(fate, { byteOffset, byteLength, lineIndex }, bytes.subarray(start, lineFeed))
}

/** A line beyond the limit: only its first bytes are held. */
interface LongLine {
  readonly byteOffset: number
  readonly text: Uint8Array
  readonly isComment: boolean
  byteLength: number
  hasTab: boolean
}

function endLongLine(counts: PlainCounts, line: LongLine): void {
  const place = { byteOffset: line.byteOffset, byteLength: line.byteLength, lineIndex: counts.lines++ }
  if (!line.isComment) {
    counts.reject('LONG_LINE', place, line.text)
    return
  }
  counts.comments++
  if (line.hasTab) counts.noteOtherHeader(place)
}

/** Bytes of one piece as they come; holds the unfinished line between commits. */
interface PieceInput {
  reserve(byteLength: number): Uint8Array
  commit(byteLength: number): void
  end(): void
}

function createPieceInput(context: LineContext, atInputStart: boolean): PieceInput {
  const { counts } = context
  let buffer = new Uint8Array(0)
  let carried = 0
  let markAwaited = atInputStart
  let longLine: LongLine | undefined

  /** Reads the lines of buffer[start..end) that have a line feed at `searchFrom` or later; where the rest begins. */
  const readLines = (start: number, searchFrom: number, end: number): number => {
    const bytes = buffer.subarray(0, end)
    let lineStart = start
    let lineFeed = bytes.indexOf(LINE_FEED, searchFrom)
    while (lineFeed >= 0) {
      readLine(context, bytes, lineStart, lineFeed, counts.byteLength - (end - lineStart))
      lineStart = lineFeed + 1
      lineFeed = bytes.indexOf(LINE_FEED, lineStart)
    }
    return lineStart
  }
  /** Takes the bytes of the long line; where the next line begins. */
  const passLongLine = (line: LongLine, end: number): number => {
    const lineFeed = buffer.subarray(0, end).indexOf(LINE_FEED)
    const own = buffer.subarray(0, lineFeed < 0 ? end : lineFeed)
    line.byteLength += own.length
    line.hasTab ||= own.includes(TAB)
    if (lineFeed < 0) return end
    endLongLine(counts, line)
    longLine = undefined
    return lineFeed + 1
  }
  const carry = (start: number, end: number): void => {
    const rest = buffer.subarray(start, end)
    carried = 0
    if (rest.length > MAX_LINE_BYTE_LENGTH) {
      longLine = {
        byteOffset: counts.byteLength - rest.length,
        byteLength: rest.length,
        text: rest.slice(0, MAX_REJECT_TEXT_BYTE_LENGTH),
        isComment: rest[0] === NUMBER_SIGN,
        hasTab: rest.includes(TAB),
      }
    } else {
      buffer.copyWithin(0, start, end)
      carried = rest.length
    }
  }
  return {
    reserve(byteLength: number): Uint8Array {
      if (buffer.length < carried + byteLength) {
        const larger = new Uint8Array(carried + byteLength)
        larger.set(buffer.subarray(0, carried))
        buffer = larger
      }
      return buffer.subarray(carried, carried + byteLength)
    },
    commit(byteLength: number): void {
      const end = carried + byteLength
      counts.byteLength += byteLength
      let start = 0
      let searchFrom = carried
      if (longLine !== undefined) {
        start = passLongLine(longLine, end)
        if (longLine !== undefined) return
        searchFrom = start
      }
      if (markAwaited && end - start >= BYTE_ORDER_MARK.length) {
        markAwaited = false
        if (BYTE_ORDER_MARK.every((byte, i) => buffer[start + i] === byte)) start += BYTE_ORDER_MARK.length
        searchFrom = start
      }
      carry(markAwaited ? start : readLines(start, searchFrom, end), end)
    },
    end(): void {
      if (longLine !== undefined) {
        endLongLine(counts, longLine)
        return
      }
      const start = readLines(0, 0, carried)
      if (start < carried) readLine(context, buffer, start, carried, counts.byteLength - (carried - start))
    },
  }
}

/** A scanner without WASM. */
export function createPlainScanner(options: ScannerOptions = {}): LineScanner {
  const maxRangeByteLength = options.maxRangeByteLength ?? DEFAULT_MAX_RANGE_BYTE_LENGTH
  const rejectLimit = options.rejectedLineLimit ?? DEFAULT_REJECTED_LINE_LIMIT
  const keepText = options.keepRejectedText ?? false
  const runs = createPlainRuns()
  const order = createCallOrder()
  let counts = createPlainCounts(rejectLimit, keepText)
  let input: PieceInput | undefined
  return {
    beginPiece(layout: PieceLayout, header = new Uint8Array(0), piece: PieceOptions = {}): void {
      if (isRecordLayout(layout)) {
        throw new Failure(
          'ENVIRONMENT',
          'formats other than delivery need WebAssembly, which this Node runs without; run it without --jitless',
        )
      }
      order.beginPiece(layout)
      counts = createPlainCounts(rejectLimit, keepText)
      const bounds = new Float64Array(layout.fieldCount + 1)
      const range = new Float64Array(2)
      const context = { layout, header, maxRangeByteLength, runs, counts, bounds, range }
      input = createPieceInput(context, piece.firstPiece === true)
    },
    reserve(byteLength: number): Uint8Array {
      order.reserve(byteLength)
      return input?.reserve(byteLength) ?? new Uint8Array(0)
    },
    commit(byteLength: number): void {
      order.commit(byteLength)
      input?.commit(byteLength)
    },
    endPiece(): PieceCounts {
      order.endPiece()
      input?.end()
      return counts.read()
    },
    get runCount(): number {
      return runs.count
    },
    readIdentifiers(): Uint32Array<ArrayBuffer> {
      order.checkBetween('readIdentifiers')
      return new Uint32Array(0)
    },
    dropLines(): never {
      throw new Failure('CRASHED', 'lines without identifiers cannot be dropped')
    },
    finish(): ScannedRuns {
      order.finish()
      return runs.sort()
    },
    readLengths(): readonly LoggedLengths[] {
      order.checkFinished('readLengths')
      return []
    },
    reset(): void {
      order.reset()
      runs.clear()
    },
  }
}
