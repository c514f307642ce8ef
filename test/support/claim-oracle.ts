/** What ranges claim, and lengths that no range tells, the slow and obvious way; a part of the oracle of records. */

type Fields = ReadonlyMap<string, string>

/** A range that is claimed, with the complete length beside it, or why there is none. */
export type Claim = { readonly first: number; readonly last: number; readonly total?: number } | string

/** The longest length. */
export const MAX = 2 ** 53 - 1

/** See the head of this file. */
export function countOf(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) && Number(text) <= MAX ? Number(text) : undefined
}

/** See the head of this file. */
export function pairOf(text: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text)
  if (match === null) return undefined
  const [first, last] = [Number(match[1]), Number(match[2])]
  return first <= last && last < MAX ? { first, last } : undefined
}

/** See the head of this file. */
export function claimContentRange(text: string): Claim {
  const bare = text.replace(/^bytes /i, '')
  if (bare === text && bare.includes(' ')) return 'UNPROVEN'
  const match = /^(.*?)\/(.*)$/s.exec(bare)
  const pair = pairOf(match?.[1] ?? '')
  if (pair === undefined) return 'BAD_RANGE'
  if (match?.[2] === '*') return pair
  const total = countOf(match?.[2] ?? '')
  return total === undefined || total <= pair.last ? 'BAD_RANGE' : { ...pair, total }
}

/** See the head of this file. */
export function claimRange(text: string, length: number | undefined): Claim {
  const bare = text.replace(/^bytes=/i, '')
  if ((bare === text && bare.includes('=')) || bare.includes(',')) return 'UNPROVEN'
  if (bare.startsWith('-')) {
    const count = countOf(bare.slice(1))
    if (count === undefined) return 'BAD_RANGE'
    if (length === undefined || length === 0 || count === 0) return 'UNPROVEN'
    return { first: Math.max(0, length - count), last: length - 1 }
  }
  if (bare.endsWith('-')) {
    const first = countOf(bare.slice(0, -1))
    if (first === undefined) return 'BAD_RANGE'
    return length === undefined || length <= first ? 'UNPROVEN' : { first, last: length - 1 }
  }
  const pair = pairOf(bare)
  if (pair === undefined) return 'BAD_RANGE'
  if (length === undefined) return pair
  return pair.first >= length ? 'UNPROVEN' : { first: pair.first, last: Math.min(pair.last, length - 1) }
}

/** What a line says of the size of its response. */
export interface AnswerSize {
  /** The content length. */
  readonly stated: number | undefined
  /** All that was counted, and one more when it was cut off. */
  readonly most: number
  /** What was sent of it for certain. */
  readonly least: number
  /** Whether all of it was sent, and counted. */
  readonly isWhole: boolean
}

/** How far an asset of unknown length may go, and goes for certain, of which a part was answered. */
export function partLengths(
  fields: Fields,
  { stated, most, least, isWhole }: AnswerSize,
): { readonly asked: number; readonly answered: number } {
  const given = (slot: string): string => fields.get(slot) ?? ''
  if (given('contentRange') !== '') {
    const claim = claimContentRange(given('contentRange'))
    return { asked: 0, answered: typeof claim === 'string' ? 0 : claim.last + 1 }
  }
  if (given('rangeFirst') + given('rangeLast') !== '') {
    const pair = pairOf(`${given('rangeFirst')}-${given('rangeLast')}`)
    return { asked: 0, answered: pair === undefined ? 0 : pair.last + 1 }
  }
  const bare = given('range').replace(/^bytes=/i, '')
  if (given('range') === '') return { asked: stated ?? most, answered: 0 }
  if (bare === given('range') && bare.includes('=')) return { asked: 0, answered: 0 }
  const specs = bare.split(',')
  const reaches = specs.flatMap((spec) => {
    const text = specs.length > 1 ? spec.replace(/^ +| +$/g, '') : spec
    const [, from = '', to = ''] = /^(\d*)-(\d*)$/.exec(text) ?? []
    const [start, end] = [countOf(from), countOf(to)]
    if (start !== undefined && to === '') return [{ start, wanted: MAX, isOpen: true, isPair: false }]
    if (from === '' && end !== undefined && end > 0)
      return [{ start: 0, wanted: end, isOpen: false, isPair: false }]
    const pair = pairOf(text)
    if (pair === undefined) return []
    return [{ start: pair.first, wanted: pair.last - pair.first + 1, isOpen: false, isPair: true }]
  })
  const asked = reaches.map(({ start, wanted, isOpen }) => {
    const size = stated ?? (isWhole || isOpen ? most : wanted)
    return start + Math.min(wanted, Math.max(1, size))
  })
  const [only] = specs.length === 1 ? reaches : []
  if (only !== undefined && (stated ?? 0) > 0) return { asked: 0, answered: asked[0] ?? 0 }
  const isCertain = only !== undefined && stated === undefined && least > 0 && !only.isPair
  return {
    asked: Math.min(MAX, Math.max(0, ...asked)),
    answered: isCertain ? only.start + Math.min(only.wanted, least) : 0,
  }
}

/** The length that a 416 tells, or the answer to a HEAD, which has the headers of a GET; or 0. */
export function lengthOfSkipped(fields: Fields): number {
  const given = (slot: string): string => fields.get(slot) ?? ''
  const isHead = given('method') === 'HEAD'
  if (!isHead && given('method') !== '' && given('method') !== 'GET') return 0
  if (['000', '304', '499'].includes(given('status'))) return countOf(given('length')) ?? 0
  if (given('status') === '416')
    return countOf(/^(?:bytes )?\*\/(\d+)$/i.exec(given('contentRange'))?.[1] ?? '') ?? 0
  if (!isHead || !['200', '206'].includes(given('status'))) return 0
  if (given('status') === '200') return countOf(given('contentLength') || given('length')) ?? 0
  if (given('contentRange') === '') return countOf(given('length')) ?? 0
  const claim = claimContentRange(given('contentRange'))
  return typeof claim === 'string' ? 0 : (claim.total ?? 0)
}
