/**
 * The life of a store in a few runs: logs of three days that come in pieces, late, twice and half-written.
 * Each run says what it must add.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { OracleRequest } from '../../fixtures/log-oracle.ts'
import { createSeededRandom } from '../../fixtures/seeded-random.ts'
import { logOf } from './delivery-file.ts'

/** One call of `process`. */
export interface StoreRun {
  readonly name: string
  /** Lays the logs of the run and returns their paths. */
  readonly lay: () => readonly string[]
  /** What the store then has more than before. */
  readonly requests: readonly OracleRequest[]
}

/** The days of the logs, in order. */
export const STORE_DATES: readonly string[] = ['2024-05-17', '2024-05-18', '2024-05-19']

const FIRST_DAY = Date.UTC(2024, 4, 17) / 1000
const DAY_SECONDS = 86_400
const SMALL_LOG_COUNT = 40

/** Requests of few listeners for few assets, so that they overlap across runs and days. */
function makeRequests(
  count: number,
  seed: number,
  [since, until]: readonly [number, number],
): OracleRequest[] {
  const random = createSeededRandom(seed)
  const userAgents = ['AntennaPod/3.4.0', 'Hörbuch/2.1 \u{1f3a7}', 'VLC/3.0.20 LibVLC/3.0.20']
  return Array.from({ length: count }, () => {
    const first = random.below(20_000)
    return {
      ip: random.pick(['192.0.2.7', '192.0.2.70', '198.51.100.3', '2001:db8::7']),
      userAgent: random.pick(userAgents),
      asset: `/episodes/${random.below(7)}.mp3`,
      epochSeconds: FIRST_DAY + random.between(since, until - 1),
      first,
      last: first + random.between(0, 700),
    }
  })
}

/** The runs in their order; the last one is meant for after a compaction. Logs are laid in `folder`. */
export function listStoreRuns(folder: string): readonly StoreRun[] {
  const path = (name: string): string => join(folder, name)
  const morning = makeRequests(300, 1, [0, 40_000])
  const evening = makeRequests(200, 2, [40_000, DAY_SECONDS])
  const midnight = makeRequests(300, 3, [DAY_SECONDS - 4000, DAY_SECONDS + 4000])
  const small = makeRequests(SMALL_LOG_COUNT * 10, 4, [DAY_SECONDS, 3 * DAY_SECONDS])
  const late = makeRequests(500, 5, [0, 3 * DAY_SECONDS])
  const newest = makeRequests(200, 6, [DAY_SECONDS, 3 * DAY_SECONDS])
  mkdirSync(folder, { recursive: true })
  return [
    {
      name: 'a log and a gzip file',
      lay() {
        writeFileSync(path('a.log'), `${logOf(morning)}2024-05-17\t12:00`)
        writeFileSync(path('b.log.gz'), gzipSync(logOf(midnight)))
        return [path('a.log'), path('b.log.gz')]
      },
      requests: [...morning, ...midnight],
    },
    {
      name: 'a log that has grown, and many small ones',
      lay() {
        writeFileSync(path('a.log'), logOf(morning))
        appendFileSync(path('a.log'), logOf(evening))
        const names = Array.from({ length: SMALL_LOG_COUNT }, (_, at) => path(`small-${at}.log`))
        for (const [at, name] of names.entries())
          writeFileSync(name, logOf(small.slice(at * 10, at * 10 + 10)))
        return [path('a.log'), ...names]
      },
      requests: [...evening, ...small],
    },
    {
      name: 'a log that is there already, by another name',
      lay() {
        writeFileSync(path('renamed.log'), logOf(midnight))
        return [path('renamed.log')]
      },
      requests: [],
    },
    {
      name: 'a late log of all days',
      lay() {
        writeFileSync(path('late.log'), logOf(late))
        return [path('late.log')]
      },
      requests: late,
    },
    {
      name: 'one more log',
      lay() {
        writeFileSync(path('newest.log'), logOf(newest))
        return [path('newest.log')]
      },
      requests: newest,
    },
  ]
}

/** A question about a store of these runs; positions are inclusive. */
export interface StoreQuestion {
  readonly name: string
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  readonly range: readonly [number, number]
}

/** Questions whose answers are yes, in part and no. */
export function makeStoreQuestions(requests: readonly OracleRequest[]): StoreQuestion[] {
  const random = createSeededRandom(requests.length)
  const around = [0, 0, 40, 500, 4000].map((margin): StoreQuestion => {
    const { asset, ip, userAgent, first, last } = random.pick(requests)
    const range = [Math.max(0, first - margin), last + margin] as const
    return { name: `bytes ${range.join('-')}`, asset, ip, userAgent, range }
  })
  const { asset, ip, userAgent } = random.pick(requests)
  const key = { asset, ip, userAgent }
  return [
    ...around,
    { name: 'the whole asset', ...key, range: [0, 20_699] },
    { name: 'behind the end', ...key, range: [30_000, 30_100] },
    { name: 'another listener', ...key, ip: '192.0.2.254', range: [0, 20_699] },
    { name: 'another asset', ...key, asset: '/episodes/none.mp3', range: [0, 100] },
  ]
}
