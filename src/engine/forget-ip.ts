/** Takes all that is known of an IP address out of a store, its history included. */

import { BlockList, isIP } from 'node:net'
import { Failure } from '../base/failure.ts'
import { openCommittedFile } from '../delivery/committed-file.ts'
import { hasRows } from '../delivery/scan.ts'
import { wantedText } from '../delivery/scan-key.ts'
import { COLUMN } from '../delivery/schema.ts'
import type { AddFile, Snapshot } from '../table/actions.ts'
import { truncateLog } from '../table/log-cleanup.ts'
import { readTable } from '../table/table.ts'
import { filesByDate } from './compact-store.ts'
import { deleteFile } from './delete-files.ts'
import { throwIfAborted } from './encode-inputs.ts'
import { mergeableGroups } from './mergeable-files.ts'
import { secondsSince } from './process-logs.ts'
import { isOutdated, type RewriteSurroundings, rewriteFiles } from './rewrite-store.ts'
import { listStillUnreferenced, type UnreferencedFile } from './vacuum-store.ts'

/** What is to be forgotten. */
export interface ForgetOptions extends RewriteSurroundings {
  readonly store: string
  /** An address, which is forgotten in all of its spellings, or another text that stands for one in the logs. */
  readonly ip: string
}

/** What was done, as `forget --json` prints it. */
export interface ForgetReport {
  readonly v: 1
  readonly store: { readonly path: string; readonly version: number }
  /** Requests of the address that were in the newest version. */
  readonly requests: number
  /** Data files that were written anew or dropped as they held nothing else. */
  readonly filesRewritten: number
  /** Files of older versions and of runs that died, and log files, that are gone. */
  readonly filesDeleted: number
  /** Texts of other listeners (user agents, requests) that contain the address; they stay. */
  readonly mentions: number
  readonly seconds: number
}

/** So many times others may replace files, or add the address again, meanwhile. */
const MOST_ATTEMPTS = 20
const COLON = 0x3a
const TOO_BUSY = 'others add or replace files all the time, run `forget` again when they do not'
/** A file that no version refers to and that is younger may be of a run under way: it must stay. */
const UNDER_WAY_MS = 60 * 60 * 1000

/**
 * Rewrites the files that hold the address, deletes those of older versions, and cuts off the log's history;
 * then no file of the store holds it. History goes also when the newest version does not have the address, for it
 * may. Fails as `rewriteFiles` does, and as ENVIRONMENT when files that may belong to a run under way could still
 * hold it.
 */
export async function forgetIp(options: ForgetOptions): Promise<ForgetReport> {
  const startedAt = performance.now()
  const { store, ip } = options
  let requests = 0
  let filesRewritten = 0
  let filesDeleted = 0
  let snapshot = await readTable(store)
  refuseUnknown(snapshot, ip)
  for (let round = 1; ; round++) {
    const rewritten = await rewriteAll(options, snapshot)
    requests += rewritten.requests
    filesRewritten += rewritten.files
    snapshot = rewritten.snapshot
    filesDeleted += await deleteHistory(snapshot)
    const newer = await readTable(store)
    if (newer.version === snapshot.version) break
    // Others have committed meanwhile: that may hold the address, and so may the log.
    if (round === MOST_ATTEMPTS) throw new Failure('ENVIRONMENT', `${store}: ${TOO_BUSY}`)
    snapshot = newer
  }
  await refuseYoungFiles(snapshot)
  return {
    v: 1,
    store: { path: store, version: snapshot.version },
    requests,
    filesRewritten,
    filesDeleted,
    mentions: countMentions(snapshot, ip),
    seconds: secondsSince(startedAt),
  }
}

/** Takes the address out of all dates; returns the snapshot that no longer has it. */
async function rewriteAll(
  options: ForgetOptions,
  newest: Snapshot,
): Promise<{ readonly snapshot: Snapshot; readonly requests: number; readonly files: number }> {
  let snapshot = newest
  let [requests, files] = [0, 0]
  const spellings = findSpellings(newest, options.ip)
  for (let attempt = 1; ; attempt++) {
    let held: HeldFiles | undefined
    try {
      held = filesWith(snapshot, spellings).next().value ?? undefined
      if (held === undefined) return { snapshot, requests, files }
      requests += await rewriteDate(options, snapshot, held, spellings)
      files += held.files.length
      attempt = 0
    } catch (failure) {
      if (attempt === MOST_ATTEMPTS || !(await isOutdated(failure, snapshot))) throw explained(failure)
    }
    snapshot = await readTable(options.store)
  }
}

/**
 * Fails as USAGE for a text that is no address and that no listener has: a block, a pattern or a slip would seem to
 * be forgotten, and the history be gone.
 */
function refuseUnknown(snapshot: Snapshot, ip: string): void {
  if ((isIP(ip) !== 0 && !ip.includes('%')) || filesWith(snapshot, new Set([ip])).next().done !== true) return
  throw new Failure(
    'USAGE',
    `--ip expects one address, like 192.0.2.1 or 2001:db8::1, or a text that stands for one in the logs; ` +
      `'${ip}' is none, and no listener of ${snapshot.directory} has it; nothing was changed`,
  )
}

/** The address as given, and as logs spell it otherwise: 2001:DB8::1 is 2001:db8:0::1. */
function findSpellings({ directory, files }: Snapshot, ip: string): ReadonlySet<string> {
  const spellings = new Set([ip])
  const family = isIP(ip)
  if (family === 0 || ip.includes('%')) return spellings
  const isMapped = /^::ffff:/i.test(ip)
  const address = new BlockList()
  address.addAddress(ip, family === 4 ? 'ipv4' : 'ipv6')
  for (const logged of files.values()) {
    const file = openCommittedFile(directory, logged)
    try {
      for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
        const values = file.byteStrings(rowGroup, COLUMN.ip)
        for (let i = 0; i < values.count; i++) {
          const value = values.valueAt(i)
          // Only with colons an address has more than one spelling, but for ::ffff:192.0.2.1.
          if (!isMapped && !value.includes(COLON)) continue
          const text = Buffer.from(value).toString('utf8')
          const kind = isIP(text)
          if (kind !== 0 && address.check(text, kind === 4 ? 'ipv4' : 'ipv6')) spellings.add(text)
        }
      }
    } finally {
      file.close()
    }
  }
  return spellings
}

/** What an interrupted run leaves behind is right, but not what was asked for. */
function explained(failure: unknown): unknown {
  if (!(failure instanceof Failure) || failure.code !== 'INTERRUPTED') return failure
  return new Failure('INTERRUPTED', 'interrupted; the address may still be in the store: run `forget` again')
}

/** Files of one date that hold the address. */
interface HeldFiles {
  readonly date: string
  readonly files: readonly AddFile[]
}

/** Date after date, each when it is asked for; the rest is not looked at. */
function* filesWith(snapshot: Snapshot, ips: ReadonlySet<string>): Generator<HeldFiles, void, void> {
  const wanted = [...ips].flatMap((ip) => wantedText(COLUMN.ip, ip) ?? [])
  for (const [date, files] of filesByDate(snapshot)) {
    const held = files.filter((logged) => {
      const file = openCommittedFile(snapshot.directory, logged)
      try {
        return wanted.some((text) => hasRows(file, [text], [text]))
      } finally {
        file.close()
      }
    })
    for (const group of mergeableGroups(snapshot.directory, held)) yield { date, files: group }
  }
}

/** Returns how many requests were taken out. */
async function rewriteDate(
  options: ForgetOptions,
  snapshot: Snapshot,
  held: HeldFiles,
  spellings: ReadonlySet<string>,
): Promise<number> {
  throwIfAborted(options.signal)
  const { removedRuns } = await rewriteFiles({
    ...options,
    ...held,
    snapshot,
    filter: { ip: (text) => !spellings.has(text) },
  })
  return removedRuns
}

/** Distinct user agents and requests of each row group that contain the address. */
function countMentions({ directory, files }: Snapshot, ip: string): number {
  const sought = Buffer.from(ip)
  const found = new Set<string>()
  for (const logged of files.values()) {
    const file = openCommittedFile(directory, logged)
    try {
      for (let rowGroup = 0; rowGroup < file.rowGroupCount; rowGroup++) {
        for (const column of [COLUMN.userAgent, COLUMN.request]) {
          const values = file.byteStrings(rowGroup, column)
          for (let i = 0; i < values.count; i++) {
            const value = Buffer.from(values.valueAt(i))
            if (value.includes(sought)) found.add(`${column} ${value.toString('latin1')}`)
          }
        }
      }
    } finally {
      file.close()
    }
  }
  return found.size
}

/** Deletes what the snapshot does not need, but for what may be of a run under way; returns how many files. */
async function deleteHistory(snapshot: Snapshot): Promise<number> {
  let count = 0
  for (const file of await listStillUnreferenced(snapshot)) {
    if (!mayBeUnderWay(file) && (await deleteFile(file.path))) count++
  }
  const logFiles = await truncateLog(snapshot)
  return count + logFiles.length
}

function mayBeUnderWay({ wasCommitted, sinceMs }: UnreferencedFile): boolean {
  return !wasCommitted && sinceMs > Date.now() - UNDER_WAY_MS
}

async function refuseYoungFiles(snapshot: Snapshot): Promise<void> {
  const young = (await listStillUnreferenced(snapshot)).filter(mayBeUnderWay)
  const [first] = young
  if (first === undefined) return
  throw new Failure(
    'ENVIRONMENT',
    `version ${snapshot.version} has forgotten the address, but uncommitted files of the last hour ` +
      `(${young.length}, like ${first.path}) may still hold it: when no run is under way, ` +
      `do \`vacuum --retain 0s\`, then \`forget\` again`,
  )
}
