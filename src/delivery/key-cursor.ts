/**
 * Walks row groups whose keys ascend, one block of rows with one key after the other. Memory is what one
 * row group takes, whatever the file's length.
 */

import { damaged } from '../base/failure.ts'
import type { IndexChunk } from '../parquet/dictionary-chunk.ts'
import type { ByteStrings } from '../parquet/dictionary-reader.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'
import type { PositionChunk } from '../parquet/position-chunk.ts'
import { type AssetSpan, isInSpan } from './asset-spans.ts'
import { isInWindow, type TimeWindow } from './question-time.ts'
import type { RunBuffer } from './run-buffer.ts'
import { RunPointer } from './run-pointer.ts'
import { borderOf, positionsOf } from './scan-rows.ts'
import { COLUMN, type ColumnName } from './schema.ts'

/** Which keys a scan is about; a test that is absent passes everything. */
export interface KeyFilter {
  readonly span?: AssetSpan | undefined
  readonly asset?: ((text: string) => boolean) | undefined
  readonly ip?: ((text: string) => boolean) | undefined
  readonly userAgent?: ((text: string) => boolean) | undefined
}

/** Row groups of one file whose keys ascend from the first to the last. */
export interface Stretch {
  readonly file: ParquetFile
  readonly rowGroups: readonly number[]
  /** No key of the stretch has a smaller asset. */
  readonly firstAsset: Uint8Array
}

/** A key as the columns hold it: views of dictionaries, which stay as they are. */
export interface KeyBytes {
  readonly asset: Uint8Array
  readonly ip: Uint8Array
  readonly userAgent: Uint8Array
}

const NO_BYTES = new Uint8Array(0)

/** Below 0, 0 or above 0, by asset, address and user agent as unsigned bytes: the order of the rows. */
export function compareKeys(a: KeyBytes, b: KeyBytes): number {
  return (
    Buffer.compare(a.asset, b.asset) || Buffer.compare(a.ip, b.ip) || Buffer.compare(a.userAgent, b.userAgent)
  )
}

/** The values of one key column in the row group at hand, and which of them pass their test. */
class KeyColumn {
  private readonly values: ByteStrings
  private readonly test: ((text: string) => boolean) | undefined
  private readonly span: AssetSpan | undefined
  /** Of each value: 0 not tested yet, 1 passes, 2 fails. */
  private readonly verdicts: Uint8Array
  private current = -1
  readonly pointer: RunPointer
  bytes: Uint8Array = NO_BYTES

  constructor(
    values: ByteStrings,
    chunk: IndexChunk,
    test: ((text: string) => boolean) | undefined,
    span?: AssetSpan | undefined,
  ) {
    this.values = values
    this.test = test
    this.span = span
    this.verdicts = new Uint8Array(test === undefined && span === undefined ? 0 : values.count)
    this.pointer = new RunPointer(chunk)
  }

  passes(): boolean {
    if (this.verdicts.length === 0) return true
    const { index } = this.pointer
    if (this.verdicts[index] === 0) this.verdicts[index] = this.judge(this.values.valueAt(index)) ? 1 : 2
    return this.verdicts[index] === 1
  }

  private judge(value: Uint8Array): boolean {
    if (this.span !== undefined && !isInSpan(this.span, value)) return false
    return this.test === undefined || this.test(Buffer.from(value).toString('utf8'))
  }

  /** Takes the value at hand; whether it is the one taken before. */
  take(): boolean {
    const { index } = this.pointer
    if (index === this.current) return true
    this.current = index
    this.bytes = this.values.valueAt(index)
    return false
  }
}

/** What is decoded of the row group at hand. */
interface OpenRowGroup {
  readonly where: string
  readonly rowCount: number
  readonly asset: KeyColumn
  readonly ip: KeyColumn
  readonly userAgent: KeyColumn
  readonly epochs: Float64Array
  readonly border: number
  readonly requests: RunPointer
  readonly positions: PositionChunk
}

/**
 * Stands on one block of rows with one key. Until it was advanced for the first time its key is a lower
 * bound, taken from statistics: nothing of the stretch was read yet.
 */
export class KeyCursor implements KeyBytes {
  private readonly stretch: Stretch
  private readonly filter: KeyFilter
  private nextRowGroup = 0
  private rowGroup: OpenRowGroup | undefined
  /** The rows of the block. */
  private from = 0
  private to = 0
  /** Where the request read last ended and when it was made: the next one may go on with it. */
  private lastRow = -1
  private lastEnd = -1
  private lastEpoch = -1
  isOpen = false
  asset: Uint8Array
  ip: Uint8Array = NO_BYTES
  userAgent: Uint8Array = NO_BYTES

  constructor(stretch: Stretch, filter: KeyFilter) {
    this.stretch = stretch
    this.filter = filter
    this.asset = stretch.firstAsset
  }

  /**
   * Moves to the next block whose key passes the filter: `same` when it has the key of the block before,
   * `end` when there is none. Fails as DAMAGED when keys descend.
   */
  advance(): 'same' | 'other' | 'end' {
    const wasOpen = this.isOpen
    this.isOpen = true
    for (;;) {
      const group = this.rowGroup
      if (group === undefined || this.to === group.rowCount) {
        if (!this.openNext()) return 'end'
        continue
      }
      this.from = this.to
      if (!this.findBlock(group)) continue
      // Within a row group equal indexes are equal values; the bytes are compared only where one differs.
      const isSameAsset = group.asset.take()
      const isSameIp = group.ip.take()
      if (group.userAgent.take() && isSameIp && isSameAsset) return 'same'
      return this.takeKey(group, wasOpen)
    }
  }

  private takeKey({ asset, ip, userAgent, where }: OpenRowGroup, wasOpen: boolean): 'same' | 'other' {
    const found = { asset: asset.bytes, ip: ip.bytes, userAgent: userAgent.bytes }
    const order = compareKeys(found, this)
    if (order < 0) damaged(where, `keys that ascend at row ${this.from}`, 'one that is smaller')
    this.asset = found.asset
    this.ip = found.ip
    this.userAgent = found.userAgent
    if (order === 0 && wasOpen) return 'same'
    this.lastRow = -1
    return 'other'
  }

  /** Sets the end of the block that begins at `from`; whether it passes the filter. */
  private findBlock({ asset, ip, userAgent }: OpenRowGroup): boolean {
    asset.pointer.seek(this.from)
    this.to = asset.pointer.end
    if (!asset.passes()) return false
    ip.pointer.seek(this.from)
    this.to = Math.min(this.to, ip.pointer.end)
    if (!ip.passes()) return false
    userAgent.pointer.seek(this.from)
    this.to = Math.min(this.to, userAgent.pointer.end)
    return userAgent.passes()
  }

  private openNext(): boolean {
    const { file, rowGroups } = this.stretch
    // Without a test of assets nearly all pages are needed.
    const needsAll = this.filter.asset === undefined
    if (needsAll && this.nextRowGroup > 0) file.forgetPages(rowGroups[this.nextRowGroup - 1] ?? -1)
    const rowGroup = rowGroups[this.nextRowGroup++]
    if (rowGroup === undefined) {
      this.rowGroup = undefined
      return false
    }
    if (needsAll) file.readPagesAhead(rowGroup)
    const where = `${file.path}, row group ${rowGroup}`
    const { span } = this.filter
    const keyColumn = (column: ColumnName, test: ((text: string) => boolean) | undefined): KeyColumn => {
      const values = file.byteStrings(rowGroup, column)
      const indexes = file.indexes(rowGroup, column, values.count)
      return new KeyColumn(values, indexes, test, column === COLUMN.request ? span : undefined)
    }
    const epochs = file.integers(rowGroup, COLUMN.epoch)
    const { rowCount } = file.rowGroup(rowGroup)
    // Rows are numbered anew: only a request that reached the end of the row group before can go on.
    const reachedEnd = this.rowGroup !== undefined && this.lastRow === this.rowGroup.rowCount
    this.lastRow = reachedEnd ? 0 : -1
    this.to = 0
    this.rowGroup = {
      where,
      rowCount,
      asset: keyColumn(COLUMN.request, this.filter.asset),
      ip: keyColumn(COLUMN.ip, this.filter.ip),
      userAgent: keyColumn(COLUMN.userAgent, this.filter.userAgent),
      epochs,
      border: borderOf(epochs, `${where}, epoch`),
      requests: new RunPointer(file.indexes(rowGroup, COLUMN.epoch, epochs.length)),
      positions: file.positions(rowGroup, COLUMN.byteNum),
    }
    return true
  }

  /**
   * Adds the requests of the block that are in the window, one that was split as a whole. Fails as DAMAGED
   * when a request reaches out of the block, or a part continues another request.
   */
  appendRuns(runs: RunBuffer, window: TimeWindow): void {
    const group = this.rowGroup
    if (group === undefined) return
    const { requests, epochs, border, positions, where } = group
    for (let row = this.from; row < this.to; ) {
      requests.seek(row)
      const { index, end: endRow } = requests
      if (endRow > this.to) damaged(where, `a request that ends at row ${this.to}`, `one up to ${endRow}`)
      const epochSeconds = epochs[index] ?? 0
      const { start, end } = positionsOf(positions, row, endRow, `${where}, byte_num`)
      const isInside = isInWindow(window, epochSeconds)
      if (index >= border) {
        if (this.lastRow !== row || this.lastEnd !== start || this.lastEpoch !== epochSeconds) {
          damaged(where, `row ${row} to continue the request of the row before`, 'another')
        }
        if (isInside) runs.extendLast(end)
      } else if (isInside) {
        runs.add(start, end, epochSeconds)
      }
      this.lastRow = endRow
      this.lastEnd = end
      this.lastEpoch = epochSeconds
      row = endRow
    }
  }
}
