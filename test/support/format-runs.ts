/** Runs over logs of any format, for tests. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Failure } from '#src/base/failure.js'
import { askSource } from '#src/delivery/answer.js'
import { parseQuery } from '#src/delivery/question.js'
import { scanAllRuns } from '#src/delivery/scan-all.js'
import { openFile, openStore } from '#src/delivery/store.js'
import { AUTOMATIC, type FormatRequest } from '#src/engine/input-format.js'
import { type ProcessOptions, type ProcessReport, processLogs } from '#src/engine/process-logs.js'
import { ROOT } from './source-tree.ts'
import { makeTempFolder } from './temp-folder.ts'

/** Where the logs of each format are. */
export const FORMATS = join(ROOT, 'fixtures', 'formats')
/** Where what follows puts its files. */
export const folder = makeTempFolder()
let fileCount = 0

/** Writes an input; returns its path. */
export function write(content: string | Uint8Array, ending = 'log'): string {
  const path = join(folder, `input-${fileCount++}.${ending}`)
  writeFileSync(path, content)
  return path
}

/** Processes inputs into one file. */
export function run(
  inputs: readonly string[],
  request: Partial<FormatRequest> = {},
  options: Partial<ProcessOptions> = {},
): Promise<ProcessReport> {
  return processLogs({
    inputs,
    out: join(folder, `out-${fileCount++}.parquet`),
    threads: 1,
    maxRejects: { kind: 'share', share: 1 },
    formatRequest: { ...AUTOMATIC, ...request },
    ...options,
  })
}

/** Code and message of a failure. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Failure) return `${error.code} ${error.message}`
    throw error
  }
  return 'not refused'
}

/** The bytes of the one file of a run. */
export function outputOf({ files: [file] }: ProcessReport): Buffer {
  assert.ok(file)
  return readFileSync(file.path)
}

/** Asset, address and user agent of every run. */
export function keysOf({ files: [file] }: ProcessReport): string[] {
  assert.ok(file)
  const parquet = openFile(file.path)
  try {
    return [...scanAllRuns(parquet)].map(({ asset, ip, userAgent }) => [asset, ip, userAgent].join(' | '))
  } finally {
    parquet.close()
  }
}

/** Asks for the whole of an asset. */
export function ask(reports: readonly ProcessReport[], userAgent: string, asset = '/a', ip = '192.0.2.1') {
  const store = openStore(reports.flatMap(({ files }) => files.map(({ path }) => path)))
  try {
    const query = parseQuery({ asset, ip, userAgent, whole: true }, { since: undefined, until: undefined })
    return askSource(store, query).answer
  } finally {
    store.close()
  }
}

/** The header of a CloudFront log. */
export const FIELDS =
  '#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent) x-edge-result-type x-edge-request-id sc-content-len sc-range-start sc-range-end x-host-header cs-protocol cs-uri-query x-forwarded-for'

/** Fields of CloudFront for a part of an asset. */
export const CLOUDFRONT_PART = {
  date: '2024-05-17',
  time: '12:00:00',
  'c-ip': '192.0.2.1',
  'cs-method': 'GET',
  'cs-uri-stem': '/a',
  'sc-status': '206',
  'cs(User-Agent)': 'curl/8',
} as const

/** A line of CloudFront with these fields changed. */
export function line(changed: Readonly<Record<string, string>> = {}, separator = '\t'): string {
  const values: Readonly<Record<string, string>> = {
    ...CLOUDFRONT_PART,
    'x-edge-result-type': 'Hit',
    'sc-range-start': '0',
    'sc-range-end': '9',
    'x-host-header': 'h.example',
    'cs-protocol': 'https',
    ...changed,
  }
  return `${FIELDS.slice('#Fields: '.length)
    .split(' ')
    .map((name) => values[name] ?? '-')
    .join(separator)}\n`
}

/** A line of JSON. */
export const json = (members: object): string => `${JSON.stringify(members)}\n`
/** What a line of Akamai holds. */
export const AKAMAI = {
  reqTimeSec: '1715947200.5',
  cliIP: '192.0.2.1',
  statusCode: '206',
  reqMethod: 'GET',
  reqPath: '/a',
  UA: 'curl/8',
  range: '0-9',
  bytes: '110',
  overheadBytes: '100',
  objSize: '10',
}
