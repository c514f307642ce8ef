/**
 * Random lines of short assets of which logs seldom tell the length, and what each proves: known from how the line was
 * made, by what a server does, not by reading it.
 */

import { seededRandom } from './seeded-random.ts'

/** What `--fields` says of these lines. */
export const ASKED_FIELDS =
  'time=t,ip=ip,ua=ua,path=p,method=m,status=s,range=r,content_range=cr,bytes=b,content_length=cl,completed=ok'

/** A line and what it proves; positions are inclusive. */
export interface AskedLine {
  readonly text: string
  readonly asset: string
  readonly ip: string
  readonly epochSeconds: number
  /** The bytes that were sent, if it is known which. */
  readonly run?: readonly [first: number, last: number]
  /** The complete length that it tells. */
  readonly told?: number
  /** How long the asset may be, of a line that does not tell it and of which not all is proven. */
  readonly asked?: number
  /** How far the response itself says that it goes. */
  readonly answered?: number
}

type Members = Readonly<Record<string, string>>
type Proof = Pick<AskedLine, 'run' | 'told' | 'asked' | 'answered'>

/** Some bytes of a transfer were sent: `sent` from `first` on. */
function proofOf(first: number, sent: number, told: number | undefined, reach: Proof): Proof {
  return {
    ...(sent > 0 ? { run: [first, first + sent - 1] as const } : {}),
    ...(told !== undefined ? { told } : reach),
  }
}

/** A range without an end, or the last `suffix` bytes: nothing says where they are, but how many there are at least. */
function makeOpen(random: (limit: number) => number, length: number): readonly [Members, Proof] {
  const isSuffix = random(3) === 0
  const suffix = 1 + random(2 * length)
  const first = isSuffix ? 0 : random(length)
  const wanted = isSuffix ? Math.min(suffix, length) : length - first
  const sent = random(2) === 0 ? wanted : random(wanted + 1)
  const isWhole = sent === wanted
  const r = isSuffix ? `bytes=-${suffix}` : `bytes=${first}-`
  const members = { s: '206', r, b: String(sent), ok: String(isWhole) }
  if (random(2) === 0) return [{ ...members, cl: String(wanted) }, { answered: first + wanted }]
  const asked = isWhole ? sent : isSuffix ? suffix : sent + 1
  return [members, { asked: first + asked, answered: sent > 0 ? first + sent : 0 }]
}

/** Several ranges, or one of which nothing is logged: as far as that may go. */
function makeParts(random: (limit: number) => number, length: number): readonly [Members, Proof] {
  const size = 1 + random(length)
  const stated: Members = random(2) === 0 ? { cl: String(size), b: '0' } : { b: String(size), ok: 'true' }
  if (random(2) === 0) return [{ s: '206', ...stated }, { asked: size }]
  const [first, count] = [random(length), 1 + random(9)]
  const r = `bytes=${first}-${first + count - 1}, 0-0`
  return [{ s: '206', r, ...stated }, { asked: first + Math.min(count, size) }]
}

/** A transfer's members and proof, of an asset of `length` bytes. */
function makeTransfer(random: (limit: number) => number, length: number): readonly [Members, Proof] {
  const isTold = random(12) === 0
  const told = isTold ? length : undefined
  const first = random(length)
  const sentOf = (wanted: number): number => (random(2) === 0 ? wanted : random(wanted + 1))
  const ends = (sent: number, wanted: number) => ({ b: String(sent), ok: String(sent === wanted) })
  switch (random(7)) {
    case 0: {
      const sent = sentOf(length)
      const members = { s: '200', ...ends(sent, length), ...(isTold ? { cl: String(length) } : {}) }
      return [members, proofOf(0, sent, told, { asked: sent === length ? length : sent + 1 })]
    }
    case 1: {
      // The server ends where the asset does, but nothing in the line says so.
      const last = first + random(2 * length)
      const wanted = Math.min(last, length - 1) - first + 1
      const sent = sentOf(wanted)
      const isStated = random(2) === 0
      const reach = isStated ? { answered: first + wanted } : sent === wanted ? {} : { asked: last + 1 }
      const stated: Members = isStated ? { cl: String(wanted) } : {}
      return [
        { s: '206', r: `bytes=${first}-${last}`, ...ends(sent, wanted), ...stated },
        proofOf(first, sent, undefined, reach),
      ]
    }
    case 2:
      return makeOpen(random, length)
    case 3:
      return isTold
        ? [{ s: '416', r: 'bytes=9999-', cr: `bytes */${length}`, b: '0' }, { told: length }]
        : [{ s: '404', b: '9' }, {}]
    case 4:
      return isTold
        ? [{ s: '200', m: 'HEAD', cl: String(length), b: '0' }, { told: length }]
        : makeParts(random, length)
    default: {
      const last = first + random(length - first)
      const sent = sentOf(last - first + 1)
      const range = `bytes ${first}-${last}/${told ?? '*'}`
      return [
        { s: '206', r: `bytes=${first}-`, cr: range, ...ends(sent, last - first + 1) },
        proofOf(first, sent, told, { answered: last + 1 }),
      ]
    }
  }
}

/** Lines of few assets and listeners, over three days. */
export function makeAskedLines(seed: number, count: number): AskedLine[] {
  const random = seededRandom(seed)
  const lengths = [1, 2, 40, 300, 301].map((length) => length + random(3))
  return Array.from({ length: count }, () => {
    const asset = `/asset/${random(lengths.length)}`
    const ip = `192.0.2.${random(4)}`
    const epochSeconds = 1_715_900_000 + random(3 * 86_400)
    const [members, proof] = makeTransfer(random, lengths[Number(asset.slice(7))] ?? 1)
    const line = { t: String(epochSeconds), ip, ua: 'curl/8', p: asset, m: 'GET', ...members }
    return { text: `${JSON.stringify(line)}\n`, asset, ip, epochSeconds, ...proof }
  })
}

/** How long the asset counts as, and where it is known how far requests asked beyond it, how far bytes were sent. */
export function lengthByLines(
  lines: readonly AskedLine[],
  asset: string,
): { readonly bytes: number; readonly from: string; readonly sentBytes?: number } | null {
  const mine = lines.filter((line) => line.asset === asset)
  const most = (numbers: readonly (number | undefined)[]): number =>
    Math.max(0, ...numbers.map((n) => n ?? 0))
  const told = most(mine.map((line) => line.told))
  const sent = most(mine.map(({ run }) => run && run[1] + 1))
  const asked = most(mine.map((line) => line.asked))
  const answered = most(mine.map((line) => line.answered))
  if (told === 0 && sent === 0 && asked === 0 && answered === 0) return null
  if (told > 0 && told >= sent && told >= answered) return { bytes: told, from: 'logged' }
  const farthest = Math.max(asked, answered)
  return farthest > sent
    ? { bytes: farthest, from: 'observed', sentBytes: sent }
    : { bytes: sent, from: 'observed' }
}
