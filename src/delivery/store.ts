/** Files as a source of evidence. */

import { BoundedCache } from '../base/bounded-cache.ts'
import { damaged } from '../base/failure.ts'
import { ANSWERED, ASKED } from '../log/scanned-runs.ts'
import type { ColumnSchema } from '../parquet/metadata.ts'
import { FileCaches, ParquetFile } from '../parquet/parquet-file.ts'
import type { ReadTally } from '../parquet/read-tally.ts'
import { NO_LENGTH, type ToldLength } from './asset-lengths.ts'
import { type AssetSpan, cutIntoSpans } from './asset-spans.ts'
import type {
  DeliveredRun,
  DeliveryKey,
  Evidence,
  EvidenceSource,
  Interval,
  ToldLengths,
} from './evidence.ts'
import { type LengthEntry, mergeLengths } from './length-entries.ts'
import { findLengths, readAllLengths } from './length-section.ts'
import { mayHoldTimes } from './partition-date.ts'
import { ALWAYS, type TimeWindow } from './question-time.ts'
import { findLength, findRuns, hasRows } from './scan.ts'
import { wantedAsset } from './scan-key.ts'
import { type ListenerRuns, type ListenerScan, scanListeners } from './scan-listeners.ts'
import { LAYOUT_KEY, LAYOUT_VERSION, PARTITION_SCHEMA, RUNS_KEY, SCHEMA } from './schema.ts'
import { assetBounds } from './sorted-stretches.ts'
import type { KnownValues, ListenerTests } from './suggest-known.ts'
import { decodesUserAgents, SpelledKeys } from './user-agent-spellings.ts'

/** Footers of open files take at most so much memory, and at most so many files stay open at once. */
const FOOTER_BYTE_LIMIT = 256 * 1024 * 1024
const OPEN_FILE_LIMIT = 800

/** Lengths of assets that are remembered. */
const REMEMBERED_LENGTHS = 10_000

/** Row groups whose values are looked through for suggestions: a few hundred milliseconds at most. */
const MAX_SURVEYED_ROW_GROUPS = 1000

/** Row groups of a file that are weighed to cut it into spans. */
const MAX_WEIGHED_ROW_GROUPS = 1000

const NOTHING_TOLD: ToldLengths = { loggedLengths: [], askedLength: 0, answeredLength: 0 }
const NO_EVIDENCE: Evidence = { runs: [], assetKnown: false, listenerKnown: false }

/** Files as a source that can also be read from one end to the other. */
export interface DeliveryStore extends EvidenceSource, KnownValues {
  /** Requests in all files, as their footers say. */
  readonly requestCount: number
  /** Bytes of all files. */
  readonly byteLength: number
  /** Whether some file may have a user agent in another spelling than a question: one whose user agents were decoded. */
  readonly hasSpellings: boolean
  /** What was read since the store was opened. */
  readonly tally: Readonly<ReadTally>
  /** The files, by their paths. */
  readonly paths: readonly string[]
  /** What logs tell of the length of one asset, or of each, in short; one look at each file. */
  toldLengths(asset: string | undefined): ReadonlyMap<string, ToldLength>
  /** At most `count` spans of all assets that take about as long to pass over. */
  assetSpans(count: number): readonly AssetSpan[]
  /** Every listener of every asset, in the order of their keys; fails as `scanListeners` does. */
  listeners(scan?: ListenerScan): Generator<ListenerRuns, void, void>
}

/**
 * Opens Parquet files that byteledger wrote, as one source. Every question asks them all. Files are
 * opened when first asked and stay open, up to a limit. Fails as ENVIRONMENT when a file cannot be read
 * and as DAMAGED when it is not ours or not whole where it matters; never with an answer. `check` sees each
 * file when it is opened, and fails when it is not the one that is meant.
 */
export function openStore(
  paths: readonly string[],
  check: (file: ParquetFile) => void = () => undefined,
): DeliveryStore {
  return new FileStore(paths, check)
}

/** Opens one file and checks that it has our layout. Fails as `openStore` does. */
export function openFile(path: string, caches: FileCaches = new FileCaches()): ParquetFile {
  const file = new ParquetFile(path, caches)
  try {
    checkLayout(file)
  } catch (failure) {
    file.close()
    throw failure
  }
  return file
}

function checkLayout({ path, footer }: ParquetFile): void {
  const layout = footer.keyValues.get(LAYOUT_KEY)
  if (layout !== LAYOUT_VERSION) {
    damaged(
      path,
      `a byteledger file of layout ${LAYOUT_VERSION}`,
      `layout ${layout ?? 'none'} by ${footer.createdBy}`,
    )
  }
  if (!hasSchema(footer.schema, SCHEMA) && !hasSchema(footer.schema, PARTITION_SCHEMA)) {
    const names = footer.schema.map(({ name }) => name).join(', ')
    damaged(path, `the columns ${SCHEMA.map(({ name }) => name).join(', ')} (date may be absent)`, names)
  }
}

function hasSchema(found: readonly ColumnSchema[], expected: readonly ColumnSchema[]): boolean {
  return (
    found.length === expected.length &&
    expected.every(({ name, physicalType, logicalType }, i) => {
      const column = found[i]
      return (
        column?.name === name && column.physicalType === physicalType && column.logicalType === logicalType
      )
    })
  )
}

class FileStore implements DeliveryStore {
  readonly paths: readonly string[]
  private readonly caches = new FileCaches()
  private readonly lengths = new BoundedCache<number | undefined>(REMEMBERED_LENGTHS)
  private readonly files = new BoundedCache<ParquetFile>(FOOTER_BYTE_LIMIT, (file) => file.close())

  private readonly check: (file: ParquetFile) => void

  constructor(paths: readonly string[], check: (file: ParquetFile) => void) {
    this.paths = paths
    this.check = check
  }

  get requestCount(): number {
    return this.paths.reduce((sum, path) => {
      const count = Number(this.file(path).footer.keyValues.get(RUNS_KEY))
      return sum + (Number.isFinite(count) ? count : 0)
    }, 0)
  }

  get byteLength(): number {
    return this.paths.reduce((sum, path) => sum + this.file(path).byteLength, 0)
  }

  get hasSpellings(): boolean {
    return this.paths.some((path) => decodesUserAgents(this.file(path)))
  }

  get tally(): Readonly<ReadTally> {
    return this.caches.tally
  }

  findEvidence(key: DeliveryKey, range: Interval, window: TimeWindow = ALWAYS): Evidence {
    const keys = new SpelledKeys(key)
    if (keys.exact === undefined) return NO_EVIDENCE
    const knowsListener = (): boolean => this.hasListener(keys)
    const paths = this.paths.filter((path) => mayHoldTimes(path, window))
    const runs = paths.flatMap((path) => {
      const file = this.file(path)
      return keys.of(file).flatMap((spelled) => findRuns(file, spelled, range))
    })
    if (runs.length > 0) return { runs: runs.sort(compareRuns), assetKnown: true, listenerKnown: true }
    let listenerKnown: boolean | undefined
    return {
      runs,
      assetKnown: this.observedLength(key.asset) !== undefined,
      get listenerKnown() {
        listenerKnown ??= knowsListener()
        return listenerKnown
      },
    }
  }

  /** As long a look as at all bloom filters of the store: taken when somebody asks. */
  private hasListener(keys: SpelledKeys): boolean {
    return this.paths.some((path) => {
      const file = this.file(path)
      return keys
        .of(file)
        .some(({ ip, userAgent, userAgentMd5 }) => hasRows(file, [ip, userAgent], [ip, userAgentMd5]))
    })
  }

  observedLength(asset: string): number | undefined {
    // Files do not change, and many questions are about few assets: a length takes as long as an answer.
    return this.lengths.getOrMake(
      asset,
      () => this.findLength(asset),
      () => 1,
    )
  }

  private findLength(asset: string): number | undefined {
    const wanted = wantedAsset(asset)
    if (wanted === undefined) return undefined
    const length = this.paths.reduce((longest, path) => findLength(this.file(path), wanted, longest), 0)
    // Every row has a position, so an asset without a length has no row.
    return length === 0 ? undefined : length
  }

  toldOf(asset: string): ToldLengths {
    const wanted = wantedAsset(asset)
    if (wanted === undefined) return NOTHING_TOLD
    return mergeLengths(this.paths.flatMap((path) => findLengths(this.file(path), wanted)))
  }

  toldLengths(asset: string | undefined): ReadonlyMap<string, ToldLength> {
    if (asset !== undefined) {
      const { loggedLengths, ...asked } = this.toldOf(asset)
      const bytes = loggedLengths.at(-1)?.bytes
      return new Map([[asset, { bytes, ...asked, hasOthers: loggedLengths.length > 1 }]])
    }
    const told = new Map<string, ToldLength>()
    for (const path of this.paths) {
      for (const entry of readAllLengths(this.file(path))) addLength(told, entry)
    }
    return told
  }

  assetSpans(count: number): readonly AssetSpan[] {
    return cutIntoSpans(
      this.paths.flatMap((path) => {
        const file = this.file(path)
        // To weigh a sample is enough, and of ten thousand row groups each takes memory to decode.
        const step = Math.max(1, Math.ceil(file.rowGroupCount / MAX_WEIGHED_ROW_GROUPS))
        return Array.from({ length: Math.ceil(file.rowGroupCount / step) }, (_, place) => {
          const rowGroup = place * step
          const { columns } = file.rowGroup(rowGroup)
          const { min, max } = assetBounds(file, rowGroup)
          const weight = columns.reduce((sum, { totalCompressedSize }) => sum + totalCompressedSize, 0)
          return { min, max, weight }
        })
      }),
      count,
    )
  }

  *listeners(scan: ListenerScan = {}): Generator<ListenerRuns, void, void> {
    // Files of its own: those kept for questions may be closed at any time to make room.
    const files: ParquetFile[] = []
    try {
      const caches = this.caches.forOnePass()
      for (const path of this.paths) {
        if (!mayHoldTimes(path, scan.window ?? ALWAYS)) continue
        const file = this.open(path, caches)
        files.push(file)
        if (scan.decoded !== undefined && decodesUserAgents(file) !== scan.decoded) files.pop()?.close()
      }
      yield* scanListeners(files, scan)
    } finally {
      for (const file of files) file.close()
    }
  }

  listenersOf(asset: string, { ip, userAgent }: ListenerTests): Generator<ListenerRuns, void, void> {
    return this.listeners({ assets: new Set([asset]), ip, userAgent })
  }

  *valuesOf(column: 'request' | 'ip' | 'user_agent'): Generator<string, void, void> {
    let rowGroupsLeft = MAX_SURVEYED_ROW_GROUPS
    for (const path of this.paths) {
      const file = this.file(path)
      for (let rowGroup = 0; rowGroup < file.rowGroupCount && rowGroupsLeft-- > 0; rowGroup++) {
        const values = file.byteStrings(rowGroup, column)
        for (let i = 0; i < values.count; i++) yield Buffer.from(values.valueAt(i)).toString('utf8')
      }
    }
  }

  close(): void {
    this.files.clear()
  }

  private open(path: string, caches = this.caches): ParquetFile {
    const file = openFile(path, caches)
    try {
      this.check(file)
    } catch (failure) {
      file.close()
      throw failure
    }
    return file
  }

  private file(path: string): ParquetFile {
    return this.files.getOrMake(
      path,
      () => this.open(path),
      ({ footer }) => footer.byteLength + FOOTER_BYTE_LIMIT / OPEN_FILE_LIMIT,
    )
  }
}

function addLength(told: Map<string, ToldLength>, { asset, length, requests }: LengthEntry): void {
  const name = Buffer.from(asset.buffer, asset.byteOffset, asset.length).toString('utf8')
  const known = told.get(name) ?? NO_LENGTH
  if (requests === ASKED) {
    told.set(name, { ...known, askedLength: Math.max(known.askedLength, length) })
  } else if (requests === ANSWERED) {
    told.set(name, { ...known, answeredLength: Math.max(known.answeredLength, length) })
  } else {
    const { bytes = length, hasOthers } = known
    told.set(name, { ...known, bytes: Math.max(bytes, length), hasOthers: hasOthers || bytes !== length })
  }
}

function compareRuns(a: DeliveredRun, b: DeliveredRun): number {
  return a.start - b.start || a.epochSeconds - b.epochSeconds || a.end - b.end
}
