/**
 * One commit: `_delta_log/%020d.json`, an action a line.
 * Source: Delta protocol, "Delta Log Entries". Ours begin with a `commitInfo` that also says how many bytes
 * and which CRC-32 the lines below it have, and of which version it is, so that a damaged, shortened or exchanged
 * commit of ours is told from a whole one.
 */

import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { attempted, damaged } from '../base/failure.ts'
import { readRegularFile } from '../base/regular-file.ts'
import { VERSION } from '../base/version.ts'
import { crc32 } from '../parquet/crc32.ts'
import type { RemoveFile, TableAction, TableMetadata } from './actions.ts'
import {
  decodeAdd,
  decodeMetadata,
  decodeProtocol,
  decodeRemove,
  decodeTransaction,
} from './decode-action.ts'
import { encodeAction, encodeNewTable } from './encode-action.ts'
import { damagedAt, isRecord, type Place, parseJson } from './members.ts'
import type { Replay } from './replay.ts'
import { PROTOCOL } from './table-schema.ts'

/** Some million actions. A longer file is not read, and not written. */
export const LONGEST_COMMIT_BYTES: number = 256 * 1024 * 1024
const LONGEST_LINE_CHARACTERS = 16 * 1024 * 1024
const ENGINE_INFO = `byteledger/${VERSION}`
/** The member of our `commitInfo` that holds the check. */
const CHECK_MEMBER = 'byteledger'

/** What a commit says besides its actions. */
export interface CommitHeader {
  /** The version that it makes, which its name says too: a commit in the place of another is noticed. */
  readonly version: number
  readonly timestampMs: number
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  /** -1: the table was not there. */
  readonly readVersion: number
  /** Given for the first commit of a table. */
  readonly newTable: TableMetadata | undefined
}

/** The bytes of a commit file. */
export function encodeCommit(header: CommitHeader, actions: readonly TableAction[]): Buffer {
  const lines = [
    ...(header.newTable === undefined ? [] : encodeNewTable(PROTOCOL, header.newTable)),
    ...actions.map(encodeAction),
  ]
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const { timestampMs, operation, operationParameters, readVersion } = header
  const commitInfo = {
    timestamp: timestampMs,
    operation,
    operationParameters,
    ...(readVersion < 0 ? {} : { readVersion }),
    isBlindAppend: !actions.some((action) => 'remove' in action),
    engineInfo: ENGINE_INFO,
    [CHECK_MEMBER]: { version: header.version, byteLength: body.length, crc32: crc32(body, 0, body.length) },
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify({ commitInfo })}\n`), body])
}

/** Reads one commit file into the replay. Fails as DAMAGED naming file and line, as ENVIRONMENT when it cannot be read. */
export function applyCommitFile(path: string, replay: Replay): void {
  const byteLength = attempted(path, 'read', () => statSync(path).size)
  if (byteLength > LONGEST_COMMIT_BYTES) {
    damaged(path, `a commit of at most ${LONGEST_COMMIT_BYTES} bytes`, `${byteLength} bytes`)
  }
  const bytes = attempted(path, 'read', () => readRegularFile(path))
  applyCommit(bytes, path, replay)
}

/** Like `applyCommitFile`, for the bytes of a commit; `path` is for messages. */
export function applyCommit(bytes: Uint8Array, path: string, replay: Replay): void {
  checkBody(bytes, path)
  const lines = parseLines(decodeUtf8(bytes, path), path)
  if (lines.length === 0) damaged(path, 'at least one action', 'an empty file')
  // What the table demands comes first, wherever it stands: it decides how the rest is to be read.
  for (const { members, place } of lines) {
    if (isPresent(members, 'protocol')) replay.setProtocol(decodeProtocol(members['protocol'], place))
  }
  for (const { members, place } of lines) {
    if (isPresent(members, 'metaData')) replay.setMetadata(decodeMetadata(members['metaData'], place))
  }
  applyFileActions(lines, replay)
}

interface Line {
  readonly members: Readonly<Record<string, unknown>>
  readonly place: Place
}

/** Which of `add` and `remove` of one path stands first says nothing, so a commit may hold only one of them. */
function applyFileActions(lines: readonly Line[], replay: Replay): void {
  const addedPaths = new Set<string>()
  const removes: { readonly file: RemoveFile; readonly place: Place }[] = []
  for (const { members, place } of lines) {
    if (isPresent(members, 'add')) {
      const file = decodeAdd(members['add'], place)
      if (addedPaths.has(file.path)) damagedAt(place, 'one add of a path', file.path)
      addedPaths.add(file.path)
      file.checkStats()
      replay.add(file)
    }
    if (isPresent(members, 'remove')) removes.push({ file: decodeRemove(members['remove'], place), place })
    if (isPresent(members, 'txn')) replay.setTransaction(decodeTransaction(members['txn'], place))
  }
  for (const { file, place } of removes) {
    if (addedPaths.has(file.path)) damagedAt(place, 'either add or remove of a path', file.path)
    replay.remove(file)
  }
}

function isPresent(members: Line['members'], name: string): boolean {
  return members[name] !== undefined && members[name] !== null
}

function parseLines(text: string, path: string): Line[] {
  const lines: Line[] = []
  let ordinal = 0
  for (let start = 0; start < text.length; ) {
    ordinal++
    const found = text.indexOf('\n', start)
    const end = found < 0 ? text.length : found
    const place: Place = { file: path, unit: 'line', ordinal }
    if (end - start > LONGEST_LINE_CHARACTERS) {
      damagedAt(place, `at most ${LONGEST_LINE_CHARACTERS} characters`, end - start)
    }
    const line = text.slice(start, end).trim()
    start = end + 1
    if (line === '') continue
    const members = parseJson(line)
    if (!isRecord(members)) return damagedAt(place, 'an action as a JSON object', line)
    lines.push({ members, place })
  }
  return lines
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (_cause) {
    return damaged(path, 'valid UTF-8', 'other bytes')
  }
}

/** When the first line is a `commitInfo` of ours: checks that it stands in its place, and all others are as written. */
function checkBody(bytes: Uint8Array, path: string): void {
  const lineEnd = bytes.indexOf(10)
  const bodyStart = lineEnd < 0 ? bytes.length : lineEnd + 1
  const first = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bodyStart).toString())
  const commitInfo = isRecord(first) ? first['commitInfo'] : undefined
  const check = isRecord(commitInfo) ? commitInfo[CHECK_MEMBER] : undefined
  if (!isRecord(check)) return
  const { version } = check
  if (typeof version === 'number' && Number.parseInt(basename(path), 10) !== version)
    damaged(path, 'the commit of its name', `that of version ${version}`)
  const byteLength = bytes.length - bodyStart
  if (check['byteLength'] !== byteLength) {
    damaged(path, `${String(check['byteLength'])} bytes after the first line`, `${byteLength}`)
  }
  const found = crc32(bytes, bodyStart, bytes.length)
  if (check['crc32'] !== found) damaged(path, `lines of CRC-32 ${String(check['crc32'])}`, String(found))
}
