/** Files that are read in one go: they come by the thousand, and a stream each would cost most. */

import { Failure } from '../base/failure.ts'
import { MemoryPool } from '../base/memory-pool.ts'
import { compressionOf, gunzipAside, gunzipWhole } from './compression.ts'
import { decideLines, HEAD_BYTE_LENGTH, readStart } from './input-start.ts'
import type { InputOptions, StreamedInput } from './log-input.ts'
import { DEFAULT_MAX_INFLATE_BYTE_LENGTH, damagedGzip, openText } from './streamed-input.ts'

/** Files up to this size are read in one go. */
export const SMALL_BYTE_LENGTH: number = 256 * 1024
const memory = new MemoryPool(SMALL_BYTE_LENGTH)
/** So many bytes may come out of one at once; others are inflated as streams. */
const MAX_INFLATED_BYTE_LENGTH = 16 * 1024 * 1024
/** Smaller archives take less time to inflate than to hand to another thread. */
const ASIDE_FROM_BYTE_LENGTH = 16 * 1024

/** What was read. */
interface LoadedFile {
  readonly stored: Uint8Array<ArrayBuffer>
  /** The text; undefined where it does not come at once. */
  readonly text: Uint8Array | undefined
}

/** A file that is read in one go. What it grows by from now on waits for the next run, as with any other. */
export function smallInput(path: string, byteLength: number, options: InputOptions): StreamedInput {
  let taken = 0
  let begun: Promise<LoadedFile> | undefined
  const read = (): Uint8Array<ArrayBuffer> => {
    const stored = memory.take(byteLength)
    readStart(path, stored)
    taken = byteLength
    return stored
  }
  return {
    kind: 'streamed',
    path,
    byteLength,
    bytesTaken: () => taken,
    begin() {
      if (begun !== undefined || byteLength < ASIDE_FROM_BYTE_LENGTH) return
      begun = inflateAside(path, read, options)
      // Whoever opens it hears of its failure; until then it must not end the process.
      begun.catch(() => undefined)
    },
    abandon() {
      begun = undefined
    },
    async open() {
      const loading = begun
      begun = undefined
      const { stored, text: whole } =
        loading === undefined ? inflateAtOnce(path, read(), options) : await loading
      if (whole !== undefined) {
        const lines = decideLines(path, whole.subarray(0, HEAD_BYTE_LENGTH), options)
        const release = (): void => memory.give(stored)
        return { text: once(whole), whole, release, mayGrow: whole === stored, ...lines }
      }
      const { head, text } = await openText(path, once(stored), options)
      return { text, whole, mayGrow: false, ...decideLines(path, head, options) }
    },
  }
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

function inflateAtOnce(path: string, stored: Uint8Array<ArrayBuffer>, options: InputOptions): LoadedFile {
  const compression = compressionOf(stored)
  if (compression !== 'gzip') return { stored, text: compression === undefined ? stored : undefined }
  try {
    return { stored, text: gunzipWhole(path, stored, limitOf(options)) }
  } catch (cause) {
    return { stored, text: unlessTooLarge(path, cause) }
  }
}

/** Inflates in another thread. */
async function inflateAside(
  path: string,
  read: () => Uint8Array<ArrayBuffer>,
  options: InputOptions,
): Promise<LoadedFile> {
  const stored = read()
  if (compressionOf(stored) !== 'gzip') return inflateAtOnce(path, stored, options)
  try {
    return { stored, text: await gunzipAside(path, stored, limitOf(options)) }
  } catch (cause) {
    return { stored, text: unlessTooLarge(path, cause) }
  }
}

function limitOf({ maxInflateByteLength = DEFAULT_MAX_INFLATE_BYTE_LENGTH }: InputOptions): number {
  return Math.min(MAX_INFLATED_BYTE_LENGTH, maxInflateByteLength)
}

/** Undefined when there is too much for once; any other failure is thrown on. */
function unlessTooLarge(path: string, cause: unknown): undefined {
  if (cause instanceof RangeError) return undefined
  if (cause instanceof Failure) throw cause
  throw damagedGzip(path, cause)
}
