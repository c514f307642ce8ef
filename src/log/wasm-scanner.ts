/** The scanner of the product: the host's side of the WASM module. Order of calls and types: scanned-runs.ts. */

import { Failure, invariant } from '../base/failure.ts'
import { createCallOrder } from './call-order.ts'
import { encodeProgram } from './record-program.ts'
import {
  ANSWERED,
  ASKED,
  DEFAULT_MAX_RANGE_BYTE_LENGTH,
  DEFAULT_REJECTED_LINE_LIMIT,
  type DroppedCounts,
  isRecordLayout,
  type LineLayout,
  type LinePlace,
  type LineScanner,
  type LoggedLengths,
  MAX_LISTED_COMMENTS,
  makeRejectCounts,
  type PieceCounts,
  type PieceLayout,
  type PieceOptions,
  REJECT_REASONS,
  type RejectedLine,
  type ScannedRuns,
  type ScannerOptions,
  type StringTable,
} from './scanned-runs.ts'
import { instantiateScanner, type ScannerExports } from './scanner-module.ts'

const WHOLE_MEMORY_BYTE_LENGTH = 2 ** 32
const WORD_BITS = 64
/** Entries of a list of places, in bytes. */
const PLACE_BYTE_LENGTH = 32
/** Words of a run's extras, see assembly/batch.ts. */
const EXTRA_WORDS = 6
/** See assembly/batch.ts. */
const UNMEASURED = -1
/** Words that `resultsAddress` of assembly/scanner.ts leads to. */
const RESULT_WORDS = 31
/** Bytes of an entry of assembly/logged-lengths.ts. */
const LENGTH_BYTES = 40

/** `ANSWERED` of assembly/tellings.ts. */
const ANSWERED_LENGTH = -(2 ** 54)

/** The length, and how many requests told it, of a number and a count as assembly/logged-lengths.ts has them. */
function readTold(length: number, count: number): { readonly length: number; readonly requests: number } {
  if (length >= 0) return { length, requests: count }
  if (length <= ANSWERED_LENGTH) return { length: length / ANSWERED_LENGTH, requests: ANSWERED }
  return { length: -length, requests: ASKED }
}

/** Options that only this implementation has. */
export interface WasmScannerOptions extends ScannerOptions {
  /** Most bytes of memory; a shard that needs more fails. 4 GiB, what a module can have, by default. */
  readonly memoryLimitByteLength?: number
  /** Bits of a sort key; fewer than 64 make keys of several words, which only huge shards have. For tests. */
  readonly sortWordBits?: number
}

/** A line scanner that hashes as well. */
export interface WasmScanner extends LineScanner {
  /** XXH64 with seed 0. */
  xxhash64(bytes: Uint8Array): { readonly low: number; readonly high: number }
}

function exhausted(): Failure {
  return new Failure(
    'ENVIRONMENT',
    'the scanner ran out of memory: the shard has more lines or distinct values than fit; use smaller shards',
  )
}

function readPlace(view: DataView, at: number): LinePlace {
  return {
    byteOffset: Number(view.getBigUint64(at, true)),
    byteLength: Number(view.getBigUint64(at + 8, true)),
    lineIndex: view.getUint32(at + 16, true),
  }
}

function readRejects(
  module: ScannerExports,
  view: DataView,
  count: number,
  withText: boolean,
): RejectedLine[] {
  const list = module.rejectsAddress() >>> 0
  const texts = module.rejectTextsAddress() >>> 0
  return Array.from({ length: count }, (_, i) => {
    const at = list + i * PLACE_BYTE_LENGTH
    const reason = REJECT_REASONS[view.getUint32(at + 20, true)]
    invariant(reason !== undefined, 'a reject without a reason')
    const line = { ...readPlace(view, at), reason }
    if (!withText) return line
    const text = texts + view.getUint32(at + 24, true)
    return { ...line, text: new Uint8Array(view.buffer.slice(text, text + view.getUint32(at + 28, true))) }
  })
}

/** Reads the counters in the order of `Counts` in assembly/state.ts. */
function readPieceCounts(module: ScannerExports, withText: boolean): PieceCounts {
  const view = new DataView(module.memory.buffer)
  const at = module.countsAddress() >>> 0
  const counter = (index: number): number => Number(view.getBigUint64(at + index * 8, true))
  const otherHeaderCount = counter(7)
  const headers = module.otherHeadersAddress() >>> 0
  return {
    lines: counter(0),
    comments: counter(1),
    blank: counter(2),
    kept: counter(3),
    skippedStatus: counter(4),
    skippedMethod: counter(19),
    unproven: counter(20),
    skippedInner: counter(21),
    clippedRequests: counter(22),
    clippedBytes: counter(23),
    unmeasured: counter(24),
    rejected: makeRejectCounts((index) => counter(9 + index)),
    rows: counter(5),
    rowsExact: counter(5) <= 2 ** 53,
    byteLength: counter(6),
    rejectedLines: readRejects(module, view, counter(8), withText),
    otherHeaderCount,
    otherHeaders: Array.from({ length: Math.min(otherHeaderCount, MAX_LISTED_COMMENTS) }, (_, i) =>
      readPlace(view, headers + i * PLACE_BYTE_LENGTH),
    ),
  }
}

function readTable(buffer: ArrayBuffer, results: Uint32Array, at: number): StringTable {
  const [count = 0, byteLength = 0, bytes = 0, offsets = 0, hashLow = 0, hashHigh = 0] = results.subarray(at)
  return {
    count,
    bytes: new Uint8Array(buffer, bytes, byteLength),
    offsets: new Uint32Array(buffer, offsets, count + 1),
    hashLow: new Uint32Array(buffer, hashLow, count),
    hashHigh: new Uint32Array(buffer, hashHigh, count),
  }
}

/** Views of what the module sorted; the order of `resultsAddress` in assembly/scanner.ts. */
function readRuns(module: ScannerExports): ScannedRuns {
  const at = module.resultsAddress() >>> 0
  const { buffer } = module.memory
  const results = new Uint32Array(buffer, at, RESULT_WORDS)
  const [runCount = 0, request = 0, ip = 0, userAgent = 0, first = 0, last = 0, epochSeconds = 0] = results
  return {
    runCount,
    request: new Uint32Array(buffer, request, runCount),
    ip: new Uint32Array(buffer, ip, runCount),
    userAgent: new Uint32Array(buffer, userAgent, runCount),
    first: new Float64Array(buffer, first, runCount),
    last: new Float64Array(buffer, last, runCount),
    epochSeconds: new Float64Array(buffer, epochSeconds, runCount),
    requestTable: readTable(buffer, results, 7),
    ipTable: readTable(buffer, results, 13),
    userAgentTable: readTable(buffer, results, 19),
  }
}

function writeLayout(module: ScannerExports, layout: LineLayout): void {
  new Uint32Array(module.memory.buffer, module.layoutAddress() >>> 0, 8).set([
    layout.fieldCount,
    layout.date,
    layout.time,
    layout.ip,
    layout.userAgent,
    layout.request,
    layout.status,
    layout.byteRange,
  ])
}

/** Hands the layout to the module; whether it is a program. */
function passLayout(module: ScannerExports, layout: PieceLayout): boolean {
  if (isRecordLayout(layout)) {
    const program = encodeProgram(layout)
    copyIn(module, demand(module.reserveProgram(program.length)), program)
    return true
  }
  writeLayout(module, layout)
  return false
}

function readIdentifiers(module: ScannerExports): Uint32Array<ArrayBuffer> {
  const count = module.extrasSoFar() >>> 0
  const extras = new Uint32Array(module.memory.buffer, module.extrasAddress() >>> 0, count * EXTRA_WORDS)
  const identifiers = new Uint32Array(2 * count)
  for (let i = 0; i < count; i++) {
    identifiers[2 * i] = extras[i * EXTRA_WORDS + 4] ?? 0
    identifiers[2 * i + 1] = extras[i * EXTRA_WORDS + 5] ?? 0
  }
  return identifiers
}

/** Drops runs; what was counted of them. */
function dropLines(module: ScannerExports, drop: Uint8Array): DroppedCounts {
  const flags = demand(module.reserveHashInput(drop.length))
  copyIn(module, flags, drop)
  const extras = module.extrasAddress() >>> 0
  const clips = new Float64Array(
    module.memory.buffer,
    extras,
    ((module.extrasSoFar() >>> 0) * EXTRA_WORDS) / 2,
  )
  const counts = { clippedRequests: 0, clippedBytes: 0, unmeasured: 0 }
  for (let i = 0; i < drop.length; i++) {
    const noted = drop[i] === 0 ? 0 : (clips[(i * EXTRA_WORDS) / 2 + 1] ?? 0)
    const clipped = noted < 0 ? UNMEASURED - noted : noted
    if (noted < 0) counts.unmeasured++
    if (clipped > 0) counts.clippedRequests++
    counts.clippedBytes += clipped
  }
  demand(module.drop(flags))
  return counts
}

/** Entries of assembly/logged-lengths.ts, from `first` up to `end`, by rank and length. */
function readEntries(
  module: ScannerExports,
  { first, end, ranks, assets }: { first: number; end: number; ranks: number; assets: StringTable },
): LoggedLengths {
  const count = end - first
  const from = (module.lengthsAddress() >>> 0) + first * LENGTH_BYTES
  const view = new DataView(module.memory.buffer, from, count * LENGTH_BYTES)
  const memory = new DataView(module.memory.buffer)
  const rankOf = (entry: number): number =>
    memory.getUint32(ranks + 4 * view.getUint32(entry * LENGTH_BYTES, true), true)
  const lengthOf = (entry: number): number => view.getFloat64(entry * LENGTH_BYTES + 8, true)
  const toldOf = (entry: number): ReturnType<typeof readTold> =>
    readTold(lengthOf(entry), view.getUint32(entry * LENGTH_BYTES + 4, true))
  const dayOf = (entry: number): number => view.getFloat64(entry * LENGTH_BYTES + 32, true)
  const order = Uint32Array.from({ length: count }, (_, entry) => entry).sort(
    (a, b) => rankOf(a) - rankOf(b) || lengthOf(a) - lengthOf(b) || dayOf(a) - dayOf(b),
  )
  return {
    count,
    assets,
    request: order.map(rankOf),
    length: Float64Array.from(order, (entry) => toldOf(entry).length),
    firstEpoch: Float64Array.from(order, (entry) => view.getFloat64(entry * LENGTH_BYTES + 16, true)),
    lastEpoch: Float64Array.from(order, (entry) => view.getFloat64(entry * LENGTH_BYTES + 24, true)),
    requests: Float64Array.from(order, (entry) => toldOf(entry).requests),
  }
}

/** The lengths of runs, then those that other lines told. */
function readLengths(module: ScannerExports): readonly LoggedLengths[] {
  const results = new Uint32Array(module.memory.buffer, module.resultsAddress() >>> 0, RESULT_WORDS)
  const [end, runEnd] = [module.lengthsCount() >>> 0, module.runLengthsCount() >>> 0]
  const tableAt = (at: number): StringTable => readTable(module.memory.buffer, results, at)
  return [
    { first: 0, end: runEnd, ranks: module.requestRanksAddress() >>> 0, assets: tableAt(7) },
    { first: runEnd, end, ranks: module.toldRanksAddress() >>> 0, assets: tableAt(25) },
  ].map((part) => readEntries(module, part))
}

/** Throws a `Failure` for an address or flag that says that memory is exhausted. */
function demand(result: number): number {
  if (result === 0) throw exhausted()
  return result >>> 0
}

/** Copies `bytes` to an address that was reserved for them. */
function copyIn(module: ScannerExports, address: number, bytes: Uint8Array): void {
  new Uint8Array(module.memory.buffer, address, bytes.length).set(bytes)
}

/** A scanner in WASM; throws a `Failure` (ENVIRONMENT) when the compiled module is missing. */
export function createWasmScanner(options: WasmScannerOptions = {}): WasmScanner {
  const withText = options.keepRejectedText ?? false
  const module = instantiateScanner()
  module.configure(
    options.maxRangeByteLength ?? DEFAULT_MAX_RANGE_BYTE_LENGTH,
    options.rejectedLineLimit ?? DEFAULT_REJECTED_LINE_LIMIT,
    withText ? 1 : 0,
    options.memoryLimitByteLength ?? WHOLE_MEMORY_BYTE_LENGTH,
    options.sortWordBits ?? WORD_BITS,
  )
  const order = createCallOrder()
  return {
    beginPiece(layout: PieceLayout, header = new Uint8Array(0), piece: PieceOptions = {}): void {
      order.beginPiece(layout)
      const hasProgram = passLayout(module, layout)
      copyIn(module, demand(module.reserveHeader(header.length)), header)
      module.beginPiece(piece.firstPiece === true ? 1 : 0, hasProgram ? 1 : 0)
    },
    reserve(byteLength: number): Uint8Array {
      order.reserve(byteLength)
      const address = demand(module.reserve(byteLength))
      return new Uint8Array(module.memory.buffer, address, byteLength)
    },
    commit(byteLength: number): void {
      order.commit(byteLength)
      demand(module.commit(byteLength))
    },
    endPiece(): PieceCounts {
      order.endPiece()
      demand(module.endPiece())
      return readPieceCounts(module, withText)
    },
    get runCount(): number {
      return module.runsSoFar() >>> 0
    },
    readIdentifiers(): Uint32Array<ArrayBuffer> {
      order.checkBetween('readIdentifiers')
      return readIdentifiers(module)
    },
    dropLines(drop: Uint8Array): DroppedCounts {
      order.checkBetween('dropLines')
      invariant(drop.length === module.runsSoFar() >>> 0, 'one entry for each kept line')
      return dropLines(module, drop)
    },
    readLengths(): readonly LoggedLengths[] {
      order.checkFinished('readLengths')
      return readLengths(module)
    },
    finish(): ScannedRuns {
      order.finish()
      demand(module.finish())
      return readRuns(module)
    },
    reset(): void {
      order.reset()
      module.reset()
    },
    xxhash64(bytes: Uint8Array): { low: number; high: number } {
      const address = demand(module.reserveHashInput(bytes.length))
      copyIn(module, address, bytes)
      const hash = module.hash64(address, bytes.length)
      return { low: Number(hash & 0xffffffffn), high: Number(BigInt.asUintN(32, hash >> 32n)) }
    },
  }
}
