/** A zstd frame of known matches, built as its plain twin does (zstd-frame.ts): same blocks, same bytes. */

import { literals, MAX_BLOCK_BYTE_LENGTH, MIN_MATCH_LENGTH, SEQUENCE_BYTE_LENGTH, sequences } from './memory'
import { putSequences } from './sequences'

/** Room that a frame's header may need before its first block. */
export const MAX_FRAME_HEADER: usize = 10
const BLOCK_HEADER: usize = 3
const BLOCK_TYPE_COMPRESSED: u32 = 2

/** Where the block's next literal goes. */
export let literalEnd: usize = 0
/** Where the next block goes. */
let blocksEnd: usize = 0
let blocksStart: usize = 0
let pendingLiterals: i32 = 0
let sequenceCount: u32 = 0
let lastOffset: i32 = 0
let repeatOffset: i32 = 1
let blockByteLength: i32 = 0
let earlierByteLength: i32 = 0
let largestBlock: i32 = 0

function beginBlock(): void {
  literalEnd = literals
  pendingLiterals = 0
  sequenceCount = 0
  blockByteLength = 0
}

/** Begins a frame whose blocks stand from `blocks` on. */
export function beginFrame(blocks: usize): void {
  blocksStart = blocks
  blocksEnd = blocks
  repeatOffset = 1
  earlierByteLength = 0
  largestBlock = 0
  beginBlock()
}

/** Says that literals were written up to `end`. */
export function addLiteralsTo(end: usize): void {
  const byteLength = <i32>(end - literalEnd)
  literalEnd = end
  pendingLiterals += byteLength
  blockByteLength += byteLength
}

/** Begins a new block unless `byteLength` more bytes fit this one. */
export function keepTogether(byteLength: i32): void {
  if (blockByteLength + byteLength > MAX_BLOCK_BYTE_LENGTH) endBlock(false)
}

function addSequence(offset: i32, length: i32): void {
  const sequence = sequences + <usize>sequenceCount * SEQUENCE_BYTE_LENGTH
  sequenceCount++
  store<i32>(sequence, pendingLiterals)
  store<i32>(sequence, length, 4)
  if (offset == repeatOffset && pendingLiterals > 0) {
    store<i32>(sequence, 1, 8)
  } else {
    store<i32>(sequence, offset + 3, 8)
    repeatOffset = offset
  }
  lastOffset = offset
  pendingLiterals = 0
  blockByteLength += length
}

/** Repeats the last `offset` bytes until `byteLength` (three or more) more bytes stand there. */
export function repeat(offset: i32, byteLength: i32): void {
  let rest = byteLength
  while (rest > 0) {
    let length = min(rest, MAX_BLOCK_BYTE_LENGTH - blockByteLength)
    // Never leave the next block a tail that is too short to be a match.
    if (rest > length && rest - length < MIN_MATCH_LENGTH) length -= MIN_MATCH_LENGTH
    if (length > 0 && pendingLiterals == 0 && sequenceCount > 0 && offset == lastOffset) {
      const last = sequences + <usize>(sequenceCount - 1) * SEQUENCE_BYTE_LENGTH
      store<i32>(last, load<i32>(last, 4) + length, 4)
      blockByteLength += length
      rest -= length
    } else if (length >= MIN_MATCH_LENGTH) {
      addSequence(offset, length)
      rest -= length
    } else {
      endBlock(false)
    }
  }
}

function putLiteralsHeader(at: usize, byteLength: u32): usize {
  if (byteLength < 32) {
    store<u8>(at, <u8>(byteLength << 3))
    return at + 1
  }
  if (byteLength < 4096) {
    store<u16>(at, <u16>(((byteLength & 15) << 4) | 4 | ((byteLength >> 4) << 8)))
    return at + 2
  }
  store<u32>(at, ((byteLength & 15) << 4) | 12 | ((byteLength >> 4) << 8))
  return at + 3
}

function putSequenceCount(at: usize, count: u32): usize {
  if (count < 128) {
    store<u8>(at, <u8>count)
    return at + 1
  }
  if (count < 0x7f00) {
    store<u8>(at, <u8>((count >> 8) + 128))
    store<u8>(at, <u8>count, 1)
    return at + 2
  }
  store<u8>(at, 255)
  store<u16>(at, <u16>(count - 0x7f00), 1)
  return at + 3
}

function endBlock(isLast: bool): void {
  const header = blocksEnd
  let at = header + BLOCK_HEADER
  const literalLength = literalEnd - literals
  if (sequenceCount > 0) at = putLiteralsHeader(at, <u32>literalLength)
  memory.copy(at, literals, literalLength)
  at += literalLength
  let blockType: u32 = 0
  if (sequenceCount > 0) {
    blockType = BLOCK_TYPE_COMPRESSED
    at = putSequenceCount(at, sequenceCount)
    store<u8>(at++, 0) // all three tables in predefined mode
    at = putSequences(at, sequences, sequenceCount)
  }
  const storedByteLength = <i32>(at - header - BLOCK_HEADER)
  largestBlock = max(largestBlock, storedByteLength)
  putBlockHeader(header, <u32>storedByteLength, blockType, isLast)
  blocksEnd = at
  earlierByteLength += blockByteLength
  beginBlock()
}

/** Length, type and whether it is the last: three bytes. */
export function putBlockHeader(at: usize, byteLength: u32, blockType: u32, isLast: bool): void {
  const header = (byteLength << 3) | (blockType << 1) | (isLast ? 1 : 0)
  store<u16>(at, <u16>header)
  store<u8>(at, <u8>(header >> 16), 2)
}

/** Where the frame begins, once it is ended: its header stands right before its blocks. */
export let frameStart: usize = 0
/** The place after it. */
export let frameEnd: usize = 0
/** What it inflates to. */
export let frameContentByteLength: i32 = 0

/** Ends the last block and puts the header before the first. */
export function endFrame(): void {
  frameContentByteLength = earlierByteLength + blockByteLength
  endBlock(true)
  frameEnd = blocksEnd
  frameStart = blocksStart - frameHeaderByteLength(frameContentByteLength, largestBlock)
  putFrameHeader(frameStart, frameContentByteLength, largestBlock)
}

function frameHeaderByteLength(contentByteLength: i32, largest: i32): usize {
  if (largest > contentByteLength) return 10
  return contentByteLength < 256 ? 6 : contentByteLength < 65536 + 256 ? 7 : 9
}

/** Magic, descriptor, content size; a window where a block is longer than the content. Gives the place after. */
export function putFrameHeader(at: usize, contentByteLength: i32, largest: i32): usize {
  store<u32>(at, 0xfd2fb528)
  if (largest > contentByteLength) {
    store<u16>(at, 0x3880, 4)
    store<u32>(at, <u32>contentByteLength, 6)
    return at + 10
  }
  if (contentByteLength < 256) {
    store<u8>(at, 0x20, 4)
    store<u8>(at, <u8>contentByteLength, 5)
    return at + 6
  }
  if (contentByteLength < 65536 + 256) {
    store<u8>(at, 0x60, 4)
    store<u16>(at, <u16>(contentByteLength - 256), 5)
    return at + 7
  }
  store<u8>(at, 0xa0, 4)
  store<u32>(at, <u32>contentByteLength, 5)
  return at + 9
}
