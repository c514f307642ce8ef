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
  if (bare.includes(' ')) return 'UNPROVEN'
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
  if (bare.includes('=') || bare.includes(',')) return 'UNPROVEN'
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

/** How long an asset of unknown length may be of which a range without an end was answered. */
export function openLength(fields: Fields, body: number | undefined): number {
  const given = (slot: string): string => fields.get(slot) ?? ''
  if (given('contentRange') + given('rangeFirst') + given('rangeLast') !== '') return 0
  const bounds = /^(?:bytes=)?(?:(\d{1,16})-|-0*([1-9]\d*))$/i.exec(given('range'))
  return bounds === null ? 0 : Number(bounds[1] ?? 0) + Math.max(1, body ?? 0)
}

/** The length that a 416 tells, or the answer to a HEAD, which has the headers of a GET; or 0. */
export function lengthOfSkipped(fields: Fields): number {
  const given = (slot: string): string => fields.get(slot) ?? ''
  const isHead = given('method') === 'HEAD'
  if (!isHead && given('method') !== '' && given('method') !== 'GET') return 0
  if (given('status') === '416' && !isHead)
    return countOf(/^(?:bytes )?\*\/(\d+)$/i.exec(given('contentRange'))?.[1] ?? '') ?? 0
  if (!isHead || !['200', '206'].includes(given('status'))) return 0
  if (given('status') === '200') return countOf(given('contentLength') || given('length')) ?? 0
  if (given('contentRange') === '') return countOf(given('length')) ?? 0
  const claim = claimContentRange(given('contentRange'))
  return typeof claim === 'string' ? 0 : (claim.total ?? 0)
}
