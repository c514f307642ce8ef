/**
 * The spellings of a user agent in files whose logs had it percent-encoded. It is stored decoded once; some logs
 * encode it twice (`%2520` for a space), so what is stored may still be encoded, in one of two ways. A question
 * may also hold the text as it stands in the log. In other files only the text itself counts.
 */

import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { DeliveryKey } from './evidence.ts'
import { type ScanKey, scanKeyOf } from './scan-key.ts'
import { DECODED_USER_AGENTS, USER_AGENTS_KEY } from './schema.ts'

/** What CloudFront encodes beside bytes up to 32 and from 127 on. */
const ENCODED = '<>"\'#%{}|\\^~[]`'

function encodeAll(text: string): string {
  let encoded = ''
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte)
    const isPlain = byte > 32 && byte < 127 && !ENCODED.includes(character)
    encoded += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

/** Undefined when the text holds no escape, or the bytes that come out are no text. */
function decodeOnce(text: string): string | undefined {
  const bytes = Buffer.from(text)
  const decoded: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const isEscape = bytes[at] === 0x25 && /^[0-9a-f]{2}$/i.test(bytes.toString('latin1', at + 1, at + 3))
    decoded.push(isEscape ? Number.parseInt(bytes.toString('latin1', at + 1, at + 3), 16) : (bytes[at] ?? 0))
    if (isEscape) at += 2
  }
  const result = Buffer.from(decoded)
  const isText = result.toString('utf8').length > 0 && Buffer.from(result.toString('utf8')).equals(result)
  return isText && !result.equals(bytes) ? result.toString('utf8') : undefined
}

/** The user agent itself, then its other spellings. */
export function userAgentSpellings(userAgent: string): readonly string[] {
  const spellings = [userAgent, userAgent.replaceAll(' ', '%20'), encodeAll(userAgent), decodeOnce(userAgent)]
  return [...new Set(spellings.filter((spelling) => spelling !== undefined))]
}

/** Whether a file's user agents were decoded. */
export function decodesUserAgents(file: ParquetFile): boolean {
  return file.footer.keyValues.get(USER_AGENTS_KEY) === DECODED_USER_AGENTS
}

/** The keys to look for, made when a file first needs them. */
export class SpelledKeys {
  /** The key exactly as asked; undefined when no log can hold it. */
  readonly exact: ScanKey | undefined
  private readonly key: DeliveryKey
  private all: readonly ScanKey[] | undefined

  constructor(key: DeliveryKey) {
    this.key = key
    this.exact = scanKeyOf(key)
  }

  /** Those that count in a file. */
  of(file: ParquetFile): readonly ScanKey[] {
    const { exact, key } = this
    if (exact === undefined) return []
    if (!decodesUserAgents(file)) return [exact]
    this.all ??= userAgentSpellings(key.userAgent).flatMap(
      (userAgent) => scanKeyOf({ ...key, userAgent }) ?? [],
    )
    return this.all
  }
}
