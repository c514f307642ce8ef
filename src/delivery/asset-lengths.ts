/** How long the assets of a report are, and who says so. */

import { type AssetLength, knownLength } from './asset-length.ts'

/** The longest complete length that logs tell of an asset, if any, and whether they tell others too. */
export interface ToldLength {
  readonly bytes: number | undefined
  readonly hasOthers: boolean
  /** See `ToldLengths`. */
  readonly askedLength: number
  readonly answeredLength: number
}

/** Of an asset of which no log tells anything. */
export const NO_LENGTH: ToldLength = { bytes: undefined, askedLength: 0, answeredLength: 0, hasOthers: false }

/** Whatever knows what logs tell of one asset, or of all. */
export interface LengthSource {
  toldLengths(asset: string | undefined): ReadonlyMap<string, ToldLength>
}

/**
 * The length that is given, or else the longest that is known, as for a question. What logs tell is looked up once,
 * for all assets.
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
    const told = this.told.get(asset) ?? NO_LENGTH
    return knownLength(told.bytes, told, observedLength)
  }

  /** What a report says of its lengths before its rows. */
  facts(): [label: string, value: string | number][] {
    if (this.given !== undefined) return [['length', `${this.given}, as given`]]
    let [toldCount, conflictCount, askedCount] = [0, 0, 0]
    for (const { bytes, hasOthers, askedLength, answeredLength } of this.told.values()) {
      if (bytes !== undefined) toldCount++
      if (bytes === undefined ? askedLength + answeredLength > 0 : answeredLength > bytes) askedCount++
      if (hasOthers) conflictCount++
    }
    const reach = 'as far as any request reached'
    const rule =
      toldCount === 0 ? reach : `the longest that logs tell; ${reach} where that is more, or none is told`
    const facts: [string, string | number][] = [
      ['length', askedCount === 0 ? rule : `${rule}, or asked for bytes that are not proven`],
    ]
    if (conflictCount > 0) facts.push(['assets of which logs tell different lengths', conflictCount])
    return facts
  }
}
