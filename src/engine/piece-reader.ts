/** Brings a piece's bytes into a scanner: straight from the file into the scanner's memory. */

import { closeSync, openSync, readSync } from 'node:fs'
import { attempted, Failure } from '../base/failure.ts'
import type { LinePlace, LineScanner, PieceCounts } from '../log/scanned-runs.ts'
import { isOtherHeader } from './log-header.ts'
import type { FilePiece, PieceReport, ShardPiece } from './shard.ts'
import { shrunken } from './shrunken-input.ts'

const READ_BYTE_LENGTH = 1024 * 1024
/** Past the piece's end only the rest of one line is wanted. */
const TAIL_READ_BYTE_LENGTH = 16 * 1024
const LINE_FEED = 0x0a

/** Scans one piece of a shard with this text; `onRead` hears the number of bytes of every read. */
export function scanPiece(
  piece: ShardPiece,
  shardText: Uint8Array,
  scanner: LineScanner,
  onRead: (byteLength: number) => void,
): PieceReport {
  if (piece.kind === 'file') return scanFilePiece(piece, scanner, onRead)
  scanner.beginPiece(piece.layout, piece.header, { firstPiece: piece.start === 0 })
  for (let at = piece.textStart; at < piece.textEnd; at += READ_BYTE_LENGTH) {
    const bytes = shardText.subarray(at, Math.min(piece.textEnd, at + READ_BYTE_LENGTH))
    scanner.reserve(bytes.length).set(bytes)
    scanner.commit(bytes.length)
    onRead(bytes.length)
  }
  return report(piece, piece.start, scanner.endPiece(), ({ byteOffset, byteLength }) => {
    const at = piece.textStart + byteOffset
    return shardText.subarray(at, at + byteLength)
  })
}

/** Looks at the comments that may be headers, and adds where the piece came from. */
function report(
  piece: ShardPiece,
  start: number,
  counts: PieceCounts,
  textOf: (place: LinePlace) => Uint8Array,
): PieceReport {
  if (counts.otherHeaderCount > counts.otherHeaders.length) {
    // One of those that are not listed may be a header, and then the lines after it mean something else.
    throw new Failure(
      'DAMAGED',
      `input ${piece.inputIndex + 1}: expected few comments that may be headers, found ${counts.otherHeaderCount} ` +
        'with TABs in one part; remove comments from the log (grep -v "^#", but keep its header)',
    )
  }
  const otherLayout = counts.otherHeaders.find((place) =>
    isOtherHeader(piece.layout, piece.header, textOf(place)),
  )
  return { ...counts, inputIndex: piece.inputIndex, start, otherLayout }
}

function scanFilePiece(
  piece: FilePiece,
  scanner: LineScanner,
  onRead: (byteLength: number) => void,
): PieceReport {
  const fd = attempted(piece.path, 'open', () => openSync(piece.path, 'r'))
  try {
    const start = firstLineStart(fd, piece)
    scanner.beginPiece(piece.layout, piece.header, { firstPiece: start === 0 })
    let at = start
    while (at < piece.end) {
      const wanted = Math.min(READ_BYTE_LENGTH, piece.end - at)
      const memory = scanner.reserve(wanted)
      const byteLength = readSome(fd, piece, memory, at)
      at += byteLength
      const endsLine = memory[byteLength - 1] === LINE_FEED
      scanner.commit(byteLength)
      onRead(byteLength)
      if (at === piece.end && !endsLine) scanRestOfLine(fd, piece, scanner)
    }
    return report(piece, start, scanner.endPiece(), ({ byteOffset, byteLength }) => {
      const line = new Uint8Array(Math.min(byteLength, TAIL_READ_BYTE_LENGTH))
      return line.subarray(0, readSome(fd, piece, line, start + byteOffset))
    })
  } finally {
    closeSync(fd)
  }
}

/** The first line start at or after the piece's start: a line that began before belongs to the piece before. */
function firstLineStart(fd: number, piece: FilePiece): number {
  if (piece.start === 0) return 0
  const bytes = new Uint8Array(TAIL_READ_BYTE_LENGTH)
  for (let at = piece.start - 1; at < piece.end; ) {
    const byteLength = readSome(fd, piece, bytes.subarray(0, piece.fileByteLength - at), at)
    const lineFeed = bytes.subarray(0, byteLength).indexOf(LINE_FEED)
    if (lineFeed >= 0) return Math.min(at + lineFeed + 1, piece.end)
    at += byteLength
  }
  return piece.end
}

/** The last line's bytes past the piece's end, up to its line feed or the end of the file. */
function scanRestOfLine(fd: number, piece: FilePiece, scanner: LineScanner): void {
  for (let at = piece.end; at < piece.fileByteLength; ) {
    const wanted = Math.min(TAIL_READ_BYTE_LENGTH, piece.fileByteLength - at)
    const memory = scanner.reserve(wanted)
    const byteLength = readSome(fd, piece, memory, at)
    const lineFeed = memory.subarray(0, byteLength).indexOf(LINE_FEED)
    scanner.commit(lineFeed >= 0 ? lineFeed + 1 : byteLength)
    if (lineFeed >= 0) return
    at += byteLength
  }
}

/** Reads at least one byte; a file that has become shorter than it was is an error. */
function readSome(fd: number, piece: FilePiece, into: Uint8Array, at: number): number {
  const byteLength = attempted(piece.path, 'read', () => readSync(fd, into, 0, into.length, at))
  if (byteLength === 0) throw shrunken(piece.path, piece.fileByteLength, at)
  return byteLength
}
