/** From the options about formats to what the engine is told. */

import { Failure } from '../base/failure.ts'
import type { FormatRequest } from '../engine/input-format.ts'
import { FORMAT_NAMES } from './format-names.ts'
import type { ProcessArguments } from './invocation.ts'

const ASSETS = ['path', 'url', 'host+path', 'path+query'] as const
const CLIENTS = ['c-ip', 'x-forwarded-for'] as const
/** Bytes of the units that `--max-inflate` takes. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['K', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
  ['T', 1024 ** 4],
])

/** Formats that can be told by an option, and which. */
const TOLD_BY: ReadonlyMap<string, 'fields' | 'logFormat'> = new Map([
  ['cloudfront-realtime', 'fields'],
  ['w3c', 'fields'],
  ['json', 'fields'],
  ['nginx', 'logFormat'],
  ['apache', 'logFormat'],
])

function choose<T extends string>(
  option: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined
  const chosen = choices.find((choice) => choice === text)
  if (chosen !== undefined) return chosen
  throw new Failure('USAGE', `${option} expects one of ${choices.join(', ')}; found '${text}'`)
}

/** Fails with `USAGE` for a name that is none, or an option that its format has no use for. */
export function readFormatRequest(options: ProcessArguments): FormatRequest {
  const named = choose('--format', options.format, ['auto', ...FORMAT_NAMES])
  const format = named === 'auto' ? undefined : named
  for (const [option, flag] of [
    ['fields', '--fields'],
    ['logFormat', '--log-format'],
  ] as const) {
    if (options[option] === undefined || format === undefined || TOLD_BY.get(format) === option) continue
    const names = [...TOLD_BY].flatMap(([name, by]) => (by === option ? [name] : []))
    throw new Failure('USAGE', `${flag} goes with the formats ${names.join(', ')}; found --format ${format}`)
  }
  return {
    format,
    fields: options.fields,
    logFormat: options.logFormat,
    asset: choose('--asset', options.asset, ASSETS) ?? 'path',
    client: choose('--client', options.client, CLIENTS) ?? 'c-ip',
    trustRequested: options.trustRequested,
  }
}

/** Bytes: a number, with K, M, G or T for powers of 1024. */
export function parseByteCount(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMGT]?)$/.exec(text) ?? []
  const byteLength = digits === '' ? Number.NaN : Number(digits) * (UNITS.get(unit) ?? Number.NaN)
  if (Number.isSafeInteger(byteLength) && byteLength > 0) return byteLength
  throw new Failure('USAGE', `${option} expects a number of bytes like 64G or 1000000; found '${text}'`)
}
