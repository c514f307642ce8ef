/** Random and hostile lines of every format. */

import type { OracleFormat } from './record-oracle.ts'
import type { RecordSample } from './record-sample.ts'
import { seededRandom } from './seeded-random.ts'

const pick = <T>(random: (limit: number) => number, list: readonly T[]): T => {
  const found = list[random(list.length)]
  if (found === undefined) throw new Error('an empty list')
  return found
}

const AGENTS = [
  'VLC/3.0',
  'Mozilla/5.0 (X11)',
  'a"b\\c',
  'caf\xc3\xa9 \xf0\x9f\x98\x80',
  '%2520',
  'bad\xff',
  'tab\there',
  '',
  '-',
  'nul\0nul',
  '\\x41',
]
const PATHS = ['/a.mp3', '/b/c.mp3', 'noslash', '/caf\xc3\xa9', '/%20x', 'http://h.example/a.mp3', '/']
const RANGES = [
  'bytes=0-99',
  'bytes=5-',
  'bytes=-7',
  'bytes=-0',
  'bytes=0-1,5-6',
  'bytes=0-1, 50-',
  'bytes=-7,x,, 900-1000 ',
  'bytes=-9000',
  'bytes=0-9007199254740989',
  'bytes=9-3',
  'items=0-1',
  '0-49',
  'BYTES=1-2',
  'bytes=99999999999999999-',
  'bytes=x',
]
const CONTENT_RANGES = [
  'bytes 0-99/1000',
  'bytes 5-5/*',
  'bytes 0-99/50',
  'bytes */70',
  'items 0-1/5',
  'bytes 7-3/10',
  '10-19/400',
  'bytes 0-9007199254740990/*',
  'bytes 0-9007199254740991/*',
  'bytes 0-300000000000/*',
]
const UNSATISFIED = [
  'bytes */70',
  'BYTES */1000',
  '*/70',
  'bytes */0',
  'bytes */',
  'bytes */x',
  'items */70',
  'bytes */9007199254740992',
]
const COUNTS = [
  '0',
  '50',
  '100',
  '1000',
  '3000',
  '5000',
  '40000',
  '90000',
  '-',
  '',
  'x',
  '9007199254740993',
  '300000000000',
]
/** Names of users, as servers write them. */
const USERS = [
  '-',
  '-',
  '-',
  'bob',
  'a [b',
  ' [',
  '[] [',
  'x [10/Oct/2000:13:55:36 -0700] y',
  'x [10/Oct/2000:13:55:36 -0700] \\x22GET /b HTTP/1.1\\x22 206 9',
  'back\\x5C [',
]
const SOURCES = ['', 'eyeball', '', 'eyeball', '', 'edgeWorkerFetch', 'eyebale', 'eyeballs', '-']
const STATUSES = ['304', '000', '499', '20', '404', 'x', '', '416', '416', '416', '416']
const PROTOCOLS = ['', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2', 'HTTPS', 'HTTP/1.10', 'http/1.1']
const RESULTS = ['Hit', 'Miss', 'RefreshHit', 'OriginShieldHit', 'Error', 'Hitt', '-', 'LimitExceeded']
const DETAILS = [
  'ClientCommError',
  'ClientHungUpRequest',
  'AbortedOrigin',
  'ClientGeoBlocked',
  'MissGeneratedResponse',
  'Error',
  'Miss',
]

/** What CloudFront says of the request; mostly good. */
function makeResults(random: (limit: number) => number): [slot: string, text: string][] {
  const isOdd = random(10) === 0
  return [
    ['result', pick(random, isOdd ? RESULTS : RESULTS.slice(0, 4))],
    ['detail', pick(random, random(10) === 0 ? DETAILS : ['Hit', '-'])],
    ['responseResult', pick(random, random(40) === 0 ? ['Error', 'Redirect', 'Hi'] : ['Hit', ''])],
  ]
}

/** Random values of one request, by slot; most are ordinary. */
function makeValues(random: (limit: number) => number): Map<string, string> {
  const odd = <T>(usual: readonly T[], strange: readonly T[]): T =>
    pick(random, random(10) === 0 ? strange : usual)
  const seconds = 1_500_000_000 + random(100_000_000)
  const date = new Date(seconds * 1000).toISOString()
  const [, month = '', day = ''] = date.slice(0, 10).split('-')
  const monthName = 'JanFebMarAprMayJunJulAugSepOctNovDec'.slice(Number(month) * 3 - 3, Number(month) * 3)
  const status = odd(['200', '206', '206'], STATUSES)
  const target = pick(random, PATHS) + pick(random, ['', '', '?q=1', '?'])
  const values = new Map([
    ['date', odd([date.slice(0, 10)], ['2024-02-30', '1969-12-31', ''])],
    ['time', odd([date.slice(11, 19)], ['24:00:00', '1:2:3', ''])],
    [
      'iso',
      odd(
        [date, `${date.slice(0, 19)}+02:00`, `${date.slice(0, 10)} ${date.slice(11, 19)}`],
        ['2024-13-01T00:00:00Z', '1970-01-01T00:00:00+05:00', 'x'],
      ),
    ],
    [
      'clf',
      odd(
        [`${day}/${monthName}/${date.slice(0, 4)}:${date.slice(11, 19)} +0200`],
        ['99/Oct/2000:13:55:36 -0700', '10/Xyz/2000:13:55:36 -0700', '10/Oct/2000:13:55:36 0700'],
      ),
    ],
    ['epoch', odd([String(seconds), `${seconds}.123`], ['253402300800', '1.', '', '-1', '12345678901234'])],
    ['nanoseconds', odd([`${seconds}123456789`, `${seconds}123`, date], ['99999999999999999999', '1e9'])],
    ['ip', odd(['192.0.2.1', '2001:db8::7'], ['', 'x y'])],
    ['userAgent', pick(random, AGENTS)],
    ['target', target],
    ['path', pick(random, PATHS)],
    ['query', pick(random, ['', 'q=1', '?q=2'])],
    ['host', pick(random, ['h.example', ''])],
    ['scheme', 'https'],
    ['method', odd(['GET'], ['HEAD', 'HEAD', 'HEAD', 'POST', 'get', ''])],
    ['status', status],
    ['requestId', `id${random(1000)}`],
    ...makeResults(random),
    ['aborted', String(random(2))],
    ['truth', odd(['1', 'true'], ['0', 'false', ''])],
    ['inner', odd([''], ['1', '0', 'true'])],
    ['bodyBytes', odd(COUNTS.slice(0, 7), COUNTS)],
    ['overheadBytes', odd(['', '7'], COUNTS)],
    ['sentBytes', odd(COUNTS.slice(0, 8), COUNTS)],
    ['contentLength', odd(['', '100', '4000'], COUNTS)],
    ['length', odd(['', '100', '1000'], COUNTS)],
    ['source', SOURCES[seconds % SOURCES.length] ?? ''],
    ['protocol', PROTOCOLS[seconds % PROTOCOLS.length] ?? ''],
  ])
  values.set('user', pick(random, USERS))
  const hasRange = random(4) > 0
  values.set('range', hasRange ? pick(random, RANGES) : '')
  const isUnsatisfied = status === '416' && random(4) > 0
  const ranges = isUnsatisfied ? UNSATISFIED : CONTENT_RANGES
  values.set('contentRange', random(3) > 0 || isUnsatisfied ? pick(random, ranges) : '')
  const first = random(200)
  values.set('rangeFirst', hasRange ? String(first) : '')
  values.set(
    'rangeLast',
    random(10) === 0 ? pick(random, COUNTS) : hasRange ? String(first + random(4000)) : '',
  )
  return values
}

/** Names that differ between what a member is called here and what it means. */
const TIME_SLOTS = new Set(['epoch', 'iso', 'nanoseconds', 'clf'])

/** How the oracle reads the members of a sample: all the shapes of time mean the same. */
export function oracleOf(sample: RecordSample): OracleFormat {
  const { members } = sample.oracle
  if (members === undefined) return sample.oracle
  const meaning = (slot: string): string =>
    TIME_SLOTS.has(slot) ? 'instant' : slot === 'truth' ? 'completion' : slot
  const meant = Object.entries(members).map(([path, slot]) => [path, meaning(slot)])
  return { ...sample.oracle, members: Object.fromEntries(meant) }
}

const ODD_VALUES = [
  '1e5',
  '-0',
  '01',
  '1.',
  '206.0',
  'true',
  'null',
  'nul',
  '{}',
  '[]',
  '{"a":1}',
  '""',
  '"-"',
]
const ESCAPES = [
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\udc00\\ud83d',
  '\\u00e9',
  '\\u00E',
  '\\/',
  '\\b\\f',
  '\\q',
  '\\x00',
  '\\xe9',
  '\\x4',
]

/** Breaks a line as only JSON is broken, by its members. */
function mutateMembers(line: string, random: (limit: number) => number): string {
  const members = [...line.matchAll(/"(?:[^"\\]|\\.)*" ?: ?("(?:[^"\\]|\\.)*"|\d+)/g)]
  if (members.length === 0) return line
  const { 0: member, 1: value = '', index } = pick(random, members)
  const end = index + member.length
  const name = member.slice(0, -value.length)
  switch (random(5)) {
    case 0:
      return `${line.slice(0, index)}${name}${pick(random, [value, 'null', '"-"', '{}'])},${line.slice(index)}`
    case 1:
      return `${line.slice(0, end)}, ${name}${pick(random, [value, 'null', '"-"', '[]'])}${line.slice(end)}`
    case 2:
      return `${line.slice(0, end - value.length)}${pick(random, ODD_VALUES)}${line.slice(end)}`
    case 3: {
      const depth = pick(random, [1, 3, 63, 64, 65, 70])
      return `${line.slice(0, index)}"deep":${'['.repeat(depth)}${']'.repeat(depth)},${line.slice(index)}`
    }
    default: {
      // A letter of the name, written as an escape.
      const letter = name.charCodeAt(1).toString(16).padStart(4, '0')
      return `${line.slice(0, index)}"\\u${letter}${name.slice(2)}${line.slice(end - value.length)}`
    }
  }
}

/** Makes a line about as long as lines may be, if it has a user agent to be long. */
function lengthen(line: string, random: (limit: number) => number): string {
  const wanted = 65_535 + random(4)
  return line.replace('VLC/3.0', 'V'.repeat(wanted - line.length + 7))
}

/** Breaks a line here and there. */
function mutate(line: string, random: (limit: number) => number): string {
  const at = random(line.length + 1)
  switch (random(11)) {
    case 0:
      return line.slice(0, at)
    case 1:
      return `${line.slice(0, at)}\0${line.slice(at)}`
    case 2:
      return `${line.slice(0, at)}${pick(random, ['\t', ' ', '"', '\\', '\xff', ',', '}', '-', '\\"'])}${line.slice(at)}`
    case 3:
      return line.slice(0, at) + line.slice(at + 1)
    case 4:
      return `${line}${pick(random, ['\t', ' ', ' "x"', '\tx', '}', 'x'])}`
    case 5:
      return pick(random, ['', '#', '{}', '{', '[]', 'null', '# a\tb', '-', '""', `${'x'.repeat(70_000)}`])
    case 6:
    case 7:
      return line.startsWith('{') ? mutateMembers(line, random) : line
    case 8:
      return `${line.slice(0, at)}${pick(random, ESCAPES)}${line.slice(at)}`
    case 9:
      return lengthen(line, random)
    default:
      return line
  }
}

/** The lines of a random log: the header, then `lineCount` lines, some of them hostile; none has a line feed. */
export function makeRecordLines(sample: RecordSample, seed: number, lineCount: number): string[] {
  const random = seededRandom(seed)
  const lines = sample.oracle.members === undefined ? [...sample.header] : []
  while (lines.length < lineCount) {
    const values = makeValues(random)
    if (sample.format === 'cloudfront-realtime') values.set('instant', values.get('epoch') ?? '')
    const line = sample.write(values)
    const isHostile = random(6) === 0
    lines.push(
      (isHostile ? mutate(line, random) : line).replaceAll('\n', ' ') + (random(9) === 0 ? '\r' : ''),
    )
  }
  return lines
}
