/**
 * Where each row group stands in the footer, with what decides whether it must be looked at. A footer is
 * one long thrift structure that can only be read from its start, a million fields for two thousand row
 * groups; with this directory, which is the content of the footer's extension, a reader tests bounds and
 * bloom filters at once and decodes the few row groups that remain.
 *
 * Little-endian. Of each row group: four bytes each of its offset in the footer, of the offset there of
 * the statistics of its leading sorting column (0 without one), and of its bloom filters' length; eight
 * of their offset in the file (both 0 without any). Then four bytes each of the offset at which the list
 * of row groups ends and of their count.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import type { FileSpan, RowGroupMetadata } from './metadata.ts'

const ENTRY_BYTE_LENGTH = 20
const TAIL_BYTE_LENGTH = 8

/** Offsets in the footer. */
export interface RowGroupPlace {
  /** Of the row group's structure. */
  readonly byteOffset: number
  /** Of the `Statistics` of its leading sorting column; 0 when it has none. */
  readonly leadingStatistics: number
}

/** Collects the entries while the footer is encoded. */
export class FooterDirectoryWriter {
  private readonly w = new ByteWriter()
  private count = 0

  /** Adds a row group that stands at `place` of the footer. */
  add(place: RowGroupPlace, rowGroup: RowGroupMetadata): void {
    const span = bloomFilterSpan(rowGroup)
    this.w.u32(place.byteOffset)
    this.w.u32(place.leadingStatistics)
    this.w.u32(span?.byteLength ?? 0)
    this.w.i64(span?.byteOffset ?? 0)
    this.count++
  }

  /** The whole directory; the list of row groups ends at `listEnd` of the footer. */
  end(listEnd: number): Uint8Array {
    this.w.u32(listEnd)
    this.w.u32(this.count)
    return this.w.view()
  }
}

/** The stretch that holds all bloom filters of a row group: they stand together, in column order. */
function bloomFilterSpan(rowGroup: RowGroupMetadata): FileSpan | undefined {
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (const { bloomFilter } of rowGroup.columns) {
    if (bloomFilter === undefined) continue
    start = Math.min(start, bloomFilter.byteOffset)
    end = Math.max(end, bloomFilter.byteOffset + bloomFilter.byteLength)
  }
  return end === 0 ? undefined : { byteOffset: start, byteLength: end - start }
}

/** A directory as it stands in a footer. */
export class FooterDirectory {
  readonly rowGroupCount: number
  /** The offset in the footer at which the list of row groups ends. */
  readonly listEnd: number
  readonly #view: DataView

  /** `footer[..end)` ends with the directory. Fails as DAMAGED unless all of it is there. */
  constructor(footer: Uint8Array, end: number, where: string) {
    const tail: ByteReader = new ByteReader(footer, where, Math.max(0, end - TAIL_BYTE_LENGTH), end)
    this.listEnd = tail.u32()
    this.rowGroupCount = tail.u32()
    const start = end - TAIL_BYTE_LENGTH - this.rowGroupCount * ENTRY_BYTE_LENGTH
    if (start < this.listEnd) tail.fail('a directory behind the row groups', `one of ${this.rowGroupCount}`)
    this.#view = new DataView(footer.buffer, footer.byteOffset + start, end - start)
  }

  /** The offset in the footer of a row group's structure. */
  offsetOf(rowGroup: number): number {
    return this.#view.getUint32(rowGroup * ENTRY_BYTE_LENGTH, true)
  }

  /** The offset in the footer of the statistics of a row group's leading sorting column; 0 for none. */
  leadingStatisticsOf(rowGroup: number): number {
    return this.#view.getUint32(rowGroup * ENTRY_BYTE_LENGTH + 4, true)
  }

  /** Where a row group's bloom filters stand in the file, or undefined when it has none. */
  bloomFiltersOf(rowGroup: number): FileSpan | undefined {
    const at = rowGroup * ENTRY_BYTE_LENGTH
    const byteLength = this.#view.getUint32(at + 8, true)
    if (byteLength === 0) return undefined
    const low = this.#view.getUint32(at + 12, true)
    return { byteOffset: this.#view.getUint32(at + 16, true) * 0x1_0000_0000 + low, byteLength }
  }
}
