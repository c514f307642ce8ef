/**
 * Writes the logs that the bench measures on. Seeded, so that every machine gets the same bytes; the
 * people in them are invented (addresses: RFC 1918 and RFC 3849).
 *
 * - `short`: small assets fetched 300 bytes at a time by a few hundred players; 200 bytes a line.
 * - `podcast`: 200,000 addresses, 2,000 assets of 20-80 MB, pieces of 64 KiB to 2 MiB.
 * - `huge`: few lines of 3.5 billion bytes each, at positions beyond 2^32.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createSeededRandom, type SeededRandom } from '../fixtures/seeded-random.ts'

/** Raise it whenever the bytes change: it is part of the file's name, so that no stale log is measured. */
const GENERATION = 1
const HEADER = '# date\ttimestamp\tip_address\tuser_agent\trequest\tstatus\tbyte_range\n'
const DATE = '2024-05-17'
const SECONDS_A_DAY = 86_400
const JITTER_SECONDS = 4
const BUFFER_BYTES = 1 << 22
const LONGEST_LINE_BYTES = 512
const OTHER_STATUSES: readonly string[] = ['304', '404', '416', '500']

/** Which log, how long (at least so many bytes, or exactly so many lines for `huge`), and from which seed. */
export interface LogRecipe {
  readonly shape: 'short' | 'podcast' | 'huge'
  readonly byteLength: number
  readonly lineCount: number
  readonly seed: number
}

/** One player fetching one asset; the state of a walk over its positions. */
interface Session {
  /** `\tip\tuser agent\t` */
  readonly listener: Buffer
  /** `path\t` */
  readonly asset: Buffer
  readonly assetLength: number
  readonly stepBytes: number
  readonly overlapBytes: number
  requestsLeft: number
  first: number
}

type SessionMaker = (random: SeededRandom, sessionIndex: number) => Session

const PLATFORMS: readonly string[] = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15',
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)',
]
const USER_AGENTS: readonly string[] = PLATFORMS.flatMap((platform) =>
  Array.from({ length: 9 }, (_, at) => `${platform} Chrome/${116 + at}.0.${6000 + at * 31} Safari/537.36`),
)

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

function makeAsset(at: number, ending: string): Buffer {
  return Buffer.from(
    `/episodes/${hex(Math.imul(at + 1, 0x9e3779b1) >>> 0, 8)}-${hex(at, 4)}-4c0e-8f7b${ending}.mp3\t`,
  )
}

/** 300 addresses with up to three players each, 300 assets of 3 to 30 kB. */
function makeShortSessions(): SessionMaker {
  const assets = Array.from({ length: 300 }, (_, at) => makeAsset(at, '-0c6a5f3f'))
  return (random) => {
    const address = random.below(300)
    const player = (address * 7 + random.below(3)) % USER_AGENTS.length
    const assetIndex = random.below(assets.length)
    return {
      listener: Buffer.from(`\t10.0.${address >> 6}.${(address & 63) * 4 + 1}\t${USER_AGENTS[player]}\t`),
      asset: assets[assetIndex] ?? Buffer.alloc(0),
      assetLength: 3000 + ((assetIndex * 6151) % 27_000),
      stepBytes: 285 + ((assetIndex * 7) % 31),
      overlapBytes: random.below(3) === 0 ? 1 : 0,
      requestsLeft: random.between(4, 120),
      first: 0,
    }
  }
}

/** Each session is another address of 200,000, in scrambled order, a quarter of them IPv6. */
function makePodcastSessions(): SessionMaker {
  const assets = Array.from({ length: 2000 }, (_, at) => makeAsset(at, ''))
  return (random, sessionIndex) => {
    const address = (sessionIndex * 7919) % 200_000
    const ip =
      address % 4 === 0
        ? `2001:db8:${hex(address >> 8, 1)}::${hex(address & 255, 1)}`
        : `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`
    const assetIndex = random.below(assets.length)
    return {
      listener: Buffer.from(`\t${ip}\t${USER_AGENTS[address % USER_AGENTS.length]}\t`),
      asset: assets[assetIndex] ?? Buffer.alloc(0),
      assetLength: 20_000_000 + ((assetIndex * 30_011) % 60_000_000),
      stepBytes: 65_536 * random.between(1, 32),
      overlapBytes: random.below(4) === 0 ? 1 : 0,
      requestsLeft: random.between(1, 26),
      first: 0,
    }
  }
}

/** Ten players, four assets each, ten pieces of 3.5 billion bytes one after the other. */
function makeHugeSessions(): SessionMaker {
  return (_, sessionIndex) => ({
    listener: Buffer.from(`\t10.9.0.${sessionIndex % 10}\t${USER_AGENTS[sessionIndex % 10]}\t`),
    asset: Buffer.from(`/archive/reel-${Math.floor(sessionIndex / 10)}.mkv\t`),
    assetLength: Number.MAX_SAFE_INTEGER,
    stepBytes: 3_500_000_000,
    overlapBytes: 0,
    requestsLeft: 10,
    first: 2 ** 32 + 1000,
  })
}

const SESSION_MAKERS = { short: makeShortSessions, podcast: makePodcastSessions, huge: makeHugeSessions }
const OPEN_SESSIONS = { short: 500, podcast: 4000, huge: 1 }

/** `HH:MM:SS` for every second of a day, eight bytes each. */
function makeClock(): Buffer {
  const clock = Buffer.alloc(SECONDS_A_DAY * 8)
  for (let second = 0; second < SECONDS_A_DAY; second++) {
    clock.write(new Date(second * 1000).toISOString().slice(11, 19), second * 8, 'latin1')
  }
  return clock
}

/** Writes a decimal number and returns the offset behind it. */
function writeDecimal(target: Buffer, offset: number, value: number): number {
  let digitCount = 1
  for (let limit = 10; value >= limit; limit *= 10) digitCount++
  let rest = value
  for (let at = offset + digitCount - 1; at >= offset; at--) {
    const tenth = Math.floor(rest / 10)
    target[at] = 48 + rest - tenth * 10
    rest = tenth
  }
  return offset + digitCount
}

/** Moves a session on: mostly to the next piece, one time in a hundred past one, two in a hundred nowhere. */
function advance(session: Session, random: SeededRandom, last: number): void {
  session.requestsLeft--
  const fortune = random.below(100)
  if (fortune < 2) return
  session.first = last + 1 - session.overlapBytes + (fortune === 2 ? session.stepBytes : 0)
  if (session.first + 1 >= session.assetLength) session.requestsLeft = 0
}

function writeLines(file: number, recipe: LogRecipe): void {
  const random = createSeededRandom(recipe.seed)
  const makeSession = SESSION_MAKERS[recipe.shape]()
  let sessionCount = 0
  const sessions = Array.from({ length: OPEN_SESSIONS[recipe.shape] }, () =>
    makeSession(random, sessionCount++),
  )
  const clock = makeClock()
  const isPlain = recipe.shape === 'huge'
  const buffer = Buffer.alloc(BUFFER_BYTES)
  let length = buffer.write(HEADER, 0, 'latin1')
  let written = 0
  for (let line = 0; line < recipe.lineCount && written + length < recipe.byteLength; line++) {
    const slot = random.below(sessions.length)
    let session = sessions[slot]
    if (session === undefined || session.requestsLeft === 0) {
      session = makeSession(random, sessionCount++)
      sessions[slot] = session
    }
    const progress = isPlain ? line / recipe.lineCount : (written + length) / recipe.byteLength
    const second = Math.floor(progress * (SECONDS_A_DAY - JITTER_SECONDS)) + random.below(JITTER_SECONDS)
    length += buffer.write(`${DATE}\t`, length, 'latin1')
    length += clock.copy(buffer, length, second * 8, second * 8 + 8)
    length += session.listener.copy(buffer, length)
    length += session.asset.copy(buffer, length)
    const isOther = !isPlain && random.below(100) === 0
    length += buffer.write(isOther ? random.pick(OTHER_STATUSES) : '206', length, 'latin1')
    buffer[length++] = 0x09
    const last = Math.min(session.first + session.stepBytes, session.assetLength) - 1
    length = writeDecimal(buffer, length, session.first)
    buffer[length++] = 0x2d
    length = writeDecimal(buffer, length, last)
    buffer[length++] = 0x0a
    if (isPlain) {
      session.requestsLeft--
      session.first = last + 1
    } else advance(session, random, last)
    if (length > BUFFER_BYTES - LONGEST_LINE_BYTES) {
      writeFully(file, buffer.subarray(0, length))
      written += length
      length = 0
    }
  }
  writeFully(file, buffer.subarray(0, length))
}

function writeFully(file: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset)
}

/**
 * Makes the log of a recipe in `folder`, or finds it there from an earlier run, and returns its path.
 * The name tells recipe and generation; the file takes that name only when it is whole.
 */
export function provideLog(folder: string, recipe: LogRecipe): string {
  mkdirSync(folder, { recursive: true })
  const extent = recipe.shape === 'huge' ? recipe.lineCount : recipe.byteLength
  const path = join(folder, `${recipe.shape}-g${GENERATION}-s${recipe.seed}-${extent}.log`)
  if (existsSync(path) && statSync(path).size > 0) return path
  const unfinished = `${path}.${process.pid}.tmp`
  const file = openSync(unfinished, 'w')
  try {
    writeLines(file, recipe)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  return path
}
