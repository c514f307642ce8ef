/**
 * One pass over files: every listener of every asset with all of its requests, in the order of the keys.
 * Files and the shards in them are sorted each for itself; here they are merged, so that whoever asked in
 * several of them comes once. Cost follows requests, never rows; memory is one row group of each sorted
 * stretch that has the asset at hand, and the requests of one listener.
 */

import type { ParquetFile } from '../parquet/parquet-file.ts'
import { meetsSpan } from './asset-spans.ts'
import { compareKeys, KeyCursor, type KeyFilter, type Stretch } from './key-cursor.ts'
import { ALWAYS, type TimeWindow } from './question-time.ts'
import { chooseRowGroups } from './row-group-choice.ts'
import { RunBuffer } from './run-buffer.ts'
import { wantedAsset } from './scan-key.ts'
import { assetBounds, sortedStretches } from './sorted-stretches.ts'

/** What a pass is about; whatever is absent restricts nothing. */
export interface ListenerScan extends KeyFilter {
  /** Only these assets: row groups without them are not read. */
  readonly assets?: ReadonlySet<string> | undefined
  readonly window?: TimeWindow | undefined
  /** Only files whose user agents were decoded, or only the others; see user-agent-spellings.ts. */
  readonly decoded?: boolean | undefined
}

/** All requests of one listener for one asset, in the order (start, epoch, end). */
export interface ListenerRuns {
  readonly asset: string
  readonly ip: string
  readonly userAgent: string
  /** Valid until the next listener is asked for: the memory is used again. Never empty. */
  readonly runs: RunBuffer
}

/** So few assets are looked up in bloom filters, one by one; of more, only the bounds are compared. */
const MAX_LOOKED_UP_ASSETS = 64

/** Passes over open files, which the caller closes. Fails as DAMAGED when anything that is read is. */
export function* scanListeners(
  files: readonly ParquetFile[],
  scan: ListenerScan,
): Generator<ListenerRuns, void, void> {
  const { assets, span } = scan
  const filter: KeyFilter =
    assets === undefined
      ? scan
      : { ...scan, asset: (text) => assets.has(text) && (scan.asset?.(text) ?? true) }
  const stretches = files.flatMap((file) => {
    const rowGroups = rowGroupsWith(file, assets)
    if (span === undefined) return sortedStretches(file, rowGroups)
    const met = rowGroups.filter((rowGroup) => {
      const { min, max } = assetBounds(file, rowGroup)
      return meetsSpan(span, min, max)
    })
    return sortedStretches(file, met)
  })
  yield* scanStretches(stretches, filter, scan.window)
}

/** Passes over stretches of open files. Memory is one row group of each. Fails as `scanListeners` does. */
export function* scanStretches(
  stretches: readonly Stretch[],
  filter: KeyFilter,
  window: TimeWindow = ALWAYS,
): Generator<ListenerRuns, void, void> {
  const cursors = stretches.map((stretch) => new KeyCursor(stretch, filter))
  yield* mergeCursors(cursors, window)
}

function rowGroupsWith(file: ParquetFile, assets: ReadonlySet<string> | undefined): number[] {
  const all = Array.from({ length: file.rowGroupCount }, (_, i) => i)
  if (assets === undefined) return all
  const wanted = [...assets].flatMap((asset) => wantedAsset(asset) ?? [])
  if (wanted.length <= MAX_LOOKED_UP_ASSETS) {
    const chosen = new Set(wanted.flatMap((asset) => chooseRowGroups(file, [asset])))
    return all.filter((rowGroup) => chosen.has(rowGroup))
  }
  return all.filter((rowGroup) => wanted.some(({ bytes }) => file.footer.mayLeadWith(rowGroup, bytes)))
}

function* mergeCursors(
  cursors: readonly KeyCursor[],
  window: TimeWindow,
): Generator<ListenerRuns, void, void> {
  const heap = new CursorHeap(cursors)
  const texts = new KeyTexts()
  const runs = new RunBuffer()
  for (let top = heap.top; top !== undefined; top = heap.top) {
    // A cursor that was not opened stands on a lower bound: nothing before it can come from elsewhere.
    if (!top.isOpen) {
      heap.replaceTop(top.advance() !== 'end')
      continue
    }
    const { asset, ip, userAgent } = top
    const key = { asset, ip, userAgent }
    runs.clear()
    for (let source = heap.top; source !== undefined && compareKeys(source, key) === 0; source = heap.top) {
      let next: ReturnType<KeyCursor['advance']>
      do {
        source.appendRuns(runs, window)
        next = source.advance()
      } while (next === 'same')
      heap.replaceTop(next === 'other')
    }
    if (runs.count === 0) continue
    runs.sort()
    yield { asset: texts.asset(asset), ip: texts.decode(ip), userAgent: texts.userAgent(userAgent), runs }
  }
}

/** Cursors with the smallest key on top. */
class CursorHeap {
  private readonly cursors: KeyCursor[]

  constructor(cursors: readonly KeyCursor[]) {
    this.cursors = cursors.toSorted(compareKeys)
  }

  get top(): KeyCursor | undefined {
    return this.cursors[0]
  }

  /** Puts the top, whose key grew, where it belongs, or takes it away when it has no more keys. */
  replaceTop(hasKey: boolean): void {
    const { cursors } = this
    if (!hasKey) {
      const last = cursors.pop()
      if (last === undefined || cursors.length === 0) return
      cursors[0] = last
    }
    const moved = cursors[0]
    if (moved === undefined) return
    let at = 0
    for (;;) {
      const left = cursors[2 * at + 1]
      if (left === undefined) break
      const right = cursors[2 * at + 2]
      const isRight = right !== undefined && compareKeys(right, left) < 0
      const child = isRight ? right : left
      if (compareKeys(moved, child) <= 0) break
      cursors[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    cursors[at] = moved
  }
}

/** Most user agents that are kept as text: a log has few that are frequent. */
const MAX_KEPT_TEXTS = 4096

/** Bytes of keys as text; what comes again and again is decoded once. */
class KeyTexts {
  private lastAssetBytes: Uint8Array = new Uint8Array(0)
  private lastAsset = ''
  private readonly userAgents = new Map<string, string>()

  decode(bytes: Uint8Array): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  }

  asset(bytes: Uint8Array): string {
    if (bytes !== this.lastAssetBytes && Buffer.compare(bytes, this.lastAssetBytes) !== 0) {
      this.lastAsset = this.decode(bytes)
    }
    this.lastAssetBytes = bytes
    return this.lastAsset
  }

  /** One string for equal user agents, so that what keeps many of them keeps few texts. */
  userAgent(bytes: Uint8Array): string {
    const text = this.decode(bytes)
    const known = this.userAgents.get(text)
    if (known !== undefined) return known
    if (this.userAgents.size >= MAX_KEPT_TEXTS) this.userAgents.clear()
    this.userAgents.set(text, text)
    return text
  }
}
