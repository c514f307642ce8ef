/**
 * Inflates Zstandard archives from front to back: frames one after the other, skippable ones passed over, every size
 * and checksum that they state checked. No package does that: the one for Node 20 (fzstd) checks neither, and loops
 * for ever on some damaged Huffman tables. Source: RFC 8878, section 3.1.
 */

import type { ByteReader } from '../base/byte-reader.ts'
import { Failure } from '../base/failure.ts'
import { StoredBytes } from './stored-bytes.ts'
import { StreamedXxhash64 } from './streamed-xxhash64.ts'
import { ZstdBlockDecoder } from './zstd-block.ts'
import { MAX_BLOCK_BYTE_LENGTH, ZstdWindow } from './zstd-window.ts'

/** So far back may a match reach; `zstd` itself takes no more by default. */
const MAX_WINDOW_BYTE_LENGTH = 128 * 1024 * 1024
/** What an archive may inflate to, unless the caller says otherwise: more is no log but an attack. */
const DEFAULT_MAX_INFLATED_BYTE_LENGTH = 2 ** 40
const FRAME_MAGIC = 0xfd2f_b528
const SKIPPABLE_MAGIC = 0x184d_2a50
const DICTIONARY_ID_LENGTHS: readonly number[] = [0, 1, 2, 4]

/** What is asked of an archive. */
export interface ZstdOptions {
  readonly maxInflatedByteLength?: number
}

/** What the header of a frame says (3.1.1.1). */
interface FrameHeader {
  readonly windowByteLength: number
  readonly contentByteLength: number | undefined
  readonly hasChecksum: boolean
}

/** Whether the first bytes are those of a Zstandard archive. */
export function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false
  const magic = new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true)
  return magic === FRAME_MAGIC || isSkippable(magic)
}

function isSkippable(magic: number): boolean {
  return magic - (magic % 16) === SKIPPABLE_MAGIC
}

/**
 * The content of the archive. Fails as DAMAGED when it is cut off, is followed by other bytes, or is not what it says
 * of itself; memory is bounded by the window. A frame without a checksum is taken as it is.
 */
export async function* inflateZstd(
  path: string,
  stored: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxInflatedByteLength = DEFAULT_MAX_INFLATED_BYTE_LENGTH }: ZstdOptions = {},
): AsyncGenerator<Uint8Array> {
  const source = new StoredBytes(`${path} (zstd)`, stored)
  let byteLength = 0
  try {
    while (!(await source.hasEnded())) {
      const magic = (await source.reader(4)).u32()
      if (isSkippable(magic)) {
        await source.pass((await source.reader(4)).u32())
        continue
      }
      if (magic !== FRAME_MAGIC) source.fail('a zstd frame or the end', 'other bytes')
      for await (const bytes of inflateFrame(source)) {
        byteLength += bytes.length
        if (byteLength > maxInflatedByteLength) throw tooLong(path, maxInflatedByteLength)
        yield bytes
      }
    }
  } finally {
    await source.close()
  }
}

function tooLong(path: string, most: number): Failure {
  return new Failure(
    'DAMAGED',
    `${path}: expected at most ${most} inflated bytes, found more; a log of that size must be split`,
  )
}

async function* inflateFrame(source: StoredBytes): AsyncGenerator<Uint8Array> {
  const { windowByteLength, contentByteLength, hasChecksum } = await readFrameHeader(source)
  const window = new ZstdWindow(windowByteLength)
  const decoder = new ZstdBlockDecoder(window)
  const hash = hasChecksum ? new StreamedXxhash64() : undefined
  let byteLength = 0
  for (let isLast = false; !isLast; ) {
    const reader = await source.reader(3)
    const header = reader.u8() | (reader.u8() << 8) | (reader.u8() << 16)
    isLast = (header & 1) === 1
    window.beginBlock()
    await readBlock(source, (header >>> 1) & 3, header >>> 3, { window, decoder })
    const bytes = window.endBlock()
    hash?.update(bytes)
    byteLength += bytes.length
    if (contentByteLength !== undefined && byteLength > contentByteLength)
      source.fail(`a frame of ${contentByteLength} bytes, as it says`, 'more')
    if (bytes.length > 0) yield bytes
  }
  if (contentByteLength !== undefined && byteLength !== contentByteLength)
    source.fail(`a frame of ${contentByteLength} bytes, as it says`, String(byteLength))
  if (hash === undefined) return
  const expected = (await source.reader(4)).u32()
  if (Number(BigInt.asUintN(32, hash.digest())) !== expected)
    source.fail('content of the checksum that the frame states', 'content of another')
}

async function readBlock(
  source: StoredBytes,
  type: number,
  byteLength: number,
  { window, decoder }: { readonly window: ZstdWindow; readonly decoder: ZstdBlockDecoder },
): Promise<void> {
  if (byteLength > MAX_BLOCK_BYTE_LENGTH) source.fail('a block of at most 128 KiB', `${byteLength} bytes`)
  if (type === 3) source.fail('a block of a known type', 'the reserved one')
  const reader = await source.reader(type === 1 ? 1 : byteLength)
  if (type === 0) window.append(reader, reader.bytes, reader.at, byteLength)
  else if (type === 1) window.fill(reader, reader.u8(), byteLength)
  else decoder.decode(reader)
}

async function readFrameHeader(source: StoredBytes): Promise<FrameHeader> {
  const descriptor = (await source.reader(1)).u8()
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >>> 6
  if ((descriptor & 8) !== 0) source.fail('a frame of known features', `descriptor ${descriptor}`)
  const sizeLength = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag
  const dictionaryLength = DICTIONARY_ID_LENGTHS[descriptor & 3] ?? 0
  const reader = await source.reader(Number(!isSingleSegment) + dictionaryLength + sizeLength)
  const windowDescriptor = isSingleSegment ? 0 : reader.u8()
  if (readLittleEndian(reader, dictionaryLength) !== 0)
    source.fail('a frame without a dictionary', 'one; decompress it with zstd -dc -D DICTIONARY and give -')
  const stated = readLittleEndian(reader, sizeLength) + (sizeFlag === 1 ? 256 : 0)
  const contentByteLength = sizeLength === 0 ? undefined : stated
  const base = 2 ** (10 + (windowDescriptor >>> 3))
  const windowByteLength = isSingleSegment ? stated : base + (base / 8) * (windowDescriptor & 7)
  if (windowByteLength > MAX_WINDOW_BYTE_LENGTH) {
    const found = `${Math.ceil(windowByteLength / 2 ** 20)} MiB`
    source.fail('a window of at most 128 MiB', `${found}; decompress it with zstd -dc --long=31 and give -`)
  }
  return { windowByteLength, contentByteLength, hasChecksum: (descriptor & 4) !== 0 }
}

function readLittleEndian(reader: ByteReader, byteLength: number): number {
  let value = 0
  for (let i = 0; i < byteLength; i++) value += reader.u8() * 256 ** i
  return value
}
