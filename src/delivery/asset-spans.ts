/** Cuts the assets of a store into spans, so that each can be passed over by itself. */

/** Assets from `from` on and before `to`, by their bytes; undefined is no bound. The bytes are its own. */
export interface AssetSpan {
  readonly from: Uint8Array | undefined
  readonly to: Uint8Array | undefined
}

/** The assets of a row group, and what it takes to read it. */
export interface AssetBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
  readonly weight: number
}

/** Whether an asset lies in a span. */
export function isInSpan({ from, to }: AssetSpan, asset: Uint8Array): boolean {
  return (
    (from === undefined || Buffer.compare(asset, from) >= 0) &&
    (to === undefined || Buffer.compare(asset, to) < 0)
  )
}

/** Whether any of the assets `[min, max]` may lie in a span. */
export function meetsSpan({ from, to }: AssetSpan, min: Uint8Array, max: Uint8Array): boolean {
  return (
    (from === undefined || Buffer.compare(max, from) >= 0) &&
    (to === undefined || Buffer.compare(min, to) < 0)
  )
}

/**
 * At most `count` spans of about the same weight, ascending, that together are all assets. A row group weighs
 * half at its first asset and half at its last; an asset is never cut.
 */
export function cutIntoSpans(rowGroups: Iterable<AssetBounds>, count: number): AssetSpan[] {
  const ends: { readonly asset: Uint8Array; readonly weight: number }[] = []
  let weightLeft = 0
  for (const { min, max, weight } of rowGroups) {
    ends.push({ asset: min, weight: weight / 2 }, { asset: max, weight: weight / 2 })
    weightLeft += weight
  }
  ends.sort((a, b) => Buffer.compare(a.asset, b.asset))
  const share = weightLeft / count
  const cuts: Uint8Array[] = []
  let weight = 0
  for (const end of ends) {
    const last = cuts.at(-1) ?? ends[0]?.asset
    const isDue = cuts.length + 1 < count && weight >= share * (cuts.length + 1)
    if (isDue && last !== undefined && Buffer.compare(end.asset, last) > 0) {
      cuts.push(end.asset.slice())
    }
    weight += end.weight
  }
  return [undefined, ...cuts].map((from, i) => ({ from, to: cuts[i] }))
}
