import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BUNDLED_BOTS } from '#src/delivery/bundled-bots.js'
import {
  countedAddress,
  type DownloadRules,
  downloadThreshold,
  isAppleWatch,
  isBot,
  splitIntoWindows,
  WINDOW_KINDS,
} from '#src/delivery/download-rules.js'
import { downloadsPass } from '#src/delivery/report-downloads.js'
import { openStore } from '#src/delivery/store.js'
import { makeScratch, writeDeliveryFile } from '../support/delivery-file.ts'
import type { MemoryRecord } from '../support/memory-source.ts'
import { reportOf } from '../support/report-rows.ts'
import { seededRandom } from '../support/seeded-random.ts'

const test = suite('podcast downloads')
const scratch = makeScratch()
test.after(() => scratch.remove())

const DAY = 86_400
const MONDAY = Date.UTC(2024, 4, 13) / 1000
const SCOPE = {
  asset: undefined,
  window: { sinceEpochSeconds: undefined, untilEpochSeconds: undefined },
  givenLength: undefined,
}
const RULES: DownloadRules = {
  windowKind: 'calendar',
  bitsPerSecond: undefined,
  headerByteLength: 0,
  bots: BUNDLED_BOTS,
}

test('the guidelines’ example: Mon 22:00, Tue 03:00, Tue 22:15, Wed 23:15', () => {
  const hours = [22, 27, 46.25, 71.25]
  const epochs = Float64Array.from(hours, (hour) => MONDAY + hour * 3600)
  const counted = (kind: (typeof WINDOW_KINDS)[number]): number[] => {
    const cuts = splitIntoWindows(epochs, kind)
    return hours.map((_, i) => (cuts.includes(i) ? 1 : 0))
  }
  assert.equal(counted('calendar'), [1, 1, 0, 1])
  assert.equal(counted('first-touch'), [1, 0, 1, 1])
  assert.equal(counted('last-touch'), [1, 0, 0, 1])
})

test('IPv6 addresses are cut to /64, however they are written; IPv4 stays', () => {
  const table: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:0201', '::ffff:192.0.2.1'],
    ['2001:db8:a:b::192.0.2.1', '2001:db8:a:b::/64'],
    ['unknown', 'unknown'],
  ]
  for (const [ip, expected] of table) assert.is(countedAddress(ip), expected, ip)
})

/** User agents as players send them. */
const PLAYERS = [
  'AppleCoreMedia/1.0.0.20G81 (iPhone; U; CPU OS 16_6_1 like Mac OS X; en_us)',
  'Podcasts/1650.21 CFNetwork/1408.0.4 Darwin/22.5.0',
  'Spotify/8.8.74 Android/33 (SM-S911B)',
  'Pocket Casts',
  'PodcastAddict/v5 (+https://podcastaddict.com/; Android podcast app)',
  'AntennaPod/3.2.0',
  'CastBox/8.34.4 (Linux;Android 12) ExoPlayerLib/2.10.4',
  'Castro 2023.9/1389',
  'Downcast/2.11.8 (iPhone; iOS 16.6)',
  'AlexaMediaPlayer/2.1.4676.0 (Linux;Android 5.1.1)',
  'AmazonMusic/23.12.0 Dalvik/2.1.0 (Linux; U; Android 13)',
  'Sonos/70.4-35220 (ZPS9)',
  'iTunes/12.12.9 (Windows; Microsoft Windows 10 x64)',
  'stagefright/1.2 (Linux;Android 11)',
  'okhttp/4.11.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
]
/** And as others do. */
const BOTS = [
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Overcast/1.0 Podcast Sync (123 subscribers; feed-id=1; +http://overcast.fm/)',
  'Podcastindex.org/v1.0',
  'Trackable/0.1',
  'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 2 subscribers)',
  'curl/8.4.0',
  'python-requests/2.31.0',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
]

test('bots and watches are told by their user agents, the threshold by bitrate and length', () => {
  assert.ok(isBot(BUNDLED_BOTS, 'Mozilla/5.0 (compatible; Googlebot/2.1)'))
  for (const agent of ['AppleCoreMedia/1.0', 'VLC/3.0', '', 'Overcast/3.0 (+http://overcast.fm/)'])
    assert.not.ok(isBot(BUNDLED_BOTS, agent), agent)
  assert.ok(BUNDLED_BOTS.parts.every((part) => part === part.toLowerCase() && part.length >= 5))
  assert.is(new Set(BUNDLED_BOTS.parts).size, BUNDLED_BOTS.parts.length)
  for (const agent of PLAYERS) assert.not.ok(isBot(BUNDLED_BOTS, agent), agent)
  for (const agent of BOTS) assert.ok(isBot(BUNDLED_BOTS, agent), agent)
  assert.ok(isAppleWatch('atc/1.0 watchOS/9 model/Watch6'))
  assert.ok(isAppleWatch('(null)/(null) watchOS/5.1'))
  assert.not.ok(isAppleWatch('Podcasts/1 watchOS'))
  const rules = { ...RULES, bitsPerSecond: 128_000, headerByteLength: 1000 }
  assert.is(downloadThreshold(rules, 10_000_000), 961_000)
  assert.is(downloadThreshold(rules, 500), 500)
  assert.is(downloadThreshold(RULES, 10_000_000), 10_000_000)
})

const AGENTS = ['VLC/3', 'Podcasts/1', 'Googlebot/2', 'atc/1 watchOS/9', '']
const IPS = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:0db8:0:0:9::', '::ffff:192.0.2.1']
/** The same addresses by hand, as the rules see them. */
const LISTENER_IPS = ['192.0.2.1', '192.0.2.2', 'v6', 'v6', 'v6', 'mapped 192.0.2.1']

function randomRecords(seed: number, count: number): MemoryRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const first = random(4) === 0 ? 0 : random(300)
    const last = first === 0 && random(2) === 0 ? random(3) : first + random(200)
    return {
      asset: `/asset/${random(3)}`,
      ip: IPS[random(IPS.length)] ?? '',
      userAgent: AGENTS[random(AGENTS.length)] ?? '',
      ...{ first, last, epochSeconds: MONDAY + random(5 * DAY) },
    }
  })
}

/** Counts by single bytes and single requests, window by window. */
function expectedDownloads(records: readonly MemoryRecord[], asset: string, rules: DownloadRules) {
  const ofAsset = records.filter((r) => r.asset === asset)
  const length = Math.max(...ofAsset.map((r) => r.last + 1))
  const needed =
    rules.bitsPerSecond === undefined
      ? length
      : Math.min(length, rules.headerByteLength + (60 * rules.bitsPerSecond) / 8)
  const counts = { downloads: 0, listeners: 0, incomplete: 0, bots: 0, watches: 0, probes: 0 }
  const listeners = new Map<string, MemoryRecord[]>()
  for (const record of ofAsset) {
    if (record.userAgent.startsWith('Googlebot')) counts.bots++
    else if (record.userAgent.startsWith('atc/')) counts.watches++
    else if (record.first === 0 && record.last <= 1) counts.probes++
    else {
      const name = `${LISTENER_IPS[IPS.indexOf(record.ip)]}|${record.userAgent}`
      listeners.set(name, [...(listeners.get(name) ?? []), record])
    }
  }
  for (const requests of listeners.values()) {
    requests.sort((a, b) => a.epochSeconds - b.epochSeconds)
    const windows: MemoryRecord[][] = []
    for (const request of requests) {
      const open = windows.at(-1)
      const reference = rules.windowKind === 'last-touch' ? open?.at(-1) : open?.[0]
      const day = (r: MemoryRecord) => new Date(r.epochSeconds * 1000).toISOString().slice(0, 10)
      const isSame =
        reference !== undefined &&
        (rules.windowKind === 'calendar'
          ? day(reference) === day(request)
          : request.epochSeconds - reference.epochSeconds < DAY)
      if (isSame) open?.push(request)
      else windows.push([request])
    }
    const reached = windows.filter((window) => {
      const bytes = new Set<number>()
      for (const { first, last } of window) for (let byte = first; byte <= last; byte++) bytes.add(byte)
      return bytes.size >= needed
    })
    counts.downloads += reached.length
    counts.incomplete += windows.length - reached.length
    if (reached.length > 0) counts.listeners++
  }
  const { downloads, incomplete, bots, watches, probes } = counts
  return [
    asset,
    downloads,
    counts.listeners,
    length,
    'observed',
    needed,
    incomplete,
    ofAsset.length,
    bots,
    watches,
    probes,
  ]
}

test('counts are those of an oracle that unites single bytes in single windows', async () => {
  let sum = 0
  for (const [seed, count] of [
    [1, 60],
    [2, 600],
    [3, 2000],
  ] as const) {
    const records = randomRecords(seed, count)
    const path = scratch.path(`${seed}.parquet`)
    await writeDeliveryFile(path, records, 20_000)
    const store = openStore([path])
    for (const windowKind of WINDOW_KINDS) {
      for (const settings of [{}, { bitsPerSecond: 16, headerByteLength: 30 }]) {
        const rules = { ...RULES, windowKind, ...settings }
        const expected = [0, 1, 2].map((i) => expectedDownloads(records, `/asset/${i}`, rules))
        const report = reportOf(downloadsPass(SCOPE, rules, 'asset'), store)
        const what = `seed ${seed}, ${windowKind}, ${rules.bitsPerSecond}`
        assert.equal(
          Array.from(report.rows).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
          expected,
          what,
        )
        const total = expected.reduce((all, row) => all + Number(row[1]), 0)
        sum += total
        const days = reportOf(downloadsPass(SCOPE, rules, 'day'), store)
        assert.is(
          Array.from(days.rows).reduce((all, row) => all + Number(row[1]), 0),
          total,
          what,
        )
        const facts = Object.fromEntries(report.facts)
        assert.match(String(facts['window']), windowKind)
        assert.match(String(facts['left out: bots']), BUNDLED_BOTS.version)
        assert.is(facts['downloads'], total)
      }
    }
    store.close()
  }
  assert.ok(sum > 100, `${sum} downloads: the rules were met`)
})

test.run()
