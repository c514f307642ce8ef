/** Every log format, and the choice among them. A new format is a file of its own and a line here. */

import { AKAMAI } from './akamai.ts'
import { APACHE } from './apache.ts'
import { CLOUDFLARE } from './cloudflare.ts'
import { CLOUDFRONT } from './cloudfront.ts'
import { CLOUDFRONT_REALTIME } from './cloudfront-realtime.ts'
import { DELIVERY } from './delivery.ts'
import { FASTLY } from './fastly.ts'
import { JSON_LINES } from './json.ts'
import type { FormatChoices, LogFormat, LogSample } from './log-format.ts'
import { NGINX } from './nginx.ts'
import { W3C } from './w3c.ts'

/** In the order in which they are listed for people. */
export const LOG_FORMATS: readonly LogFormat[] = [
  DELIVERY,
  CLOUDFRONT,
  CLOUDFRONT_REALTIME,
  W3C,
  NGINX,
  APACHE,
  AKAMAI,
  CLOUDFLARE,
  FASTLY,
  JSON_LINES,
]

/** The format of a log, how it was found, or the formats that it may be. */
export type FormatChoice =
  | { readonly kind: 'chosen'; readonly format: LogFormat; readonly isGuess: boolean }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly LogFormat[] }

/**
 * Of several formats those whose lines no other could have made, if there are any: a log of one server may hold a few
 * that another could have, as when its format was changed. Those are rejected then.
 */
function preferOwn(
  candidates: readonly LogFormat[],
  sample: LogSample,
  choices: FormatChoices,
): readonly LogFormat[] {
  if (candidates.length < 2 || candidates.some(({ isReadAsOwn }) => isReadAsOwn === undefined))
    return candidates
  const own = candidates.filter(({ isReadAsOwn }) => isReadAsOwn?.(sample, choices) === true)
  return own.length > 0 ? own : candidates
}

/** The format that recognises the sample; a log that none does is read as `delivery`, and `isGuess` tells so. */
export function recognizeFormat(sample: LogSample, choices: FormatChoices): FormatChoice {
  const candidates = preferOwn(
    LOG_FORMATS.filter((format) => format.recognizes(sample, choices)),
    sample,
    choices,
  )
  const [first, second] = candidates
  if (first === undefined) return { kind: 'chosen', format: DELIVERY, isGuess: true }
  return second === undefined
    ? { kind: 'chosen', format: first, isGuess: false }
    : { kind: 'ambiguous', candidates }
}
