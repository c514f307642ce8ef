/** A layout as the compiled scanner reads it: ten words, four words a field, texts. */

import {
  ASSET_KINDS,
  COMPLETION_KINDS,
  RECORD_SLOTS,
  type RecordField,
  type RecordLayout,
} from './record-layout.ts'

/**
 * Bytes that a response's headers may take, where only a count with headers is logged. Public samples have 314
 * to 614; what is not sent for certain must not count, so this is much more.
 */
const HEADER_OVERHEAD_BYTE_LENGTH = 2048
/** The same with what TLS sends before: a chain of certificates alone has a few thousand. */
const HANDSHAKE_OVERHEAD_BYTE_LENGTH = 32_768

const STRUCTURES = ['separated', 'template', 'json'] as const
const HEAD_BYTE_LENGTH = 40
const FIELD_BYTE_LENGTH = 16
const NONE = 0xffffffff
const STARTS_LAST = 0xfffffffe

/** The bits in assembly/record-layout.ts, in order. */
function flagsOf(layout: RecordLayout): number {
  const flags = [
    layout.comments,
    layout.dashIsNull,
    layout.escapes === 'c',
    layout.escapes === 'json',
    layout.percent,
    layout.trailingField,
    layout.quoted,
    layout.trustRequested,
    layout.client === 'x-forwarded-for',
    layout.addSlash,
    layout.dashIsZero,
    layout.counts.body === 'offered',
    layout.counts.body === 'sent-in-chunks',
    layout.counts.sent !== 'headers',
    layout.counts.body === 'sent-in-frames',
    layout.counts.sent === 'wire',
  ]
  return flags.reduce((sum, flag, bit) => (flag ? sum + 2 ** bit : sum), 0)
}

function fieldWords(
  { slot, parent, startsLast = false }: RecordField,
  textOffset: number,
  byteLength: number,
): number[] {
  const place = startsLast ? STARTS_LAST : (parent ?? NONE)
  return [slot === undefined ? NONE : RECORD_SLOTS.indexOf(slot), textOffset, byteLength, place]
}

/** The program of a layout; the texts stand behind the fields, the prefix first. */
export function encodeProgram(layout: RecordLayout): Uint8Array {
  const texts = [layout.prefix, ...layout.fields.map(({ text }) => text)].map((text) => Buffer.from(text))
  let textOffset = HEAD_BYTE_LENGTH + FIELD_BYTE_LENGTH * layout.fields.length
  const [prefix = Buffer.alloc(0), ...rest] = texts
  const words = [
    STRUCTURES.indexOf(layout.structure),
    flagsOf(layout),
    layout.separator.charCodeAt(0),
    ASSET_KINDS.indexOf(layout.asset),
    COMPLETION_KINDS.indexOf(layout.completion),
    layout.counts.sent === 'wire' ? HANDSHAKE_OVERHEAD_BYTE_LENGTH : HEADER_OVERHEAD_BYTE_LENGTH,
    layout.fields.length,
    textOffset,
    prefix.length,
    0,
  ]
  textOffset += prefix.length
  for (const [i, field] of layout.fields.entries()) {
    const byteLength = rest[i]?.length ?? 0
    words.push(...fieldWords(field, textOffset, byteLength))
    textOffset += byteLength
  }
  const head = Buffer.alloc(words.length * 4)
  for (const [i, word] of words.entries()) head.writeUInt32LE(word, i * 4)
  return new Uint8Array(Buffer.concat([head, ...texts]))
}
