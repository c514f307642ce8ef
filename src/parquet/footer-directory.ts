/**
 * Where each row group stands in the footer, and where its bloom filters stand in the file. A footer is
 * one long thrift structure that can only be read from its start, a million fields for two thousand row
 * groups; with this directory, which is the content of the footer's extension, a reader tests the bloom
 * filters at once and decodes the few row groups that remain.
 *
 * Little-endian: of each row group four bytes of its offset in the footer, four of the bloom filters'
 * length and eight of their offset in the file (0 and 0 when there are none); then four bytes each of
 * the offset at which the list of row groups ends and of their count.
 */

import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import type { FileSpan, RowGroupMetadata } from './metadata.ts'

const ENTRY_BYTE_LENGTH = 16
const TAIL_BYTE_LENGTH = 8

/** Collects the entries while the footer is encoded. */
export class FooterDirectoryWriter {
  private readonly w = new ByteWriter()
  private count = 0

  /** Adds a row group whose structure begins at `byteOffset` of the footer. */
  add(byteOffset: number, rowGroup: RowGroupMetadata): void {
    const span = bloomFilterSpan(rowGroup)
    this.w.u32(byteOffset)
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

  /** Where a row group's bloom filters stand in the file, or undefined when it has none. */
  bloomFiltersOf(rowGroup: number): FileSpan | undefined {
    const at = rowGroup * ENTRY_BYTE_LENGTH
    const byteLength = this.#view.getUint32(at + 4, true)
    if (byteLength === 0) return undefined
    const low = this.#view.getUint32(at + 8, true)
    return { byteOffset: this.#view.getUint32(at + 12, true) * 0x1_0000_0000 + low, byteLength }
  }
}
