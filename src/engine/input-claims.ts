/**
 * What a run takes of its inputs: nothing of a log that the store has, of one that has grown only the new
 * whole lines, of any other all of it. The last line of a plain file may be half-written: without a line end
 * it waits for the next run. A pipe and an archive have ended, so their last line is whole.
 */

import { randomUUID } from 'node:crypto'
import { closeSync, createWriteStream, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { attempted, attemptedAsync, Failure } from '../base/failure.ts'
import { throwIfAborted } from './encode-inputs.ts'
import {
  appIdOf,
  ContentDigest,
  digestHead,
  HEAD_BYTE_LENGTH,
  type HeadDigests,
  type KnownBeginning,
  type KnownContent,
  KnownInputs,
  type Resumption,
  resumeBehind,
} from './input-identity.ts'
import {
  type Chunks,
  type InputOptions,
  type LogInput,
  openInput,
  type PlainInput,
  type StreamedInput,
} from './inputs.ts'
import type { InputPart } from './shard-plan.ts'
import { shrunken } from './shrunken-input.ts'

const LINE_FEED = 0x0a
const READ_BYTE_LENGTH = 1024 * 1024
const TAIL_BYTE_LENGTH = 64 * 1024

/** What became of an input. */
export interface ClaimedInput {
  /** Its place in the run. */
  readonly inputIndex: number
  readonly path: string
  /** `grown`: only what is new was taken. `known`: all of it is in the store. `empty`: it has no whole line. */
  readonly status: 'new' | 'grown' | 'known' | 'empty'
  /** Decompressed bytes that were taken. */
  readonly byteLength: number
  /** Bytes of a last line without line end, which waits for the next run. */
  readonly pendingByteLength: number
  /** What is in the store after the run; undefined when it is empty. */
  readonly content: KnownContent | undefined
}

/** An input that is taken: its digest may still be under way. */
interface Claim {
  readonly inputIndex: number
  readonly input: LogInput
  readonly heads: HeadDigests
  readonly knownByteLength: number
  readonly pendingByteLength: number
  /** The size of a plain file when it was looked at. */
  readonly fileByteLength: number | undefined
  /** Known once all of it was read. */
  readonly content: () => KnownContent
}

/** How inputs are claimed. */
export interface ClaimOptions {
  /** The `txn` actions of the version that the run builds on. */
  readonly transactions: ReadonlyMap<string, number>
  /** Takes everything, whatever the store has. */
  readonly force: boolean
  /** Makes the directory where a pipe is kept that may turn out to be known; gives its path. */
  readonly makeTemporaryDirectory: () => Promise<string>
  readonly signal?: AbortSignal | undefined
  /** How the input of an index is opened once more. */
  readonly inputOptions?: (index: number) => InputOptions
}

/** Claims the inputs of one run, one after the other. */
export class InputClaims {
  private readonly options: ClaimOptions
  private readonly known: KnownInputs
  private readonly claims: Claim[] = []
  private readonly done: ClaimedInput[] = []
  /** The digests of plain files, one after the other. */
  private digesting: Promise<void> = Promise.resolve()
  /** Claims whose digest is not among `known` yet. */
  private undigested: Claim[] = []
  private readonly temporaryPaths: string[] = []
  /** Of the input that is being claimed. */
  private inputIndex = 0

  constructor(options: ClaimOptions) {
    this.options = options
    this.known = new KnownInputs(options.transactions)
  }

  /** Decides what is taken of the next input. */
  readonly choosePart = async (input: LogInput, inputIndex: number): Promise<InputPart | undefined> => {
    throwIfAborted(this.options.signal)
    this.inputIndex = inputIndex
    return input.kind === 'plain' ? await this.claimFile(input) : await this.claimStream(input)
  }

  /** Waits until everything is digested; tells what became of the inputs. */
  async finish(): Promise<readonly ClaimedInput[]> {
    await this.digesting
    const taken = this.claims.map(
      ({ inputIndex, input, knownByteLength, pendingByteLength, content }): ClaimedInput => {
        const whole = content()
        return {
          inputIndex,
          path: input.path,
          status: knownByteLength > 0 ? 'grown' : 'new',
          byteLength: whole.byteLength - knownByteLength,
          pendingByteLength,
          content: whole,
        }
      },
    )
    return [...taken, ...this.done].sort((a, b) => a.inputIndex - b.inputIndex)
  }

  /** What the commit must say so that these inputs are known from then on. */
  transactions(): { readonly appId: string; readonly version: number; readonly lastUpdated: number }[] {
    const byAppId = new Map<string, number>()
    for (const { content, heads } of this.claims) {
      const whole = content()
      const appId = appIdOf(whole, heads)
      if (!this.options.transactions.has(appId)) byAppId.set(appId, whole.byteLength)
    }
    return [...byAppId].map(([appId, version]) => ({ appId, version, lastUpdated: Date.now() }))
  }

  /**
   * Whether what others have committed since leaves the claims as they are. A log that others may have taken
   * meanwhile, or that has grown since so that they may have, must be claimed anew.
   */
  stillHold(transactions: ReadonlyMap<string, number>): boolean {
    if (this.options.force) return true
    const fresh = new KnownInputs(
      new Map([...transactions].filter(([appId]) => !this.options.transactions.has(appId))),
    )
    if (fresh.isEmpty) return true
    return this.claims.every(({ input, heads, fileByteLength }) => {
      if (fresh.candidates(heads).length > 0) return false
      return fileByteLength === undefined || sizeOf(input.path) === fileByteLength
    })
  }

  /** Removes what was kept of pipes. */
  async close(): Promise<void> {
    await this.digesting.catch(() => undefined)
    for (const path of this.temporaryPaths) await rm(path, { force: true })
  }

  private async claimFile(input: PlainInput, label = input.path): Promise<InputPart | undefined> {
    const { path, byteLength } = input
    const mayGrow = label === path && !this.options.force
    const end = mayGrow ? endOfLines(path, byteLength) : byteLength
    const heads = digestHead(readBytes(path, 0, Math.min(HEAD_BYTE_LENGTH, byteLength)))
    const digest = new ContentDigest(await this.candidates(heads, byteLength))
    await this.digestFile(path, digest, digest.longestCandidate ?? 0)
    const { known } = digest
    const knownByteLength = known.byteLength
    const pendingByteLength = byteLength - Math.max(end, knownByteLength)
    if (knownByteLength >= end) return this.leave(label, known, pendingByteLength)
    const next = readBytes(path, knownByteLength, Math.min(2, byteLength - knownByteLength))
    // A candidate that was none may have led beyond the last whole line.
    const whole = digest.byteLength > end ? new ContentDigest([]) : digest
    this.digesting = this.digesting.then(() => this.digestFile(path, whole, end))
    // Whoever waits for it hears of a failure; until then it must not end the process.
    this.digesting.catch(() => undefined)
    const named = { ...input, path: label }
    this.take({
      input: named,
      heads,
      knownByteLength,
      pendingByteLength,
      fileByteLength: label === path ? byteLength : undefined,
      content: () => whole.content(),
    })
    return { input, ...resumeBehind(known, next), end }
  }

  private async claimStream(input: StreamedInput): Promise<InputPart | undefined> {
    const opened = await input.open()
    const chunks = iterate(opened.text)
    // What is stored as it is and comes as a stream is small; an archive may hold any amount.
    const peeked = await peek(chunks, opened.mayGrow ? Number.POSITIVE_INFINITY : HEAD_BYTE_LENGTH)
    const heads = digestHead(peeked.bytes.subarray(0, HEAD_BYTE_LENGTH))
    if (peeked.isWhole) {
      const again = { ...input, open: () => Promise.resolve({ ...opened, text: once(peeked.bytes) }) }
      return this.claimText(again, { text: peeked.bytes, mayGrow: opened.mayGrow }, heads)
    }
    const candidates = await this.candidates(heads, Number.POSITIVE_INFINITY)
    const rest = follow(peeked.bytes, chunks)
    if (candidates.length > 0 && input.byteLength === undefined) {
      return this.claimFile(await this.keep(rest, input.path), input.path)
    }
    const digest = new ContentDigest([])
    const part = { end: undefined, onText: (bytes: Uint8Array) => digest.update(bytes) }
    let resumption: Resumption = { start: 0, linesBefore: 0 }
    let knownByteLength = 0
    let again: LogInput = { ...input, open: () => Promise.resolve({ ...opened, text: rest }) }
    if (candidates.length > 0) {
      const found = await this.digestText(rest, new ContentDigest(candidates))
      const { known, bytesBehindKnown } = found.digest
      knownByteLength = known.byteLength
      if (found.hasEnded && knownByteLength === found.digest.byteLength)
        return this.leave(input.path, known, 0)
      resumption = resumeBehind(known, bytesBehindKnown)
      again = input
    }
    const content = (): KnownContent => digest.content()
    this.take({ input, heads, knownByteLength, pendingByteLength: 0, fileByteLength: undefined, content })
    return { input: again, ...resumption, ...part }
  }

  /** For text that is in memory as a whole. */
  private async claimText(
    input: StreamedInput,
    { text, mayGrow }: { readonly text: Uint8Array; readonly mayGrow: boolean },
    heads: HeadDigests,
  ): Promise<InputPart | undefined> {
    const end = mayGrow && !this.options.force ? text.lastIndexOf(LINE_FEED) + 1 : text.length
    const digest = new ContentDigest(await this.candidates(heads, text.length))
    if (digest.longestCandidate !== undefined) digest.update(text)
    const { known } = digest
    const knownByteLength = known.byteLength
    const pendingByteLength = text.length - Math.max(end, knownByteLength)
    if (knownByteLength >= end) return this.leave(input.path, known, pendingByteLength)
    const whole = new ContentDigest([])
    whole.update(text.subarray(0, end))
    const content = whole.finish()
    this.take({
      input,
      heads,
      knownByteLength,
      pendingByteLength,
      fileByteLength: mayGrow ? input.byteLength : undefined,
      content: () => content,
    })
    return { input, ...resumeBehind(known, text.subarray(knownByteLength)), end }
  }

  private take(taken: Omit<Claim, 'inputIndex'>): void {
    const claim = { ...taken, inputIndex: this.inputIndex }
    this.claims.push(claim)
    this.undigested.push(claim)
  }

  private leave(path: string, known: KnownBeginning, pendingByteLength: number): InputPart | undefined {
    const isKnown = known.byteLength > 0
    const content = isKnown ? { sha256: known.sha256, byteLength: known.byteLength } : undefined
    const status = isKnown ? 'known' : 'empty'
    this.done.push({ inputIndex: this.inputIndex, path, status, byteLength: 0, pendingByteLength, content })
    return undefined
  }

  /** Content that an input may begin with: in the store, or of an input before it. */
  private async candidates(heads: HeadDigests, byteLength: number): Promise<KnownContent[]> {
    if (this.options.force) return []
    if (this.undigested.length > 0) {
      await this.digesting
      for (const claim of this.undigested) this.known.add(claim.content(), claim.heads)
      this.undigested = []
    }
    return this.known.candidates(heads).filter((content) => content.byteLength <= byteLength)
  }

  private async digestFile(path: string, digest: ContentDigest, end: number): Promise<void> {
    const fd = attempted(path, 'open', () => openSync(path, 'r'))
    try {
      const buffer = new Uint8Array(Math.min(READ_BYTE_LENGTH, Math.max(0, end - digest.byteLength)))
      while (digest.byteLength < end) {
        const at = digest.byteLength
        const wanted = Math.min(buffer.length, end - at)
        const bytesRead = attempted(path, 'read', () => readSync(fd, buffer, 0, wanted, at))
        if (bytesRead === 0) throw shrunken(path, end, at)
        digest.update(buffer.subarray(0, bytesRead))
        await this.pause()
      }
    } finally {
      closeSync(fd)
    }
  }

  private async digestText(
    text: AsyncIterable<Uint8Array>,
    digest: ContentDigest,
  ): Promise<{ readonly digest: ContentDigest; readonly hasEnded: boolean }> {
    for await (const bytes of text) {
      digest.update(bytes)
      throwIfAborted(this.options.signal)
      // Two bytes more tell whether the last line that is known ends there.
      if (digest.longestCandidate === undefined && digest.known.byteLength + 2 <= digest.byteLength)
        return { digest, hasEnded: false }
    }
    return { digest, hasEnded: true }
  }

  /** A turn of the event loop, so that row groups are written and Ctrl-C is heard. */
  private async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    throwIfAborted(this.options.signal)
  }

  /** Keeps a pipe's text in a file, as it can be read only once. */
  private async keep(text: AsyncIterable<Uint8Array>, name: string): Promise<PlainInput> {
    const path = join(await this.options.makeTemporaryDirectory(), `.input-${randomUUID()}.tmp`)
    this.temporaryPaths.push(path)
    const { signal } = this.options
    await attemptedAsync(path, `keep ${name} in`, () =>
      pipeline(Readable.from(text), createWriteStream(path, { flags: 'wx' }), signal ? { signal } : {}),
    )
    const input = openInput(path, { ...this.options.inputOptions?.(this.inputIndex), small: false })
    if (input.kind !== 'plain')
      throw new Failure('DAMAGED', `${name}: expected a log, found an archive within an archive`)
    return input
  }
}

function sizeOf(path: string): number | undefined {
  return attempted(path, 'look at', () => statSync(path, { throwIfNoEntry: false }))?.size
}

function readBytes(path: string, start: number, byteLength: number): Uint8Array {
  const fd = attempted(path, 'open', () => openSync(path, 'r'))
  try {
    const bytes = new Uint8Array(byteLength)
    for (let at = 0; at < byteLength; ) {
      const wanted = byteLength - at
      const from = at
      const bytesRead = attempted(path, 'read', () => readSync(fd, bytes, from, wanted, start + from))
      if (bytesRead === 0) throw shrunken(path, start + byteLength, fstatSync(fd).size)
      at += bytesRead
    }
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** One past the last line feed. */
function endOfLines(path: string, byteLength: number): number {
  for (let end = byteLength; end > 0; ) {
    const start = Math.max(0, end - TAIL_BYTE_LENGTH)
    const lineFeed = readBytes(path, start, end - start).lastIndexOf(LINE_FEED)
    if (lineFeed >= 0) return start + lineFeed + 1
    end = start
  }
  return 0
}

async function* iterate(text: Chunks): AsyncGenerator<Uint8Array> {
  for await (const bytes of text) yield bytes
}

/** Reads until there are `byteLength` bytes, or all. */
async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  byteLength: number,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = []
  for (let length = 0; length < byteLength; ) {
    const { done, value } = await chunks.next()
    if (done === true) return { bytes: joined(parts), isWhole: true }
    parts.push(value)
    length += value.length
  }
  return { bytes: joined(parts), isWhole: false }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

async function* follow(
  bytes: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield bytes
  yield* rest
}
