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
}

type Members = Readonly<Record<string, string>>
type Proof = Pick<AskedLine, 'run' | 'told' | 'asked'>

/** Some bytes of a transfer were sent: from `first` on `sent` of `wanted`. */
function proofOf(first: number, sent: number, told: number | undefined, asked: number): Proof {
  return {
    ...(sent > 0 ? { run: [first, first + sent - 1] as const } : {}),
    ...(told !== undefined ? { told } : asked > first + sent ? { asked } : {}),
  }
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
      return [members, proofOf(0, sent, told, sent === length ? length : sent + 1)]
    }
    case 1: {
      // The server ends where the asset does, but nothing in the line says so.
      const last = first + random(2 * length)
      const wanted = Math.min(last, length - 1) - first + 1
      const sent = sentOf(wanted)
      return [
        { s: '206', r: `bytes=${first}-${last}`, ...ends(sent, wanted) },
        proofOf(first, sent, undefined, last + 1),
      ]
    }
    case 2: {
      const sent = sentOf(length - first)
      const asked = first + Math.max(1, sent)
      return [{ s: '206', r: `bytes=${first}-`, ...ends(sent, length - first) }, { asked }]
    }
    case 3:
      return isTold
        ? [{ s: '416', r: 'bytes=9999-', cr: `bytes */${length}`, b: '0' }, { told: length }]
        : [{ s: '404', b: '9' }, {}]
    case 4:
      return isTold
        ? [{ s: '200', m: 'HEAD', cl: String(length), b: '0' }, { told: length }]
        : [{ s: '206', b: '9' }, {}]
    default: {
      const last = first + random(length - first)
      const sent = sentOf(last - first + 1)
      const range = `bytes ${first}-${last}/${told ?? '*'}`
      return [
        { s: '206', r: `bytes=${first}-`, cr: range, ...ends(sent, last - first + 1) },
        proofOf(first, sent, told, last + 1),
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
  if (told === 0 && sent === 0) return null
  if (told > 0 && told >= sent) return { bytes: told, from: 'logged' }
  return asked > sent
    ? { bytes: asked, from: 'observed', sentBytes: sent }
    : { bytes: sent, from: 'observed' }
}
