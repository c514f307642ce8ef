/** Helpers of the scanner's tests: scans text in one go or in cuts, and copies what came out. */
import { DEFAULT_DELIVERY_LAYOUT } from '#src/log/delivery-layout.js'
import { createPlainScanner } from '#src/log/plain-scanner.js'
import type {
  LineLayout,
  LineScanner,
  PieceCounts,
  ScannedRuns,
  ScannerOptions,
  StringTable,
} from '#src/log/scanned-runs.js'
import { createWasmScanner } from '#src/log/wasm-scanner.js'

/** Both scanners: every law holds for each. */
export const SCANNERS: readonly {
  readonly name: string
  readonly create: (options?: ScannerOptions) => LineScanner
}[] = [
  { name: 'wasm', create: createWasmScanner },
  { name: 'plain', create: createPlainScanner },
]

/** How a piece is scanned; one commit of everything by default. */
export interface ScanSetting {
  readonly layout?: LineLayout
  readonly header?: Uint8Array
  readonly firstPiece?: boolean
  /** Lengths of the commits, used again from the start when they do not suffice. */
  readonly commitByteLengths?: readonly number[]
}

/** Bytes of a string of which each character is one byte. */
export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** Bytes of a string in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Scans one piece; `scanner` is left before its next piece. */
export function scanPiece(scanner: LineScanner, bytes: Uint8Array, setting: ScanSetting = {}): PieceCounts {
  const { layout = DEFAULT_DELIVERY_LAYOUT, header, firstPiece = false, commitByteLengths = [] } = setting
  scanner.beginPiece(layout, header, { firstPiece })
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const wanted = commitByteLengths[i % commitByteLengths.length] ?? bytes.length
    const part = bytes.subarray(at, at + wanted)
    // Reserving more than is committed is the ordinary case of a read.
    scanner.reserve(wanted + (i % 3)).set(part)
    scanner.commit(part.length)
    at += part.length
  }
  return scanner.endPiece()
}

function listStrings(table: StringTable): string[] {
  return Array.from({ length: table.count }, (_, i) =>
    Buffer.from(table.bytes.subarray(table.offsets[i], table.offsets[i + 1])).toString('latin1'),
  )
}

/** Everything in `ScannedRuns` as plain lists that outlive the scanner's memory. */
export function copyRuns(runs: ScannedRuns): Record<string, readonly (number | string)[]> {
  const tables = [runs.requestTable, runs.ipTable, runs.userAgentTable]
  return {
    request: [...runs.request],
    ip: [...runs.ip],
    userAgent: [...runs.userAgent],
    first: [...runs.first],
    last: [...runs.last],
    epochSeconds: [...runs.epochSeconds],
    requests: listStrings(runs.requestTable),
    ips: listStrings(runs.ipTable),
    userAgents: listStrings(runs.userAgentTable),
    hashes: tables.flatMap((table) => [...table.hashLow, ...table.hashHigh]),
    counts: [runs.runCount, ...tables.map((table) => table.count)],
    offsets: tables.flatMap((table) => [...table.offsets]),
  }
}

/** What one scanner makes of one piece. */
export interface ScanOutcome {
  readonly counts: PieceCounts
  readonly runs: Record<string, readonly (number | string)[]>
}

/** Scans one piece with a scanner of its own. */
export function scanOnce(
  create: (options?: ScannerOptions) => LineScanner,
  bytes: Uint8Array,
  setting: ScanSetting = {},
  options: ScannerOptions = {},
): ScanOutcome {
  const scanner = create(options)
  const counts = scanPiece(scanner, bytes, setting)
  return { counts, runs: copyRuns(scanner.finish()) }
}

/** Fields of a line that is kept, to be changed one by one. */
export interface LineFields {
  readonly date: string
  readonly time: string
  readonly ip: string
  readonly userAgent: string
  readonly request: string
  readonly status: string
  readonly byteRange: string
}

const GOOD_LINE: LineFields = {
  date: '2020-07-31',
  time: '16:46:07',
  ip: '192.0.2.1',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:78.0) Gecko/20100101 Firefox/78.0',
  request: '/6d8a9754-e8c7-4193-8491-58b2122c1c10',
  status: '206',
  byteRange: '10-500',
}

/** A line without line feed in the default order; what is not given is good. */
export function makeLine(fields: Partial<LineFields> = {}): string {
  const { date, time, ip, userAgent, request, status, byteRange } = { ...GOOD_LINE, ...fields }
  return [date, time, ip, userAgent, request, status, byteRange].join('\t')
}
