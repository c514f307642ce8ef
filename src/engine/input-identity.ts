/**
 * What a store remembers of its inputs. An input is the SHA-256 of its decompressed bytes, as far as they
 * were taken; how many these were is the `version` of its `txn` action. The name also holds a digest of the
 * first bytes, so that nearly all inputs are known to be new without reading them twice.
 */

import { createHash, type Hash, hash } from 'node:crypto'
import { invariant } from '../base/failure.ts'

/** What stands before the digests in the `appId` of an input's `txn`; with 1, heads went on to 2^16 bytes. */
const PREFIX = 'byteledger:2:'
const APP_ID = /^byteledger:([12]):([0-9a-f]{64}):([0-9a-f]{16})$/
/** The digest of the first bytes is over the largest power of two that the content has, up to this. */
const LONGEST_HEAD = 2 ** 10
/** Of so many lines each is a beginning by itself. */
const FIRST_LINES = 8
/** So far the end of the first line that is no comment is looked for: thousands of logs may begin with the same header. */
const LONGEST_HEADER = 2 ** 16
const COMMENT_MARK = 0x23

/** Content that is in a store. */
export interface KnownContent {
  readonly sha256: string
  /** How many bytes it is the digest of. */
  readonly byteLength: number
}

/** What of an input is known: its longest beginning that is in a store. */
export interface KnownBeginning extends KnownContent {
  /** Line feeds in it. */
  readonly lineFeedCount: number
  /** Where its last line begins; its length when it ends with a line. */
  readonly lastLineStart: number
}

/** Of an input that the store has nothing of. */
export const NOTHING_KNOWN: KnownBeginning = { sha256: '', byteLength: 0, lineFeedCount: 0, lastLineStart: 0 }
const LINE_FEED = 0x0a

/** Where reading goes on, and how many lines begin before. */
export interface Resumption {
  readonly start: number
  readonly linesBefore: number
}

/**
 * Where to go on behind what is known. When that ends within a line (an object of JSON without a line feed, a line
 * that is too long), the rest of the line is not of the lines that follow.
 */
export function resumeBehind({ byteLength, lastLineStart, lineFeedCount }: KnownBeginning): Resumption {
  return { start: byteLength, linesBefore: lineFeedCount + (lastLineStart < byteLength ? 1 : 0) }
}

/** Digests of an input's first bytes. */
export interface HeadDigests {
  /** Of the first 1, 2, 4, ... bytes: the high and the low 32 bits. */
  readonly highs: readonly number[]
  readonly lows: readonly number[]
  /** Of beginnings that end with the first lines, one after the other, then with the 16th, 32nd and so on. */
  readonly lineEnds: readonly LineEnd[]
}

/** Where a line ends, and a digest of all up to there. */
export interface LineEnd {
  readonly byteLength: number
  readonly digest: number
}

/** So many first bytes of an input are wanted to look it up. */
export const HEAD_BYTE_LENGTH: number = LONGEST_HEADER

/**
 * Digests the first bytes of an input; `head` has `HEAD_BYTE_LENGTH` of them, or all. Two FNV-1a hashes side by
 * side, 64 bits: they only choose what is compared by SHA-256, and inputs come by the thousand.
 */
export function digestHead(head: Uint8Array): HeadDigests {
  const highs: number[] = []
  const lows: number[] = []
  const lineEnds: LineEnd[] = []
  const end = Math.min(head.length, LONGEST_HEADER)
  let low = 0x811c_9dc5
  let high = 0x811c_9dc5 ^ 0xffff
  let lineCount = 0
  let lineStart = 0
  let isBehindHeader = false
  for (let at = 0, next = 1; at < end && !(isBehindHeader && at >= LONGEST_HEAD); at++) {
    const byte = head[at] ?? 0
    low = Math.imul(low ^ byte, 0x0100_0193)
    high = Math.imul(high ^ byte ^ (low >>> 24), 0x0100_0193)
    if (at + 1 === next && next <= LONGEST_HEAD) {
      highs.push(high >>> 0)
      lows.push(low >>> 0)
      next *= 2
    }
    if (byte !== LINE_FEED) continue
    isBehindHeader ||= head[lineStart] !== COMMENT_MARK
    lineStart = at + 1
    lineCount++
    if (lineCount > FIRST_LINES && (lineCount & (lineCount - 1)) !== 0) continue
    lineEnds.push({ byteLength: at + 1, digest: shortened(high, low) })
  }
  return { highs, lows, lineEnds }
}

/** The first 53 of 64 bits, to look a digest up. */
function shortened(high: number, low: number): number {
  return (high >>> 0) * 2 ** 21 + (low >>> 11)
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** The `appId` of content that begins as an input with these heads. */
export function appIdOf(content: KnownContent, heads: HeadDigests): string {
  return `${PREFIX}${content.sha256}:${headOf(content, heads)}`
}

/** Whether a `txn` is that of content with this digest. */
export function isContent(appId: string, sha256: string): boolean {
  return APP_ID.exec(appId)?.[2] === sha256
}

/** Which digest of a head is that of content of this length: the one over 2 to the power of so many bytes. */
function headIndexOf(byteLength: number): number {
  return 31 - Math.clz32(Math.min(LONGEST_HEAD, Math.max(1, byteLength)))
}

function headOf(content: KnownContent, heads: HeadDigests): string {
  const index = headIndexOf(content.byteLength)
  const [high, low] = [heads.highs[index], heads.lows[index]]
  invariant(high !== undefined && low !== undefined, 'content has a byte, and was digested from its first')
  return hex32(high) + hex32(low)
}

/** The inputs that a version of a store has, and those that a run adds to them. */
export class KnownInputs {
  /** By index of the head's digest, then by that. */
  private readonly byHead: (Map<number, KnownContent[]> | undefined)[] = []
  /** Content whose head is of another length than ours: any input may begin with it. */
  private readonly withoutHead: KnownContent[] = []

  /** `transactions` are those of a snapshot; other programs' are passed over. */
  constructor(transactions: ReadonlyMap<string, number>) {
    for (const [appId, byteLength] of transactions) {
      const found = APP_ID.exec(appId)
      if (found === null) continue
      const [, version, sha256 = '', head = ''] = found
      const content = { sha256, byteLength }
      if (version === '1' && byteLength > LONGEST_HEAD) this.withoutHead.push(content)
      else {
        const digest = shortened(Number.parseInt(head.slice(0, 8), 16), Number.parseInt(head.slice(8), 16))
        this.addEntry(content, digest)
      }
    }
  }

  get isEmpty(): boolean {
    return this.byHead.length === 0 && this.withoutHead.length === 0
  }

  /** Adds content that begins as an input with these heads. */
  add(content: KnownContent, heads: HeadDigests): void {
    if (content.byteLength === 0) return
    const index = headIndexOf(content.byteLength)
    this.addEntry(content, shortened(heads.highs[index] ?? 0, heads.lows[index] ?? 0))
  }

  /** Content that an input of these first bytes may begin with, the shortest first. */
  candidates(heads: HeadDigests): KnownContent[] {
    const found: KnownContent[] = [...this.withoutHead]
    for (let index = 0; index < heads.highs.length; index++) {
      const byDigest = this.byHead[index]
      if (byDigest === undefined) continue
      const contents = byDigest.get(shortened(heads.highs[index] ?? 0, heads.lows[index] ?? 0))
      if (contents !== undefined) for (const content of contents) found.push(content)
    }
    return found.sort((a, b) => a.byteLength - b.byteLength)
  }

  private addEntry(content: KnownContent, digest: number): void {
    const index = headIndexOf(content.byteLength)
    let heads = this.byHead[index]
    if (heads === undefined) {
      heads = new Map()
      this.byHead[index] = heads
    }
    const contents = heads.get(digest)
    if (contents === undefined) heads.set(digest, [content])
    else contents.push(content)
  }
}

/** The digest of bytes that are there as a whole. */
export function contentOf(bytes: Uint8Array): KnownContent {
  return { sha256: hash('sha256', bytes, 'hex'), byteLength: bytes.length }
}

/** Digests content from front to back, and finds the longest beginning of it that is known. */
export class ContentDigest {
  private readonly hash: Hash = createHash('sha256')
  private readonly candidates: readonly KnownContent[]
  private next = 0
  byteLength = 0
  /** What of all that was digested so far is known. */
  known: KnownBeginning = NOTHING_KNOWN
  private lineFeedCount = 0
  private lastLineStart = 0

  /** `candidates` are in ascending length. */
  constructor(candidates: readonly KnownContent[]) {
    this.candidates = candidates
  }

  /** The length of the longest content that may still be found; undefined when there is none. */
  get longestCandidate(): number | undefined {
    const last = this.candidates.at(-1)
    return last === undefined || last.byteLength <= this.byteLength ? undefined : last.byteLength
  }

  update(bytes: Uint8Array): void {
    let at = 0
    for (;;) {
      const candidate = this.candidates[this.next]
      if (candidate === undefined || candidate.byteLength > this.byteLength + bytes.length - at) break
      const end = at + candidate.byteLength - this.byteLength
      this.advance(bytes.subarray(at, end))
      at = end
      const digest = this.hash.copy().digest('hex')
      for (; this.candidates[this.next]?.byteLength === this.byteLength; this.next++) {
        if (this.candidates[this.next]?.sha256 === digest) this.setKnown(digest)
      }
    }
    this.advance(bytes.subarray(at))
  }

  /** The digest of everything so far. */
  content(): KnownContent {
    return { sha256: this.hash.copy().digest('hex'), byteLength: this.byteLength }
  }

  /** The digest of everything; nothing can be added after it. */
  finish(): KnownContent {
    return { sha256: this.hash.digest('hex'), byteLength: this.byteLength }
  }

  private advance(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.hash.update(bytes)
    if (this.next < this.candidates.length) this.countLineFeeds(bytes)
    this.byteLength += bytes.length
  }

  private countLineFeeds(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
      this.lineFeedCount++
      this.lastLineStart = this.byteLength + at + 1
    }
  }

  private setKnown(sha256: string): void {
    const { byteLength, lineFeedCount, lastLineStart } = this
    this.known = { sha256, byteLength, lineFeedCount, lastLineStart }
  }
}
