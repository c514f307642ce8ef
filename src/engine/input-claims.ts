/**
 * What a run takes of its inputs: nothing of a log that the store has, of one that has grown only the new
 * whole lines, of any other all whole lines. A last line that may be cut off waits for the next run, whatever
 * the input is: a pipe may have broken, an archive been made of a log that was being written.
 */

import { randomUUID } from 'node:crypto'
import { closeSync, createWriteStream, openSync, readSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { attempted, attemptedAsync, Failure } from '../base/failure.ts'
import { throwIfAborted } from './encode-inputs.ts'
import { type TakenInput, TakenInputs } from './input-beginnings.ts'
import { endOfLines, follow, iterate, once, peek, readBytes, sizeOf } from './input-bytes.ts'
import {
  appIdOf,
  ContentDigest,
  contentOf,
  digestHead,
  HEAD_BYTE_LENGTH,
  type HeadDigests,
  type KnownBeginning,
  type KnownContent,
  KnownInputs,
  NOTHING_KNOWN,
  resumeBehind,
} from './input-identity.ts'
import { openInput } from './inputs.ts'
import type { InputOptions, LogInput, OpenedText, PlainInput, StreamedInput } from './log-input.ts'
import type { InputPart } from './shard-plan.ts'
import { shrunken } from './shrunken-input.ts'
import { endOfWholeLines, wholeLines } from './whole-lines.ts'

const READ_BYTE_LENGTH = 1024 * 1024

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
  /** Known once all of it was read. */
  readonly pendingByteLength: () => number
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
  private undigested: Pick<Claim, 'content' | 'heads'>[] = []
  /** All inputs so far: the beginning of one that comes after it is known, too. */
  private readonly taken = new TakenInputs()
  private readonly beginnings: Pick<Claim, 'content' | 'heads'>[] = []
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
    const taken = this.claims.map((claim): ClaimedInput => {
      const whole = claim.content()
      return {
        inputIndex: claim.inputIndex,
        path: claim.input.path,
        status: statusOf(claim, whole),
        byteLength: whole.byteLength - claim.knownByteLength,
        pendingByteLength: claim.pendingByteLength(),
        content: whole.byteLength === 0 ? undefined : whole,
      }
    })
    return [...taken, ...this.done].sort((a, b) => a.inputIndex - b.inputIndex)
  }

  /** What the commit must say so that these inputs are known from then on. */
  transactions(): { readonly appId: string; readonly version: number; readonly lastUpdated: number }[] {
    const byAppId = new Map<string, number>()
    for (const { content, heads } of [...this.claims, ...this.beginnings]) {
      const whole = content()
      if (whole.byteLength === 0) continue
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
    const { path, byteLength, layout } = input
    const named = { ...input, path: label }
    const end = endOfLines(path, byteLength, layout)
    const heads = digestHead(readBytes(path, 0, Math.min(HEAD_BYTE_LENGTH, byteLength)))
    const digest = new ContentDigest(await this.candidates(heads, byteLength))
    await this.digestFile(path, digest, digest.longestCandidate ?? 0)
    const { known } = digest
    const knownByteLength = known.byteLength
    const pendingByteLength = byteLength - Math.max(end, knownByteLength)
    if (knownByteLength >= end) return this.leave(named, heads, known, pendingByteLength)
    // A candidate that was none may have led beyond the last whole line.
    const whole = digest.byteLength > end ? new ContentDigest([]) : digest
    const longer = this.longer(heads, end)
    if (longer.length > 0) {
      await this.digestFile(path, whole, end)
      if (await this.isBeginning(whole.content(), longer))
        return this.leaveBeginning(named, heads, whole.content(), pendingByteLength)
    }
    this.digesting = this.digesting.then(() => this.digestFile(path, whole, end))
    // Whoever waits for it hears of a failure; until then it must not end the process.
    this.digesting.catch(() => undefined)
    this.take({
      input: named,
      heads,
      knownByteLength,
      pendingByteLength: () => pendingByteLength,
      fileByteLength: label === path ? byteLength : undefined,
      content: () => whole.content(),
    })
    return { input, ...resumeBehind(known), end }
  }

  private async claimStream(input: StreamedInput): Promise<InputPart | undefined> {
    const opened = await input.open()
    const { whole } = opened
    if (whole !== undefined)
      return this.claimText(input, { ...opened, whole }, digestHead(whole.subarray(0, HEAD_BYTE_LENGTH)))
    const chunks = iterate(opened.text)
    // What is stored as it is and comes as a stream is small; an archive may hold any amount.
    const peeked = await peek(chunks, opened.mayGrow ? Number.POSITIVE_INFINITY : HEAD_BYTE_LENGTH)
    const heads = digestHead(peeked.bytes.subarray(0, HEAD_BYTE_LENGTH))
    if (peeked.isWhole) return this.claimText(input, { ...opened, whole: peeked.bytes }, heads)
    const candidates = await this.candidates(heads, Number.POSITIVE_INFINITY)
    const rest = { ...opened, text: follow(peeked.bytes, chunks), whole: undefined }
    const longer = this.longer(heads, Number.POSITIVE_INFINITY)
    if (candidates.length === 0 && longer.length === 0)
      return this.claimRest(input, () => Promise.resolve(rest), heads, NOTHING_KNOWN)
    if (input.byteLength === undefined)
      return this.claimFile(await this.keep(rest.text, input.path), input.path)
    let pendingByteLength = 0
    const text = wholeLines(rest.text, rest.layout, (byteLength) => {
      pendingByteLength = byteLength
    })
    const digest = await this.digestText(text, new ContentDigest(candidates), longer.length > 0)
    const { known, byteLength } = digest
    if (byteLength === known.byteLength) return this.leave(input, heads, known, pendingByteLength)
    if (longer.length > 0 && (await this.isBeginning(digest.content(), longer)))
      return this.leaveBeginning(input, heads, digest.content(), pendingByteLength)
    return this.claimRest(input, () => input.open(), heads, known)
  }

  /** For text of which nobody knows the end yet; what is known of it was found out before. */
  private claimRest(
    input: StreamedInput,
    open: () => Promise<OpenedText>,
    heads: HeadDigests,
    known: KnownBeginning,
  ): InputPart {
    const digest = new ContentDigest([])
    let pendingByteLength = 0
    const onPending = (byteLength: number): void => {
      pendingByteLength = byteLength
    }
    const openLines = async (): Promise<OpenedText> => {
      const opened = await open()
      return { ...opened, text: wholeLines(opened.text, opened.layout, onPending), whole: undefined }
    }
    this.take({
      input,
      heads,
      knownByteLength: known.byteLength,
      pendingByteLength: () => pendingByteLength,
      fileByteLength: undefined,
      content: () => digest.content(),
    })
    return {
      input: { ...input, open: openLines },
      ...resumeBehind(known),
      end: undefined,
      onText: (bytes) => digest.update(bytes),
    }
  }

  /** For text that is in memory as a whole. */
  private async claimText(
    input: StreamedInput,
    opened: OpenedText & { readonly whole: Uint8Array },
    heads: HeadDigests,
  ): Promise<InputPart | undefined> {
    const { whole: text, mayGrow, layout } = opened
    const end = endOfWholeLines(text, layout)
    const known = knownBeginning(text, await this.candidates(heads, text.length))
    const knownByteLength = known.byteLength
    const pendingByteLength = text.length - Math.max(end, knownByteLength)
    if (knownByteLength >= end) return this.leave(input, heads, known, pendingByteLength)
    const content = contentOf(text.subarray(0, end))
    if (await this.isBeginning(content, this.longer(heads, end)))
      return this.leaveBeginning(input, heads, content, pendingByteLength)
    this.take({
      input,
      heads,
      knownByteLength,
      pendingByteLength: () => pendingByteLength,
      fileByteLength: mayGrow ? input.byteLength : undefined,
      content: () => content,
    })
    const again = { ...input, open: () => Promise.resolve({ ...opened, text: once(text) }) }
    return { input: again, ...resumeBehind(known), end }
  }

  private take(taken: Omit<Claim, 'inputIndex'>): void {
    const claim = { ...taken, inputIndex: this.inputIndex }
    this.claims.push(claim)
    this.undigested.push(claim)
    this.taken.add({ input: claim.input, byteLength: () => claim.content().byteLength }, claim.heads)
  }

  /** For an input of which everything is known. */
  private leave(
    input: LogInput,
    heads: HeadDigests,
    known: KnownContent,
    pendingByteLength: number,
  ): undefined {
    const { sha256, byteLength } = known
    const isKnown = byteLength > 0
    const content = isKnown ? { sha256, byteLength } : undefined
    if (isKnown) this.taken.add({ input, byteLength: () => byteLength }, heads)
    const [status, path] = [isKnown ? 'known' : 'empty', input.path] as const
    this.done.push({ inputIndex: this.inputIndex, path, status, byteLength: 0, pendingByteLength, content })
    return undefined
  }

  /** For the beginning of an input before it: the store is to know it by itself, as it may come alone. */
  private leaveBeginning(
    input: LogInput,
    heads: HeadDigests,
    content: KnownContent,
    pendingByteLength: number,
  ): undefined {
    const known = { heads, content: () => content }
    this.beginnings.push(known)
    this.undigested.push(known)
    return this.leave(input, heads, content, pendingByteLength)
  }

  /** Inputs before this one that are longer and begin alike, as far as first lines tell. */
  private longer(heads: HeadDigests, byteLength: number): readonly TakenInput[] {
    return this.options.force ? [] : this.taken.candidates(heads, byteLength)
  }

  private async isBeginning(
    { sha256, byteLength }: KnownContent,
    longer: readonly TakenInput[],
  ): Promise<boolean> {
    if (longer.length > 0) await this.digesting
    for (const { input, byteLength: lengthOf } of longer) {
      if (lengthOf() < byteLength) continue
      const digest = new ContentDigest([])
      if (input.kind === 'plain') await this.digestFile(input.path, digest, byteLength)
      else await this.digestBeginning(input, digest, byteLength)
      if (digest.byteLength === byteLength && digest.finish().sha256 === sha256) return true
    }
    return false
  }

  private async digestBeginning(
    input: StreamedInput,
    digest: ContentDigest,
    byteLength: number,
  ): Promise<void> {
    const { text } = await input.open()
    for await (const bytes of text) {
      digest.update(bytes.subarray(0, byteLength - digest.byteLength))
      throwIfAborted(this.options.signal)
      if (digest.byteLength === byteLength) return
    }
  }

  /** Content that an input may begin with: in the store, or of an input before it. */
  private async candidates(heads: HeadDigests, byteLength: number): Promise<KnownContent[]> {
    if (this.options.force) return []
    if (this.undigested.length > 0) {
      await this.digesting
      for (const { content, heads: itsHeads } of this.undigested) this.known.add(content(), itsHeads)
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

  /** Digests all, or until candidates are decided and one byte more tells that there is something behind them. */
  private async digestText(
    text: AsyncIterable<Uint8Array>,
    digest: ContentDigest,
    isWholeWanted: boolean,
  ): Promise<ContentDigest> {
    for await (const bytes of text) {
      digest.update(bytes)
      throwIfAborted(this.options.signal)
      const isDecided = digest.longestCandidate === undefined && digest.known.byteLength < digest.byteLength
      if (isDecided && !isWholeWanted) break
    }
    return digest
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

/** The longest beginning of a text that is known. */
function knownBeginning(text: Uint8Array, candidates: readonly KnownContent[]): KnownBeginning {
  if (candidates.length === 0) return NOTHING_KNOWN
  const digest = new ContentDigest(candidates)
  digest.update(text)
  return digest.known
}

function statusOf({ knownByteLength }: Claim, whole: KnownContent): ClaimedInput['status'] {
  if (whole.byteLength === 0) return 'empty'
  if (knownByteLength === 0) return 'new'
  return whole.byteLength === knownByteLength ? 'known' : 'grown'
}
