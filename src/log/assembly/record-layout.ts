/**
 * How the lines of a format other than `delivery` are made: a program of numbers and texts that the host
 * writes (record-program.ts says how it is laid out) and the readers of structure follow.
 */

import { allocateBlock, releaseBlock } from './memory'

/** Lines are fields with a separator between them. */
export const SEPARATED: u32 = 0
/** Lines are literal texts with fields between them. */
export const TEMPLATE: u32 = 1
/** Lines are JSON objects. */
export const JSON_LINES: u32 = 2

/** `#` begins a comment. */
export const COMMENTS: u32 = 1
/** A field that is `-` was not there. */
export const NULL_DASH: u32 = 2
/** Fields hold C escapes: `\xHH`, `\"`, `\n`. */
export const C_ESCAPES: u32 = 4
/** Fields of a template hold JSON escapes. */
export const JSON_ESCAPES: u32 = 8
/** User agent and forwarded addresses are percent-encoded. */
export const PERCENT: u32 = 16
/** One more, empty field may end a line. */
export const TRAILING_FIELD: u32 = 32
/** A field in quotes may hold separators, and `""` for a quote. */
export const QUOTED: u32 = 64
/** What was requested counts as sent. */
export const TRUST: u32 = 128
/** The client is the first address of X-Forwarded-For, where there is one. */
export const FORWARDED: u32 = 256
/** Paths are logged with and without their first slash. */
export const ADD_SLASH: u32 = 512
/** A body byte count of `-` is zero. */
export const DASH_ZERO: u32 = 1024
/** The count of the body is the size of the response, sent or not. */
export const BODY_OFFERED: u32 = 2048
/** The count of the body has the framing of chunks, where the content length is empty. */
export const BODY_IN_CHUNKS: u32 = 4096
/** The count with headers has the framing of HTTP/2, or of TLS. */
export const SENT_IN_FRAMES: u32 = 8192
/** The count of the body has the framing of HTTP/2, where that may be the protocol; without a count nothing is proven. */
export const BODY_IN_FRAMES: u32 = 16384
/** The count with headers has what TLS adds, too, and the framing of chunks, where the content length is empty. */
export const SENT_ON_WIRE: u32 = 32768

/** Slots: what a field means; the order of `RECORD_SLOTS` in record-layout.ts of the host. */
export const DATE: u32 = 0
export const TIME: u32 = 1
export const INSTANT: u32 = 2
export const IP: u32 = 3
export const FORWARDED_FOR: u32 = 4
export const USER_AGENT: u32 = 5
export const REQUEST_LINE: u32 = 6
export const TARGET: u32 = 7
export const PATH: u32 = 8
export const QUERY: u32 = 9
export const HOST: u32 = 10
export const SCHEME: u32 = 11
export const METHOD: u32 = 12
export const STATUS: u32 = 13
export const RANGE: u32 = 14
export const CONTENT_RANGE: u32 = 15
export const RANGE_FIRST: u32 = 16
export const RANGE_LAST: u32 = 17
export const BODY_BYTES: u32 = 18
export const OVERHEAD_BYTES: u32 = 19
export const SENT_BYTES: u32 = 20
export const CONTENT_LENGTH: u32 = 21
export const LENGTH: u32 = 22
export const COMPLETION: u32 = 23
export const RESULT: u32 = 24
export const DETAIL: u32 = 25
export const REQUEST_ID: u32 = 26
export const INNER: u32 = 27
export const SOURCE: u32 = 28
export const PROTOCOL: u32 = 29
export const RESPONSE_RESULT: u32 = 30
export const SLOT_COUNT: u32 = 31
/** A field that means nothing to us. */
export const NO_SLOT: u32 = 0xffffffff
/** In the place of a parent: a field of a template that begins after the last literal of the field before it. */
export const STARTS_LAST: u32 = 0xfffffffe

/** Words before the fields. */
const HEAD_WORDS: u32 = 10
/** Bytes of a field: slot, text address, text length, parent. */
const FIELD_BYTES: usize = 16

let program: usize = 0
let programByteLength: usize = 0

/** Whether the piece at hand has such a program. */
export let isRecord: bool = false
/** See the constants above. */
export let structure: u32 = 0
export let flags: u32 = 0
export let separator: u8 = 0
/** 0 path, 1 url, 2 host and path, 3 path and query. */
export let assetKind: u32 = 0
/** How `COMPLETION` is read: 1 OK or nothing, 2 X means aborted, 3 CloudFront's results, 4 a truth value. */
export let completionKind: u32 = 0
/** Bytes of headers at most, where only a count with headers is known. */
export let headerOverhead: i64 = 0
export let fieldCount: u32 = 0
/** The literal before the first field. */
export let prefix: usize = 0
export let prefixByteLength: usize = 0

/** Makes room for a program; its address, or 0 when memory is exhausted. */
export function reserveProgram(byteLength: usize): usize {
  if (program != 0) releaseBlock(program, programByteLength)
  program = allocateBlock(byteLength)
  programByteLength = byteLength
  return program
}

/** Takes the program that was written, or none. */
export function useProgram(hasProgram: bool): void {
  isRecord = hasProgram
  if (!hasProgram) return
  structure = load<u32>(program)
  flags = load<u32>(program, 4)
  separator = <u8>load<u32>(program, 8)
  assetKind = load<u32>(program, 12)
  completionKind = load<u32>(program, 16)
  headerOverhead = <i64>load<u32>(program, 20)
  fieldCount = load<u32>(program, 24)
  prefix = program + <usize>load<u32>(program, 28)
  prefixByteLength = <usize>load<u32>(program, 32)
}

/** Address of a field's four words. */
export function fieldAt(index: u32): usize {
  return program + ((<usize>HEAD_WORDS) << 2) + <usize>index * FIELD_BYTES
}

/** What field `field` (an address) means. */
export function slotOf(field: usize): u32 {
  return load<u32>(field)
}

/** Address of its text: the literal after it, or its key. */
export function textOf(field: usize): usize {
  return program + <usize>load<u32>(field, 4)
}

/** Length of that text. */
export function textByteLengthOf(field: usize): usize {
  return <usize>load<u32>(field, 8)
}

/** Index of the JSON member that it stands in, or `NO_SLOT`; of a template's field `STARTS_LAST` or `NO_SLOT`. */
export function parentOf(field: usize): u32 {
  return load<u32>(field, 12)
}

/** Whether a flag is set. */
export function has(flag: u32): bool {
  return (flags & flag) != 0
}

/** Whether lines that begin with `#` are comments in this piece. */
export function hasComments(): bool {
  return !isRecord || has(COMMENTS)
}
