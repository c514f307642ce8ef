/** Files as a source of evidence. */

import { BoundedCache } from '../base/bounded-cache.ts'
import { damaged } from '../base/failure.ts'
import { FileCaches, ParquetFile } from '../parquet/parquet-file.ts'
import type {
  DeliveredRun,
  DeliveryKey,
  Evidence,
  EvidenceSource,
  Interval,
  LoggedLength,
} from './evidence.ts'
import { mergeLengths } from './length-entries.ts'
import { findLengths } from './length-section.ts'
import { findLength, findRuns, hasRows } from './scan.ts'
import { wantedAsset } from './scan-key.ts'
import { LAYOUT_KEY, LAYOUT_VERSION, SCHEMA } from './schema.ts'
import { SpelledKeys } from './user-agent-spellings.ts'

/** Footers of open files take at most so much memory, and at most so many files stay open at once. */
const FOOTER_BYTE_LIMIT = 256 * 1024 * 1024
const OPEN_FILE_LIMIT = 800

const NO_EVIDENCE: Evidence = { runs: [], assetKnown: false, listenerKnown: false }

/**
 * Opens Parquet files that byteledger wrote, as one source. Every question asks them all. Files are
 * opened when first asked and stay open, up to a limit. Fails as ENVIRONMENT when a file cannot be read
 * and as DAMAGED when it is not ours or not whole where it matters; never with an answer.
 */
export function openStore(paths: readonly string[]): EvidenceSource {
  return new FileStore(paths)
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
  const isOurs =
    footer.schema.length === SCHEMA.length &&
    SCHEMA.every((column, i) => {
      const found = footer.schema[i]
      return (
        found?.name === column.name &&
        found.physicalType === column.physicalType &&
        found.logicalType === column.logicalType
      )
    })
  if (!isOurs) {
    const names = footer.schema.map(({ name }) => name).join(', ')
    damaged(path, `the columns ${SCHEMA.map(({ name }) => name).join(', ')}`, names)
  }
}

class FileStore implements EvidenceSource {
  private readonly paths: readonly string[]
  private readonly caches = new FileCaches()
  private readonly files = new BoundedCache<ParquetFile>(FOOTER_BYTE_LIMIT, (file) => file.close())

  constructor(paths: readonly string[]) {
    this.paths = paths
  }

  findEvidence(key: DeliveryKey, range: Interval): Evidence {
    const keys = new SpelledKeys(key)
    if (keys.exact === undefined) return NO_EVIDENCE
    const { request } = keys.exact
    const runs = this.paths.flatMap((path) => {
      const file = this.file(path)
      return keys.of(file).flatMap((spelled) => findRuns(file, spelled, range))
    })
    if (runs.length > 0) return { runs: runs.sort(compareRuns), assetKnown: true, listenerKnown: true }
    return {
      runs,
      assetKnown: this.paths.some((path) => hasRows(this.file(path), [request], [request])),
      listenerKnown: this.paths.some((path) => {
        const file = this.file(path)
        return keys
          .of(file)
          .some(({ ip, userAgent, userAgentMd5 }) => hasRows(file, [ip, userAgent], [ip, userAgentMd5]))
      }),
    }
  }

  observedLength(asset: string): number | undefined {
    const wanted = wantedAsset(asset)
    if (wanted === undefined) return undefined
    const length = this.paths.reduce((longest, path) => findLength(this.file(path), wanted, longest), 0)
    // Every row has a position, so an asset without a length has no row.
    return length === 0 ? undefined : length
  }

  loggedLengths(asset: string): readonly LoggedLength[] {
    const wanted = wantedAsset(asset)
    if (wanted === undefined) return []
    return mergeLengths(this.paths.flatMap((path) => findLengths(this.file(path), wanted)))
  }

  close(): void {
    this.files.clear()
  }

  private file(path: string): ParquetFile {
    return this.files.getOrMake(
      path,
      () => openFile(path, this.caches),
      ({ footer }) => footer.byteLength + FOOTER_BYTE_LIMIT / OPEN_FILE_LIMIT,
    )
  }
}

function compareRuns(a: DeliveredRun, b: DeliveredRun): number {
  return a.start - b.start || a.epochSeconds - b.epochSeconds || a.end - b.end
}
