/**
 * Smallest and largest values of a column over many chunks, as far as they can be compared and shown.
 * Source: parquet-format, `LogicalTypes.md`, the sort order of each type.
 */

import type { LayoutBounds } from './layout-footer.ts'
import type { LayoutColumn } from './layout-schema.ts'

const MS_PER_DAY = 86_400_000
/** The days from 1970 that a JavaScript date reaches, both ways. */
const MAX_DAY = 100_000_000

/** A bound as shown: a number when that holds it exactly, otherwise text. */
export type ShownBound = number | string

/** How the values of a column are compared; `text` is bytes, compared as unsigned. */
export type BoundKind = 'integer' | 'unsigned' | 'float' | 'date' | 'text'

/**
 * How the bounds of a column are to be read; undefined when it has an order that this does not know
 * (decimals, INT96, UUID and the like) or none worth showing (BOOLEAN).
 */
export function boundKindOf({ physicalType, logicalType }: LayoutColumn): BoundKind | undefined {
  switch (physicalType) {
    case 'INT32':
    case 'INT64':
      if (logicalType === 'DECIMAL') return undefined
      if (logicalType === 'DATE') return 'date'
      return logicalType?.endsWith(',unsigned)') === true ? 'unsigned' : 'integer'
    case 'FLOAT':
    case 'DOUBLE':
      return 'float'
    case 'BYTE_ARRAY':
      return logicalType === 'STRING' || logicalType === 'ENUM' || logicalType === 'JSON' ? 'text' : undefined
    default:
      return undefined
  }
}

type Bound = number | bigint | Uint8Array

/** The bounds of one column, chunk by chunk. */
export class BoundsTally {
  readonly #kind: BoundKind | undefined
  #min: Bound | undefined
  #max: Bound | undefined
  /** Whether a chunk had values and no bounds that can be read: then nothing is known of all. */
  #isUnknown = false

  constructor(column: LayoutColumn) {
    this.#kind = boundKindOf(column)
  }

  /** Takes the bounds of a chunk that has values; undefined when it does not say. */
  add(bounds: LayoutBounds | undefined): void {
    const min = bounds === undefined ? undefined : this.#read(bounds.min, bounds)
    const max = bounds === undefined ? undefined : this.#read(bounds.max, bounds)
    if (min === undefined || max === undefined) {
      this.#isUnknown = true
      return
    }
    if (this.#min === undefined || compare(min, this.#min) < 0) this.#min = min
    if (this.#max === undefined || compare(max, this.#max) > 0) this.#max = max
  }

  /** Smallest and largest of all chunks; undefined unless every chunk with values said so. */
  bounds(): readonly [ShownBound, ShownBound] | undefined {
    if (this.#isUnknown || this.#min === undefined || this.#max === undefined) return undefined
    return [this.#show(this.#min), this.#show(this.#max)]
  }

  #read(bytes: Uint8Array, { isDeprecated }: LayoutBounds): Bound | undefined {
    if (this.#kind === undefined) return undefined
    if (this.#kind === 'text') return isDeprecated ? undefined : bytes
    if (this.#kind === 'unsigned' && isDeprecated) return undefined
    if (bytes.length !== 4 && bytes.length !== 8) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (this.#kind === 'float') {
      const value = bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)
      return Number.isNaN(value) ? undefined : value
    }
    if (bytes.length === 4)
      return this.#kind === 'unsigned' ? view.getUint32(0, true) : view.getInt32(0, true)
    return this.#kind === 'unsigned' ? view.getBigUint64(0, true) : view.getBigInt64(0, true)
  }

  #show(bound: Bound): ShownBound {
    if (bound instanceof Uint8Array)
      return Buffer.from(bound.buffer, bound.byteOffset, bound.length).toString()
    const value = Number(bound)
    if (this.#kind === 'date' && Math.abs(value) <= MAX_DAY) {
      return new Date(value * MS_PER_DAY).toISOString().slice(0, -14)
    }
    // JSON has no infinity, and a number no integer beyond 2^53.
    const isExact = typeof bound === 'bigint' ? Number.isSafeInteger(value) : Number.isFinite(value)
    return isExact ? value : String(bound)
  }
}

/** Below 0, 0 or above 0. Bounds of one column are of one kind. */
function compare(a: Bound, b: Bound): number {
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.compare(a, b) : 1
  if (b instanceof Uint8Array) return -1
  return a < b ? -1 : a > b ? 1 : 0
}
