/** How long the assets of a report are, and who says so. */

import type { AssetLength } from './answer.ts'

/** The longest length that logs tell of an asset, and whether they tell others too. */
export interface ToldLength {
  readonly bytes: number
  readonly hasOthers: boolean
}

/** Whatever knows what logs tell of one asset, or of all. */
export interface LengthSource {
  toldLengths(asset: string | undefined): ReadonlyMap<string, ToldLength>
}

/**
 * The length that is given, or else the longest that is known, as for a question: what logs tell, unless a
 * request reached beyond. What logs tell is looked up once, for all assets.
 */
export class AssetLengths {
  private readonly given: number | undefined
  private readonly lookUp: () => ReadonlyMap<string, ToldLength>
  private found: ReadonlyMap<string, ToldLength> | undefined

  constructor(
    source: LengthSource,
    { asset, givenLength }: { readonly asset: string | undefined; readonly givenLength: number | undefined },
  ) {
    this.given = givenLength
    this.lookUp = () => source.toldLengths(asset)
  }

  /** What logs tell, looked up when it is needed first. */
  private get told(): ReadonlyMap<string, ToldLength> {
    this.found ??= this.lookUp()
    return this.found
  }

  /** The length of an asset of which requests reached so far. */
  of(asset: string, observedLength: number): AssetLength {
    if (this.given !== undefined) return { bytes: this.given, from: 'given' }
    const told = this.told.get(asset)?.bytes
    if (told !== undefined && told >= observedLength) return { bytes: told, from: 'logged' }
    return { bytes: observedLength, from: 'observed' }
  }

  /** What a report says of its lengths before its rows. */
  facts(): [label: string, value: string | number][] {
    if (this.given !== undefined) return [['length', `${this.given}, as given`]]
    if (this.told.size === 0) return [['length', 'as far as any request reached']]
    let conflictCount = 0
    for (const { hasOthers } of this.told.values()) if (hasOthers) conflictCount++
    const rule =
      'the longest that logs tell; as far as any request reached where that is more, or none is told'
    if (conflictCount === 0) return [['length', rule]]
    return [
      ['length', rule],
      ['assets of which logs tell different lengths', conflictCount],
    ]
  }
}
